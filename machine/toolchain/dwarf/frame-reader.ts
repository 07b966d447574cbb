/** `.debug_frame` and `.eh_frame`: unwinding (DWARF 5, 6.4). */
import { CFA } from './constants.ts'
import { Cursor, DwarfError } from './cursor.ts'

export type RegisterRule =
  | { readonly kind: 'saved'; readonly offset: bigint }
  /** The value itself is the canonical frame address plus this. */
  | { readonly kind: 'value'; readonly offset: bigint }
  | { readonly kind: 'register'; readonly register: number }
  | { readonly kind: 'undefined' }

export interface FrameRules {
  readonly cfa: { readonly register: number; readonly offset: bigint }
  readonly registers: ReadonlyMap<number, RegisterRule>
  readonly returnRegister: number
}

interface CommonEntry {
  readonly codeAlignment: number
  readonly dataAlignment: bigint
  readonly returnRegister: number
  readonly instructions: Cursor
  readonly addressSize: number
  readonly encoding: number
  readonly augmented: boolean
}

export interface FrameRange {
  readonly start: bigint
  readonly end: bigint
  readonly common: CommonEntry
  readonly instructions: Cursor
}

/** The ranges that a frame section describes. `address` is where `.eh_frame` is in memory: its pointers count from there. */
export function readFrames(section: Uint8Array, kind: 'debug' | 'eh', address: bigint): FrameRange[] {
  const ranges: FrameRange[] = []
  const commons = new Map<number, CommonEntry>()
  const cursor = new Cursor(section)
  const commonAt = (offset: number): CommonEntry => {
    let common = commons.get(offset)
    if (!common) {
      const body = new Cursor(section, offset).unit()
      body.u32()
      common = readCommon(body)
      commons.set(offset, common)
    }
    return common
  }
  while (!cursor.done) {
    const body = cursor.unit()
    // A length of zero ends `.eh_frame`.
    if (body.done) continue
    const idAt = body.at
    const id = body.u32()
    if (kind === 'debug' ? id === 0xffff_ffff : id === 0) continue
    const common = commonAt(kind === 'debug' ? id : idAt - id)
    const start = readPointer(body, common, address)
    const length = common.encoding === 0 ? body.address(common.addressSize) : readEncoded(body, common.encoding & 0x0f, common.addressSize)
    if (common.augmented) body.skip(body.uleb())
    ranges.push({ start, end: start + length, common, instructions: body })
  }
  return ranges
}

function readCommon(body: Cursor): CommonEntry {
  const version = body.u8()
  const augmentation = body.string()
  let addressSize = 8
  if (version >= 4) {
    addressSize = body.u8()
    body.u8()
  }
  const codeAlignment = body.uleb()
  const dataAlignment = body.sleb()
  const returnRegister = version === 1 ? body.u8() : body.uleb()
  let encoding = 0
  const augmented = augmentation.startsWith('z')
  if (augmented) {
    const length = body.uleb()
    const data = new Cursor(body.bytes, body.skip(length), body.at)
    for (const letter of augmentation.slice(1)) {
      if (letter === 'R') encoding = data.u8()
      else if (letter === 'L') data.u8()
      else if (letter === 'P') readEncoded(data, data.u8() & 0x0f, addressSize)
    }
  } else if (augmentation !== '') {
    throw new DwarfError(`frame augmentation ${augmentation} is not supported`)
  }
  return { codeAlignment, dataAlignment, returnRegister, instructions: body, addressSize, encoding, augmented }
}

function readPointer(body: Cursor, common: CommonEntry, sectionAddress: bigint): bigint {
  if (common.encoding === 0) return body.address(common.addressSize)
  const at = body.at
  const value = readEncoded(body, common.encoding & 0x0f, common.addressSize)
  // DW_EH_PE_pcrel.
  return BigInt.asUintN(64, (common.encoding & 0x70) === 0x10 ? value + sectionAddress + BigInt(at) : value)
}

/** DW_EH_PE_* value formats. */
function readEncoded(body: Cursor, format: number, addressSize: number): bigint {
  switch (format) {
    case 0x00:
      return body.address(addressSize)
    case 0x01:
      return body.uleb64()
    case 0x02:
      return BigInt(body.u16())
    case 0x03:
      return BigInt(body.u32())
    case 0x04:
      return body.u64()
    case 0x09:
      return body.sleb()
    case 0x0a:
      return BigInt((body.u16() << 16) >> 16)
    case 0x0b:
      return BigInt(body.u32() | 0)
    case 0x0c:
      return BigInt.asIntN(64, body.u64())
    default:
      throw new DwarfError(`pointer format ${format} is not supported`)
  }
}

