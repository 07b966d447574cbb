/** What `npm start` runs: `pollen start` from the bundle that the window's build makes. */
import { Command } from 'commander'
import { addStartCommand } from './start-command.ts'

const program = new Command('pollen')
addStartCommand(program)
await program.parseAsync(['start', ...process.argv.slice(2)], { from: 'user' })
