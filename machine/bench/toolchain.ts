/** `npm run bench:toolchain`: how good the generated code is, and how fast it is made. `--keep FOLDER` keeps the programs. */
import { join } from 'node:path'
import { countGcc, countOurs, geometricMean, programNames } from './toolchain/instructions.ts'

async function main(): Promise<void> {
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
  console.log(`geometric mean of ratios: TypeScript ${geometricMean(ratios[0]).toFixed(3)}, C ${geometricMean(ratios[1]).toFixed(3)}`)
}

await main()
