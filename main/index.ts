/** Electron's main process: the one place, with preload.ts, where the `electron` module is imported. */
import path from 'node:path'
import { app, BrowserWindow, dialog, ipcMain, Menu, protocol, screen, shell } from 'electron'
import type { ElectronApi, WindowLike } from './electron/electron-api.ts'
import { ElectronHost } from './electron/host.ts'
import { rendererFolder, version, workspaceRoot } from './workbench/environment.ts'
import { projectRoot } from './workbench/worker-thread.ts'

const electron: ElectronApi = {
  app: app as never,
  createWindow: (options) => new BrowserWindow(options as Electron.BrowserWindowConstructorOptions) as unknown as WindowLike,
  ipcMain: ipcMain as never,
  registerPrivilegedScheme: (scheme) =>
    protocol.registerSchemesAsPrivileged([{ scheme, privileges: { standard: true, secure: true, supportFetchAPI: true } }]),
  setMenu: (menu) => Menu.setApplicationMenu(Menu.buildFromTemplate(menu as Electron.MenuItemConstructorOptions[])),
  shell,
  displays: () => screen.getAllDisplays().map((display) => display.workArea),
  focusedContents: () => BrowserWindow.getFocusedWindow()?.webContents.id,
  showError: (title, text) => dialog.showErrorBox(title, text),
  chooseFolder: async (title) => (await dialog.showOpenDialog({ title, properties: ['openDirectory', 'createDirectory'] })).filePaths[0],
}

const chosen = process.argv.indexOf('--workspace')
// Every page of every session is sandboxed, whatever its window asked for.
app.enableSandbox()

const host = new ElectronHost({
  electron,
  platform: process.platform,
  workspace: workspaceRoot(chosen < 0 ? undefined : process.argv[chosen + 1]),
  renderer: rendererFolder(),
  preload: path.join(projectRoot(), 'out/preload/preload.cjs'),
  version: version(),
  onReady: () => process.send?.('ready'),
  log: (text) => process.stderr.write(`pollen: ${text}\n`),
})

host.start().catch((error: Error) => {
  dialog.showErrorBox('Pollen', error.message)
  app.exit(1)
})
