/** Every directive by name. Those about data, sections, symbols, control and debugging have a file each. */
import type { Assembler } from './assembler.ts'
import { controlDirectives } from './directives-control.ts'
import { dataDirectives } from './directives-data.ts'
import { debugDirectives } from './directives-debug.ts'
import { insnDirectives } from './directives-insn.ts'
import { sectionDirectives } from './directives-section.ts'
import type { SourceLine, Span } from './position.ts'

/** One directive as written. */
export interface DirectiveCall {
  readonly name: string
  /** Everything after the name. */
  readonly text: string
  /** Where `text` starts in `source.text`. */
  readonly textStart: number
  readonly source: SourceLine
  /** The name's range. */
  readonly span: Span
}

export type Directive = (assembler: Assembler, call: DirectiveCall) => void

const ignore: Directive = () => {}

/** Accepted and without effect on code or data, as GNU's are here. */
const ignored = [
  '.ident',
  '.symver',
  '.line',
  '.ln',
  '.version',
  '.title',
  '.sbttl',
  '.list',
  '.nolist',
  '.eject',
  '.psize',
  '.addrsig',
  '.addrsig_sym',
  '.variant_cc',
  '.internal',
  '.hidden',
  '.protected',
]

const directives = new Map<string, Directive>([
  ...ignored.map((name): [string, Directive] => [name, ignore]),
  ...dataDirectives,
  ...sectionDirectives,
  ...controlDirectives,
  ...debugDirectives,
  ...insnDirectives,
])

/** The handler of a directive; names of directives are not case-sensitive. */
export function findDirective(name: string): Directive | undefined {
  return name.startsWith('.') ? directives.get(name.toLowerCase()) : undefined
}
