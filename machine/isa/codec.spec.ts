import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compress, decode, encode, EncodingError, expand, isFullLength, type Operands } from './codec.ts'
import { fieldScale, fieldWidth, fitsField, type Field } from './fields.ts'
import { instructions, type Instruction } from './instructions.ts'

const seed = 20260108

/** Every value that a field can hold. */
function fieldValue(field: Field): fc.Arbitrary<number> {
  const width = fieldWidth(field)
  const scale = fieldScale(field)
  const low = field.kind === 'signed' ? -(2 ** (width - 1)) : 0
  const count = 2 ** width / scale
  const value = fc.oneof(fc.nat({ max: count - 1 }), fc.constantFrom(0, 1, count - 1, count / 2)).map((index) => low + index * scale)
  return value.map((v) => v + field.bias)
}

/** Operands of a row; two fields over the same bits are one register. */
function operandsOf(row: Instruction): fc.Arbitrary<Operands> {
  const values = fc.tuple(...row.fields.map(fieldValue))
  return values.map((list) => {
    const operands: Operands = {}
    const bySlices = new Map<string, number>()
    row.fields.forEach((field, index) => {
      const key = JSON.stringify(field.slices)
      const value = bySlices.get(key) ?? list[index]
      bySlices.set(key, value)
      operands[field.operand] = value
    })
    return operands
  })
}

const anyEncoded = fc
  .constantFrom(...instructions)
  .chain((row) => operandsOf(row).map((operands) => ({ row, operands })))
  .filter(({ row, operands }) => row.nonzero.every((operand) => operands[operand] !== 0))

describe('the instruction table', () => {
  it('has no two rows for one encoding but where order decides', () => {
    for (const row of instructions) {
      const found = decode(row.match)
      // A row whose plain match needs operands that are not zero is found with them instead.
      if (row.nonzero.length === 0) expect(found?.instruction.length, row.name).toBe(row.length)
      expect((row.match & row.mask) >>> 0, row.name).toBe(row.match)
      expect(isFullLength(row.match), row.name).toBe(row.length === 4)
    }
    expect(new Set(instructions.map((row) => row.name)).size).toBe(instructions.length)
  })

  it('writes every operand of the syntax in some field', () => {
    for (const row of instructions) {
      const named = new Set(row.syntax.match(/\b(rd|rs1|rs2|rs3|imm|csr|rm|pred|succ)\b/g) ?? [])
      for (const operand of named)
        expect(
          row.fields.some((field) => field.operand === operand),
          `${row.name} ${operand}`,
        ).toBe(true)
    }
  })
})

describe('encode and decode', () => {
  it('are inverse for all operands of all rows', () => {
    const property = fc.property(anyEncoded, ({ row, operands }) => {
      const decoded = decode(encode(row, operands))
      // A narrower row earlier in the table may own this encoding: then both mean the same word.
      if (decoded?.instruction !== row) expect(decoded && encode(decoded.instruction, decoded.operands)).toBe(encode(row, operands))
      else expect(decoded.operands).toEqual(operands)
    })
    fc.assert(property, { numRuns: 5000, seed })
  })

  it('refuse operands out of range', () => {
    const property = fc.property(
      fc.constantFrom(...instructions.filter((row) => row.fields.length > 0)),
      fc.nat(),
      fc.integer(),
      (row, pick, value) => {
        const field = row.fields[pick % row.fields.length]
        fc.pre(!fitsField(field, value))
        expect(() => encode(row, { [field.operand]: value })).toThrow(EncodingError)
      },
    )
    fc.assert(property, { numRuns: 2000, seed })
  })

  it('decode any word to a row that matches it, or to nothing', () => {
    const property = fc.property(fc.integer(), (bits) => {
      const word = bits >>> 0
      const decoded = decode(word)
      if (!decoded) return
      const seen = decoded.instruction.length === 2 ? word & 0xffff : word
      expect((seen & decoded.instruction.mask) >>> 0).toBe(decoded.instruction.match)
      // Where fields and fixed bits cover all of a word, nothing is lost.
      if (!['fence', 'fence.i'].includes(decoded.instruction.name)) expect(encode(decoded.instruction, decoded.operands)).toBe(seen)
    })
    fc.assert(property, { numRuns: 20000, seed })
  })
})

describe('compress and expand', () => {
  it('give back the full-length instruction', () => {
    const full = anyEncoded.filter(({ row }) => row.length === 4)
    const property = fc.property(full, ({ row, operands }) => {
      const short = compress(row.name, operands)
      if (short === undefined) return
      const back = expand(decode(short)!)
      expect(back.instruction).toBe(row)
      for (const [operand, value] of Object.entries(operands))
        expect(back.operands[operand as 'rd'] ?? 0, `${row.name} ${operand}`).toBe(value)
    })
    fc.assert(property, { numRuns: 20000, seed })
  })

  it('expand every short encoding to operands that encode', () => {
    for (let half = 0; half < 0x10000; half++) {
      if (isFullLength(half)) continue
      const decoded = decode(half)
      if (!decoded) continue
      const full = expand(decoded)
      expect(full.instruction.length).toBe(4)
      expect(() => encode(full.instruction, full.operands)).not.toThrow()
    }
  })
})
