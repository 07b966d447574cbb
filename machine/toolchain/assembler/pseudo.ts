/**
 * Pseudo-instructions that are another instruction with some operands filled in, as GNU as expands them.
 * `$1`.. are the operands as written. A `*` marks the spellings of jumps that GNU also compresses.
 * Those that need more than one instruction or a choice are in `sequences.ts`.
 */
const definitions = `
nop                  => addi zero, zero, 0
not $1, $2           => xori $1, $2, -1
neg $1, $2           => sub $1, zero, $2
negw $1, $2          => subw $1, zero, $2
sext.w $1, $2        => addiw $1, $2, 0
zext.b $1, $2        => andi $1, $2, 255
seqz $1, $2          => sltiu $1, $2, 1
snez $1, $2          => sltu $1, zero, $2
sltz $1, $2          => slt $1, $2, zero
sgtz $1, $2          => slt $1, zero, $2
sgt $1, $2, $3       => slt $1, $3, $2
sgtu $1, $2, $3      => sltu $1, $3, $2
beqz $1, $2          => beq $1, zero, $2
bnez $1, $2          => bne $1, zero, $2
blez $1, $2          => bge zero, $1, $2
bgez $1, $2          => bge $1, zero, $2
bltz $1, $2          => blt $1, zero, $2
bgtz $1, $2          => blt zero, $1, $2
bgt $1, $2, $3       => blt $2, $1, $3
ble $1, $2, $3       => bge $2, $1, $3
bgtu $1, $2, $3      => bltu $2, $1, $3
bleu $1, $2, $3      => bgeu $2, $1, $3
j $1                 => *jal zero, $1
jal $1               => jal ra, $1
ret                  => *jalr zero, 0(ra)
scall                => ecall
sbreak               => ebreak
csrr $1, $2          => csrrs $1, $2, zero
csrw $1, $2          => csrrw zero, $1, $2
csrs $1, $2          => csrrs zero, $1, $2
csrc $1, $2          => csrrc zero, $1, $2
csrwi $1, $2         => csrrwi zero, $1, $2
csrsi $1, $2         => csrrsi zero, $1, $2
csrci $1, $2         => csrrci zero, $1, $2
rdcycle $1           => csrrs $1, cycle, zero
rdtime $1            => csrrs $1, time, zero
rdinstret $1         => csrrs $1, instret, zero
frcsr $1             => csrrs $1, fcsr, zero
frsr $1              => csrrs $1, fcsr, zero
fscsr $1             => csrrw zero, fcsr, $1
fscsr $1, $2         => csrrw $1, fcsr, $2
fssr $1              => csrrw zero, fcsr, $1
fssr $1, $2          => csrrw $1, fcsr, $2
frrm $1              => csrrs $1, frm, zero
fsrm $1              => csrrw zero, frm, $1
fsrm $1, $2          => csrrw $1, frm, $2
fsrmi $1             => csrrwi zero, frm, $1
fsrmi $1, $2         => csrrwi $1, frm, $2
frflags $1           => csrrs $1, fflags, zero
fsflags $1           => csrrw zero, fflags, $1
fsflags $1, $2       => csrrw $1, fflags, $2
fsflagsi $1          => csrrwi zero, fflags, $1
fsflagsi $1, $2      => csrrwi $1, fflags, $2
fmv.s $1, $2         => fsgnj.s $1, $2, $2
fmv.d $1, $2         => fsgnj.d $1, $2, $2
fneg.s $1, $2        => fsgnjn.s $1, $2, $2
fneg.d $1, $2        => fsgnjn.d $1, $2, $2
fabs.s $1, $2        => fsgnjx.s $1, $2, $2
fabs.d $1, $2        => fsgnjx.d $1, $2, $2
fgt.s $1, $2, $3     => flt.s $1, $3, $2
fgt.d $1, $2, $3     => flt.d $1, $3, $2
fge.s $1, $2, $3     => fle.s $1, $3, $2
fge.d $1, $2, $3     => fle.d $1, $3, $2
fmv.x.s $1, $2       => fmv.x.w $1, $2
fmv.s.x $1, $2       => fmv.w.x $1, $2
sfence.vma           => sfence.vma zero, zero
sfence.vma $1        => sfence.vma $1, zero
sfence.vm            => sfence.vm zero
c.nop $1             => c.addi zero, $1
`

export interface Alias {
  readonly target: string
  /** Operand texts with `$n` where the written operand goes. */
  readonly operands: readonly string[]
  /** A `jal` or `jalr` that may be compressed. */
  readonly shortJump: boolean
}

const aliases = new Map<string, Alias>()
for (const line of definitions.trim().split('\n')) {
  const [left, right] = line.split('=>').map((side) => side.trim())
  const [name, arity] = splitInstruction(left)
  const [target, operands] = splitInstruction(right.replace('*', ''))
  aliases.set(`${name}/${arity.length}`, { target, operands, shortJump: right.startsWith('*') })
}

function splitInstruction(text: string): [string, string[]] {
  const space = text.indexOf(' ')
  if (space < 0) return [text, []]
  return [
    text.slice(0, space),
    text
      .slice(space + 1)
      .split(',')
      .map((operand) => operand.trim()),
  ]
}

/** The alias of that name taking that many operands. */
export function findAlias(name: string, operandCount: number): Alias | undefined {
  return aliases.get(`${name}/${operandCount}`)
}

/** True when some alias has that name, whatever its operands. */
export function isAliasName(name: string): boolean {
  return [...aliases.keys()].some((key) => key.startsWith(`${name}/`))
}

/** Every pseudo-instruction's name, with its operand count: for tests and for the editor. */
export function aliasNames(): { name: string; operandCount: number }[] {
  return [...aliases.keys()].map((key) => ({
    name: key.slice(0, key.lastIndexOf('/')),
    operandCount: Number(key.slice(key.lastIndexOf('/') + 1)),
  }))
}

/** GNU takes the register form's name with a number as last operand. */
export const immediateForms: ReadonlyMap<string, string> = new Map([
  ['add', 'addi'],
  ['addw', 'addiw'],
  ['and', 'andi'],
  ['or', 'ori'],
  ['xor', 'xori'],
  ['slt', 'slti'],
  ['sltu', 'sltiu'],
  ['sll', 'slli'],
  ['srl', 'srli'],
  ['sra', 'srai'],
  ['sllw', 'slliw'],
  ['srlw', 'srliw'],
  ['sraw', 'sraiw'],
  ['csrrw', 'csrrwi'],
  ['csrrs', 'csrrsi'],
  ['csrrc', 'csrrci'],
])
