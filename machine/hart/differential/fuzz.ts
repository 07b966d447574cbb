/** `npm run fuzz:hart -- --minutes N [--seed S]`: random programs on QEMU and on the board until the time is up or they differ. */
import { parseArgs } from 'node:util'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { differences, report } from './compare.ts'
import { randomProgram } from './program.ts'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string' }, items: { type: 'string', default: '400' } },
})
const hartModule = new WebAssembly.Module(readFileSync(path.join(import.meta.dirname, '../../../dist/hart.wasm')))
const end = Date.now() + Number(values.minutes) * 60_000
let seed = Number(values.seed ?? Date.now() % 1_000_000_000)
let programs = 0
for (; Date.now() < end || programs === 0; seed++, programs++) {
  const program = randomProgram(seed, Number(values.items))
  if (differences(hartModule, program).length > 0) {
    console.error(report(hartModule, program))
    process.exit(1)
  }
  if (values.seed !== undefined && values.minutes === '0') break
}
console.log(`${programs} programs agree, last seed ${seed - 1}`)
