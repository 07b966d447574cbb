/**
 * A section under construction is a list of fragments. Only the last fragment of a section grows; those whose size depends on
 * where things end up (branches, alignment, `.org`, LEB128) get their size in `relax.ts`.
 */
import type { Section } from '../object.ts'
import type { AssemblySymbol } from './symbol.ts'
import type { Expression } from './expression.ts'
import type { FixupType } from './fixup.ts'
import type { Span } from './position.ts'

export interface Fixup {
  /** Byte offset in the fragment. */
  readonly offset: number
  readonly type: FixupType
  readonly expression: Expression
  readonly span: Span
}

interface FragmentBase {
  /** Offset in the section, kept up to date by relaxation. */
  address: number
  /** Position in the section's list. */
  readonly index: number
}

export interface DataFragment extends FragmentBase {
  readonly kind: 'data'
  readonly bytes: ByteBuffer
  readonly fixups: Fixup[]
}

export interface AlignFragment extends FragmentBase {
  readonly kind: 'align'
  readonly alignment: number
  /** More padding than this and none is made. */
  readonly maximum: number | undefined
  /** Fill with instructions that do nothing. */
  readonly code: boolean
  readonly fill: number
  readonly fillSize: number
  size: number
}

/** A branch or jump whose length depends on the distance. */
export interface BranchFragment extends FragmentBase {
  readonly kind: 'branch'
  readonly conditional: boolean
  /** The compressed encoding without its target, where the registers allow one. */
  readonly short: number | undefined
  /** The full encoding without its target. */
  readonly long: number
  readonly target: Expression
  readonly span: Span
  size: 2 | 4 | 6 | 8
}

/** `.space` and `.org` with an expression that is not known yet. */
export interface SpaceFragment extends FragmentBase {
  readonly kind: 'space' | 'org'
  readonly amount: Expression
  readonly fill: number
  readonly span: Span
  size: number
}

export interface LebFragment extends FragmentBase {
  readonly kind: 'leb'
  readonly signed: boolean
  readonly value: Expression
  readonly span: Span
  size: number
}

export type Fragment = DataFragment | AlignFragment | BranchFragment | SpaceFragment | LebFragment

/** Bytes that grow at the end. */
export class ByteBuffer {
  #bytes = new Uint8Array(64)
  length = 0

  push(values: ArrayLike<number>): void {
    this.#reserve(values.length)
    this.#bytes.set(values, this.length)
    this.length += values.length
  }

  fill(value: number, count: number): void {
    this.#reserve(count)
    this.#bytes.fill(value, this.length, this.length + count)
    this.length += count
  }

  /** Appends the low `size` bytes of `value`, little-endian. */
  pushInteger(value: bigint, size: number): void {
    this.#reserve(size)
    for (let i = 0; i < size; i++) this.#bytes[this.length++] = Number((value >> BigInt(8 * i)) & 255n)
  }

  view(): Uint8Array {
    return this.#bytes.subarray(0, this.length)
  }

  #reserve(count: number): void {
    if (this.length + count <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + count))
    grown.set(this.#bytes.subarray(0, this.length))
    this.#bytes = grown
  }
}

export interface SectionShape {
  readonly kind: Section['kind']
  readonly flags: Section['flags']
}

/** The number of bytes a fragment takes now. */
export function fragmentSize(fragment: Fragment): number {
  return fragment.kind === 'data' ? fragment.bytes.length : fragment.size
}

export class SectionBuilder {
  readonly fragments: Fragment[] = []
  alignment = 1
  /** The symbol that stands for the section's start. */
  symbol: AssemblySymbol | undefined
  readonly lines: { fragment: Fragment; offset: number; file: string; line: number; column: number }[] = []

  constructor(
    readonly name: string,
    public shape: SectionShape,
  ) {}

  align(alignment: number): void {
    this.alignment = Math.max(this.alignment, alignment)
  }

  /** The fragment that bytes go to. */
  data(): DataFragment {
    const last = this.fragments.at(-1)
    if (last?.kind === 'data') return last
    const fragment: DataFragment = { kind: 'data', address: 0, index: this.fragments.length, bytes: new ByteBuffer(), fixups: [] }
    this.fragments.push(fragment)
    return fragment
  }

  /**
   * Ends the present data fragment. GNU's fragments end after padding and after an upper immediate, and where labels stand in their
   * fragments shows in its first guess at the length of branches.
   */
  split(): void {
    if (this.fragments.at(-1)?.kind === 'data') {
      this.fragments.push({ kind: 'data', address: 0, index: this.fragments.length, bytes: new ByteBuffer(), fixups: [] })
    }
  }

  /** Adds a fragment of variable size. */
  add(fragment: Fragment): void {
    this.fragments.push(fragment)
  }

  nextIndex(): number {
    return this.fragments.length
  }

  /** The current end as a place that stays right whatever relaxation does. */
  here(): { section: SectionBuilder; fragment: DataFragment; offset: number } {
    const fragment = this.data()
    return { section: this, fragment, offset: fragment.bytes.length }
  }

  size(): number {
    const last = this.fragments.at(-1)
    return last ? last.address + fragmentSize(last) : 0
  }
}
