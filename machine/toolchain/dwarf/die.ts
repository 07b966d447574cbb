/** Debugging information entries as a tree, and their encoding (DWARF 5, 7.5). */
import { ByteWriter } from './byte-writer.ts'
import { FORM } from './constants.ts'

export type AttributeValue =
  | { readonly form: 'string'; readonly text: string }
  | { readonly form: 'udata'; readonly value: number }
  | { readonly form: 'sdata'; readonly value: number }
  | { readonly form: 'address'; readonly value: bigint }
  | { readonly form: 'offset'; readonly value: number }
  | { readonly form: 'expression'; readonly bytes: Uint8Array }
  | { readonly form: 'present' }
  | { readonly form: 'reference'; readonly target: Die }

export interface Die {
  readonly tag: number
  readonly attributes: [attribute: number, value: AttributeValue][]
  readonly children: Die[]
}

const forms: Record<AttributeValue['form'], number> = {
  string: FORM.string,
  udata: FORM.udata,
  sdata: FORM.sdata,
  address: FORM.addr,
  offset: FORM.secOffset,
  expression: FORM.exprloc,
  present: FORM.flagPresent,
  reference: FORM.ref4,
}

/** `.debug_abbrev` of all units, filled as entries are encoded. */
export class Abbreviations {
  readonly #codes = new Map<string, number>()
  readonly #out = new ByteWriter()

  code(die: Die): number {
    const shape = [
      die.tag,
      die.children.length > 0 ? 1 : 0,
      ...die.attributes.flatMap(([attribute, value]) => [attribute, forms[value.form]]),
    ]
    const key = shape.join()
    let code = this.#codes.get(key)
    if (code === undefined) {
      code = this.#codes.size + 1
      this.#codes.set(key, code)
      this.#out.uleb(code)
      this.#out.uleb(shape[0])
      this.#out.u8(shape[1])
      for (const number of shape.slice(2)) this.#out.uleb(number)
      this.#out.uleb(0)
      this.#out.uleb(0)
    }
    return code
  }

  bytes(): Uint8Array {
    const out = new ByteWriter()
    out.raw(this.#out.bytes())
    out.uleb(0)
    return out.bytes()
  }
}

/** Encodes a tree; `unitStart` is where the unit's header begins in `out`, from which references count. */
export function encodeTree(root: Die, out: ByteWriter, abbreviations: Abbreviations, unitStart: number): void {
  const offsets = new Map<Die, number>()
  const references: { at: number; target: Die }[] = []
  const encode = (die: Die): void => {
    offsets.set(die, out.length - unitStart)
    out.uleb(abbreviations.code(die))
    for (const [, value] of die.attributes) encodeValue(value, out, references)
    if (die.children.length === 0) return
    for (const child of die.children) encode(child)
    out.uleb(0)
  }
  encode(root)
  for (const { at, target } of references) out.patch32(at, offsets.get(target)!)
}

function encodeValue(value: AttributeValue, out: ByteWriter, references: { at: number; target: Die }[]): void {
  switch (value.form) {
    case 'string':
      out.string(value.text)
      return
    case 'udata':
      out.uleb(value.value)
      return
    case 'sdata':
      out.sleb(value.value)
      return
    case 'address':
      out.u64(value.value)
      return
    case 'offset':
      out.u32(value.value)
      return
    case 'expression':
      out.uleb(value.bytes.length)
      out.raw(value.bytes)
      return
    case 'present':
      return
    case 'reference':
      references.push({ at: out.length, target: value.target })
      out.u32(0)
  }
}
