/** `pollen lab`: lists the labs and grades them; the verdicts are the window's. */
import type { Command } from 'commander'
import { checkLab, describeVerdict, listLabs } from '../workbench/labs.ts'
import { LabStore } from '../workbench/lab-store.ts'
import { WorkbenchError } from '../workbench/errors.ts'
import { systemLocale, workspaceRoot } from '../workbench/environment.ts'
import { BAD_ARGUMENTS, UNMET } from './exit-status.ts'
import { complain } from './report.ts'

export function addLabCommand(program: Command): void {
  const lab = program.command('lab').description('list and grade labs')
  lab
    .command('list')
    .description('the labs there are')
    .option('--json', 'as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const labs = await listLabs()
      if (json) process.stdout.write(`${JSON.stringify(labs, null, 2)}\n`)
      else for (const { id, title } of labs) process.stdout.write(`${id.padEnd(24)} ${title[systemLocale()]}\n`)
    })
  lab
    .command('check')
    .argument('<id>', 'such as 01-first-light')
    .description('grade your files, or the solution; status 0 when every check passes')
    .option('--solution', 'grade the solution instead of your files')
    .option('--workspace <dir>', 'the folder with your labs')
    .option('--json', 'as JSON')
    .action(async (id: string, options: { solution?: boolean; workspace?: string; json?: boolean }) => {
      process.exitCode = await check(id, options)
    })
}

async function check(id: string, options: { solution?: boolean; workspace?: string; json?: boolean }): Promise<number> {
  try {
    const verdict = await checkLab(id, { solution: options.solution, workspace: workspaceRoot(options.workspace) })
    const definition = await new LabStore().definition(id)
    process.stdout.write(options.json ? `${JSON.stringify(verdict, null, 2)}\n` : `${describeVerdict(definition, verdict, systemLocale())}\n`)
    return verdict.passed ? 0 : UNMET
  } catch (error) {
    if (!(error instanceof WorkbenchError)) throw error
    complain(error.message)
    return BAD_ARGUMENTS
  }
}
