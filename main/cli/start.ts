/** `pollen start`: the workbench in Electron, or in the browser where Electron cannot run. */
import { BrowserHost } from '../server/server.ts'
import { Workbench } from '../workbench/workbench.ts'
import { openInBrowser } from './open-browser.ts'
import { runElectron } from './electron-runner.ts'
import { rendererFolder, systemLocale, workspaceRoot, version } from '../workbench/environment.ts'

export interface StartOptions {
  readonly browser?: boolean
  readonly port?: number
  /** Folder of the user's labs; the one named by POLLEN_WORKSPACE, or `Pollen` in the home folder. */
  readonly workspace?: string
  /** Open the user's browser; tests do not. */
  readonly open?: boolean
}

/** Resolves when the window is up: with the exit status of Electron once it has ended, or with the browser host. */
export async function start(options: StartOptions = {}): Promise<{ host?: BrowserHost; status?: number }> {
  const reason = options.browser ? undefined : await runElectron(options)
  if (typeof reason === 'object') return reason
  const workbench = new Workbench({ root: workspaceRoot(options.workspace), host: 'browser', version: version(), locale: systemLocale() })
  const host = await BrowserHost.start({
    workbench,
    renderer: rendererFolder(),
    port: options.port,
    log: (text) => process.stderr.write(`pollen: ${text}\n`),
  })
  process.stdout.write(`Pollen runs in your browser${reason ? ` (${reason})` : ''}: ${host.address}\n`)
  if (options.open ?? true) openInBrowser(host.address)
  const stop = () => {
    void Promise.allSettled([host.close(), workbench.close()]).then(() => process.exit(0))
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  return { host }
}
