/** The stages of a program: every line of source that does something is found in wasm and in the IR. */
import { expect, test } from 'vitest'
import { buildProgram, programStage, type ProgramConfiguration } from '../build.ts'

const source = `export function main(): i32 {
  let sum = 0
  for (let i = 0; i < 10; i++) {
    sum += weigh(i)
  }
  cpu.csrWrite(0x340, sum)
  return 0
}

function weigh(n: i32): i32 {
  return n * n + 1
}
`
const c = `static int twice(int n) { return n + n; }
int start_value;
int compute(int n) {
  int seven = twice(n) * 7;
  start_value = seven;
  return seven;
}
`

async function build(path: string, text: string) {
  const configuration: ProgramConfiguration = { version: 1, kind: 'firmware', sources: [path] }
  const result = await buildProgram({ configuration, readFile: (name) => (name === path ? text : undefined) })
  return { configuration, result }
}

test.each(['wasm', 'ir'] as const)('%s of TypeScript carries the lines of the source', async (stage) => {
  const { configuration, result } = await build('main.ts', source)
  const functions = programStage(result, configuration, stage)
  const main = functions.find(([head]) => /^(func \$main|function main)\b/.test(head.text))!
  const lines = new Set(main.filter(({ file }) => file === 'main.ts').map(({ line }) => line))
  for (const line of [3, 6]) expect(lines).toContain(line)
  expect(main.some(({ line, text }) => line === 6 && /csr/i.test(text))).toBe(true)
  for (const { text } of functions.flat()) expect(text).not.toMatch(/ @\d+$/)
})

test('wasm is indented by its blocks and names its locals', async () => {
  const { configuration, result } = await build('main.ts', source)
  const text = programStage(result, configuration, 'wasm')
    .find(([head]) => head.text.startsWith('func $main'))!
    .map((line) => line.text)
  expect(text[0]).toBe('func $main (result i32)')
  expect(text.filter((line) => line.startsWith('  loop'))).toHaveLength(1)
  expect(text.some((line) => /^ {4}local\.get \$(i|sum|\d)/.test(line))).toBe(true)
  expect(text.filter((line) => /^\s*(block|loop|if)\b/.test(line))).toHaveLength(text.filter((line) => /^\s+end$/.test(line)).length)
})

test('C has its lines from the module itself', async () => {
  const { configuration, result } = await build('compute.c', c)
  const rows = programStage(result, configuration, 'ir').flat()
  expect(rows.some(({ file, line }) => file === 'compute.c' && line === 4)).toBe(true)
})

test('assembly has none', async () => {
  const { configuration, result } = await build('main.S', '.globl _start\n_start: j _start\n')
  expect(programStage(result, configuration, 'wasm')).toEqual([])
})
