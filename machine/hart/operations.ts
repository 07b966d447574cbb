/**
 * What the interpreter dispatches on. Frequent instructions have an operation of their own, one per instruction length
 * (the length is then a constant in its case); the rest share one operation per group and carry a number within it.
 */
import { instructions, type Instruction } from '../isa/instructions.ts'

/** How an instruction reaches the interpreter. */
export type Route =
  | { readonly kind: 'direct' }
  /** Near forward, near backward and far variants: a near target lies in the same page. */
  | { readonly kind: 'jump' }
  | { readonly kind: 'group'; readonly group: 'float' | 'amo' | 'system' }

/** Float operations frequent enough for an operation of their own. */
const directFloat = new Set([
  'fld',
  'fsd',
  'flw',
  'fsw',
  'fadd.d',
  'fsub.d',
  'fmul.d',
  'fmadd.d',
  'fadd.s',
  'fsub.s',
  'fmul.s',
  'fsgnj.d',
  'fmv.d.x',
  'fmv.x.d',
])

export function routeOf(instruction: Instruction): Route {
  const { name, extension } = instruction
  if (instruction.cost === 'branch' || name === 'jal') return { kind: 'jump' }
  if (extension === 'A') return { kind: 'group', group: 'amo' }
  if ((extension === 'F' || extension === 'D') && !directFloat.has(name)) return { kind: 'group', group: 'float' }
  if (instruction.cost === 'system' || instruction.cost === 'fence') return { kind: 'group', group: 'system' }
  return { kind: 'direct' }
}

/** `fcvt.w.s` to `fcvt_w_s`. */
export function identifier(name: string): string {
  return name.replaceAll('.', '_')
}

export const jumpVariants = ['forward', 'backward', 'far'] as const

const fullLength = instructions.filter((row) => row.length === 4)
const compressible = new Set(instructions.flatMap((row) => (row.expands ? [row.expands.name] : [])))

/** Operation names in numeric order. 0 must stay `undecoded`: a zeroed slot asks to be decoded. */
export const operations: readonly string[] = [
  'undecoded',
  'page_end',
  'crossing',
  'breakpoint',
  // Stands where a compiled region can be entered: {u8 operation, unused, u16 table index, i32 pc less the region's base}.
  'compiled',
  'illegal',
  'float',
  'amo',
  'system',
  'c_system',
  ...fullLength.flatMap((row) => {
    const route = routeOf(row)
    if (route.kind === 'group') return []
    const names = route.kind === 'jump' ? jumpVariants.map((variant) => `${identifier(row.name)}_${variant}`) : [identifier(row.name)]
    return compressible.has(row.name) ? [...names, ...names.map((name) => `c_${name}`)] : names
  }),
]

/** Members of a group in numeric order. */
export function groupMembers(group: 'float' | 'amo' | 'system'): readonly Instruction[] {
  return fullLength.filter((row) => {
    const route = routeOf(row)
    return route.kind === 'group' && route.group === group
  })
}
