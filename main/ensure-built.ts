/** Before `npm start`: builds what is missing or older than its sources, and says so, since it takes some seconds. */
import { spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import path from 'node:path'

const root = path.join(import.meta.dirname, '..')

/** The latest change below a folder, in milliseconds; 0 when it is not there. */
function latest(place: string): number {
  const stat = statSync(place, { throwIfNoEntry: false })
  if (!stat) return 0
  if (!stat.isDirectory()) return stat.mtimeMs
  const skipped = new Set(['generated', 'node_modules', 'e2e', 'bench'])
  return Math.max(
    0,
    ...readdirSync(place).map((name) => (skipped.has(name) || name.endsWith('.spec.ts') ? 0 : latest(path.join(place, name)))),
  )
}

function build(what: string, output: string, sources: readonly string[], command: string, args: readonly string[]): void {
  const built = statSync(path.join(root, output), { throwIfNoEntry: false })?.mtimeMs ?? 0
  if (built > Math.max(...sources.map((source) => latest(path.join(root, source))))) return
  console.log(`Building ${what}…`)
  const binary = path.join(root, 'node_modules/.bin', process.platform === 'win32' ? `${command}.cmd` : command)
  const { status, stdout, stderr } = spawnSync(binary, args, { cwd: root, encoding: 'utf8', shell: process.platform === 'win32' })
  if (status === 0) return
  process.stderr.write(`${stdout}${stderr}`)
  process.exit(status ?? 1)
}

build('the board and the command', 'dist/pollen.js', ['main', 'machine', 'labs/os/firmware', 'package-lock.json'], 'tsx', ['main/build.ts'])
build(
  'the window',
  'out/renderer/index.html',
  ['main', 'machine', 'renderer', 'electron.vite.config.ts', 'package-lock.json'],
  'electron-vite',
  ['build', '--logLevel', 'error'],
)
