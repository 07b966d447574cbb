/** `pollen sd` as its users call it; what it makes is judged by fsck.fat and mtools. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { describeWith, oracle } from '../../machine/testing/oracles.ts'

const directory = mkdtempSync(path.join(os.tmpdir(), 'pollen-sd-'))
afterAll(() => rmSync(directory, { recursive: true }))
const command = path.join(import.meta.dirname, '../../dist/pollen.js')
const at = (name: string) => path.join(directory, name)

function sd(...args: string[]): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, 'sd', ...args], { encoding: 'utf8' })
  return { status, out: stdout, err: stderr }
}

function run(program: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stdout}${stderr}`)
  return stdout
}

/** A tree with what is hard: empty and odd lengths, long and non-ASCII names, directories in directories. */
function makeTree(name: string): string {
  const tree = at(name)
  mkdirSync(path.join(tree, 'deep/er'), { recursive: true })
  mkdirSync(path.join(tree, 'empty'))
  writeFileSync(path.join(tree, 'nothing'), '')
  writeFileSync(path.join(tree, 'A long name with spaces, and more than 8.3 characters.text'), 'long')
  writeFileSync(path.join(tree, 'Füße.txt'), 'feet')
  writeFileSync(
    path.join(tree, 'deep/er/bytes.bin'),
    Uint8Array.from({ length: 200_001 }, (_, index) => (index * 7) & 0xff),
  )
  return tree
}

describe('pollen sd', () => {
  it.each([
    ['with a partition table', []],
    ['without one', ['--no-mbr']],
    ['small', ['--size', '2M']],
    ['of a gigabyte', ['--size', '1G']],
  ])('brings a tree onto a card and back: %s', (name, options) => {
    const image = at(`${name}.img`)
    const tree = makeTree(`tree ${name}`)
    expect(sd('create', image, ...options)).toEqual({ status: 0, out: '', err: '' })
    expect(sd('put', image, tree, '/tree')).toEqual({ status: 0, out: '', err: '' })
    expect(sd('ls', image).out.trim().split(/\s+/)).toEqual(['-', 'tree/'])
    const back = at(`back ${name}`)
    expect(sd('get', image, '/tree', back)).toEqual({ status: 0, out: '', err: '' })
    expect(run('diff', '-r', tree, back)).toBe('')
  })

  it('lists for people and for programs', () => {
    const image = at('list.img')
    sd('create', image, '--size', '2M')
    writeFileSync(at('hello.txt'), 'hello')
    sd('put', image, at('hello.txt'))
    expect(sd('ls', image).out).toBe('           5  hello.txt\n')
    expect(JSON.parse(sd('ls', image, '/', '--json').out)).toEqual([{ name: 'hello.txt', directory: false, bytes: 5 }])
    sd('get', image, 'hello.txt', at('again.txt'))
    expect(readFileSync(at('again.txt'), 'utf8')).toBe('hello')
  })

  it('says in one line what it cannot do', () => {
    const image = at('errors.img')
    sd('create', image, '--size', '1M')
    writeFileSync(at('large'), new Uint8Array(2 << 20))
    writeFileSync(at('no-file-system'), new Uint8Array(1 << 20))
    for (const [args, message] of [
      [['create', image], 'exists already: use --force'],
      [['put', image, at('large')], '/large: the card is full'],
      [['put', image, at('missing')], 'missing: there is no such file'],
      [['get', image, '/missing'], '/missing: there is no such file or directory on the card'],
      [['ls', at('no-file-system')], 'there is no FAT file system in it'],
      [['ls', at('missing')], 'there is no such file'],
      [['put', image, at('large'), '/a*b'], 'FAT allows no such name'],
    ] as const) {
      const { status, err } = sd(...args)
      expect(status, args.join(' ')).toBe(125)
      expect(err).toContain(message)
      expect(err.trim().split('\n')).toHaveLength(1)
    }
    expect(sd('create', at('tiny.img'), '--size', '100').status).toBe(125)
  })
})

describeWith(['mcopy', 'fsck.fat'], 'what other programs say of it', () => {
  it.each([
    ['partitioned', [], 1 << 20],
    ['bare', ['--no-mbr'], 0],
  ])('fsck.fat finds nothing wrong and mtools reads the same: %s', (name, options, least) => {
    const image = at(`checked ${name}.img`)
    const tree = makeTree(`checked tree ${name}`)
    sd('create', image, ...options)
    sd('put', image, tree, '/tree')
    const first = readFileSync(image)
    const start = least > 0 ? first.readUInt32LE(0x1be + 8) * 512 : 0
    const bare = at(`volume ${name}.img`)
    writeFileSync(bare, first.subarray(start))
    expect(run(oracle('fsck.fat'), '-n', bare)).toMatch(/: \d+ files, /)
    expect(first.toString('latin1', start + 82, start + 87)).toBe('FAT32')
    run(oracle('mcopy'), '-i', bare, '::tree/deep/er/bytes.bin', at(`m ${name}`))
    expect(readFileSync(at(`m ${name}`))).toEqual(readFileSync(path.join(tree, 'deep/er/bytes.bin')))
    writeFileSync(at('from-mtools'), 'by mtools')
    run(oracle('mcopy'), '-i', `${image}@@${start}`, at('from-mtools'), '::FROM.TXT')
    sd('get', image, '/from.txt', at(`f ${name}`))
    expect(readFileSync(at(`f ${name}`), 'utf8')).toBe('by mtools')
  })
})
