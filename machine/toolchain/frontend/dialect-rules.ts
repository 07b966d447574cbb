/**
 * The dialect's rules about harts, locks and interrupts (toolchain.md, "The guest dialect", 6), checked on the syntax tree before
 * async functions are lowered. Each error names its rule and says what to do.
 *
 * Decorators: of module variables `@perHart`, `@guardedBy(lock)`, `@readOnly`; of functions `@interrupt`, `@init` (runs before
 * other harts do), `@pinned` (its caller stays on the hart), `@holds(lock)` (its caller holds the lock).
 * A lock is whatever has `lock()` and `unlock()` (or `acquire()`, `release()`): one that is awaited sleeps, one that is not spins.
 * What is held is followed through a function's statements; what its callers hold is only known from its decorators.
 */
import * as assemblyscript from 'assemblyscript'
import type { LoweringError, TreeNode } from './async-lower.ts'
import { asyncDecorator } from './async-rewrite.ts'

const { NodeKind, Token } = assemblyscript as unknown as { NodeKind: Record<string, number>; Token: Record<string, number> }

export interface RuleInput {
  readonly sources: readonly {
    readonly path: string
    readonly text: string
    readonly tree: TreeNode
    /** Offsets of the operators that stand for `await`. */
    readonly awaits: ReadonlySet<number>
  }[]
  /** Every module variable that is written must say how harts share it. */
  readonly kernel: boolean
}

export interface RuleResult {
  readonly errors: (LoweringError & { readonly path: string })[]
  /** Variables of which every hart has its own, and functions entered by interrupts: compiler's names. */
  readonly perHart: ReadonlySet<string>
  readonly interrupts: ReadonlySet<string>
}

type Kind = 'plain' | 'perHart' | 'guarded' | 'readOnly'
type Source = RuleInput['sources'][number]

interface Variable {
  readonly kind: Kind
  readonly lock: string
  readonly node: TreeNode
  readonly source: Source
  written: boolean
}

interface Fact {
  readonly node: TreeNode
  readonly rule: 'interrupt-await' | 'interrupt-allocates' | 'interrupt-sleeps'
  readonly what: string
}

interface FunctionInfo {
  readonly name: string
  readonly node: TreeNode
  readonly source: Source
  readonly decorators: ReadonlyMap<string, string>
  /** What an interrupt must not do. */
  readonly facts: Fact[]
  readonly calls: { readonly callee: string; readonly node: TreeNode }[]
}

/** Locks by the text of their expression; `certain` when held on every way here. */
interface Held {
  readonly locks: Map<string, { readonly spin: boolean; readonly certain: boolean }>
  pinned: boolean
}

/** Checks all sources of a program together. */
export function checkRules(input: RuleInput): RuleResult {
  return new Rules(input).run()
}

const hints = {
  'await-in-spin-lock': 'Unlock before the await, or use a lock that is awaited: other tasks of this hart would spin for ever.',
  'interrupt-await': 'An interrupt has no task to suspend: wake a task and let it do the waiting.',
  'interrupt-allocates': 'The allocator may be what was interrupted: allocate beforehand, or wake a task.',
  'interrupt-sleeps': 'An interrupt has no task to suspend: take a spin lock with interrupts off, or wake a task.',
  'per-hart': 'Call pin() before and unpin() after, or mark the function @pinned: a task may go on on another hart.',
  guarded: 'Lock before and unlock after, or mark the function @holds(lock) where its callers do that.',
  'read-only': 'Write it in its initialiser or in a function marked @init, before other harts run.',
  'shared-state': 'Mark it @guardedBy(lock), @perHart or @readOnly, or keep it in memory.data and use atomic operations.',
} as const

class Rules {
  private readonly errors: (LoweringError & { path: string })[] = []
  private readonly variables = new Map<string, Variable>()
  private readonly functions: FunctionInfo[] = []
  private readonly perHart = new Set<string>()
  private readonly interrupts = new Set<string>()

  constructor(private readonly input: RuleInput) {}

  run(): RuleResult {
    for (const source of this.input.sources) this.declarations(source, source.tree)
    for (const fn of this.functions)
      new FunctionRules(fn, this.variables, (node, rule, message) => this.error(fn.source, node, rule, message)).run()
    this.checkInterrupts()
    for (const { kind, written, node, source } of this.variables.values()) {
      if (this.input.kernel && kind === 'plain' && written)
        this.error(source, node, 'shared-state', `${nameOf(node)} is written and shared by all harts without saying how`)
    }
    return { errors: this.errors, perHart: this.perHart, interrupts: this.interrupts }
  }

