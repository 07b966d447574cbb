/** The verb `pollen lab`. */
import type { Command } from 'commander'

export function addLabCommand(program: Command): void {
  const lab = program.command('lab').description('list and grade labs')
  lab
    .command('list')
    .description('the labs there are')
    .option('--json', 'as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const { list } = await import('./grade.ts')
      await list(json ?? false)
    })
  lab
    .command('check')
    .argument('<id>', 'such as 01-first-light')
    .description('grade your files, or the solution; status 0 when every check passes')
    .option('--solution', 'grade the solution instead of your files')
    .option('--workspace <dir>', 'the folder with your labs')
    .option('--json', 'as JSON')
    .action(async (id: string, options: { solution?: boolean; workspace?: string; json?: boolean }) => {
      const { check } = await import('./grade.ts')
      process.exitCode = await check(id, options)
    })
}
