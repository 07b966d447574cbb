/** `pollen experiment list | run`. */
import { writeFileSync } from 'node:fs'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { BAD_ARGUMENTS } from './exit-status.ts'
import { complain, fileReason, formatDiagnostic } from './report.ts'

interface RunOptions {
  readonly set: Readonly<Record<string, number>>
  readonly seed: bigint
  readonly json: boolean
  readonly csv?: string
}

function parameter(text: string, earlier: Readonly<Record<string, number>> = {}): Readonly<Record<string, number>> {
  const match = /^([a-z]+)=(\d+)$/.exec(text)
  if (!match) throw new InvalidArgumentError('It must be NAME=NUMBER.')
  return { ...earlier, [match[1]]: Number(match[2]) }
}

function seed(text: string): bigint {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return BigInt(text)
}

export function addExperimentCommand(program: Command): void {
  const command = program.command('experiment').description('measure Pollen OS: experiments with their published figures')
  command
    .command('list')
    .description('the experiments there are')
    .option('--json', 'print a JSON document', false)
    .action(async ({ json }: { json: boolean }) => {
      const { listExperiments } = await import('../workbench/experiments.ts')
      const all = listExperiments()
      if (json) process.stdout.write(`${JSON.stringify(all, null, 2)}\n`)
      else for (const { id, title } of all) process.stdout.write(`${id.padEnd(16)}${title}\n`)
    })
  command
    .command('run')
    .argument('<id>')
    .description('run an experiment on a board of its own; the status is 1 when it does not end well')
    .option('--set <name=number>', 'a parameter (repeatable)', parameter, {})
    .addOption(new Option('--seed <n>', 'seed of everything random').argParser(seed).default(0n, '0'))
    .option('--json', 'print a JSON document', false)
    .option('--csv <file>', 'write the series as a table')
    .action(async (id: string, options: RunOptions) => {
      process.exitCode = await run(id, options)
    })
}

async function run(id: string, { set, seed: chosen, json, csv }: RunOptions): Promise<number> {
  const { ExperimentError, runExperiment } = await import('../workbench/experiments.ts')
  let result
  try {
    result = await runExperiment(id, set, chosen)
  } catch (error) {
    if (!(error instanceof ExperimentError)) throw error
    for (const diagnostic of error.diagnostics) process.stderr.write(`${formatDiagnostic(diagnostic)}\n`)
    complain(error.message)
    return /^there is no experiment|has no parameter/.test(error.message) ? BAD_ARGUMENTS : 1
  }
  const columns = ['count', 'min', 'mean', 'p50', 'p90', 'p99', 'p999', 'max'] as const
  if (csv !== undefined) {
    const rows = result.series.map((one) => [one.name, ...columns.map((column) => one[column])].join(','))
    try {
      writeFileSync(csv, [`series,${columns.join(',')}`, ...rows, ''].join('\n'))
    } catch (error) {
      complain(fileReason(csv, error))
      return BAD_ARGUMENTS
    }
  }
  if (json) {
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
    return 0
  }
  const { board, series, findings } = result
  const line = (cells: readonly (string | number)[]) =>
    cells.map((cell, index) => (index ? String(cell).padStart(9) : String(cell).padEnd(20))).join('')
  process.stdout.write(`${result.title}\n${board.harts} harts, ${board.timing}, quantum ${board.quantum}; cycles\n\n`)
  process.stdout.write(`${line(['', ...columns])}\n`)
  for (const one of series) process.stdout.write(`${line([one.name, ...columns.map((column) => Math.round(one[column]))])}\n`)
  process.stdout.write(`\nPublished: ${result.claim}\n`)
  for (const { name, value, goal, met } of findings) {
    const verdict = goal === undefined ? '' : `, goal at most ${goal}: ${met ? 'met' : 'not met'}`
    process.stdout.write(`${name}: ${value < 100 ? value.toFixed(3) : Math.round(value)}${verdict}\n`)
  }
  return 0
}
