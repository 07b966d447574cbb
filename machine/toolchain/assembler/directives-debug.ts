/** `.file`, `.loc` and the `.cfi_*` directives. */
import { floatRegister, integerRegister } from '../../isa/registers.ts'
import type { Assembler } from './assembler.ts'
import type { Directive, DirectiveCall } from './directives.ts'
import { tokenize } from './lexer.ts'
import { AssemblyError } from './position.ts'

/** `.file "name"` names the unit; `.file N ["directory"] "name"` numbers a file for `.loc`. */
const file: Directive = (assembler, call) => {
  const tokens = tokenize(call.source, call.textStart, call.source.text.length)
  if (tokens[0]?.kind !== 'number') return
  const [directory, name] = tokens.filter((token) => token.kind === 'string').map((token) => token.text)
  if (directory === undefined) throw new AssemblyError('asm/bad-string', '.file needs a quoted name', call.span)
  const path = name === undefined || name.startsWith('/') ? (name ?? directory) : `${directory}/${name}`
  assembler.files.set(Number(tokens[0].value), path)
}

/** `.loc FILE LINE [COLUMN] [options]`. */
const location: Directive = (assembler, call) => {
  const numbers: number[] = []
  for (const token of tokenize(call.source, call.textStart, call.source.text.length)) {
    if (token.kind !== 'number' || numbers.length === 3) break
    numbers.push(Number(token.value))
  }
  const [index, line, column = 0] = numbers
  if (line === undefined) throw new AssemblyError('asm/missing-operand', '.loc needs a file number and a line', call.span)
  const path = assembler.files.get(index)
  if (path === undefined) throw new AssemblyError('asm/missing-file', `there is no .file ${index}`, call.span)
  if (!assembler.explicitLines) {
    assembler.explicitLines = true
    for (const section of assembler.sections.values()) section.lines.length = 0
  }
  assembler.addLine({ file: path, line, column })
}

export const debugDirectives: [string, Directive][] = [
  ['.file', file],
  ['.loc', location],
]

/** Operand shapes: r a register, n a number. Others are accepted and say nothing that we record. */
const recorded: Record<string, string> = {
  startproc: '',
  endproc: '',
  def_cfa: 'rn',
  def_cfa_register: 'r',
  def_cfa_offset: 'n',
  adjust_cfa_offset: 'n',
  offset: 'rn',
  rel_offset: 'rn',
  restore: 'r',
  undefined: 'r',
  same_value: 'r',
  register: 'rr',
  remember_state: '',
  restore_state: '',
  return_column: 'r',
}
const accepted = [
  'sections',
  'personality',
  'personality_id',
  'lsda',
  'signal_frame',
  'window_save',
  'escape',
  'val_encoded_addr',
  'inline_lsda',
  'val_offset',
  'b_key_frame',
]

for (const [name, shape] of Object.entries(recorded)) {
  debugDirectives.push([
    `.cfi_${name}`,
    (assembler, call) => {
      const written = assembler.operands(call.source, call.textStart)
      // `.cfi_startproc simple` has an operand that changes nothing here.
      if (shape !== '' && written.length !== shape.length) {
        throw new AssemblyError('asm/operand-count', `${call.name} takes ${shape.length} operands`, call.span)
      }
      const operands = [...shape].map((kind, index) =>
        kind === 'r' ? dwarfRegister(assembler, call, index) : readNumber(assembler, call, index),
      )
      assembler.cfi.push({ name, operands, place: assembler.section.here() })
    },
  ])
}
for (const name of accepted) debugDirectives.push([`.cfi_${name}`, () => {}])

function readNumber(assembler: Assembler, call: DirectiveCall, index: number): number {
  const { tokens, span } = assembler.operands(call.source, call.textStart)[index]
  return Number(assembler.constant(tokens, span))
}

/** psABI, "DWARF Register Numbers": x0..x31 are 0..31, f0..f31 are 32..63. */
function dwarfRegister(assembler: Assembler, call: DirectiveCall, index: number): number {
  const { tokens } = assembler.operands(call.source, call.textStart)[index]
  const name = tokens.length === 1 && tokens[0].kind === 'name' ? tokens[0].text : undefined
  if (name === undefined) return readNumber(assembler, call, index)
  const integer = integerRegister(name)
  if (integer !== undefined) return integer
  const float = floatRegister(name)
  if (float !== undefined) return 32 + float
  throw new AssemblyError('asm/bad-register', `${name} is not a register`, tokens[0])
}
