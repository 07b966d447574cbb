/** Integer constants as instruction sequences (the assembler's `li`, with a look at what a shift can do). */

export interface ConstantStep {
  readonly op: 'addi' | 'addiw' | 'lui' | 'slli' | 'srli'
  /** Immediate; `lui` takes the whole 32-bit constant. */
  readonly imm: number
  /** The first step starts from zero. */
  readonly first: boolean
}

/** The shortest sequence this knows that leaves `value` (signed 64 bits) in a register. */
export function constantSteps(value: bigint): ConstantStep[] {
  if (value >= -2048n && value < 2048n) return [{ op: 'addi', imm: Number(value), first: true }]
  if (BigInt.asIntN(32, value) === value) {
    const low = BigInt.asIntN(12, value)
    const high = Number(BigInt.asIntN(32, value - low))
    const upper: ConstantStep = { op: 'lui', imm: high, first: true }
    return low === 0n ? [upper] : [upper, { op: 'addiw', imm: Number(low), first: false }]
  }
  const candidates: ConstantStep[][] = []
  let zeros = 0
  while (((value >> BigInt(zeros)) & 1n) === 0n) zeros++
  if (zeros > 0) candidates.push([...constantSteps(value >> BigInt(zeros)), { op: 'slli', imm: zeros, first: false }])
  if (value > 0n) {
    // Leading zeros: build it shifted left, all ones below, and shift back.
    const lead = 64 - value.toString(2).length
    const filled = BigInt.asIntN(64, (value << BigInt(lead)) | ((1n << BigInt(lead)) - 1n))
    const plain = BigInt.asIntN(64, value << BigInt(lead))
    for (const shifted of [filled, plain]) {
      if (BigInt.asIntN(32, shifted) === shifted || (shifted >> 32n) << 32n === shifted) {
        const base = BigInt.asIntN(32, shifted) === shifted ? constantSteps(shifted) : undefined
        if (base) candidates.push([...base, { op: 'srli', imm: lead, first: false }])
      }
    }
  }
  if (candidates.length === 0 || candidates.every((steps) => steps.length > 8)) {
    const low = BigInt.asIntN(12, value)
    const rest = BigInt.asIntN(64, value - low)
    candidates.push([...constantSteps(rest), { op: 'addi', imm: Number(low), first: false }])
  }
  return candidates.reduce((best, steps) => (steps.length < best.length ? steps : best))
}
