/** Opens an address in the user's browser, where there is one and a display to show it. */
import { spawn } from 'node:child_process'

export function browserCommand(platform: NodeJS.Platform, environment: NodeJS.ProcessEnv, address: string): [string, string[]] | undefined {
  if (platform === 'darwin') return ['open', [address]]
  // `start` would take a part of the address for its own.
  if (platform === 'win32') return ['rundll32', ['url.dll,FileProtocolHandler', address]]
  return environment.DISPLAY || environment.WAYLAND_DISPLAY ? ['xdg-open', [address]] : undefined
}

export function openInBrowser(address: string): void {
  const command = browserCommand(process.platform, process.env, address)
  if (!command) return
  const child = spawn(command[0], command[1], { stdio: 'ignore', detached: true })
  // The address was printed; there is nothing to add.
  child.on('error', () => {})
  child.unref()
}