  private error(source: Source, node: TreeNode, rule: keyof typeof hints, message: string): void {
    this.errors.push({ path: source.path, node, code: `dialect/${rule}`, message, hint: hints[rule] })
  }

  /** Collects module variables and all functions and methods. */
  private declarations(source: Source, node: TreeNode): void {
    const prefix = source.path.replace(/\.ts$/, '')
    for (const statement of (node.statements ?? []) as TreeNode[]) {
      if (statement.kind === NodeKind.Variable) {
        const decorators = decoratorsOf(statement, source)
        for (const declaration of statement.declarations as TreeNode[]) {
          for (const [name, value] of decoratorsOf(declaration, source)) decorators.set(name, value)
          const kind: Kind = decorators.has('perHart')
            ? 'perHart'
            : decorators.has('guardedBy')
              ? 'guarded'
              : decorators.has('readOnly')
                ? 'readOnly'
                : 'plain'
          const lock = decorators.get('guardedBy') ?? ''
          this.variables.set(nameOf(declaration), { kind, lock, node: declaration, source, written: false })
          if (kind === 'perHart') this.perHart.add(`${prefix}/${nameOf(declaration)}`)
        }
      } else if (statement.kind === NodeKind.FunctionDeclaration) this.declareFunction(source, statement, `${prefix}/`)
      else if (statement.kind === NodeKind.ClassDeclaration) {
        for (const member of statement.members as TreeNode[])
          if (member.kind === NodeKind.MethodDeclaration) this.declareFunction(source, member, `${prefix}/${nameOf(statement)}#`)
      } else if (statement.kind === NodeKind.NamespaceDeclaration) {
        this.declarations(source, { ...statement, statements: statement.members })
      }
    }
  }

  private declareFunction(source: Source, node: TreeNode, prefix: string): void {
    const decorators = decoratorsOf(node, source)
    const info: FunctionInfo = { name: nameOf(node), node, source, decorators, facts: [], calls: [] }
    this.functions.push(info)
    if (decorators.has('interrupt')) this.interrupts.add(prefix + info.name)
  }

  /** Follows calls from interrupt functions; a name that several functions have is not followed. */
  private checkInterrupts(): void {
    const byName = new Map<string, FunctionInfo | undefined>()
    for (const fn of this.functions) byName.set(fn.name, byName.has(fn.name) ? undefined : fn)
    const reaches = (fn: FunctionInfo, seen: Set<FunctionInfo>): { fact: Fact; way: string[] } | undefined => {
      if (seen.has(fn)) return undefined
      seen.add(fn)
      if (fn.facts.length) return { fact: fn.facts[0], way: [fn.name] }
      for (const { callee } of fn.calls) {
        const next = byName.get(callee)
        const found = next && reaches(next, seen)
        if (found) return { fact: found.fact, way: [fn.name, ...found.way] }
      }
      return undefined
    }
    for (const fn of this.functions) {
      if (!fn.decorators.has('interrupt')) continue
      if (fn.decorators.has(asyncDecorator)) this.error(fn.source, fn.node, 'interrupt-await', 'an interrupt function cannot be async')
      for (const { node, rule, what } of fn.facts) this.error(fn.source, node, rule, `an interrupt function ${what}`)
      for (const { callee, node } of fn.calls) {
        const target = byName.get(callee)
        if (!target) continue
        if (target.decorators.has(asyncDecorator)) {
          this.error(fn.source, node, 'interrupt-allocates', `an interrupt function calls ${callee}, which is async and allocates its task`)
          continue
        }
        const found = reaches(target, new Set([fn]))
        if (found)
          this.error(
            fn.source,
            node,
            found.fact.rule,
            `an interrupt function calls ${found.way.join(', which calls ')}, which ${found.fact.what}`,
          )
      }
    }
  }
}

type Report = (node: TreeNode, rule: keyof typeof hints, message: string) => void

const acquiring = new Set(['lock', 'acquire'])
const releasing = new Set(['unlock', 'release'])
const allocating = new Set(['__allocate', '__alloc', '__new'])
const leaving = new Set([NodeKind.Return, NodeKind.Break, NodeKind.Continue, NodeKind.Throw])
const arrayLiteral = 5

