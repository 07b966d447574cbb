/** What no page may do, whatever got into it. */
import type { ElectronApi, SessionLike, WebContentsLike } from './electron-api.ts'
import { isOurs } from './app-protocol.ts'

export function guardSession(session: SessionLike): void {
  session.setPermissionRequestHandler((_contents, permission, answer) => answer(permission === 'clipboard-sanitized-write'))
  session.setPermissionCheckHandler(() => false)
  session.setDevicePermissionHandler(() => false)
  // Nothing of ours is on the network: a request there is a defect or worse.
  session.webRequest.onBeforeRequest(({ url }, answer) =>
    answer({ cancel: !isOurs(url) && !/^(blob:app:\/\/pollen\/|data:|devtools:)/.test(url) }),
  )
  session.on('will-download', (event, item) => {
    // Exports of charts and of the console are blobs of the page; the user says where they go.
    if (!item.getURL().startsWith('blob:app://pollen/')) return event.preventDefault()
    item.setSaveDialogOptions({ defaultPath: item.getFilename() })
  })
}

export function guardContents(contents: WebContentsLike, shell: ElectronApi['shell']): void {
  contents.setWindowOpenHandler(({ url }) => {
    if (isWebAddress(url)) void shell.openExternal(url)
    return { action: 'deny' }
  })
  const stay = (event: { preventDefault(): void }, ...[target]: unknown[]) => {
    const url = typeof target === 'string' ? target : ((event as { url?: string }).url ?? '')
    if (isOurs(url)) return
    event.preventDefault()
    if (isWebAddress(url)) void shell.openExternal(url)
  }
  contents.on('will-navigate', stay)
  contents.on('will-redirect', (event) => event.preventDefault())
  contents.on('will-frame-navigate', stay)
  contents.on('will-attach-webview', (event) => event.preventDefault())
}

/** Links of guides open in the user's browser; other kinds of addresses could start programs. */
function isWebAddress(url: string): boolean {
  return /^https:\/\//i.test(url)
}
