/** The expressions of `#if` (C11, 6.10.1), on 64-bit signed integers. */
import { AssemblyError } from './position.ts'
import { expandMacros, type CppMacro } from './preprocessor-macro.ts'

const levels: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<', '<=', '>', '>='],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
]
const maximumDepth = 200

export class CppEvaluator {
  readonly #tokens: string[]
  #next = 0
  #depth = 0

  constructor(text: string, macros: ReadonlyMap<string, CppMacro>) {
    const resolved = text.replace(/\bdefined\s*(?:\(\s*(\w+)\s*\)|(\w+))/g, (_, inner?: string, bare?: string) =>
      macros.has(inner ?? bare!) ? '1' : '0',
    )
    this.#tokens = expandMacros(resolved, macros).match(/'(?:\\.|[^'])'|\w+|<<|>>|[<>=!]=|&&|\|\||\S/g) ?? []
  }

  /** The value of the whole text. */
  evaluate(): bigint {
    const value = this.#ternary()
    if (this.#next < this.#tokens.length) this.#fail(`'${this.#tokens[this.#next]}' is not expected here`)
    return value
  }

  #fail(message: string): never {
    throw new AssemblyError('cpp/bad-expression', message, undefined)
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#next] !== token) return false
    this.#next++
    return true
  }

  #ternary(): bigint {
    const condition = this.#binary(0)
    if (!this.#take('?')) return condition
    const yes = this.#ternary()
    if (!this.#take(':')) this.#fail('missing :')
    const no = this.#ternary()
    return condition !== 0n ? yes : no
  }

  #binary(level: number): bigint {
    if (level === levels.length) return this.#unary()
    let left = this.#binary(level + 1)
    for (;;) {
      const operator = this.#tokens[this.#next]
      if (!levels[level].includes(operator)) return left
      this.#next++
      left = BigInt.asIntN(64, this.#apply(operator, left, this.#binary(level + 1)))
    }
  }

  #apply(operator: string, left: bigint, right: bigint): bigint {
    const truth = (condition: boolean): bigint => (condition ? 1n : 0n)
    switch (operator) {
      case '||':
        return truth(left !== 0n || right !== 0n)
      case '&&':
        return truth(left !== 0n && right !== 0n)
      case '|':
        return left | right
      case '^':
        return left ^ right
      case '&':
        return left & right
      case '==':
        return truth(left === right)
      case '!=':
        return truth(left !== right)
      case '<':
        return truth(left < right)
      case '<=':
        return truth(left <= right)
      case '>':
        return truth(left > right)
      case '>=':
        return truth(left >= right)
      case '<<':
        return left << (right & 63n)
      case '>>':
        return left >> (right & 63n)
      case '+':
        return left + right
      case '-':
        return left - right
      case '*':
        return left * right
      default:
        if (right === 0n) this.#fail('division by zero')
        return operator === '/' ? left / right : left % right
    }
  }

  #unary(): bigint {
    if (++this.#depth > maximumDepth) this.#fail('the expression is nested too deeply')
    const token = this.#tokens[this.#next++]
    let value: bigint
    if (token === undefined) this.#fail('an operand is missing')
    else if (token === '(') {
      value = this.#ternary()
      if (!this.#take(')')) this.#fail('missing )')
    } else if (token === '!') value = this.#unary() === 0n ? 1n : 0n
    else if (token === '-') value = -this.#unary()
    else if (token === '+') value = this.#unary()
    else if (token === '~') value = ~this.#unary()
    else if (/^'/.test(token)) value = BigInt(token.charCodeAt(token.length - 2))
    else if (/^\d/.test(token)) value = this.#number(token)
    // A name that is no macro counts as 0.
    else if (/^[A-Za-z_]/.test(token)) value = 0n
    else this.#fail(`'${token}' is not expected here`)
    this.#depth--
    return value
  }

  #number(token: string): bigint {
    const digits = token.replace(/[uUlL]+$/, '')
    if (/^0[0-7]+$/.test(digits)) return BigInt(`0o${digits.slice(1)}`)
    if (!/^(\d+|0[xX][0-9a-fA-F]+|0[bB][01]+)$/.test(digits)) this.#fail(`${token} is not a number`)
    return BigInt(digits)
  }
}
