/** The toolchain's thread: what a build says of itself, and what happens when it is cancelled or dies. */
import { afterAll, expect, it } from 'vitest'
import { Toolchain } from './toolchain.ts'

const toolchain = new Toolchain()
afterAll(() => toolchain.close())

const program = (text: string) =>
  new Map([
    ['pollen.json', JSON.stringify({ version: 1, kind: 'firmware', sources: ['main.ts'] })],
    ['main.ts', text],
  ])
const GOOD = program('export function main(): i32 { return 0 }\n')

it('says which stage a build is at', async () => {
  const stages: string[] = []
  expect((await toolchain.build(GOOD, (stage) => stages.push(stage))).elf).toBeDefined()
  expect(stages).toEqual(['typescript', 'machine code of typescript', 'link'])
})

it('gives a build up when asked to, and builds again', async () => {
  const cancelled = expect(toolchain.build(GOOD)).rejects.toMatchObject({ code: 'cancelled' })
  await toolchain.cancel()
  await cancelled
  expect((await toolchain.build(GOOD)).elf).toBeDefined()
})

it('fails a build whose thread dies, with the reason, and starts another thread', async () => {
  const crashed = expect(toolchain.build(GOOD)).rejects.toMatchObject({ code: 'crashed', message: /the toolchain stopped/ })
  await toolchain.killForTest()
  await crashed
  expect((await toolchain.build(GOOD)).elf).toBeDefined()
})
