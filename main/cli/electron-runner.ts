/** Starts Electron, or says in a few words why it cannot. */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { projectRoot } from '../workbench/worker-thread.ts'
import type { StartOptions } from './start.ts'

export interface ElectronParts {
  readonly root: string
  readonly platform: NodeJS.Platform
  readonly environment: NodeJS.ProcessEnv
  readonly uid: number | undefined
  /** Fetches Electron's binary; resolves to false when it cannot be had. */
  fetchBinary(): Promise<boolean>
}

/** The binary that the `electron` package has downloaded. Importing the package would start a download. */
export function electronBinary({ root, environment }: Pick<ElectronParts, 'root' | 'environment'>): string | undefined {
  const folder = path.join(root, 'node_modules/electron')
  const name = path.join(folder, 'path.txt')
  if (environment.ELECTRON_EXEC_PATH && existsSync(environment.ELECTRON_EXEC_PATH)) return environment.ELECTRON_EXEC_PATH
  if (!existsSync(name)) return undefined
  const binary = path.join(environment.ELECTRON_OVERRIDE_DIST_PATH ?? path.join(folder, 'dist'), readFileSync(name, 'utf8').trim())
  return existsSync(binary) ? binary : undefined
}

/** Why Electron cannot show a window here; undefined when nothing speaks against it. */
export function obstacle({ platform, environment, uid, root }: Omit<ElectronParts, 'fetchBinary'>): string | undefined {
  if (platform === 'linux' && !environment.DISPLAY && !environment.WAYLAND_DISPLAY) return 'there is no display for Electron'
  if (platform === 'linux' && uid === 0) return 'Electron keeps its sandbox and so does not run as root'
  if (!existsSync(path.join(root, 'out/main/index.js'))) return 'the Electron part is not built'
  return undefined
}

/** Runs Electron to its end; a string is the reason why it did not start. */
export async function runElectron(options: StartOptions, parts: ElectronParts = thisMachine()): Promise<{ status: number } | string> {
  const reason = obstacle(parts)
  if (reason) return reason
  if (!electronBinary(parts) && !(await parts.fetchBinary())) return 'Electron’s own binary is not here and could not be fetched'
  const binary = electronBinary(parts)
  if (!binary) return 'Electron’s own binary is not here'
  const args = [path.join(parts.root, 'out/main/index.js'), ...(options.workspace ? ['--workspace', path.resolve(options.workspace)] : [])]
  const environment = { ...parts.environment }
  // Set by some editors for their own children; with it Electron would be a plain Node.
  delete environment.ELECTRON_RUN_AS_NODE
  const child = spawn(binary, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], env: environment })
  return watchStart(child)
}

/** The window counts as up when the main process says so: ending before is a failure to start. */
export function watchStart(child: ChildProcess): Promise<{ status: number } | string> {
  return new Promise((resolve) => {
    let up = false
    child.on('message', (message) => {
      if (message === 'ready') up = true
    })
    child.on('error', (error) => resolve(`Electron did not start: ${error.message}`))
    child.on('exit', (code, signal) =>
      resolve(up ? { status: code ?? 1 } : `Electron did not start: it ended with ${signal ?? `status ${code}`}`),
    )
  })
}

function thisMachine(): ElectronParts {
  const root = projectRoot()
  return {
    root,
    platform: process.platform,
    environment: process.env,
    uid: process.getuid?.(),
    fetchBinary: () =>
      new Promise((resolve) => {
        process.stdout.write('Fetching Electron, once…\n')
        const child = spawn(process.execPath, [path.join(root, 'node_modules/electron/install.js')], { stdio: 'ignore' })
        child.on('error', () => resolve(false))
        child.on('exit', (code) => resolve(code === 0))
      }),
  }
}
