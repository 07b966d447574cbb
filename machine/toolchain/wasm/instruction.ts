import { ByteReader } from './bytes.ts'
import { opcodeOf, type Opcode } from './opcodes.ts'
import type { ReferenceType, ValueType } from './types.ts'

/** A block's type: nothing, one result, or an index into the module's types. */
export type BlockType = ValueType | 'empty' | number

const valueTypes = new Map<number, ValueType>([
  [0x7f, 'i32'],
  [0x7e, 'i64'],
  [0x7d, 'f32'],
  [0x7c, 'f64'],
  [0x70, 'funcref'],
  [0x6f, 'externref'],
])

/** Reads a value type (5.3.4). */
export function readValueType(reader: ByteReader): ValueType {
  const offset = reader.offset
  return valueTypes.get(reader.byte()) ?? reader.fail('malformed value type', offset)
}

/** Reads a reference type (5.3.3). */
export function readReferenceType(reader: ByteReader): ReferenceType {
  const offset = reader.offset
  const type = valueTypes.get(reader.byte())
  return type === 'funcref' || type === 'externref' ? type : reader.fail('malformed reference type', offset)
}

/**
 * Steps through an expression. The fields describe the instruction read last and are overwritten by the next `read`:
 * no object is made per instruction.
 */
export class InstructionReader {
  opcode!: Opcode
  /** Byte offset of the opcode. */
  offset = 0
  /** First index immediate; the memory access's static offset for a memarg. */
  index = 0
  /** Second index immediate; the memory access's alignment (as a power of two) for a memarg. */
  index2 = 0
  /** Value of an integer constant, bits of a float constant. */
  value = 0n
  labels: number[] = []
  types: ValueType[] = []
  blockType: BlockType = 'empty'
  referenceType: ReferenceType = 'funcref'

  constructor(readonly reader: ByteReader) {}

  read(): Opcode {
    const reader = this.reader
    this.offset = reader.offset
    let code = reader.byte()
    if (code === 0xfc || code === 0xfe) {
      const number = reader.u32()
      code = number < 256 ? code * 256 + number : -1
    }
    const opcode = opcodeOf(code) ?? reader.fail('illegal opcode', this.offset)
    this.opcode = opcode
    this.readImmediate(opcode)
    return opcode
  }

  private readImmediate(opcode: Opcode): void {
    const reader = this.reader
    switch (opcode.immediate) {
      case 'none':
        return
      case 'block':
        this.blockType = this.readBlockType()
        return
      case 'label':
      case 'function':
      case 'local':
      case 'global':
      case 'table':
      case 'data':
      case 'element':
        this.index = reader.u32()
        return
      case 'labels': {
        const count = reader.count()
        this.labels = []
        for (let i = 0; i <= count; i++) this.labels.push(reader.u32())
        return
      }
      case 'type-table':
      case 'element-table':
      case 'table-table':
        this.index = reader.u32()
        this.index2 = reader.u32()
        return
      case 'types': {
        const count = reader.count()
        this.types = []
        for (let i = 0; i < count; i++) this.types.push(readValueType(reader))
        return
      }
      case 'memarg': {
        const offset = reader.offset
        this.index2 = reader.u32()
        if (this.index2 >= 32) reader.fail('malformed memop flags', offset)
        this.index = reader.u32()
        return
      }
      case 'memory':
        this.zero()
        return
      case 'memory-memory':
        this.zero()
        this.zero()
        return
      case 'data-memory':
        this.index = reader.u32()
        this.zero()
        return
      case 'fence':
        this.zero()
        return
      case 'i32':
        this.value = BigInt(reader.s32())
        return
      case 'i64':
        this.value = reader.s64()
        return
      case 'f32':
        this.value = BigInt(reader.fixed32())
        return
      case 'f64':
        this.value = reader.fixed64()
        return
      case 'reftype':
        this.referenceType = readReferenceType(reader)
    }
  }

  private zero(): void {
    if (this.reader.byte() !== 0) this.reader.fail('zero byte expected', this.reader.offset - 1)
  }

  private readBlockType(): BlockType {
    const reader = this.reader
    const next = reader.bytes[reader.offset]
    if (next === 0x40) {
      reader.byte()
      return 'empty'
    }
    if (valueTypes.has(next)) return readValueType(reader)
    const offset = reader.offset
    const index = reader.s33()
    if (index < 0) reader.fail('malformed block type', offset)
    return index
  }
}
