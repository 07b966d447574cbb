/** The Electron host: windows, their messages, menus. Thin: everything the windows ask for is the workbench's. */
import path from 'node:path'
import type { Locale } from '../protocol/index.ts'
import { StaticFiles } from '../server/static-files.ts'
import { Connection } from '../workbench/connection.ts'
import { systemLocale } from '../workbench/environment.ts'
import { Workbench } from '../workbench/workbench.ts'
import { SCHEME, START_PAGE, isOurs, serveApp } from './app-protocol.ts'
import type { ElectronApi, IpcEventLike, WindowLike } from './electron-api.ts'
import { guardContents, guardSession } from './guard.ts'
import { buildMenu } from './menu.ts'
import { keepWindowState, readWindowState } from './window-state.ts'

export const CHANNEL = 'pollen'

export interface ElectronHostOptions {
  readonly electron: ElectronApi
  readonly platform: NodeJS.Platform
  /** Folder of the user's labs. */
  readonly workspace: string
  readonly renderer: string
  readonly preload: string
  readonly version: string
  /** Tells whoever started the process that a window is up. */
  readonly onReady?: () => void
  readonly log?: (text: string) => void
}

interface OpenWindow {
  readonly window: WindowLike
  readonly connection: Connection
}

export class ElectronHost {
  private readonly windows = new Map<number, OpenWindow>()
  private readonly guarded = new Set<unknown>()
  private readonly files: StaticFiles
  private workbench: Workbench
  private locale: Locale = 'en'
  private ready = false

  constructor(private readonly options: ElectronHostOptions) {
    this.files = new StaticFiles(options.renderer)
    this.workbench = this.makeWorkbench(options.workspace)
  }

  /** Resolves when the first window shows, or at once where another instance shows it. */
  async start(): Promise<void> {
    const { electron, platform } = this.options
    const { app } = electron
    electron.registerPrivilegedScheme(SCHEME)
    app.setName('Pollen')
    if (!app.requestSingleInstanceLock()) return app.quit()
    app.on('second-instance', () => this.openWindow())
    app.on('window-all-closed', () => {
      if (platform !== 'darwin') app.quit()
    })
    app.on('activate', () => {
      if (this.windows.size === 0) this.openWindow()
    })
    app.on('will-quit', () => void this.workbench.close())
    app.on('web-contents-created', (_event, ...[contents]: unknown[]) =>
      guardContents(contents as WindowLike['webContents'], electron.shell),
    )
    electron.ipcMain.on(CHANNEL, (event, message) => this.receive(event, message))
    await app.whenReady()
    this.locale = (await this.workbench.handlers['settings.get']({})).locale ?? systemLocale(app.getPreferredSystemLanguages()[0])
    this.showMenu()
    this.openWindow()
  }

  openWindow(): WindowLike {
    const { electron, preload } = this.options
    const stateFile = path.join(this.options.workspace, '.pollen', 'window.json')
    const { maximized, ...bounds } = readWindowState(stateFile, electron.displays())
    const window = electron.createWindow({
      ...bounds,
      minWidth: 640,
      minHeight: 480,
      show: false,
      title: 'Pollen',
      backgroundColor: '#f6f7f9',
      webPreferences: {
        preload,
        contextIsolation: true,
        sandbox: true,
        nodeIntegration: false,
        nodeIntegrationInWorker: false,
        nodeIntegrationInSubFrames: false,
        webSecurity: true,
        webviewTag: false,
        spellcheck: false,
      },
    })
    const { webContents } = window
    this.guard(webContents.session)
    guardContents(webContents, electron.shell)
    keepWindowState(window, stateFile)
    this.windows.set(webContents.id, { window, connection: this.connect(window) })
    // A page that loads anew knows nothing of what it was sent before.
    webContents.on('did-start-navigation', (event, ...rest: unknown[]) => {
      const details = event as { isMainFrame?: boolean; isSameDocument?: boolean }
      const mainFrame = details.isMainFrame ?? rest[2]
      const sameDocument = details.isSameDocument ?? rest[1]
      if (mainFrame && !sameDocument) this.reconnect(webContents.id)
    })
    webContents.on('render-process-gone', () => {
      // The board and the files are with the main process: a new page shows them again.
      this.reconnect(webContents.id)
      if (!window.isDestroyed()) void window.loadURL(START_PAGE)
    })
    window.on('closed', () => {
      this.windows.get(webContents.id)?.connection.close()
      this.windows.delete(webContents.id)
    })
    window.once('ready-to-show', () => {
      if (maximized) window.maximize()
      window.show()
      if (!this.ready) this.options.onReady?.()
      this.ready = true
    })
    window.loadURL(START_PAGE).catch((error: Error) => electron.showError('Pollen', error.message))
    return window
  }

  private makeWorkbench(root: string): Workbench {
    const { electron, version } = this.options
    const workbench = new Workbench({
      root,
      host: 'electron',
      version,
      locale: systemLocale(electron.app.getPreferredSystemLanguages()[0]),
    })
    workbench.connect(async (event, payload) => {
      if (event !== 'settings.changed') return
      const { locale } = payload as { locale?: Locale }
      if (!locale || locale === this.locale) return
      this.locale = locale
      this.showMenu()
    })
    return workbench
  }

  private connect(window: WindowLike): Connection {
    return new Connection(
      this.workbench,
      (message) => {
        if (!window.isDestroyed() && !window.webContents.isDestroyed()) window.webContents.send(CHANNEL, message)
      },
      this.options.log,
    )
  }

  private reconnect(id: number): void {
    const open = this.windows.get(id)
    if (!open) return
    open.connection.close()
    this.windows.set(id, { window: open.window, connection: this.connect(open.window) })
  }

  /** Messages count only from the main frame of a window of ours that shows a page of ours. */
  private receive(event: IpcEventLike, message: unknown): void {
    const open = this.windows.get(event.sender.id)
    const frame = event.senderFrame
    if (!open || open.window.webContents !== event.sender || !frame || frame.parent !== null || !isOurs(frame.url)) {
      this.options.log?.('a message from a page that is not Pollen’s was dropped')
      return
    }
    void open.connection.receive(message)
  }

  private guard(session: WindowLike['webContents']['session']): void {
    if (this.guarded.has(session)) return
    this.guarded.add(session)
    session.protocol.handle(SCHEME, serveApp(this.files))
    guardSession(session)
  }

  private showMenu(): void {
    const { electron, platform } = this.options
    electron.setMenu(
      buildMenu(this.locale, platform, {
        newWindow: () => void this.openWindow(),
        openWorkspace: () => void this.openWorkspace(),
        command: (command) => void this.windows.get(electron.focusedContents() ?? -1)?.connection.emit('host.command', { command }),
      }),
    )
  }

  /** Other labs folders are other workbenches: every window shows the new one. */
  private async openWorkspace(): Promise<void> {
    const folder = await this.options.electron.chooseFolder('Pollen')
    if (folder === undefined) return
    const old = this.workbench
    this.workbench = this.makeWorkbench(folder)
    for (const [id, { window }] of this.windows) {
      this.reconnect(id)
      void window.loadURL(START_PAGE)
    }
    await old.close()
  }
}
