/** The `pollen` command: one verb a file. Exit status 125 means that an argument or a file could not be used. */
import { Command, CommanderError } from 'commander'
import { BAD_ARGUMENTS } from './exit-status.ts'
import { addRunCommand } from './run.ts'

const program = new Command('pollen')
  .description('Take an asynchronous operating system apart, change it and measure it on an emulated RISC-V board.')
  .showHelpAfterError('(pollen help VERB shows the options)')
  .exitOverride()

addRunCommand(program)

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  // Help that was asked for is no error.
  process.exitCode = error.exitCode === 0 ? 0 : BAD_ARGUMENTS
}
