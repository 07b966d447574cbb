/**
 * Expressions: parsed with GNU's operator ranks, kept as trees because most labels get their address only after relaxation.
 * All arithmetic is on 64-bit two's complement integers.
 */
import { AssemblyError, type Span } from './position.ts'
import type { Token } from './lexer.ts'
import { fragmentSize } from './section.ts'
import type { AssemblySymbol, Place } from './symbol.ts'

export type Expression =
  | { readonly kind: 'constant'; readonly value: bigint; readonly span: Span }
  | { readonly kind: 'symbol'; readonly symbol: AssemblySymbol; readonly span: Span }
  | { readonly kind: 'unary'; readonly operator: string; readonly operand: Expression; readonly span: Span }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: Expression; readonly right: Expression; readonly span: Span }

/** What the parser needs to know about its surroundings. */
export interface ExpressionScope {
  symbol(name: string): AssemblySymbol
  /** `1f`, `1b`. */
  localLabel(reference: string, span: Span): AssemblySymbol
  /** The current place, for `.`. */
  here(): AssemblySymbol
}

/** GNU's ranks ("Infix Operators"): `|` binds tighter than `+`, unlike in C. */
const ranks: Record<string, number> = {
  '*': 8,
  '/': 8,
  '%': 8,
  '<<': 8,
  '>>': 8,
  '|': 7,
  '&': 7,
  '^': 7,
  '!': 7,
  '+': 5,
  '-': 5,
  '==': 4,
  '<>': 4,
  '!=': 4,
  '<': 4,
  '>': 4,
  '<=': 4,
  '>=': 4,
  '&&': 3,
  '||': 2,
}

/** Parses from `tokens[start]`; returns the tree and the index of the first token that is not part of it. */
export function parseExpressionAt(tokens: readonly Token[], start: number, scope: ExpressionScope, fallback: Span): [Expression, number] {
  let index = start
  const join = (left: Span, right: Span): Span => ({ source: left.source, start: left.start, end: right.end })
  let depth = 0

  function primary(): Expression {
    const token = tokens[index]
    if (!token) {
      const at = tokens.at(-1) ?? fallback
      throw new AssemblyError('asm/missing-operand', 'an expression is missing here', at)
    }
    index++
    if (token.kind === 'number') return { kind: 'constant', value: BigInt.asIntN(64, token.value!), span: token }
    if (token.kind === 'local') return { kind: 'symbol', symbol: scope.localLabel(token.text, token), span: token }
    if (token.kind === 'name') return symbolNow(token.text === '.' ? scope.here() : scope.symbol(token.text), token)
    // GNU allows quoted symbol names.
    if (token.kind === 'string' && token.text) return symbolNow(scope.symbol(token.text), token)
    if (token.kind === 'punctuation') {
      if (++depth > 500) throw new AssemblyError('asm/expression-too-deep', 'the expression is nested too deeply', token)
      if (token.text === '(') {
        const inner = binary(0)
        if (tokens[index]?.text !== ')') throw new AssemblyError('asm/missing-parenthesis', 'missing )', join(token, inner.span))
        index++
        depth--
        return inner
      }
      if (token.text === '-' || token.text === '~' || token.text === '+' || token.text === '!') {
        const operand = primary()
        depth--
        if (token.text === '+') return operand
        return fold({ kind: 'unary', operator: token.text, operand, span: join(token, operand.span) })
      }
    }
    throw new AssemblyError('asm/bad-expression', `'${token.text}' cannot start an expression`, token)
  }

  function binary(minimum: number): Expression {
    let left = primary()
    for (;;) {
      const token = tokens[index]
      const rank = token?.kind === 'punctuation' ? ranks[token.text] : undefined
      if (rank === undefined || rank <= minimum) return left
      index++
      const right = binary(rank)
      left = fold({ kind: 'binary', operator: token.text, left, right, span: join(left.span, right.span) })
    }
  }

  const expression = binary(0)
  return [expression, index]
}

