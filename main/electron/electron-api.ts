/**
 * The parts of Electron that the host uses, as interfaces: main/index.ts passes in the real ones, tests a stand-in. Only that
 * file may import `electron`, because importing it from plain Node starts a download.
 */
export interface WebContentsLike {
  readonly id: number
  send(channel: string, message: unknown): void
  isDestroyed(): boolean
  setWindowOpenHandler(handler: (details: { url: string }) => { action: 'deny' }): void
  on(event: string, handler: (event: { preventDefault(): void }, ...rest: never[]) => void): void
  readonly session: SessionLike
  getURL(): string
}

export interface SessionLike {
  setPermissionRequestHandler(handler: (contents: unknown, permission: string, answer: (granted: boolean) => void) => void): void
  setPermissionCheckHandler(handler: () => boolean): void
  setDevicePermissionHandler(handler: () => boolean): void
  on(event: 'will-download', handler: (event: { preventDefault(): void }, item: DownloadLike) => void): void
  readonly protocol: { handle(scheme: string, handler: (request: { url: string; method: string }) => Promise<Response>): void }
  readonly webRequest: {
    onBeforeRequest(listener: (details: { url: string }, answer: (response: { cancel: boolean }) => void) => void): void
  }
}

export interface DownloadLike {
  getURL(): string
  getFilename(): string
  setSaveDialogOptions(options: { defaultPath: string }): void
}

export interface Rectangle {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface WindowLike {
  readonly webContents: WebContentsLike
  loadURL(url: string): Promise<void>
  getNormalBounds(): Rectangle
  isMaximized(): boolean
  maximize(): void
  show(): void
  focus(): void
  close(): void
  isDestroyed(): boolean
  on(event: string, handler: () => void): void
  once(event: string, handler: () => void): void
}

export interface WindowOptions extends Partial<Rectangle> {
  readonly minWidth: number
  readonly minHeight: number
  readonly show: boolean
  readonly title: string
  readonly backgroundColor: string
  readonly webPreferences: {
    readonly preload: string
    readonly contextIsolation: true
    readonly sandbox: true
    readonly nodeIntegration: false
    readonly nodeIntegrationInWorker: false
    readonly nodeIntegrationInSubFrames: false
    readonly webSecurity: true
    readonly webviewTag: false
    readonly spellcheck: false
  }
}

export interface IpcEventLike {
  readonly sender: WebContentsLike
  readonly senderFrame: { readonly url: string; readonly parent: unknown } | null
}

export interface MenuItem {
  readonly label?: string
  readonly role?: string
  readonly type?: 'separator'
  readonly accelerator?: string
  readonly submenu?: readonly MenuItem[]
  readonly click?: () => void
}

export interface ElectronApi {
  readonly app: {
    whenReady(): Promise<unknown>
    on(event: string, handler: (event: { preventDefault(): void }, ...rest: never[]) => void): void
    requestSingleInstanceLock(): boolean
    quit(): void
    getPreferredSystemLanguages(): string[]
    setName(name: string): void
  }
  createWindow(options: WindowOptions): WindowLike
  readonly ipcMain: { on(channel: string, handler: (event: IpcEventLike, message: unknown) => void): void }
  registerPrivilegedScheme(scheme: string): void
  setMenu(menu: readonly MenuItem[]): void
  readonly shell: { openExternal(url: string): Promise<void> }
  displays(): readonly Rectangle[]
  /** Id of the contents of the window in front. */
  focusedContents(): number | undefined
  showError(title: string, text: string): void
  /** A folder of the user's choice; undefined when there was none. */
  chooseFolder(title: string): Promise<string | undefined>
}
