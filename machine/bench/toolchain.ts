/** `npm run bench:toolchain`: how good the generated code is, and how fast it is made. `--keep FOLDER` keeps the programs. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'
import type { CompileFigures } from './toolchain/compile.ts'
import { countGcc, countOurs, geometricMean, programNames } from './toolchain/instructions.ts'

async function main(): Promise<void> {
  compileTimes()
  const at = process.argv.indexOf('--keep')
  const keep = (name: string): string | undefined => (at < 0 ? undefined : join(process.argv[at + 1], name))
  const gcc = countGcc(keep('gcc.elf'))
  const typescript = await countOurs('benchmarks.ts', keep('typescript.elf'))
  const c = await countOurs('benchmarks.c', keep('c.elf'))
  console.log('program          gcc -O2   TypeScript          C')
  const ratios: [number[], number[]] = [[], []]
  programNames.forEach((name, index) => {
    const cell = (ours: typeof c, into: number[]): string => {
      if (!ours[index]) return 'missing'
      const ratio = ours[index].instructions / gcc[index].instructions
      into.push(ratio)
      return `${ours[index].instructions} ${ratio.toFixed(2)}${ours[index].checksum === gcc[index].checksum ? '' : ' WRONG'}`
    }
    console.log(
      `${name.padEnd(12)} ${String(gcc[index]?.instructions).padStart(9)}  ${cell(typescript, ratios[0]).padStart(12)}  ${cell(c, ratios[1]).padStart(12)}`,
    )
  })
  // 2 tasks take 500 turns each.
  const turn = typescript[programNames.indexOf('pingpong')].instructions / 1000
  console.log(`a turn of a coroutine, suspension, resumption and the loop around them: ${turn.toFixed(1)} instructions (at most 40)`)
  console.log(`geometric mean of ratios: TypeScript ${geometricMean(ratios[0]).toFixed(3)}, C ${geometricMean(ratios[1]).toFixed(3)}`)
}

/** In a process of its own, bundled as the product is, so that "cold" is cold and the memory is the toolchain's. */
function compileTimes(): void {
  const script = fileURLToPath(new URL('toolchain/compile.ts', import.meta.url))
  // Inside the project, so that it finds the packages.
  const outfile = fileURLToPath(new URL('../../out/bench/compile.js', import.meta.url))
  buildSync({ entryPoints: [script], bundle: true, platform: 'node', format: 'esm', packages: 'external', outfile })
  const { stdout, stderr } = spawnSync(process.execPath, [outfile], { encoding: 'utf8' })
  const line = stdout.split('\n').find((text) => text.startsWith('{'))
  if (line === undefined) throw new Error(stderr)
  const figures = JSON.parse(line) as CompileFigures
  const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(2)} s`
  console.log(
    `${figures.lines} lines of TypeScript: cold ${seconds(figures.cold)} (at most 3), warm ${seconds(figures.warm)} (1), one-line change ${seconds(figures.oneLineChange)} (0.3)`,
  )
  console.log(`C hello world: cold ${seconds(figures.helloCold)}, warm ${seconds(figures.helloWarm)} (0.5)`)
  console.log(`peak memory: ${Math.round(figures.peakMemory / 1e6)} MB (900)`)
}

await main()
