import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { endpoints } from '../protocol/index.ts'
import { temporaryFolder } from '../testing.test-support.ts'
import { SettingsStore } from './settings-store.ts'

let place: Awaited<ReturnType<typeof temporaryFolder>>
let file: string

beforeEach(async () => {
  place = await temporaryFolder()
  file = path.join(place.folder, 'settings.json')
})
afterEach(() => place.remove())

it('keeps what a change does not name', async () => {
  const store = new SettingsStore(file)
  await store.set({ theme: 'dark', locale: 'zh-CN' })
  const { patch } = endpoints['settings.set'].request.parse({ patch: { fontSize: 14 } })
  expect(patch).toEqual({ fontSize: 14 })
  await store.set(patch)
  expect(await new SettingsStore(file).get()).toMatchObject({ theme: 'dark', locale: 'zh-CN', fontSize: 14 })
})

it('refuses a change that is wrong', () => {
  const { request } = endpoints['settings.set']
  for (const patch of [{ theme: 'pink' }, { fontSize: 1e9 }, { layout: { side: 'nowhere' } }])
    expect(request.safeParse({ patch }).success).toBe(false)
})

it('starts with a damaged file, and replaces what is wrong in one', async () => {
  await writeFile(file, '{"theme": "dark"')
  expect(await new SettingsStore(file).get()).toMatchObject({ theme: 'system', fontSize: 12 })
  await writeFile(file, '{"theme": "pink", "fontSize": 16, "layout": {"side": "files", "bottom": 3}}')
  expect(await new SettingsStore(file).get()).toMatchObject({ theme: 'system', fontSize: 16, layout: { side: 'files', bottom: 'console' } })
})

it('writes changes in their order', async () => {
  const store = new SettingsStore(file)
  await Promise.all([9, 10, 11, 12, 13].map((fontSize) => store.set({ fontSize })))
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ fontSize: 13 })
})

it('loses none of several changes made at once, and none of the layout', async () => {
  const store = new SettingsStore(file)
  await Promise.all([
    store.set({ layout: { bottom: 'problems' } }),
    store.set({ tabs: { '01-first-light': ['uart.S'] } }),
    store.set({ layout: { side: 'files' } }),
  ])
  expect(await store.get()).toMatchObject({ tabs: { '01-first-light': ['uart.S'] }, layout: { bottom: 'problems', side: 'files' } })
})