/** `.set` may give a number again later: what counts is its value here. */
function symbolNow(symbol: AssemblySymbol, span: Span): Expression {
  return symbol.equated?.kind === 'constant' ? { ...symbol.equated, span } : { kind: 'symbol', symbol, span }
}

/** Parses all of `tokens`. */
export function parseExpression(tokens: readonly Token[], scope: ExpressionScope, fallback: Span): Expression {
  const [expression, end] = parseExpressionAt(tokens, 0, scope, fallback)
  if (end < tokens.length) throw new AssemblyError('asm/trailing-text', `'${tokens[end].text}' is not expected here`, tokens[end])
  return expression
}

/** Folds constants at once, so that long constant expressions stay small. */
function fold(expression: Expression): Expression {
  const constantOf = (e: Expression): e is Extract<Expression, { kind: 'constant' }> => e.kind === 'constant'
  const foldable =
    expression.kind === 'unary'
      ? constantOf(expression.operand)
      : expression.kind === 'binary' && constantOf(expression.left) && constantOf(expression.right)
  return foldable ? { kind: 'constant', value: evaluate(expression, 'now').constant, span: expression.span } : expression
}

/** `constant + plus - minus`; symbols are undefined ones or labels. */
export interface Value {
  readonly constant: bigint
  readonly plus?: AssemblySymbol
  readonly minus?: AssemblySymbol
}

/**
 * `now`: while reading, when only distances without a relaxable fragment between are known. `final`: fragments have their addresses.
 * @throws AssemblyError where symbols meet an operator that no relocation can express.
 */
export function evaluate(expression: Expression, when: 'now' | 'final', depth = 0): Value {
  if (depth > 600) throw new AssemblyError('asm/circular-definition', 'a symbol is defined in terms of itself', expression.span)
  switch (expression.kind) {
    case 'constant':
      return { constant: expression.value }
    case 'symbol': {
      const { symbol } = expression
      if (!symbol.equated) return { constant: 0n, plus: symbol }
      const value = evaluate(symbol.equated, when, depth + 1)
      // Another object may replace a weak alias, so references must keep its name.
      return symbol.binding === 'weak' && value.plus ? { constant: 0n, plus: symbol } : value
    }
    case 'unary': {
      const value = evaluate(expression.operand, when, depth + 1)
      if (expression.operator === '-') return wrap({ constant: -value.constant, plus: value.minus, minus: value.plus })
      requireConstant(value, expression.operand)
      return wrap({ constant: expression.operator === '~' ? ~value.constant : value.constant === 0n ? 1n : 0n })
    }
    case 'binary': {
      const left = evaluate(expression.left, when, depth + 1)
      const right = evaluate(expression.right, when, depth + 1)
      if (expression.operator === '+') return add(left, right, when, expression.span)
      if (expression.operator === '-') {
        return add(left, { constant: -right.constant, plus: right.minus, minus: right.plus }, when, expression.span)
      }
      if (ranks[expression.operator] === 4 && (left.plus || right.plus)) {
        const difference = add(left, { constant: -right.constant, plus: right.minus, minus: right.plus }, when, expression.span)
        if (!difference.plus && !difference.minus)
          return wrap({ constant: arithmetic(expression.operator, difference.constant, 0n, expression) })
      }
      requireConstant(left, expression.left)
      requireConstant(right, expression.right)
      return wrap({ constant: arithmetic(expression.operator, left.constant, right.constant, expression) })
    }
  }
}

function wrap(value: Value): Value {
  return { ...value, constant: BigInt.asIntN(64, value.constant) }
}

function requireConstant(value: Value, expression: Expression): void {
  const symbol = value.plus ?? value.minus
  if (symbol) {
    throw new AssemblyError('asm/not-constant', `the value of ${describe(symbol)} is not a constant here`, expression.span)
  }
}

function describe(symbol: AssemblySymbol): string {
  return symbol.name.startsWith('.Lpollen') ? 'this place' : symbol.name
}

