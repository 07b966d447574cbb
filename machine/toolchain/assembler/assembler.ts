/** The state of one assembly: sections, symbols, options, and the reading of statements. */
import { findInstruction } from '../../isa/instructions.ts'
import type { Diagnostic } from '../diagnostic.ts'
import type { CfiInstruction } from './cfi.ts'
import { Conditionals } from './conditional.ts'
import { findDirective } from './directives.ts'
import { constantNow, evaluate, parseExpression, snapshot, type Expression } from './expression.ts'
import type { FixupType } from './fixup.ts'
import { assembleInstruction, type InstructionSink } from './instruction.ts'
import { spanOf, splitOperands, tokenize, type Token } from './lexer.ts'
import { bindArguments, expandBody, type Macro } from './macro.ts'
import { AssemblyError, diagnosticAt, type SourceLine, type Span } from './position.ts'
import { SectionBuilder, type SectionShape } from './section.ts'
import { StatementStream, wholeLine } from './statements.ts'
import { isDefined, SymbolTable, type AssemblySymbol } from './symbol.ts'

/** Reads a file named by `.include`, `#include` or `.incbin`; undefined when there is none. */
export type FileReader = (path: string, from: string) => { readonly path: string; readonly bytes: Uint8Array } | undefined

export interface TargetOptions {
  compressed: boolean
  positionIndependent: boolean
}

const maximumErrors = 100

/** GNU's for a target with compressed instructions, even where `.option norvc` is on. */
const codeAlignment = 2

export class Assembler implements InstructionSink {
  readonly diagnostics: Diagnostic[] = []
  readonly symbols = new SymbolTable()
  readonly sections = new Map<string, SectionBuilder>()
  readonly statements = new StatementStream()
  readonly conditionals = new Conditionals()
  readonly macros = new Map<string, Macro>()
  readonly optionStack: TargetOptions[] = []
  readonly sectionStack: SectionBuilder[] = []
  /** `.file` numbers. */
  readonly files = new Map<number, string>()
  readonly cfi: CfiInstruction[] = []
  options: TargetOptions = { compressed: true, positionIndependent: false }
  section: SectionBuilder
  previousSection: SectionBuilder
  /** `.loc` was seen: then the source's own lines do not count. */
  explicitLines = false
  #macroCount = 0
  readonly #localCounts = new Map<string, number>()
  #current!: SourceLine

  constructor(readonly readFile: FileReader) {
    this.section = this.openSection('.text', { kind: 'progbits', flags: { alloc: true, write: false, execute: true } })
    this.openSection('.data', { kind: 'progbits', flags: { alloc: true, write: true, execute: false } })
    this.openSection('.bss', { kind: 'nobits', flags: { alloc: true, write: true, execute: false } })
    this.previousSection = this.section
  }

  get compressed(): boolean {
    return this.options.compressed
  }

  get positionIndependent(): boolean {
    return this.options.positionIndependent
  }

  /** Reads everything the stream holds. */
  run(): void {
    for (;;) {
      let statement: SourceLine | undefined
      try {
        statement = this.statements.next()
        if (!statement) break
        this.#current = statement
        this.#assembleStatement(statement)
      } catch (error) {
        if (!this.report(error, statement && wholeLine(statement))) break
      }
    }
    if (this.conditionals.depth > 0) {
      this.report(new AssemblyError('asm/unclosed-block', 'an .if is not closed by .endif', this.#current && wholeLine(this.#current)))
    }
  }

  /** Records an error; false when there are too many to go on. */
  report(error: unknown, fallback?: Span): boolean {
    if (!(error instanceof AssemblyError)) throw error
    const span = error.span ?? fallback ?? { source: { text: '', file: '', line: 1, column: 1, width: 0 }, start: 0, end: 0 }
    this.diagnostics.push(diagnosticAt(span, 'error', error.code, error.message, error.hint))
    if (error.code === 'asm/too-long' || this.diagnostics.length >= maximumErrors) {
      this.statements.stop()
      return false
    }
    return true
  }

  warn(code: string, message: string, span: Span): void {
    this.diagnostics.push(diagnosticAt(span, 'warning', code, message))
  }

  #assembleStatement(source: SourceLine): void {
    if (source.text.trim() === '') return
    if (!this.conditionals.active) {
      const word = /^\s*(?:[\w.$]+:\s*)?(\.(?:else|end)?if\w*|\.else)\b/i.exec(source.text)
      if (!word) return
    }
    let start = 0
    for (;;) {
      const label = /^\s*(?:([A-Za-z_.$][\w.$]*|\d+)|"([^"]+)")\s*:/.exec(source.text.slice(start))
      if (!label) break
      const nameStart = start + label[0].search(/\S/)
      const end = start + label[0].length
      if (this.conditionals.active) this.#defineLabel(label[1] ?? label[2], { source, start: nameStart, end: end - 1 })
      start = end
    }
    const rest = source.text.slice(start)
    const word = /^\s*([A-Za-z_.$][\w.$]*)/.exec(rest)
    if (!word) {
      if (rest.trim() !== '')
        throw new AssemblyError('asm/bad-statement', 'a label, an instruction or a directive is expected', wholeLine(source))
      return
    }
    const wordEnd = start + word[0].length
    const span: Span = { source, start: wordEnd - word[1].length, end: wordEnd }
    if (/^\s*==?(?!=)/.test(source.text.slice(wordEnd))) this.#assign(word[1], source, wordEnd, span)
    else this.#assembleWord(word[1], source, wordEnd, span)
  }