/** One function's statements in order. */
class FunctionRules {
  private held: Held
  /** Parameters and variables of the function, which hide module variables. */
  private readonly own = new Set<string>()

  constructor(
    private readonly fn: FunctionInfo,
    private readonly variables: ReadonlyMap<string, Variable>,
    private readonly report: Report,
  ) {
    const { decorators } = fn
    this.held = { locks: new Map(), pinned: decorators.has('pinned') || decorators.has('interrupt') }
    const lock = decorators.get('holds')
    if (lock !== undefined) this.held.locks.set(lock, { spin: true, certain: true })
  }

  run(): void {
    const { node } = this.fn
    for (const parameter of (node.signature as TreeNode).parameters as TreeNode[]) this.own.add(nameOf(parameter))
    if (node.body) this.visit(node.body as TreeNode)
  }

  private text(node: TreeNode): string {
    return this.fn.source.text.slice(node.range.start, node.range.end)
  }

  private fact(node: TreeNode, rule: Fact['rule'], what: string): void {
    this.fn.facts.push({ node, rule, what })
  }

  private visit(node: TreeNode): void {
    switch (node.kind) {
      case NodeKind.If:
        this.visit(node.condition as TreeNode)
        return this.branches([node.ifTrue as TreeNode, node.ifFalse as TreeNode | null])
      case NodeKind.While:
      case NodeKind.For:
        // The body may not run at all.
        for (const part of [node.initializer, node.condition]) if (part) this.visit(part as TreeNode)
        return this.branches([node.body as TreeNode, null], node.incrementor as TreeNode | null)
      case NodeKind.Switch:
        this.visit(node.condition as TreeNode)
        return this.branches((node.cases as TreeNode[]).map((entry) => ({ ...entry, kind: NodeKind.Block })))
      case NodeKind.VariableDeclaration:
        this.own.add(nameOf(node))
        if (node.initializer) this.visit(node.initializer as TreeNode)
        return
      case NodeKind.Function:
        return
      case NodeKind.New:
        this.fact(node, 'interrupt-allocates', 'allocates')
        return this.children(node)
      case NodeKind.Literal:
        if (node.literalKind === arrayLiteral) this.fact(node, 'interrupt-allocates', 'allocates an array')
        return this.children(node)
      case NodeKind.UnaryPrefix:
        if (node.operator === Token.Tilde && this.fn.source.awaits.has(node.range.start)) return this.awaits(node)
        if (node.operator === Token.Plus_Plus || node.operator === Token.Minus_Minus) this.write(node.operand as TreeNode)
        return this.children(node)
      case NodeKind.UnaryPostfix:
        this.write(node.operand as TreeNode)
        return this.children(node)
      case NodeKind.Binary: {
        const operator = node.operator as number
        if (operator >= Token.Equals && operator <= Token.Caret_Equals) this.write(node.left as TreeNode)
        return this.children(node)
      }
      case NodeKind.Call:
        return this.call(node, false)
      case NodeKind.PropertyAccess:
        return this.visit(node.expression as TreeNode)
      case NodeKind.Identifier:
        return this.touch(node)
    }
    this.children(node)
  }

  private children(node: TreeNode): void {
    for (const key of Object.keys(node)) {
      if (key === 'range' || key === 'source' || key === 'parent' || key === 'type' || key === 'toType' || key === 'typeName') continue
      const value = node[key]
      for (const child of Array.isArray(value) ? (value as unknown[]) : [value]) if (isNode(child)) this.visit(child)
    }
  }

  /** Ways of which one is taken; null is the empty one. What leaves the function or loop does not meet the others again. */
  private branches(ways: readonly (TreeNode | null)[], after: TreeNode | null = null): void {
    const before = this.held
    const ends: Held[] = []
    for (const way of ways) {
      this.held = { locks: new Map(before.locks), pinned: before.pinned }
      if (way) {
        this.visit(way)
        if (after) this.visit(after)
      }
      if (!way || !leaves(way)) ends.push(this.held)
    }
    if (ends.length === 0) return
    const locks: Held['locks'] = new Map()
    for (const end of ends)
      for (const [lock, { spin }] of end.locks)
        locks.set(lock, { spin, certain: ends.every((other) => other.locks.get(lock)?.certain === true) })
    this.held = { locks, pinned: ends.every((end) => end.pinned) }
  }

