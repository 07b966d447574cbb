/** The assembler: GNU syntax for RV64GC, the privileged instructions and user interrupts, to a relocatable object. */
import type { Diagnostic } from '../diagnostic.ts'
import type { ObjectFile } from '../object.ts'
import { Assembler, type FileReader } from './assembler.ts'
import { readLines } from './comments.ts'
import { finish } from './finish.ts'
import { preprocess } from './preprocessor.ts'
import { toStatements } from './statements.ts'

export type { FileReader } from './assembler.ts'

export interface AssembleOptions {
  /** What diagnostics and line rows call the source. Default `input.s`. */
  readonly file?: string
  /** Runs the C preprocessor's directives. Default: when `file` ends in `.S`. */
  readonly preprocess?: boolean
  /** Macros of the preprocessor (`-D`) when it runs, else symbols with a number. */
  readonly defines?: Readonly<Record<string, string | number>>
  /** Reads included files; without it there are none. */
  readonly readFile?: FileReader
  /** Start with `.option rvc` (the default) or `norvc`. */
  readonly compressed?: boolean
}

/**
 * Assembles a source text.
 * @returns the object, unless there was an error, and everything there is to say about the source, in its order.
 */
export function assemble(source: string, options: AssembleOptions = {}): { object?: ObjectFile; diagnostics: Diagnostic[] } {
  const file = options.file ?? 'input.s'
  const readFile: FileReader = options.readFile ?? (() => undefined)
  const assembler = new Assembler(readFile)
  assembler.options.compressed = options.compressed ?? true
  const withPreprocessor = options.preprocess ?? file.endsWith('.S')
  const lines = readLines(source, file, withPreprocessor)
  const ready = withPreprocessor
    ? preprocess(lines, { defines: options.defines ?? {}, readFile, diagnostics: assembler.diagnostics })
    : lines
  if (!withPreprocessor) {
    for (const [name, value] of Object.entries(options.defines ?? {})) {
      const span = { source: { text: '', file, line: 1, column: 1, width: 0 }, start: 0, end: 0 }
      assembler.equate(name, { kind: 'constant', value: BigInt(value), span }, span)
    }
  }
  assembler.statements.push(toStatements(ready), false)
  assembler.run()
  const object = finish(assembler, file)
  const diagnostics = assembler.diagnostics
  return diagnostics.some((diagnostic) => diagnostic.severity === 'error') ? { diagnostics } : { object, diagnostics }
}
