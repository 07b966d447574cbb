/** The IR as text and back, for `--emit ir`, for golden tests of the passes, and for looking between any two of them. */
import { Instruction, IrFunction, trapCodes, type Block, type Type } from './ir.ts'

/** Prints a function; `parseFunction` reads the result back. */
export function printFunction(fn: IrFunction): string {
  const lines = [`function ${fn.name}(${fn.signature.params.join(', ')}) -> (${fn.signature.results.join(', ')}) {`]
  for (const block of fn.blocks) {
    const phis = block.phis.map((phi) => `v${phi.id}: ${phi.type}`).join(', ')
    lines.push(`b${block.id}${phis ? `(${phis})` : ''}:`)
    for (const instruction of block.body) lines.push('  ' + printInstruction(instruction))
    const edges = block.successors.map(
      (edge) => `b${edge.to.id}${edge.args.length ? `(${edge.args.map((value) => 'v' + value.id).join(', ')})` : ''}`,
    )
    lines.push('  ' + [block.terminator.op, ...block.terminator.args.map((value) => 'v' + value.id), ...edges].join(' '))
  }
  lines.push('}')
  return lines.join('\n') + '\n'
}

function printInstruction(instruction: Instruction): string {
  const parts = [instruction.op, ...instruction.args.map((value) => 'v' + value.id)]
  if (instruction.op.endsWith('.const'))
    parts.push(instruction.type[0] === 'f' ? '0x' + instruction.value.toString(16) : String(instruction.value))
  if (instruction.op.startsWith('trap')) parts.push(`"${trapCodes[instruction.index]}"`)
  else if (instruction.index) parts.push('#' + instruction.index)
  if (instruction.offset) parts.push('+' + instruction.offset)
  if (instruction.position >= 0) parts.push('@' + instruction.position)
  return (instruction.type === 'void' ? '' : `v${instruction.id}: ${instruction.type} = `) + parts.join(' ')
}

/** Reads back what `printFunction` wrote. Throws an Error that names the line it does not understand. */
export function parseFunction(text: string): IrFunction {
  const lines = text.split('\n').map((line) => line.trim())
  const types = (list: string): Type[] =>
    list
      .split(',')
      .map((type) => type.trim())
      .filter((type) => type !== '') as Type[]
  const header = /^function (.*)\((.*)\) -> \((.*)\) \{$/.exec(lines[0])
  if (!header) throw new Error(`IR line 1: expected a function header`)
  const fn = new IrFunction(header[1], { params: types(header[2]), results: types(header[3]) })
  const values = new Map<string, Instruction>()
  const blocks = new Map<string, Block>()
  const block = (name: string): Block => {
    const known = blocks.get(name)
    if (known) return known
    const made = fn.newBlock()
    blocks.set(name, made)
    return made
  }
  for (const line of lines) {
    const label = /^(b\d+)(\(.*\))?:$/.exec(line)
    if (label) block(label[1])
    for (const [, name, type] of label?.[2]?.matchAll(/(v\d+): (\w+)/g) ?? []) values.set(name, fn.phi(block(label![1]), type as Type))
    const definition = /^(v\d+): (\w+) = (\S+)/.exec(line)
    if (definition) values.set(definition[1], fn.make(definition[3], definition[2] as Type, []))
  }
  const value = (name: string, line: number): Instruction => {
    const found = values.get(name)
    if (!found) throw new Error(`IR line ${line + 1}: unknown value ${name}`)
    return found
  }
  let current: Block | undefined
  lines.forEach((line, number) => {
    const label = /^(b\d+)(\(.*\))?:$/.exec(line)
    if (label) {
      current = block(label[1])
      return
    }
    if (number === 0 || line === '' || line === '}') return
    const definition = /^(v\d+): (\w+) = (.*)$/.exec(line)
    const words = (definition ? definition[3] : line).match(/"[^"]*"|b\d+\([^)]*\)|\S+/g)
    if (!words || !current) throw new Error(`IR line ${number + 1}: expected an instruction`)
    const instruction = definition ? value(definition[1], number) : fn.make(words[0], 'void', [])
    const edges: string[] = []
    for (const word of words.slice(1)) {
      if (/^v\d+$/.test(word)) instruction.args.push(value(word, number))
      else if (/^b\d/.test(word)) edges.push(word)
      else if (word[0] === '#') instruction.index = Number(word.slice(1))
      else if (word[0] === '+') instruction.offset = Number(word.slice(1))
      else if (word[0] === '@') instruction.position = Number(word.slice(1))
      else if (word[0] === '"') instruction.index = trapCodes.indexOf(word.slice(1, -1) as never)
      else instruction.value = BigInt(word)
    }
    if (['jump', 'branch', 'switch', 'return', 'unreachable'].includes(words[0])) {
      current.terminator = instruction
      instruction.block = current
      for (const edge of edges) {
        const [, name, args] = /^(b\d+)(?:\((.*)\))?$/.exec(edge)!
        fn.connect(current, block(name), args ? args.split(', ').map((arg) => value(arg, number)) : [])
      }
    } else fn.append(current, instruction)
  })
  return fn
}
