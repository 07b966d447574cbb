/**
 * Gives every fragment its address and size. The order of the steps is that of GNU as (sizes guessed front to back, then passes
 * over the section until nothing changes), because where several layouts are stable the choice between them shows in the bytes.
 */
import { cImmB, cImmJ, fieldWidth, immB } from '../../isa/fields.ts'
import { constantNow, evaluate, type Expression } from './expression.ts'
import { AssemblyError } from './position.ts'
import { fragmentSize, type AlignFragment, type BranchFragment, type Fragment, type SectionBuilder } from './section.ts'

/** Widths of the ranges that the target fields span. */
const branchReach = { near: 2 ** fieldWidth(cImmB), far: 2 ** fieldWidth(immB) }
const jumpReach = 2 ** fieldWidth(cImmJ)

/**
 * Sizes the fragments of a section.
 * @throws AssemblyError when `.space` or `.org` cannot be satisfied.
 */
export function relaxSection(section: SectionBuilder): void {
  const { fragments } = section
  let before: string | undefined
  // Each round guesses anew, with the addresses of the round before for what lies ahead.
  for (let round = 0; round < 10; round++) {
    guessSizes(section)
    settle(section)
    const addresses = fragments.map((fragment) => fragment.address).join()
    if (addresses === before) break
    before = addresses
  }
  for (const fragment of fragments) if (fragment.kind === 'org') checkOrigin(section, fragment)
}

function guessSizes(section: SectionBuilder): void {
  let address = 0
  for (const fragment of section.fragments) {
    fragment.address = address
    if (fragment.kind === 'align') fragment.size = padding(fragment, address)
    if (fragment.kind === 'branch') fragment.size = branchSize(section, fragment)
    if (fragment.kind === 'leb') fragment.size = 1
    if (fragment.kind === 'space' || fragment.kind === 'org') fragment.size = 0
    address += fragmentSize(fragment)
  }
}

/** Passes over the section until no size changes. */
function settle(section: SectionBuilder): void {
  const limit = section.fragments.length + 100
  for (let pass = 0; pass < limit; pass++) {
    let stretch = 0
    let changed = false
    for (const fragment of section.fragments) {
      fragment.address += stretch
      if (fragment.kind === 'data') continue
      const old = fragment.size
      fragment.size = variableSize(section, fragment, stretch)
      if (fragment.size !== old) {
        stretch += fragment.size - old
        changed = true
      }
    }
    if (!changed) break
  }
}

function variableSize(section: SectionBuilder, fragment: Exclude<Fragment, { kind: 'data' }>, stretch: number): 2 | 4 | 6 | 8 {
  switch (fragment.kind) {
    case 'align':
      return padding(fragment, fragment.address) as 2
    case 'branch':
      return branchSize(section, fragment)
    case 'leb':
      // Growing only: a size that shrinks again might never settle.
      return Math.max(fragment.size, encodeLeb(lebValue(fragment), fragment.signed).length) as 2
    case 'space': {
      const amount = numberOf(fragment.amount)
      return Math.max(0, amount) as 2
    }
    case 'org': {
      const target = originTarget(section, fragment.amount)
      const next = section.fragments[fragment.index + 1]
      const after = next ? next.address + stretch : fragment.address + fragment.size
      return Math.max(0, fragment.size + target - after) as 2
    }
  }
}

/** Padding bytes at `address`. */
function padding(fragment: AlignFragment, address: number): number {
  const size = -address & (fragment.alignment - 1)
  return fragment.maximum !== undefined && size > fragment.maximum ? 0 : size
}

/**
 * 2 or 4 bytes when the target is a label of this section in reach. Otherwise a jump is 4 bytes (the linker checks its reach) and a
 * branch is inverted around a jump: 6 bytes with a compressed branch, 8 without.
 */
function branchSize(section: SectionBuilder, fragment: BranchFragment): 2 | 4 | 6 | 8 {
  const far = fragment.conditional ? 8 : 4
  const value = evaluate(fragment.target, 'final')
  const place = value.plus?.place
  if (!place || place.section !== section || value.plus!.binding === 'weak' || value.minus) return far
  const distance = place.fragment.address + place.offset + Number(value.constant) - fragment.address
  const within = (reach: number): boolean => distance >= -reach / 2 && distance < reach / 2
  if (fragment.short !== undefined && within(fragment.conditional ? branchReach.near : jumpReach)) return 2
  if (within(branchReach.far)) return 4
  return fragment.conditional && fragment.short !== undefined ? 6 : far
}

function numberOf(expression: Expression): number {
  const value = evaluate(expression, 'final')
  const symbol = value.plus ?? value.minus
  if (symbol) throw new AssemblyError('asm/not-constant', `the value of ${symbol.name} is not a constant`, expression.span)
  return Number(value.constant)
}

function originTarget(section: SectionBuilder, expression: Expression): number {
  const value = evaluate(expression, 'final')
  if (value.minus || (value.plus && value.plus.place?.section !== section)) {
    throw new AssemblyError('asm/bad-origin', '.org needs a number or a label of this section', expression.span)
  }
  const place = value.plus?.place
  return Number(value.constant) + (place ? place.fragment.address + place.offset : 0)
}

function checkOrigin(section: SectionBuilder, fragment: Extract<Fragment, { kind: 'space' | 'org' }>): void {
  if (originTarget(section, fragment.amount) !== fragment.address + fragment.size) {
    throw new AssemblyError('asm/origin-backwards', 'attempt to move .org backwards', fragment.span)
  }
}

/** The value of an LEB128 datum. */
export function lebValue(fragment: Extract<Fragment, { kind: 'leb' }>): bigint {
  const now = constantNow(fragment.value)
  if (now !== undefined) return now
  const value = evaluate(fragment.value, 'final')
  const symbol = value.plus ?? value.minus
  if (symbol) throw new AssemblyError('asm/not-constant', `the value of ${symbol.name} is not a constant`, fragment.span)
  return value.constant
}

/** LEB128 bytes; padded with redundant groups up to `size`. */
export function encodeLeb(value: bigint, signed: boolean, size = 1): number[] {
  let rest = signed ? value : BigInt.asUintN(64, value)
  const bytes: number[] = []
  for (;;) {
    const low = Number(rest & 127n)
    rest >>= 7n
    const last = signed ? (rest === 0n && !(low & 64)) || (rest === -1n && (low & 64) !== 0) : rest === 0n
    if (last && bytes.length + 1 >= size) return [...bytes, low]
    bytes.push(low | 128)
  }
}
