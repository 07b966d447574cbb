/** The bridge: messages in, messages out, nothing else of Electron or Node reaches the page. */
import { contextBridge, ipcRenderer } from 'electron'

const CHANNEL = 'pollen'

contextBridge.exposeInMainWorld('pollen', {
  send: (message: unknown) => ipcRenderer.send(CHANNEL, message),
  onMessage: (handler: (message: unknown) => void) => {
    ipcRenderer.on(CHANNEL, (_event, message: unknown) => handler(message))
  },
})
