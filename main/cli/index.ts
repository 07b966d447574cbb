#!/usr/bin/env node
/** The `pollen` command: one verb a file, loaded when it is asked for: most runs need neither compilers nor workbench. Exit status 125 means that an argument or a file could not be used. */
import { Command, CommanderError } from 'commander'
import { BAD_ARGUMENTS } from './exit-status.ts'
import { addExperimentCommand } from './experiment.ts'
import { addLabCommand } from './lab.ts'
import { addStartCommand } from './start-command.ts'
import { addTestCommand } from './test.ts'
import { addToolchainCommands } from './toolchain.ts'
import { addRunCommand } from './run.ts'
import { addSdCommand } from './sd-command.ts'

const program = new Command('pollen')
  .description('Take an asynchronous operating system apart, change it and measure it on an emulated RISC-V board.')
  .showHelpAfterError('(pollen help VERB shows the options)')
  .exitOverride()

addStartCommand(program)
addRunCommand(program)
addSdCommand(program)
addToolchainCommands(program)
addLabCommand(program)
addTestCommand(program)
addExperimentCommand(program)

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