  private awaits(node: TreeNode): void {
    const operand = node.operand as TreeNode
    const spinning = [...this.held.locks].find(([, { spin }]) => spin)
    if (spinning) this.report(node, 'await-in-spin-lock', `await while the spin lock ${spinning[0]} is held`)
    const callee = operand.kind === NodeKind.Call ? (operand.expression as TreeNode) : undefined
    const method = callee?.kind === NodeKind.PropertyAccess ? (callee.property as { text?: string }).text : undefined
    if (method !== undefined && acquiring.has(method)) this.fact(node, 'interrupt-sleeps', 'takes a lock that sleeps')
    else this.fact(node, 'interrupt-await', 'awaits')
    if (operand.kind === NodeKind.Call) this.call(operand, true)
    else this.visit(operand)
    // The task may go on elsewhere.
    if (!this.fn.decorators.has('pinned')) this.held.pinned = false
  }

  private call(node: TreeNode, awaited: boolean): void {
    const callee = node.expression as TreeNode
    for (const argument of node.args as TreeNode[]) this.visit(argument)
    if (callee.kind === NodeKind.Identifier) {
      const name = (callee as unknown as { text: string }).text
      if (name === 'pin') this.held.pinned = true
      else if (name === 'unpin') this.held.pinned = false
      else if (name === 'blockOn') this.fact(node, 'interrupt-sleeps', 'waits for a task')
      else if (allocating.has(name)) this.fact(node, 'interrupt-allocates', 'allocates')
      this.fn.calls.push({ callee: name, node })
      return
    }
    if (callee.kind !== NodeKind.PropertyAccess) return this.visit(callee)
    this.visit(callee.expression as TreeNode)
    const method = (callee.property as { text?: string }).text ?? ''
    const receiver = this.text(callee.expression as TreeNode)
    if (acquiring.has(method)) this.held.locks.set(receiver, { spin: !awaited, certain: true })
    else if (releasing.has(method)) this.held.locks.delete(receiver)
    else if (receiver === 'heap' && method === 'alloc') this.fact(node, 'interrupt-allocates', 'allocates')
    this.fn.calls.push({ callee: method, node })
  }

  private variableOf(node: TreeNode): Variable | undefined {
    const name = node.kind === NodeKind.Identifier ? (node as unknown as { text: string }).text : undefined
    return name === undefined || this.own.has(name) ? undefined : this.variables.get(name)
  }

  private write(node: TreeNode): void {
    const variable = this.variableOf(node)
    if (!variable || this.fn.decorators.has('init')) return
    variable.written = true
    if (variable.kind === 'readOnly') this.report(node, 'read-only', `${this.text(node)} is @readOnly and written here`)
  }

  private touch(node: TreeNode): void {
    const variable = this.variableOf(node)
    if (!variable || this.fn.decorators.has('init')) return
    const { kind, lock } = variable
    if (kind === 'perHart' && !this.held.pinned)
      this.report(node, 'per-hart', `${this.text(node)} is @perHart, and the task is not pinned to its hart here`)
    if (kind === 'guarded' && this.held.locks.get(lock)?.certain !== true)
      this.report(node, 'guarded', `${this.text(node)} is guarded by ${lock}, which is not held here`)
  }
}

/** True when the statements end by going elsewhere. */
function leaves(node: TreeNode): boolean {
  if (leaving.has(node.kind)) return true
  const last = ((node.statements ?? []) as TreeNode[]).at(-1)
  return node.kind === NodeKind.Block && last !== undefined && leaves(last)
}

function nameOf(node: TreeNode): string {
  return (node.name as { text?: string } | undefined)?.text ?? ''
}

/** Decorators by name, with the text of their first argument. */
function decoratorsOf(node: TreeNode, source: Source): Map<string, string> {
  const result = new Map<string, string>()
  for (const decorator of (node.decorators ?? []) as TreeNode[]) {
    const [argument] = (decorator.args ?? []) as TreeNode[]
    const name = (decorator.name as { text?: string }).text ?? ''
    result.set(name, argument ? source.text.slice(argument.range.start, argument.range.end) : '')
  }
  return result
}

function isNode(value: unknown): value is TreeNode {
  return typeof value === 'object' && value !== null && typeof (value as TreeNode).kind === 'number' && 'range' in value
}
