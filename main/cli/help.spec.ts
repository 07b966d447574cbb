import { Command } from 'commander'
import { expect, it } from 'vitest'
import { addExperimentCommand } from './experiment.ts'
import { addLabCommand } from './lab.ts'
import { addRunCommand } from './run.ts'
import { addSdCommand } from './sd-command.ts'
import { addStartCommand } from './start-command.ts'
import { addTestCommand } from './test.ts'
import { addToolchainCommands } from './toolchain.ts'

it('says of every verb what it does', () => {
  const program = new Command('pollen')
  for (const add of [
    addStartCommand,
    addRunCommand,
    addSdCommand,
    addToolchainCommands,
    addLabCommand,
    addTestCommand,
    addExperimentCommand,
  ])
    add(program)
  const check = (command: Command) => {
    expect(command.description(), command.name()).not.toBe('')
    expect(command.helpInformation()).toContain(`Usage: `)
    command.commands.forEach(check)
  }
  program.commands.forEach(check)
})
