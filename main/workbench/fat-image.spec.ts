import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { describeWith, oracle } from '../../machine/testing/oracles.ts'
import { createFatImage } from './fat-image.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'pollen-fat-'))
afterAll(() => rmSync(folder, { recursive: true }))

describeWith(['fsck.fat', 'mcopy'], 'an empty FAT32 image', () => {
  it.each([34, 40, 100, 1000])('of %i MiB is clean, and other tools write to it', (mebibytes) => {
    const image = path.join(folder, `${mebibytes}.img`)
    createFatImage(image, mebibytes << 20)
    const file = path.join(folder, 'file')
    writeFileSync(file, 'x'.repeat(100_000))
    execFileSync(oracle('mcopy'), ['-i', image, file, '::file.txt'])
    const said = execFileSync(oracle('fsck.fat'), ['-n', '-v', image], { encoding: 'utf8' })
    expect(said).toContain('32 bit entries')
    expect(said).toMatch(/2 files, 19[67]\/\d+ clusters/)
  })

  it('is refused where it would be no FAT32', () => {
    expect(() => createFatImage(path.join(folder, 'small.img'), 16 << 20)).toThrow('at least 34 MiB')
  })
})
