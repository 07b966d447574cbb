import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { describeWith, oracle } from '../../testing/oracles.ts'
import { buildImage, type CachedProgram, type ImageResult, type ProgramConfiguration } from '../build.ts'
import { readElf } from '../elf/index.ts'
import { stripElf } from '../elf/strip.ts'

const KERNEL: ProgramConfiguration = { version: 1, kind: 'kernel', sources: ['kernel/main.ts', 'kernel/entry.S'] }
const FILES: Record<string, string> = {
  'kernel/main.ts': 'export function kernelMain(): i32 { return 0 }',
  'kernel/entry.S': '.globl _start\n_start: la a0, __root_start\n la a1, __root_end\n j _start\n',
  'user/answer.ts': 'export function answer(): i32 { return 42 }',
  'programs/one/pollen.json': '{ "version": 1, "kind": "program", "sources": ["main.ts"] }',
  'programs/one/main.ts': "import { answer } from '../../user/answer'\nexport function main(): i32 { return answer() }",
  'programs/two.c': '#include "user/two.h"\nint main(void) { return TWO; }',
  'user/two.h': '#define TWO 2',
  'etc/motd': 'welcome\n',
  'etc/more/deep.txt': 'deep',
}

function build(
  root: Record<string, string | string[]>,
  changes: Record<string, string> = {},
  programs = new Map<string, CachedProgram>(),
  tests = false,
) {
  const files = { ...FILES, ...changes }
  return buildImage({
    configuration: { ...KERNEL, root, tests: { '/test/two': 'programs/two.c' } },
    readFile: (path) => files[path],
    readBytes: (path) => (files[path] === undefined ? undefined : new TextEncoder().encode(files[path])),
    files: Object.keys(files).sort(),
    programs,
    tests,
  })
}

/** The archive in an image, by what cpio lists or extracts. */
function archiveOf({ elf, diagnostics }: ImageResult): Map<string, { mode: number; bytes: Uint8Array }> {
  expect(diagnostics).toEqual([])
  const { symbols, sections } = readElf(elf!)
  const address = (name: string) => symbols.find((symbol) => symbol.name === name)!.value
  const section = sections.find((candidate) => candidate.name === '.data')!
  const bytes = section.bytes.subarray(Number(address('__root_start') - section.address), Number(address('__root_end') - section.address))
  const entries = new Map<string, { mode: number; bytes: Uint8Array }>()
  for (let at = 0; ;) {
    const field = (index: number) => parseInt(Buffer.from(bytes.subarray(at + 6 + 8 * index, at + 14 + 8 * index)).toString(), 16)
    expect(Buffer.from(bytes.subarray(at, at + 6)).toString()).toBe('070701')
    const name = Buffer.from(bytes.subarray(at + 110, at + 109 + field(11))).toString()
    if (name === 'TRAILER!!!') return entries
    const start = (at + 110 + field(11) + 3) & ~3
    entries.set(name, { mode: field(1), bytes: bytes.subarray(start, start + field(6)) })
    at = (start + field(6) + 3) & ~3
  }
}

const ROOT = { '/bin/one': 'programs/one', '/bin/two': 'programs/two.c', '/bin/deux': ['programs/two.c'], '/etc': 'etc' }

describe('the root of an image', () => {
  test('holds programs, files and folders', async () => {
    const archive = archiveOf(await build(ROOT))
    expect([...archive].map(([name, { mode }]) => `${mode.toString(8)} ${name}`)).toEqual([
      '40755 bin',
      '100755 bin/deux',
      '100755 bin/one',
      '100755 bin/two',
      '40755 etc',
      '40755 etc/more',
      '100644 etc/more/deep.txt',
      '100644 etc/motd',
    ])
    expect(Buffer.from(archive.get('etc/motd')!.bytes).toString()).toBe('welcome\n')
    expect(archive.get('bin/two')!.bytes).toEqual(archive.get('bin/deux')!.bytes)
    const one = readElf(archive.get('bin/one')!.bytes)
    expect(one.symbols).toEqual([])
    expect(one.segments.some(({ vaddr, flags }) => flags.execute && vaddr === 0x10000n)).toBe(true)
  })

  test('holds the tests only when asked to', async () => {
    expect([...archiveOf(await build({ '/etc': 'etc' }, {}, new Map(), true)).keys()]).toContain('test/two')
    expect([...archiveOf(await build({ '/etc': 'etc' })).keys()]).not.toContain('test/two')
  })

  test('is made anew only where a source has changed', async () => {
    const programs = new Map<string, CachedProgram>()
    await build(ROOT, {}, programs)
    const before = new Map(programs)
    await build(ROOT, { 'user/answer.ts': 'export function answer(): i32 { return 43 }' }, programs)
    const changed = [...programs].filter(([key, program]) => before.get(key) !== program).map(([key]) => key)
    expect(changed).toHaveLength(1)
    expect(changed[0]).toContain('programs/one/main.ts')
  })

  test('tells mistakes with the path of the program', async () => {
    const { diagnostics, elf } = await build(ROOT, { 'programs/one/main.ts': 'export function main(): i32 {\n  return "x";\n}' })
    expect(elf).toBeUndefined()
    expect(diagnostics[0]).toMatchObject({ file: 'programs/one/main.ts', line: 2, severity: 'error' })
    const said = async (root: Record<string, string | string[]>, changes = {}) =>
      (await build(root, changes)).diagnostics.map(({ file, message }) => `${file}: ${message}`)
    expect(await said({ '/bin/x': 'programs/none' })).toEqual(['pollen.json: root: /bin/x: there is no file or folder programs/none'])
    expect(await said({ 'bin/x': 'programs/one' })).toEqual(['pollen.json: root: bin/x is no path from the root'])
    expect(await said({ '/a/../x': 'etc/motd' })).toEqual(['pollen.json: root: /a/../x is no path from the root'])
    expect(await said(ROOT, { 'programs/one/pollen.json': '{' })).toEqual([expect.stringContaining('programs/one/pollen.json: ')])
    const kernel = { 'programs/one/pollen.json': '{ "version": 1, "kind": "kernel", "sources": ["main.ts"] }' }
    expect(await said(ROOT, kernel)).toEqual(['programs/one/pollen.json: kind: kernel cannot be a file of the root; only a program can'])
  })

  test('belongs to kernels', async () => {
    const configuration: ProgramConfiguration = { version: 1, kind: 'program', sources: ['a.ts'], root: {} }
    const { diagnostics } = await buildImage({
      configuration,
      readFile: () => 'export function main(): i32 { return 0 }',
      readBytes: () => undefined,
      files: [],
    })
    expect(diagnostics.map(({ message }) => message)).toContain('root: only a kernel has a root file system')
  })
})

describeWith(['riscv64-unknown-elf-readelf', 'qemu-riscv64'], 'a program without its symbols', () => {
  test('is a file that other tools read, and runs', async () => {
    const { programs } = await build(ROOT)
    const folder = mkdtempSync(join(tmpdir(), 'pollen-strip-'))
    try {
      const path = join(folder, 'program')
      writeFileSync(path, stripElf(programs.find((program) => program.path === '/bin/one')!.elf), { mode: 0o755 })
      expect(execFileSync(oracle('riscv64-unknown-elf-readelf'), ['-lW', path], { encoding: 'utf8' })).toMatch(
        /LOAD +0x[0-9a-f]+000 0x0+10000 /,
      )
      expect(spawnSync(oracle('qemu-riscv64'), [path]).status).toBe(42)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