  #assign(name: string, source: SourceLine, wordEnd: number, span: Span): void {
    const start = source.text.indexOf('=', wordEnd)
    const tokens = tokenize(source, source.text[start + 1] === '=' ? start + 2 : start + 1, source.text.length)
    const expression = parseExpression(tokens, this, span)
    if (name === '.') this.originTo(expression, 0, span)
    else this.equate(name, expression, span)
  }

  #assembleWord(word: string, source: SourceLine, wordEnd: number, span: Span): void {
    const macro = this.macros.get(word) ?? this.macros.get(word.toLowerCase())
    if (macro) {
      const bound = bindArguments(macro, source.text.slice(wordEnd), source)
      this.statements.push(expandBody(macro.body, bound, this.#macroCount++, source, `macro ${macro.name}`), true, source)
      return
    }
    const text = source.text.slice(wordEnd)
    const directive = findDirective(word)
    if (directive) {
      directive(this, { name: word, text, textStart: wordEnd, source, span })
      return
    }
    if (word.startsWith('.')) throw new AssemblyError('asm/unknown-directive', `unknown directive ${word}`, span)
    const operands = this.operands(source, wordEnd)
    this.noteLine(source, span)
    assembleInstruction({ mnemonic: word, span, operands }, this)
  }

  /** The comma-separated operands from `start` on, each with the range to point at. */
  operands(source: SourceLine, start: number): { tokens: Token[]; span: Span }[] {
    const fallback = { source, start, end: Math.max(start + 1, source.text.trimEnd().length) }
    return splitOperands(tokenize(source, start, source.text.length)).map((tokens) => ({ tokens, span: spanOf(tokens, fallback) }))
  }

  // Symbols.

  symbol(name: string): AssemblySymbol {
    return this.symbols.get(name)
  }

  here(): AssemblySymbol {
    return this.symbols.hidden(this.section.here())
  }

  mark(): AssemblySymbol {
    return this.here()
  }

  localLabel(reference: string, span: Span): AssemblySymbol {
    const number = reference.slice(0, -1)
    const count = this.#localCounts.get(number) ?? 0
    if (reference.endsWith('b') && count === 0) {
      throw new AssemblyError('asm/undefined-label', `there is no label ${number}: before this line`, span)
    }
    const symbol = this.symbols.get(localName(number, reference.endsWith('b') ? count : count + 1))
    symbol.definedAt ??= span
    return symbol
  }

  #defineLabel(name: string, span: Span): void {
    if (/^\d/.test(name)) {
      const count = (this.#localCounts.get(name) ?? 0) + 1
      this.#localCounts.set(name, count)
      this.symbols.get(localName(name, count)).place = this.section.here()
      return
    }
    const symbol = this.symbols.get(name)
    if (isDefined(symbol)) {
      const at = symbol.definedAt?.source
      throw new AssemblyError('asm/duplicate-symbol', `${name} is already defined`, span, at && `first defined at ${at.file}:${at.line}`)
    }
    symbol.place = this.section.here()
    symbol.definedAt = span
  }

  /** `.set`, `.equ`, `=`: may be repeated. */
  equate(name: string, expression: Expression, span: Span): void {
    const symbol = this.symbols.get(name)
    if (symbol.place || symbol.common) throw new AssemblyError('asm/duplicate-symbol', `${name} is already defined`, span)
    const value = snapshot(expression)
    if (mentions(value, symbol)) throw new AssemblyError('asm/circular-definition', `${name} is defined in terms of itself`, span)
    symbol.equated = value
    symbol.definedAt = span
  }

  // Sections and bytes.

  /** The section of that name, made with `shape` on first mention. */
  openSection(name: string, shape: SectionShape): SectionBuilder {
    let section = this.sections.get(name)
    if (!section) {
      section = new SectionBuilder(name, shape)
      this.sections.set(name, section)
    }
    return section
  }

  switchTo(section: SectionBuilder): void {
    this.previousSection = this.section
    this.section = section
  }

  emit(word: number, length: 2 | 4, fixup?: { type: FixupType; expression: Expression; span: Span }): void {
    this.#requireContents(fixup?.span)
    this.section.align(codeAlignment)
    const fragment = this.section.data()
    if (fixup) fragment.fixups.push({ offset: fragment.bytes.length, ...fixup })
    fragment.bytes.pushInteger(BigInt(word), length)
    if (isUpperImmediate(word, length)) this.section.split()
  }

  branch(conditional: boolean, short: number | undefined, long: number, target: Expression, span: Span): void {
    this.#requireContents(span)
    this.section.align(codeAlignment)
    const index = this.section.nextIndex()
    this.section.add({ kind: 'branch', address: 0, index, conditional, short, long, target, span, size: 4 })
  }

  #requireContents(span: Span | undefined): void {
    if (this.section.shape.kind !== 'nobits') return
    throw new AssemblyError('asm/bytes-in-bss', `${this.section.name} holds zeros only`, span ?? wholeLine(this.#current))
  }

  /** Appends a datum of `size` bytes. */
  emitData(expression: Expression, size: 1 | 2 | 4 | 8, span: Span): void {
    if (this.section.shape.kind === 'nobits' && constantNow(expression) !== 0n) this.#requireContents(span)
    const fragment = this.section.data()
    const constant = expression.kind === 'constant' ? expression.value : undefined
    if (constant === undefined) fragment.fixups.push({ offset: fragment.bytes.length, type: `DATA${size}`, expression, span })
    else this.#warnTruncated(constant, size, span)
    fragment.bytes.pushInteger(constant ?? 0n, size)
  }

  #warnTruncated(value: bigint, size: number, span: Span): void {
    const bits = size * 8
    if (value >= -(1n << BigInt(bits - 1)) && value < 1n << BigInt(bits)) return
    this.warn('asm/truncated', `${value} does not fit in ${bits} bits and is truncated`, span)
  }

  /** `.org`. */
  originTo(expression: Expression, fill: number, span: Span): void {
    const index = this.section.nextIndex()
    this.section.add({ kind: 'org', address: 0, index, amount: expression, fill, span, size: 0 })
    // What follows must have an address of its own for the distance to be seen.
    this.section.data()
  }

  /** Records that code from here on belongs to a source line. */
  noteLine(source: SourceLine, span: Span): void {
    if (this.explicitLines) return
    const column = source.column > 0 ? source.column + span.start : 1
    this.addLine(source.callSite ?? { file: source.file, line: source.line, column })
  }

  addLine(position: { file: string; line: number; column: number }): void {
    const { fragment, offset } = this.section.here()
    this.section.lines.push({ fragment, offset, ...position })
  }

  /** An expression that must be a number now, as `.rept` needs. */
  constant(tokens: readonly Token[], span: Span): bigint {
    const expression = parseExpression(tokens, this, span)
    const value = evaluate(expression, 'now')
    const symbol = value.plus ?? value.minus
    if (symbol) throw new AssemblyError('asm/not-constant', `the value of ${symbol.name} is not known here`, spanOf(tokens, span))
    return value.constant
  }
}

function localName(number: string, count: number): string {
  return `.L${number}@${count}`
}

function mentions(expression: Expression, symbol: AssemblySymbol): boolean {
  switch (expression.kind) {
    case 'constant':
      return false
    case 'symbol':
      return expression.symbol === symbol || (expression.symbol.equated !== undefined && mentions(expression.symbol.equated, symbol))
    case 'unary':
      return mentions(expression.operand, symbol)
    case 'binary':
      return mentions(expression.left, symbol) || mentions(expression.right, symbol)
  }
}

const upperOpcodes = [findInstruction('lui')!.match, findInstruction('auipc')!.match]

function isUpperImmediate(word: number, length: number): boolean {
  return length === 4 && upperOpcodes.includes(word & 0x7f)
}
