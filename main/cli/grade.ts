/** What `pollen lab` does: lists the labs and grades them; the verdicts are the window's. */
import { checkLab, describeVerdict, listLabs } from '../workbench/labs.ts'
import { LabStore } from '../workbench/lab-store.ts'
import { WorkbenchError } from '../workbench/errors.ts'
import { systemLocale, workspaceRoot } from '../workbench/environment.ts'
import { BAD_ARGUMENTS, UNMET } from './exit-status.ts'
import { complain } from './report.ts'

/** Prints the labs there are. */
export async function list(json: boolean): Promise<void> {
  const labs = await listLabs()
  if (json) process.stdout.write(`${JSON.stringify(labs, null, 2)}\n`)
  else for (const { id, title } of labs) process.stdout.write(`${id.padEnd(24)} ${title[systemLocale()]}\n`)
}

/** Grades a lab; returns the exit status. */
export async function check(id: string, options: { solution?: boolean; workspace?: string; json?: boolean }): Promise<number> {
  try {
    const verdict = await checkLab(id, { solution: options.solution, workspace: workspaceRoot(options.workspace) })
    const definition = await new LabStore().definition(id)
    process.stdout.write(
      options.json ? `${JSON.stringify(verdict, null, 2)}\n` : `${describeVerdict(definition, verdict, systemLocale())}\n`,
    )
    return verdict.passed ? 0 : UNMET
  } catch (error) {
    if (!(error instanceof WorkbenchError)) throw error
    complain(error.message)
    return BAD_ARGUMENTS
  }
}
