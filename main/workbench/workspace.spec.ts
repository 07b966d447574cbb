import { mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../testing.test-support.ts'
import { Workspace } from './workspace.ts'

let place: Awaited<ReturnType<typeof temporaryFolder>>
let workspace: Workspace

beforeEach(async () => {
  place = await temporaryFolder()
  workspace = new Workspace(path.join(place.folder, 'labs'))
  await mkdir(path.join(place.folder, 'source/deep'), { recursive: true })
  await writeFile(path.join(place.folder, 'source/a.S'), 'first')
  await writeFile(path.join(place.folder, 'source/deep/b.S'), 'second')
  await writeFile(path.join(place.folder, 'secret'), 'secret')
  await workspace.addMissing('lab', path.join(place.folder, 'source'))
})
afterEach(() => place.remove())

describe('files of a lab', () => {
  it('are those of the lab’s start at first', async () => {
    expect(await workspace.list('lab')).toEqual(['a.S', 'deep/b.S'])
    expect((await workspace.read('lab', 'deep/b.S')).text).toBe('second')
  })

  it('stay the user’s when the lab is opened again', async () => {
    await workspace.write('lab', 'a.S', 'mine')
    await workspace.addMissing('lab', path.join(place.folder, 'source'))
    expect((await workspace.read('lab', 'a.S')).text).toBe('mine')
  })

  it('are written whole, and nothing else is left', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, index) => workspace.write('lab', 'a.S', `${index}`.repeat(50_000))))
    expect((await workspace.read('lab', 'a.S')).text).toMatch(/^(\d+?)\1*$/)
    expect(await readdir(workspace.folder('lab'))).toEqual(['a.S', 'deep'])
  })

  it('keep the old text when a write fails', async () => {
    await mkdir(path.join(workspace.folder('lab'), 'c.S'))
    await expect(workspace.write('lab', 'c.S', 'new')).rejects.toThrow()
    expect(await readdir(workspace.folder('lab'))).toEqual(['a.S', 'c.S', 'deep'])
  })

  it('are not written over when another program changed them', async () => {
    const { version } = await workspace.read('lab', 'a.S')
    await writeFile(path.join(workspace.folder('lab'), 'a.S'), 'theirs')
    await expect(workspace.write('lab', 'a.S', 'mine', version)).rejects.toMatchObject({ code: 'changed-on-disk' })
    expect(await readFile(path.join(workspace.folder('lab'), 'a.S'), 'utf8')).toBe('theirs')
    await workspace.write('lab', 'a.S', 'mine', (await workspace.read('lab', 'a.S')).version)
    expect((await workspace.read('lab', 'a.S')).text).toBe('mine')
  })
})

describe('paths', () => {
  it.each(['../secret', 'deep/../../../secret', '/etc/passwd', 'a\\b', '.', 'deep/.', 'deep//b.S', '', 'a\0b', 'C:x', 'c:/x'])(
    'refuses %j',
    async (file) => {
      await expect(workspace.read('lab', file)).rejects.toMatchObject({ code: 'outside-workspace' })
      await expect(workspace.write('lab', file, 'x')).rejects.toMatchObject({ code: 'outside-workspace' })
      await expect(workspace.remove('lab', file)).rejects.toMatchObject({ code: 'outside-workspace' })
    },
  )

  it('refuses links that lead out: to a file, to a folder, to nothing', async () => {
    const lab = workspace.folder('lab')
    await symlink(path.join(place.folder, 'secret'), path.join(lab, 'file'))
    await symlink(place.folder, path.join(lab, 'folder'))
    await symlink(path.join(place.folder, 'nothing'), path.join(lab, 'dangling'))
    for (const file of ['file', 'folder/secret', 'folder/new', 'dangling']) {
      await expect(workspace.read('lab', file)).rejects.toMatchObject({ code: 'outside-workspace' })
      await expect(workspace.write('lab', file, 'x')).rejects.toMatchObject({ code: 'outside-workspace' })
    }
    expect(await readFile(path.join(place.folder, 'secret'), 'utf8')).toBe('secret')
  })

  it('never lead out, whatever they are', async () => {
    const part = fc.oneof(fc.constantFrom('..', '.', '', 'deep', '~', '%2e%2e', '..\\', 'nul\0'), fc.string({ maxLength: 6 }))
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 5 }), async (parts) => {
        await workspace.write('lab', parts.join('/'), 'written').catch(() => {})
        expect((await readdir(place.folder)).sort()).toEqual(['labs', 'secret', 'source'])
        expect(await readdir(workspace.root)).toEqual(['lab'])
      }),
      { seed: 5, numRuns: 200 },
    )
  })
})
