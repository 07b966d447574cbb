/** Suspended coroutines by name and value, from a program's `.pollen.frames` (whose layout codegen/describe.ts draws). */
import { FRAME_CONSTANT, frameVariableTypes, taskHeaderMembers } from '../coroutine/task.ts'
import type { ElfFile } from '../elf/reader.ts'
import type { Type } from '../ir/ir.ts'
import { Cursor, DwarfError, stringAt } from './cursor.ts'

export interface FrameVariable {
  readonly name: string
  readonly type: Type
  /** Where in the frame; absent for a constant. */
  readonly offset: number | undefined
  /** A constant's bits. */
  readonly value: bigint | undefined
}

export interface SuspensionPoint {
  /** Low 32 bits of the address at which it continues. */
  readonly resume: number
  readonly file: string
  /** 0 when unknown. */
  readonly line: number
  readonly variables: readonly FrameVariable[]
}

export interface FrameType {
  /** What offset 32 of the control block holds. */
  readonly id: number
  /** The coroutine's symbol. */
  readonly name: string
  readonly bytes: number
  readonly suspensions: readonly SuspensionPoint[]
}

export interface SuspendedFrame {
  readonly type: FrameType
  /** Where it continues; undefined while it runs or when it has ended. */
  readonly at: SuspensionPoint | undefined
  /** Fields of the control block by name. */
  readonly header: Readonly<Record<string, bigint>>
  readonly variables: readonly { readonly name: string; readonly type: Type; readonly value: bigint | number }[]
}

/** The coroutine types of a program, by frame type id. Empty where there is no `.pollen.frames`. */
export class FrameTable {
  constructor(readonly types: ReadonlyMap<number, FrameType>) {}

  /** Decodes the frame whose bytes `read` gives by offset; undefined when it is no frame of this program. */
  decode(read: (offset: number, size: number) => Uint8Array): SuspendedFrame | undefined {
    const view = (offset: number, size: number): DataView => {
      const bytes = read(offset, size)
      return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    const header: Record<string, bigint> = {}
    for (const { name, offset, size } of taskHeaderMembers) header[name] = unsigned(view(offset, size), size)
    const type = this.types.get(Number(header.frame_type))
    if (!type) return undefined
    const at = header.state < 2n ? type.suspensions.find((point) => point.resume === Number(header.resume)) : undefined
    const variables = (at?.variables ?? []).map(({ name, type: kind, offset, value }) => {
      const bits = offset === undefined ? value! : view(offset, 8).getBigUint64(0, true)
      return { name, type: kind, value: valueOf(kind, bits) }
    })
    return { type, at, header, variables }
  }
}

function unsigned(view: DataView, size: number): bigint {
  let value = 0n
  for (let at = size - 1; at >= 0; at--) value = (value << 8n) | BigInt(view.getUint8(at))
  return value
}

function valueOf(type: Type, bits: bigint): bigint | number {
  if (type === 'i32') return BigInt.asIntN(32, bits)
  if (type === 'i64') return BigInt.asIntN(64, bits)
  const view = new DataView(new ArrayBuffer(8))
  view.setBigUint64(0, BigInt.asUintN(64, bits), true)
  return type === 'f32' ? view.getFloat32(0, true) : view.getFloat64(0, true)
}

/** Reads the table of a linked program. @throws DwarfError when the section is damaged. */
export function readFrames(elf: ElfFile): FrameTable {
  const types = new Map<number, FrameType>()
  const section = elf.sections.find((candidate) => candidate.name === '.pollen.frames')
  if (!section) return new FrameTable(types)
  const { bytes } = section
  const base = Number(BigInt.asUintN(32, section.address))
  for (let start = 0; start < bytes.length;) {
    const record = new Cursor(bytes, start)
    const text = (): string => stringAt(bytes, start + record.u32())
    const size = record.u32()
    if (size < 16) throw new DwarfError('a record of .pollen.frames is too short')
    const frameBytes = record.u32()
    const name = text()
    const suspensions: SuspensionPoint[] = []
    for (let left = record.u32(); left > 0; left--) {
      const resume = record.u32()
      const line = record.u32()
      const file = text()
      const variables: FrameVariable[] = []
      for (let more = record.u32(); more > 0; more--) {
        const variable = text()
        const kind = record.u32()
        const value = record.u64()
        const constant = kind >= FRAME_CONSTANT
        const type = frameVariableTypes[kind % FRAME_CONSTANT]
        if (!type) throw new DwarfError(`a variable of .pollen.frames has the unknown type ${kind}`)
        variables.push({ name: variable, type, offset: constant ? undefined : Number(value), value: constant ? value : undefined })
      }
      suspensions.push({ resume, file, line, variables })
    }
    const id = (base + start) >>> 0
    types.set(id, { id, name, bytes: frameBytes, suspensions })
    start += size
  }
  return new FrameTable(types)
}
