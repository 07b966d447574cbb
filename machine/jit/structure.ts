/**
 * Structured control flow for a graph of blocks: Norman Ramsey, "Beyond Relooper: recursive translation of unstructured control flow
 * to structured control flow" (ICFP 2022). Nodes are 0..n-1 and all can be reached from node 0. An edge that enters a loop past its head
 * has no structured form; such edges are returned, to be sent through a dispatcher by the caller.
 */
export interface Graph {
  readonly successors: readonly (readonly number[])[]
}

export interface Tree {
  /** Position of each node in reverse postorder. */
  readonly order: Int32Array
  readonly parent: Int32Array
  readonly children: readonly (readonly number[])[]
  readonly isLoop: readonly boolean[]
  /** Nodes that several forward edges reach. */
  readonly isMerge: readonly boolean[]
}

export type Structure =
  | { readonly kind: 'tree'; readonly tree: Tree }
  | { readonly kind: 'irreducible'; readonly edges: readonly (readonly [from: number, to: number])[] }

export function structure({ successors }: Graph): Structure {
  const count = successors.length
  const order = new Int32Array(count).fill(-1)
  const sequence = reversePostorder(successors)
  sequence.forEach((node, position) => (order[node] = position))
  const predecessors: number[][] = successors.map(() => [])
  successors.forEach((targets, node) => targets.forEach((target) => predecessors[target].push(node)))

  const parent = dominators(sequence, order, predecessors)
  const dominates = (a: number, b: number) => {
    while (order[b] > order[a]) b = parent[b]
    return a === b
  }
  const isLoop = successors.map(() => false)
  const forward = new Int32Array(count)
  const edges: (readonly [number, number])[] = []
  successors.forEach((targets, node) => {
    for (const target of targets) {
      if (order[target] > order[node]) forward[target]++
      else if (dominates(target, node)) isLoop[target] = true
      else edges.push([node, target])
    }
  })
  if (edges.length > 0) return { kind: 'irreducible', edges }
  const children: number[][] = successors.map(() => [])
  for (const node of sequence) if (node !== 0) children[parent[node]].push(node)
  return { kind: 'tree', tree: { order, parent, children, isLoop, isMerge: Array.from(forward, (edges) => edges > 1) } }
}

function reversePostorder(successors: readonly (readonly number[])[]): number[] {
  const postorder: number[] = []
  const seen = new Uint8Array(successors.length)
  const path: { node: number; next: number }[] = [{ node: 0, next: 0 }]
  seen[0] = 1
  while (path.length > 0) {
    const top = path[path.length - 1]
    const target = successors[top.node][top.next++]
    if (target === undefined) {
      postorder.push(top.node)
      path.pop()
    } else if (!seen[target]) {
      seen[target] = 1
      path.push({ node: target, next: 0 })
    }
  }
  return postorder.reverse()
}

/** Immediate dominators (Cooper, Harvey, Kennedy, "A simple, fast dominance algorithm", 2001). */
function dominators(sequence: readonly number[], order: Int32Array, predecessors: readonly (readonly number[])[]): Int32Array {
  const parent = new Int32Array(order.length).fill(-1)
  parent[0] = 0
  for (let changed = true; changed;) {
    changed = false
    for (const node of sequence) {
      if (node === 0) continue
      let common = -1
      for (const predecessor of predecessors[node]) {
        if (parent[predecessor] < 0) continue
        if (common < 0) {
          common = predecessor
          continue
        }
        let other = predecessor
        while (common !== other) {
          while (order[common] > order[other]) common = parent[common]
          while (order[other] > order[common]) other = parent[other]
        }
      }
      if (parent[node] !== common) {
        parent[node] = common
        changed = true
      }
    }
  }
  return parent
}