/** GNU: a true comparison is all ones. */
function arithmetic(operator: string, left: bigint, right: bigint, expression: Expression): bigint {
  const truth = (condition: boolean): bigint => (condition ? -1n : 0n)
  switch (operator) {
    case '*':
      return left * right
    case '/':
    case '%':
      if (right === 0n) throw new AssemblyError('asm/division-by-zero', 'division by zero', expression.span)
      return operator === '/' ? left / right : left % right
    case '<<':
      return right < 0n || right > 63n ? 0n : left << right
    case '>>':
      return right < 0n || right > 63n ? 0n : BigInt.asUintN(64, left) >> right
    case '|':
      return left | right
    case '&':
      return left & right
    case '^':
      return left ^ right
    case '!':
      return left | ~right
    case '==':
      return truth(left === right)
    case '!=':
    case '<>':
      return truth(left !== right)
    case '<':
      return truth(left < right)
    case '>':
      return truth(left > right)
    case '<=':
      return truth(left <= right)
    case '>=':
      return truth(left >= right)
    case '&&':
      return left !== 0n && right !== 0n ? 1n : 0n
    default:
      return left !== 0n || right !== 0n ? 1n : 0n
  }
}

function add(left: Value, right: Value, when: 'now' | 'final', span: Span): Value {
  let constant = left.constant + right.constant
  const plus = [left.plus, right.plus].filter((s) => s !== undefined)
  const minus = [left.minus, right.minus].filter((s) => s !== undefined)
  for (let i = plus.length - 1; i >= 0; i--) {
    for (let j = minus.length - 1; j >= 0; j--) {
      const distance = plus[i] === minus[j] ? 0 : distanceBetween(minus[j], plus[i], when)
      if (distance === undefined) continue
      constant += BigInt(distance)
      plus.splice(i, 1)
      minus.splice(j, 1)
      break
    }
  }
  if (plus.length > 1 || minus.length > 1) {
    const symbol = describe(plus[1] ?? minus[1])
    throw new AssemblyError('asm/too-many-symbols', `the sum with ${symbol} has more symbols than a relocation can hold`, span)
  }
  return wrap({ constant, plus: plus[0], minus: minus[0] })
}

/** `to - from` for labels of one section, where it is known. */
function distanceBetween(from: AssemblySymbol, to: AssemblySymbol, when: 'now' | 'final'): number | undefined {
  const a = from.place
  const b = to.place
  if (!a || !b || a.section !== b.section) return undefined
  if (when === 'final') return b.fragment.address + b.offset - a.fragment.address - a.offset
  return b.fragment.index >= a.fragment.index ? fixedDistance(a, b) : negate(fixedDistance(b, a))
}

function negate(distance: number | undefined): number | undefined {
  return distance === undefined ? undefined : -distance
}

function fixedDistance(a: Place, b: Place): number | undefined {
  let distance = b.offset - a.offset
  for (let index = a.fragment.index; index < b.fragment.index; index++) {
    const fragment = a.section.fragments[index]
    if (fragment.kind !== 'data') return undefined
    distance += fragmentSize(fragment)
  }
  return distance
}

/** The value when it is a plain number already, else undefined. */
export function constantNow(expression: Expression): bigint | undefined {
  try {
    const value = evaluate(expression, 'now')
    return value.plus || value.minus ? undefined : value.constant
  } catch (error) {
    if (error instanceof AssemblyError && error.code === 'asm/not-constant') return undefined
    throw error
  }
}

/** An expression with the present values of redefinable symbols, as `.set` needs it: `.set n, n + 1`. */
export function snapshot(expression: Expression): Expression {
  const known = constantNow(expression)
  if (known !== undefined) return { kind: 'constant', value: known, span: expression.span }
  switch (expression.kind) {
    case 'constant':
      return expression
    case 'symbol':
      return expression.symbol.equated ?? expression
    case 'unary':
      return { ...expression, operand: snapshot(expression.operand) }
    case 'binary':
      return { ...expression, left: snapshot(expression.left), right: snapshot(expression.right) }
  }
}
