/** `pollen test`: the tests that an operating system brings with it, one line each. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { MAX_HARTS } from '../../machine/hart/layout.ts'
import type { GuestTest } from '../workbench/tap.ts'
import { BAD_ARGUMENTS, LIMIT_REACHED } from './exit-status.ts'
import { complain, fileReason, formatDiagnostic } from './report.ts'

interface TestOptions {
  readonly on: 'board' | 'qemu'
  readonly harts: number
  readonly timeout: number
  readonly os?: string
  readonly json: boolean
}

function number(lowest: number, highest: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!(value >= lowest && value <= highest)) throw new InvalidArgumentError(`It must be a number from ${lowest} to ${highest}.`)
    return value
  }
}

export function addTestCommand(program: Command): void {
  program
    .command('test')
    .argument('[pattern]', 'only test programs whose names contain it')
    .description('run the tests of Pollen OS on the board, one line a test; the status is 0 when all passed, 1 when one failed')
    .addOption(new Option('--on <machine>', 'board or qemu').choices(['board', 'qemu']).default('board'))
    .option('--harts <n>', `number of harts, 1 to ${MAX_HARTS}`, number(1, MAX_HARTS), 2)
    .option('--timeout <seconds>', 'stop after this much time, status 124: virtual time on the board', number(0.001, 1e6), 600)
    .option('--os <folder>', 'an operating system with tests in its pollen.json (default: Pollen OS)')
    .option('--json', 'print a JSON document instead of lines', false)
    .action(async (pattern: string | undefined, options: TestOptions) => {
      process.exitCode = await test(pattern, options)
    })
}

async function test(pattern: string | undefined, { on, harts, timeout, os, json }: TestOptions): Promise<number> {
  if (pattern !== undefined && !/^[\w./-]+$/.test(pattern)) {
    complain(`${pattern}: a pattern is letters, digits, and . / - _`)
    return BAD_ARGUMENTS
  }
  const { buildTests, runTests } = await import('../workbench/guest-tests.ts')
  const { projectRoot } = await import('../workbench/worker-thread.ts')
  const folder = os ?? path.join(projectRoot(), 'labs/os')
  if (!existsSync(path.join(folder, 'pollen.json'))) {
    complain(`${folder}: has no pollen.json`)
    return BAD_ARGUMENTS
  }
  const { elf, diagnostics } = await buildTests(folder)
  for (const diagnostic of diagnostics) if (diagnostic.severity !== 'note') process.stderr.write(`${formatDiagnostic(diagnostic)}\n`)
  if (!elf) return 1
  let run
  try {
    run = await runTests(elf, { on, harts, pattern, timeout, onTest: json ? undefined : (one) => process.stdout.write(`${lineOf(one)}\n`) })
  } catch (error) {
    complain(fileReason('qemu-system-riscv64', error))
    return BAD_ARGUMENTS
  }
  const { tests, problem, console, timedOut } = run
  const failed = tests.filter(({ ok }) => !ok).length
  if (json)
    process.stdout.write(`${JSON.stringify({ on, harts, pattern, passed: tests.length - failed, failed, problem, tests }, null, 2)}\n`)
  else
    process.stdout.write(
      `${tests.length - failed} passed, ${failed} failed on ${on === 'board' ? 'the board' : 'QEMU'} with ${harts} ${harts === 1 ? 'hart' : 'harts'}\n`,
    )
  if (problem !== undefined) complain(`${problem}; the console's end:\n${console.split('\n').slice(-15).join('\n').trimEnd()}`)
  if (timedOut) return LIMIT_REACHED
  return failed > 0 || problem !== undefined ? 1 : 0
}

function lineOf({ program, name, ok, evidence }: GuestTest): string {
  return `${ok ? 'ok' : 'not ok'} - ${program}: ${name}${evidence === undefined ? '' : ` # ${evidence}`}`
}
