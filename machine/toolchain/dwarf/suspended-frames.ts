/** Suspended coroutines by name and value, from a program's `.pollen.frames` (whose layout codegen/describe.ts draws). */
import { FRAME_CONSTANT, frameVariableTypes, taskHeaderMembers } from '../coroutine/task.ts'
import type { ElfFile } from '../elf/reader.ts'
import type { Type } from '../ir/ir.ts'

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

/** Reads the table of a linked program. @throws RangeError when the section is cut short. */
export function readFrames(elf: ElfFile): FrameTable {
  const types = new Map<number, FrameType>()
  const section = elf.sections.find((candidate) => candidate.name === '.pollen.frames')
  if (!section) return new FrameTable(types)
  const { bytes } = section
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const base = Number(BigInt.asUintN(32, section.address))
  for (let start = 0; start < bytes.length;) {
    let at = start
    const word = (): number => view.getUint32((at += 4) - 4, true)
    const text = (offset: number): string => {
      const from = start + offset
      const end = bytes.indexOf(0, from)
      if (end < 0) throw new RangeError('.pollen.frames: a name has no end')
      return new TextDecoder().decode(bytes.subarray(from, end))
    }
    const size = word()
    if (size < 16) throw new RangeError('.pollen.frames: a record is too short')
    const frameBytes = word()
    const name = text(word())
    const suspensions: SuspensionPoint[] = []
    for (let left = word(); left > 0; left--) {
      const resume = word()
      const line = word()
      const file = text(word())
      const variables: FrameVariable[] = []
      for (let more = word(); more > 0; more--) {
        const variable = text(word())
        const kind = word()
        const value = view.getBigUint64(at, true)
        at += 8
        const constant = kind >= FRAME_CONSTANT
        const type = frameVariableTypes[kind % FRAME_CONSTANT]
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
