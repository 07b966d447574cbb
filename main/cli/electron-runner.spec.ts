import { EventEmitter } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../testing.test-support.ts'
import { browserCommand } from './open-browser.ts'
import { electronBinary, obstacle, runElectron, watchStart, type ElectronParts } from './electron-runner.ts'

let place: Awaited<ReturnType<typeof temporaryFolder>>
let parts: ElectronParts

beforeEach(async () => {
  place = await temporaryFolder()
  await mkdir(path.join(place.folder, 'out/main'), { recursive: true })
  await writeFile(path.join(place.folder, 'out/main/index.js'), '')
  parts = {
    root: place.folder,
    platform: 'linux',
    environment: { DISPLAY: ':0', PATH: process.env.PATH },
    uid: 1000,
    fetchBinary: async () => false,
  }
})
afterEach(() => place.remove())

describe('why Electron does not start', () => {
  it('names the display, root and a missing build', () => {
    expect(obstacle(parts)).toBeUndefined()
    expect(obstacle({ ...parts, environment: {} })).toContain('display')
    expect(obstacle({ ...parts, environment: { WAYLAND_DISPLAY: 'wayland-0' } })).toBeUndefined()
    expect(obstacle({ ...parts, uid: 0 })).toContain('root')
    expect(obstacle({ ...parts, platform: 'darwin', environment: {}, uid: 501 })).toBeUndefined()
    expect(obstacle({ ...parts, root: '/nowhere' })).toContain('not built')
  })

  it('says that the binary could not be fetched', async () => {
    expect(electronBinary(parts)).toBeUndefined()
    expect(await runElectron({}, parts)).toContain('could not be fetched')
  })
})

/** A stand-in for the binary: a script that Node runs. */
async function binary(script: string): Promise<ElectronParts> {
  const file = path.join(place.folder, 'electron')
  await writeFile(file, `#!${process.execPath}\n${script}\n`, { mode: 0o755 })
  return { ...parts, environment: { ...parts.environment, ELECTRON_EXEC_PATH: file } }
}

describe('a binary that is there', () => {
  it('is run to its end once it said that a window is up', async () => {
    expect(await runElectron({}, await binary(`process.send('ready', () => process.exit(7))`))).toEqual({ status: 7 })
  })

  it('did not start when it ends before', async () => {
    expect(await runElectron({}, await binary('process.exit(3)'))).toBe('Electron did not start: it ended with status 3')
  })

  it('did not start when it cannot be run', async () => {
    const child = new EventEmitter()
    const result = watchStart(child as never)
    child.emit('error', new Error('EACCES'))
    expect(await result).toContain('EACCES')
  })
})

describe('the user’s browser', () => {
  it('is opened where there is a display', () => {
    expect(browserCommand('linux', {}, 'http://x')).toBeUndefined()
    expect(browserCommand('linux', { DISPLAY: ':0' }, 'http://x')).toEqual(['xdg-open', ['http://x']])
    expect(browserCommand('darwin', {}, 'http://x')![0]).toBe('open')
    expect(browserCommand('win32', {}, 'http://x&y')![1].at(-1)).toBe('http://x&y')
  })
})
