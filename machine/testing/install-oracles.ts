/** Installs the packages that tests compare with, where it may: as root, with apt-get. Says nothing when there is nothing to do. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { ORACLES, findOracle, type OracleName } from './oracle-list.ts'

const missing = (Object.keys(ORACLES) as OracleName[]).filter((name) => !findOracle(name))
const packages = [...new Set(missing.map((name) => ORACLES[name]))]

if (packages.length > 0 && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
  console.log(`installing what the tests compare with: ${packages.join(' ')}`)
  const run = (...args: string[]) =>
    execFileSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
  try {
    run('update', '-qq')
    run('install', '-y', '-qq', '--no-install-recommends', ...packages)
  } catch {
    console.error('apt-get did not install them; the suites that need them are listed as not run')
  }
}
