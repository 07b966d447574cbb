/** The verb `pollen start`; the workbench itself is loaded when it is asked for. */
import { InvalidArgumentError, type Command } from 'commander'
import { BAD_ARGUMENTS } from './exit-status.ts'
import type { StartOptions } from './start.ts'

export function addStartCommand(program: Command): void {
  program
    .command('start')
    .description('open the workbench: in Electron, or in the browser where Electron cannot run')
    .option('--browser', 'in the browser in any case')
    .option('--port <number>', 'port of the browser host on 127.0.0.1; a free one unless given', portNumber)
    .option('--workspace <folder>', 'where the labs are kept (default: Pollen in the home folder)')
    .option('--no-open', 'print the address only')
    .action(async (options: StartOptions) => {
      try {
        const { start } = await import('./start.ts')
        const { status } = await start(options)
        process.exitCode = status
      } catch (error) {
        process.stderr.write(`pollen: ${(error as Error).message}\n`)
        process.exitCode = BAD_ARGUMENTS
      }
    })
}

function portNumber(text: string): number {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new InvalidArgumentError('a number from 0 to 65535')
  return port
}
