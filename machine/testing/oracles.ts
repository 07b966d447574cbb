/**
 * The programs that tests compare with. They are system packages, so a machine may lack them: `npm test` installs what it
 * may (install-oracles.ts); a suite whose oracle is missing all the same is reported as not run, and fails where CI=true.
 */
import { describe, it } from 'vitest'
import { findOracle, installLine, type OracleName } from './oracle-list.ts'

/** The path of a program that the suite has asked for. @throws Error naming the package when it is missing. */
export function oracle(name: OracleName): string {
  const found = findOracle(name)
  if (!found) throw new Error(`${name} is not on this machine: ${installLine([name])}`)
  return found
}

/** A suite that needs programs of the system. */
export function describeWith(names: readonly OracleName[], title: string, body: () => void): void {
  const missing = names.filter((name) => !findOracle(name))
  if (missing.length === 0) {
    describe(title, body)
  } else if (process.env.CI) {
    describe(title, () => {
      it('has what it needs', () => {
        throw new Error(`not run: ${installLine(missing)}`)
      })
    })
  } else {
    // Reported by name at the end of the run: not-run-reporter.ts.
    describe.skip(`${title} [needs ${installLine(missing)}]`, body)
  }
}