interface State {
  cfa: { register: number; offset: bigint }
  registers: Map<number, RegisterRule>
}

/** The rules that hold at `address`, which lies in the range. */
export function rulesAt(range: FrameRange, address: bigint): FrameRules {
  const { common } = range
  const state: State = { cfa: { register: 2, offset: 0n }, registers: new Map() }
  run(common.instructions, common, range.start, address, state, new Map())
  const initial = new Map(state.registers)
  run(range.instructions, common, range.start, address, state, initial)
  return { ...state, returnRegister: common.returnRegister }
}

function run(
  source: Cursor,
  common: CommonEntry,
  start: bigint,
  address: bigint,
  state: State,
  initial: ReadonlyMap<number, RegisterRule>,
): void {
  const cursor = new Cursor(source.bytes, source.at, source.end)
  const stack: State[] = []
  let at = start
  const advance = (delta: number): boolean => {
    at += BigInt(delta * common.codeAlignment)
    return at > address
  }
  const factored = (offset: bigint): bigint => offset * common.dataAlignment
  const save = (register: number, offset: bigint): void => void state.registers.set(register, { kind: 'saved', offset })
  const restore = (register: number): void => {
    const rule = initial.get(register)
    if (rule) state.registers.set(register, rule)
    else state.registers.delete(register)
  }
  while (!cursor.done) {
    const opcode = cursor.u8()
    const low = opcode & 0x3f
    switch (opcode & 0xc0) {
      case CFA.advanceLoc:
        if (advance(low)) return
        continue
      case CFA.offset:
        save(low, factored(cursor.uleb64()))
        continue
      case CFA.restore:
        restore(low)
        continue
    }
    switch (opcode) {
      case CFA.nop:
        break
      case CFA.setLoc:
        at = cursor.address(common.addressSize)
        if (at > address) return
        break
      case CFA.advanceLoc1:
        if (advance(cursor.u8())) return
        break
      case CFA.advanceLoc2:
        if (advance(cursor.u16())) return
        break
      case CFA.advanceLoc4:
        if (advance(cursor.u32())) return
        break
      case CFA.offsetExtended:
        save(cursor.uleb(), factored(cursor.uleb64()))
        break
      case CFA.offsetExtendedSf:
        save(cursor.uleb(), factored(cursor.sleb()))
        break
      case CFA.restoreExtended:
        restore(cursor.uleb())
        break
      case CFA.undefined:
        state.registers.set(cursor.uleb(), { kind: 'undefined' })
        break
      case CFA.sameValue:
        state.registers.delete(cursor.uleb())
        break
      case CFA.register:
        state.registers.set(cursor.uleb(), { kind: 'register', register: cursor.uleb() })
        break
      case CFA.rememberState:
        if (stack.length > 1000) throw new DwarfError('frame states are nested too deeply')
        stack.push({ cfa: { ...state.cfa }, registers: new Map(state.registers) })
        break
      case CFA.restoreState:
        Object.assign(state, stack.pop() ?? {})
        break
      case CFA.defCfa:
        state.cfa = { register: cursor.uleb(), offset: cursor.uleb64() }
        break
      case CFA.defCfaSf:
        state.cfa = { register: cursor.uleb(), offset: factored(cursor.sleb()) }
        break
      case CFA.defCfaRegister:
        state.cfa = { ...state.cfa, register: cursor.uleb() }
        break
      case CFA.defCfaOffset:
        state.cfa = { ...state.cfa, offset: cursor.uleb64() }
        break
      case CFA.defCfaOffsetSf:
        state.cfa = { ...state.cfa, offset: factored(cursor.sleb()) }
        break
      case CFA.valOffset:
        state.registers.set(cursor.uleb(), { kind: 'value', offset: factored(cursor.uleb64()) })
        break
      case CFA.valOffsetSf:
        state.registers.set(cursor.uleb(), { kind: 'value', offset: factored(cursor.sleb()) })
        break
      default:
        throw new DwarfError(`frame instruction 0x${opcode.toString(16)} is not supported`)
    }
  }
}
