/**
 * The part of the C preprocessor that assembly sources use: #include, #define, #undef, #if and relatives, #error, #warning.
 * Lines that it rewrites lose their exact columns; diagnostics then cover the whole line.
 */
import type { Diagnostic } from '../diagnostic.ts'
import type { FileReader } from './assembler.ts'
import { readLines } from './comments.ts'
import { Conditionals } from './conditional.ts'
import { CppEvaluator } from './preprocessor-expression.ts'
import { expandMacros, type CppMacro } from './preprocessor-macro.ts'
import { AssemblyError, diagnosticAt, type SourceLine } from './position.ts'
import { wholeLine } from './statements.ts'

export interface PreprocessOptions {
  readonly defines: Readonly<Record<string, string | number>>
  readonly readFile: FileReader
  /** Errors are added here. */
  readonly diagnostics: Diagnostic[]
}

const maximumIncludeDepth = 60

/** What compilers for this target define in assembly sources. */
const predefined: Record<string, string> = {
  __ASSEMBLER__: '1',
  __riscv: '1',
  __riscv_xlen: '64',
  __riscv_flen: '64',
  __riscv_compressed: '1',
  __riscv_mul: '1',
  __riscv_atomic: '1',
  __riscv_float_abi_double: '1',
}

/** Runs the preprocessor over lines whose comments are gone. */
export function preprocess(lines: readonly SourceLine[], options: PreprocessOptions): SourceLine[] {
  const run = new Preprocessor(options)
  run.process(lines, 0)
  return run.output
}

class Preprocessor {
  readonly output: SourceLine[] = []
  readonly #macros = new Map<string, CppMacro>()
  readonly #once = new Set<string>()

  constructor(readonly options: PreprocessOptions) {
    for (const [name, value] of Object.entries({ ...predefined, ...options.defines })) this.#macros.set(name, { name, body: String(value) })
  }

  process(lines: readonly SourceLine[], depth: number): void {
    const conditionals = new Conditionals()
    for (let index = 0; index < lines.length; index++) {
      const first = lines[index]
      let text = first.text
      while (/\\\s*$/.test(text) && index + 1 < lines.length && /^\s*#/.test(first.text))
        text = text.replace(/\\\s*$/, ' ') + lines[++index].text
      try {
        const directive = /^\s*#\s*(\w*)\s*(.*)$/s.exec(text)
        if (directive) this.#directive(directive[1], directive[2].trim(), first, conditionals, depth)
        else if (conditionals.active) this.#line(first)
      } catch (error) {
        this.#report(error, first)
      }
    }
    if (conditionals.depth > 0 && lines.length > 0)
      this.#report(new AssemblyError('cpp/unclosed-if', '#if without #endif', undefined), lines.at(-1)!)
  }

  #report(error: unknown, line: SourceLine): void {
    if (!(error instanceof AssemblyError)) throw error
    this.options.diagnostics.push(diagnosticAt(error.span ?? wholeLine(line), 'error', error.code, error.message, error.hint))
  }

  #line(line: SourceLine): void {
    const text = expandMacros(line.text, this.#macros)
    this.output.push(text === line.text ? line : { ...line, text, column: 0 })
  }

  #directive(name: string, rest: string, line: SourceLine, conditionals: Conditionals, depth: number): void {
    const complaint = this.#conditional(name, rest, conditionals)
    if (complaint !== undefined) {
      if (complaint !== '') throw new AssemblyError('cpp/unbalanced', `#${name}: ${complaint}`, undefined)
      return
    }
    if (!conditionals.active) return
    switch (name) {
      case 'define':
        this.#define(rest)
        return
      case 'undef':
        this.#macros.delete(rest)
        return
      case 'include':
        this.#include(rest, line, depth)
        return
      case 'error':
        throw new AssemblyError('cpp/error', rest || '#error', undefined)
      case 'warning':
        this.options.diagnostics.push(diagnosticAt(wholeLine(line), 'warning', 'cpp/warning', rest || '#warning'))
        return
      case 'pragma':
        if (rest === 'once') this.#once.add(line.file)
        return
      default:
      // In assembly `# word` may also be a comment.
    }
  }

  /** Undefined when `name` is no conditional; else a complaint, empty when all is well. */
  #conditional(name: string, rest: string, conditionals: Conditionals): string | undefined {
    const evaluate = (): boolean => new CppEvaluator(rest, this.#macros).evaluate() !== 0n
    const defined = (): boolean => this.#macros.has(rest)
    switch (name) {
      case 'if':
        conditionals.begin(evaluate)
        return ''
      case 'ifdef':
        conditionals.begin(defined)
        return ''
      case 'ifndef':
        conditionals.begin(() => !defined())
        return ''
      case 'elif':
        return conditionals.otherwise(evaluate) ?? ''
      case 'else':
        return conditionals.otherwise(undefined) ?? ''
      case 'endif':
        return conditionals.end() ?? ''
      default:
        return undefined
    }
  }

  #define(rest: string): void {
    const match = /^([A-Za-z_]\w*)(\(([^)]*)\))?\s*(.*)$/s.exec(rest)
    if (!match) throw new AssemblyError('cpp/bad-define', '#define needs a name', undefined)
    const parameters =
      match[2] === undefined
        ? undefined
        : match[3]
            .split(',')
            .map((name) => name.trim())
            .filter(Boolean)
    this.#macros.set(match[1], { name: match[1], parameters, body: match[4].trim() })
  }

  #include(rest: string, line: SourceLine, depth: number): void {
    const path = /^["<]([^">]+)[">]/.exec(expandMacros(rest, this.#macros).trim())?.[1]
    if (path === undefined) throw new AssemblyError('cpp/bad-include', '#include needs "file" or <file>', undefined)
    if (depth >= maximumIncludeDepth) throw new AssemblyError('cpp/bad-include', 'files include each other without end', undefined)
    const file = this.options.readFile(path, line.file)
    if (!file) throw new AssemblyError('cpp/missing-file', `cannot read ${path}`, undefined)
    if (this.#once.has(file.path)) return
    this.process(readLines(new TextDecoder().decode(file.bytes), file.path, true), depth + 1)
  }
}
