/**
 * Turns marked functions into coroutines, in AssemblyScript's syntax tree: `await p` into `__await(p)` (inlined from the
 * runtime library), `return x` into `return __coReturn<T>(x)`. The suspension itself is compiled by the back-end.
 */
import * as assemblyscript from 'assemblyscript'
import { asyncDecorator } from './async-rewrite.ts'

/** The parts of the compiler's syntax tree that are used here; its own declarations are global and cannot be imported. */
export interface TreeNode {
  kind: number
  range: { start: number; end: number; source: { normalizedPath: string } }
  [property: string]: unknown
}

interface Compiler {
  NodeKind: Record<string, number>
  Token: Record<string, number>
  Node: Record<string, (...args: unknown[]) => TreeNode>
}

const { NodeKind, Token, Node } = assemblyscript as unknown as Compiler

export interface LoweringError {
  readonly node: TreeNode
  readonly code: string
  readonly message: string
  readonly hint: string
}

/** Rewrites one source's tree in place, collects the names of its async functions, and gives what is wrong with its use of async. */
export function lowerAsync(source: TreeNode, awaits: ReadonlySet<number>, names: Set<string>): LoweringError[] {
  const errors: LoweringError[] = []
  new Lowering(awaits, errors, names).children(source, undefined)
  return errors
}

class Lowering {
  constructor(
    private readonly awaits: ReadonlySet<number>,
    private readonly errors: LoweringError[],
    private readonly names: Set<string>,
  ) {}

  /** Visits everything below a node; `result` is the awaited type of the async function around it, if there is one. */
  children(node: TreeNode, result: TreeNode | undefined): void {
    for (const key of Object.keys(node)) {
      const value = node[key]
      if (key === 'range' || key === 'source' || key === 'parent') continue
      if (isNode(value)) node[key] = this.visit(value, result)
      else if (Array.isArray(value))
        for (let index = 0; index < value.length; index++)
          if (isNode(value[index])) value[index] = this.visit(value[index] as TreeNode, result)
    }
  }

  private visit(node: TreeNode, result: TreeNode | undefined): TreeNode {
    if (node.kind === NodeKind.FunctionDeclaration || node.kind === NodeKind.MethodDeclaration) {
      this.children(node, this.asyncResult(node))
      return node
    }
    this.children(node, result)
    if (node.kind === NodeKind.UnaryPrefix && node.operator === Token.Tilde && this.awaits.has(node.range.start)) {
      if (!result)
        this.errors.push({
          node,
          code: 'dialect/await-outside-async',
          message: 'await is only possible in an async function',
          hint: 'Declare the function as `async function name(): Promise<T>`; to wait in ordinary code, use blockOn.',
        })
      return this.call('__await', undefined, [node.operand as TreeNode], node)
    }
    if (node.kind === NodeKind.Call && !result) this.refuseDefer(node)
    if (node.kind === NodeKind.Return && result) node.value = this.returned(node.value as TreeNode | null, result, node)
    return node
  }

  /** There is no task to defer to in an ordinary function: it would be compiled as a coroutine of its own. */
  private refuseDefer(node: TreeNode): void {
    const name = (node.expression as { text?: string }).text ?? ''
    if (name !== 'defer' && name !== 'undefer') return
    this.errors.push({
      node,
      code: 'dialect/defer-outside-async',
      message: `${name} is only possible in an async function`,
      hint: 'Ordinary functions are never cancelled: call the function before you return.',
    })
  }

  /** For an async function: removes the mark and gives the T of its Promise<T>. */
  private asyncResult(node: TreeNode): TreeNode | undefined {
    const decorators = (node.decorators ?? []) as TreeNode[]
    const mark = decorators.findIndex((decorator) => (decorator.name as { text?: string }).text === asyncDecorator)
    if (mark < 0) return undefined
    decorators.splice(mark, 1)
    this.names.add((node.name as { text?: string }).text ?? '')
    if (decorators.length === 0) node.decorators = null
    const type = (node.signature as TreeNode).returnType as TreeNode
    const name = (type.name as TreeNode | undefined)?.identifier as TreeNode | undefined
    const parameters = (type.typeArguments ?? []) as TreeNode[]
    if (name?.text !== 'Promise' || parameters.length !== 1) {
      this.errors.push({
        node: type.range.end > type.range.start ? type : node,
        code: 'dialect/async-result',
        message: 'an async function gives a Promise',
        hint: 'Write the result type: `Promise<i32>`, or `Promise<void>`.',
      })
      return undefined
    }
    const body = node.body as TreeNode | null
    if (body?.kind === NodeKind.Block) (body.statements as TreeNode[]).push(Node.createReturnStatement(null, { ...endOf(body) }))
    return parameters[0]
  }

  private returned(value: TreeNode | null, result: TreeNode, at: TreeNode): TreeNode {
    const isVoid = ((result.name as TreeNode | undefined)?.identifier as TreeNode | undefined)?.text === 'void'
    if (isVoid) return this.call('__coReturnVoid', undefined, [], at)
    if (value) return this.call('__coReturn', [result], [value], at)
    // The end of a function that returns before: never reached.
    return this.call('__coReturnNothing', [result], [], at)
  }

  private call(name: string, types: TreeNode[] | undefined, args: TreeNode[], at: TreeNode): TreeNode {
    return Node.createCallExpression(Node.createIdentifierExpression(name, at.range, false), types ?? null, args, at.range)
  }
}

function endOf(node: TreeNode): TreeNode['range'] {
  return node.range
}

function isNode(value: unknown): value is TreeNode {
  return typeof value === 'object' && value !== null && typeof (value as TreeNode).kind === 'number' && 'range' in value
}
