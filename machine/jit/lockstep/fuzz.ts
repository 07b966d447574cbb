/** `npm run fuzz:jit -- --minutes N [--seed S]`: random programs by the interpreter and by the JIT until the time is up or they differ. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { Choice } from '../../hart/differential/random.ts'
import { lockstep } from './compare.ts'
import { randomLoops } from './program.ts'

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string' } } })
const hartModule = new WebAssembly.Module(readFileSync(path.join(import.meta.dirname, '../../../dist/hart.wasm')))
const end = Date.now() + Number(values.minutes) * 60_000
let seed = Number(values.seed ?? Date.now() % 1_000_000_000)
let programs = 0
let regions = 0
for (; Date.now() < end || programs === 0; seed++, programs++) {
  const choice = new Choice(seed)
  const size = { blocks: choice.between(2, 30), items: choice.between(1, 12), fuel: choice.between(200, 4000) }
  const { difference, boards } = lockstep(hartModule, randomLoops(seed, size), choice.of(['ideal', 'rocket100'] as const))
  regions += boards.jit.machine.jit!.statistics.regions
  if (difference !== undefined) {
    console.error(`seed ${seed}: ${difference}`)
    process.exit(1)
  }
  if (values.seed !== undefined && values.minutes === '0') break
}
console.log(`${programs} programs and ${regions} compiled regions agree, last seed ${seed - 1}`)
