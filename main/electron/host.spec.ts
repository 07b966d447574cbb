import { EventEmitter } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { temporaryFolder } from '../testing.test-support.ts'
import { CONTENT_SECURITY_POLICY } from '../server/policy.ts'
import type { ElectronApi, MenuItem, WindowOptions } from './electron-api.ts'
import { CHANNEL, ElectronHost } from './host.ts'
import { buildMenu, menuTexts } from './menu.ts'
import { readWindowState } from './window-state.ts'

class Contents extends EventEmitter {
  readonly sent: { kind: string; id?: number; value?: unknown; code?: string }[] = []
  openHandler!: (details: { url: string }) => { action: string }
  readonly session: Session
  constructor(
    readonly id: number,
    session: Session,
  ) {
    super()
    this.session = session
  }
  send(channel: string, message: never): void {
    expect(channel).toBe(CHANNEL)
    this.sent.push(message)
    this.emit('sent')
  }
  isDestroyed = () => false
  getURL = () => 'app://pollen/index.html'
  setWindowOpenHandler(handler: Contents['openHandler']): void {
    this.openHandler = handler
  }
}

class Session extends EventEmitter {
  permission!: (contents: unknown, permission: string, answer: (granted: boolean) => void) => void
  check!: () => boolean
  device!: () => boolean
  serve!: (request: { url: string; method: string }) => Promise<Response>
  before!: (details: { url: string }, answer: (response: { cancel: boolean }) => void) => void
  setPermissionRequestHandler = (handler: Session['permission']) => void (this.permission = handler)
  setPermissionCheckHandler = (handler: Session['check']) => void (this.check = handler)
  setDevicePermissionHandler = (handler: Session['device']) => void (this.device = handler)
  protocol = { handle: (_scheme: string, handler: Session['serve']) => void (this.serve = handler) }
  webRequest = { onBeforeRequest: (listener: Session['before']) => void (this.before = listener) }
}

class FakeWindow extends EventEmitter {
  readonly webContents: Contents
  readonly loaded: string[] = []
  shown = false
  maximized = false
  constructor(
    id: number,
    readonly options: WindowOptions,
    session: Session,
  ) {
    super()
    this.webContents = new Contents(id, session)
  }
  loadURL = async (url: string) => void this.loaded.push(url)
  getNormalBounds = () => ({ x: 10, y: 20, width: 1000, height: 700 })
  isMaximized = () => this.maximized
  maximize = () => void (this.maximized = true)
  show = () => void (this.shown = true)
  focus = () => {}
  close = () => {}
  isDestroyed = () => false
}

let place: Awaited<ReturnType<typeof temporaryFolder>>
let windows: FakeWindow[]
let session: Session
let app: EventEmitter & { quit: unknown }
let ipc: EventEmitter
let menus: (readonly MenuItem[])[]
let opened: string[]
let first: boolean
let log: string[]
let ready: ReturnType<typeof vi.fn>
let host: ElectronHost

beforeEach(async () => {
  place = await temporaryFolder()
  await mkdir(path.join(place.folder, 'renderer'))
  await writeFile(path.join(place.folder, 'renderer/index.html'), 'page')
  await writeFile(path.join(place.folder, 'secret.js'), 'secret')
  windows = []
  menus = []
  opened = []
  log = []
  first = true
  session = new Session()
  ipc = new EventEmitter()
  ready = vi.fn()
  app = Object.assign(new EventEmitter(), {
    whenReady: async () => {},
    requestSingleInstanceLock: () => first,
    quit: vi.fn(),
    getPreferredSystemLanguages: () => ['en-GB'],
    setName: () => {},
  })
  const electron = {
    app,
    createWindow: (options: WindowOptions) => {
      const window = new FakeWindow(windows.length + 1, options, session)
      windows.push(window)
      return window
    },
    ipcMain: ipc,
    registerPrivilegedScheme: vi.fn(),
    setMenu: (menu: readonly MenuItem[]) => void menus.push(menu),
    shell: { openExternal: async (url: string) => void opened.push(url) },
    displays: () => [{ x: 0, y: 0, width: 1920, height: 1080 }],
    focusedContents: () => 1,
    showError: () => {},
    chooseFolder: async () => undefined,
  }
  host = new ElectronHost({
    electron: electron as unknown as ElectronApi,
    platform: 'linux',
    workspace: path.join(place.folder, 'labs'),
    renderer: path.join(place.folder, 'renderer'),
    preload: '/preload.cjs',
    version: '1',
    onReady: ready as () => void,
    log: (text) => log.push(text),
  })
})
afterEach(() => place.remove())

