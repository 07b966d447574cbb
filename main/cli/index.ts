#!/usr/bin/env node
/** The `pollen` command: one verb a file, loaded when it is asked for: most runs need neither compilers nor workbench. Exit status 125 means that an argument or a file could not be used. */
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { BAD_ARGUMENTS } from './exit-status.ts'
import { addLabCommand } from './lab.ts'
import { addToolchainCommands } from './toolchain.ts'
import { addRunCommand } from './run.ts'

const program = new Command('pollen')
  .description('Take an asynchronous operating system apart, change it and measure it on an emulated RISC-V board.')
  .showHelpAfterError('(pollen help VERB shows the options)')
  .exitOverride()

program
  .command('start')
  .description('open the workbench')
  .option('--browser', 'in the browser, even where Electron runs')
  .option('--port <n>', 'port of the browser host on 127.0.0.1', parsePort)
  .option('--workspace <dir>', 'the folder for your labs')
  .action(async (options: { browser?: boolean; port?: number; workspace?: string }) => {
    const { start } = await import('./start.ts')
    process.exitCode = (await start(options)).status ?? 0
  })
addRunCommand(program)
addToolchainCommands(program)
addLabCommand(program)

function parsePort(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port < 1 || port > 65535) throw new InvalidArgumentError('It must be a port from 1 to 65535.')
  return port
}

// Who reads our output may stop reading, as head does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  // Help that was asked for is no error.
  process.exitCode = error.exitCode === 0 ? 0 : BAD_ARGUMENTS
}