const frame = (url = 'app://pollen/index.html', parent: unknown = null) => ({ url, parent })
const call = { kind: 'call', id: 1, endpoint: 'workbench.info', request: {} }

async function answerTo(window: FakeWindow, message: unknown): Promise<Contents['sent'][number]> {
  const answered = new Promise((resolve) => window.webContents.once('sent', resolve))
  ipc.emit(CHANNEL, { sender: window.webContents, senderFrame: frame() }, message)
  await answered
  return window.webContents.sent.at(-1)!
}

describe('a window', () => {
  it('is isolated, sandboxed and without Node', async () => {
    await host.start()
    expect(windows[0].options.webPreferences).toEqual({
      ...{ preload: '/preload.cjs', contextIsolation: true, sandbox: true, nodeIntegration: false, nodeIntegrationInWorker: false },
      ...{ nodeIntegrationInSubFrames: false, webSecurity: true, webviewTag: false, spellcheck: false },
    })
    expect(windows[0].loaded).toEqual(['app://pollen/index.html'])
  })

  it('shows when it is ready, and says so once', async () => {
    await host.start()
    expect(windows[0].shown).toBe(false)
    windows[0].emit('ready-to-show')
    expect(windows[0].shown).toBe(true)
    host.openWindow().once('x', () => {})
    windows[1].emit('ready-to-show')
    expect(ready).toHaveBeenCalledTimes(1)
  })

  it('goes nowhere else; web links open in the user’s browser', async () => {
    await host.start()
    const { webContents } = windows[0]
    for (const name of ['will-navigate', 'will-frame-navigate']) {
      for (const url of ['https://example.org/', 'file:///etc/passwd', 'javascript:alert(1)', 'app://other/']) {
        const event = { preventDefault: vi.fn(), url }
        webContents.emit(name, event, url)
        expect(event.preventDefault).toHaveBeenCalled()
      }
    }
    const own = { preventDefault: vi.fn() }
    webContents.emit('will-navigate', own, 'app://pollen/index.html')
    expect(own.preventDefault).not.toHaveBeenCalled()
    const webview = { preventDefault: vi.fn() }
    webContents.emit('will-attach-webview', webview)
    expect(webview.preventDefault).toHaveBeenCalled()
    expect(webContents.openHandler({ url: 'https://example.org/a' })).toEqual({ action: 'deny' })
    expect(webContents.openHandler({ url: 'file:///bin/sh' })).toEqual({ action: 'deny' })
    expect(new Set(opened)).toEqual(new Set(['https://example.org/', 'https://example.org/a']))
  })

  it('gets no permission, no device, no request to the network and no download but its own exports', async () => {
    await host.start()
    for (const permission of ['media', 'geolocation', 'notifications', 'openExternal', 'clipboard-read']) {
      session.permission(null, permission, (granted) => expect(granted).toBe(false))
    }
    expect([session.check(), session.device()]).toEqual([false, false])
    for (const [url, cancel] of [
      ['https://example.org/x', true],
      ['http://127.0.0.1/', true],
      ['file:///etc/passwd', true],
      ['app://pollen/x.js', false],
      ['blob:app://pollen/1', false],
    ] as const) {
      session.before({ url }, (answer) => expect(answer).toEqual({ cancel }))
    }
    const item = (url: string) => ({ getURL: () => url, getFilename: () => 'a.csv', setSaveDialogOptions: vi.fn() })
    const refused = { preventDefault: vi.fn() }
    session.emit('will-download', refused, item('https://example.org/a.exe'))
    expect(refused.preventDefault).toHaveBeenCalled()
    const own = item('blob:app://pollen/1')
    session.emit('will-download', { preventDefault: () => expect.unreachable() }, own)
    expect(own.setSaveDialogOptions).toHaveBeenCalledWith({ defaultPath: 'a.csv' })
  })

  it('remembers its place, unless no display shows it any more', async () => {
    await host.start()
    windows[0].emit('close')
    const file = path.join(place.folder, 'labs/.pollen/window.json')
    await vi.waitFor(async () =>
      expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ x: 10, y: 20, width: 1000, height: 700, maximized: false }),
    )
    expect(readWindowState(file, [{ x: 0, y: 0, width: 1920, height: 1080 }])).toMatchObject({ x: 10, y: 20 })
    expect(readWindowState(file, [{ x: 5000, y: 0, width: 1920, height: 1080 }])).toEqual({ width: 1000, height: 700, maximized: false })
    await writeFile(file, '{"x": "left"}')
    expect(readWindowState(file, [])).toEqual({ width: 1440, height: 900, maximized: false })
  })
})

describe('messages', () => {
  it('of the main frame of our page are answered', async () => {
    await host.start()
    expect(await answerTo(windows[0], call)).toMatchObject({ kind: 'result', id: 1, value: { host: 'electron' } })
    expect(await answerTo(windows[0], { ...call, endpoint: 'nothing' })).toMatchObject({ kind: 'error', code: 'bad-request' })
  })

  it('of anyone else are dropped', async () => {
    await host.start()
    const sender = windows[0].webContents
    const stranger = new Contents(windows[0].webContents.id, session)
    for (const event of [
      { sender, senderFrame: frame('https://example.org/') },
      { sender, senderFrame: frame('app://pollen.example/') },
      { sender, senderFrame: frame('app://pollen/index.html', {}) },
      { sender, senderFrame: null },
      { sender: stranger, senderFrame: frame() },
      { sender: new Contents(99, session), senderFrame: frame() },
    ]) {
      ipc.emit(CHANNEL, event, call)
    }
    expect(log).toHaveLength(6)
    expect(sender.sent).toEqual([])
  })

  it('begin anew when the page is loaded anew or its process is gone', async () => {
    await host.start()
    const { webContents, loaded } = windows[0]
    webContents.emit('did-start-navigation', { isMainFrame: true, isSameDocument: false })
    expect(await answerTo(windows[0], call)).toMatchObject({ kind: 'result' })
    webContents.emit('render-process-gone')
    expect(loaded).toHaveLength(2)
    expect(await answerTo(windows[0], call)).toMatchObject({ kind: 'result' })
  })
})

describe('app://', () => {
  it('serves the window’s files with the policy, and nothing else', async () => {
    await host.start()
    const page = await session.serve({ url: 'app://pollen/index.html', method: 'GET' })
    expect([page.status, await page.text(), page.headers.get('content-security-policy')]).toEqual([200, 'page', CONTENT_SECURITY_POLICY])
    for (const [url, method, status] of [
      ['app://other/index.html', 'GET', 403],
      ['https://pollen/index.html', 'GET', 403],
      ['app://pollen/..%2fsecret.js', 'GET', 404],
      ['app://pollen/%2e%2e/secret.js', 'GET', 404],
      ['app://pollen/index.html', 'POST', 405],
      ['nonsense', 'GET', 400],
    ] as const) {
      expect((await session.serve({ url, method })).status).toBe(status)
    }
  })
})

describe('the application', () => {
  it('has one instance: a second one opens a window in the first', async () => {
    await host.start()
    app.emit('second-instance')
    expect(windows).toHaveLength(2)
    first = false
    await host.start()
    expect(app.quit).toHaveBeenCalled()
  })

  it('has menus in both languages that name the same commands', () => {
    const shape = (items: readonly MenuItem[]): unknown => items.map(({ role, type, submenu }) => [role, type, submenu && shape(submenu)])
    const actions = { newWindow: () => {}, openWorkspace: () => {}, command: () => {} }
    expect(shape(buildMenu('zh-CN', 'linux', actions))).toEqual(shape(buildMenu('en', 'linux', actions)))
    expect(Object.keys(menuTexts['zh-CN'])).toEqual(Object.keys(menuTexts.en))
    expect(buildMenu('en', 'darwin', actions)[0]).toEqual({ role: 'appMenu' })
  })

  it('sends a menu’s command to the window in front', async () => {
    await host.start()
    const run = menus[0].find((menu) => menu.label === 'Run')!.submenu!.find((item) => item.label === 'Build')!
    run.click!()
    expect(windows[0].webContents.sent).toEqual([{ kind: 'event', event: 'host.command', payload: { command: 'build' } }])
  })

  it('changes its menus with the language of the window', async () => {
    await host.start()
    await answerTo(windows[0], { ...call, endpoint: 'settings.set', request: { patch: { locale: 'zh-CN' } } })
    await vi.waitFor(() => expect(menus.at(-1)!.map((menu) => menu.label)).toContain('运行'))
  })
})
