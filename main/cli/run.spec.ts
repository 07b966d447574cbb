/** `pollen run` as its users call it: a process with arguments, standard streams and an exit status. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { LoadError, loadProgram } from '../../machine/board/loader.ts'
import { assemble } from '../../machine/toolchain/assembler/index.ts'
import { flatLayout, link } from '../../machine/toolchain/link/index.ts'

const directory = mkdtempSync(path.join(os.tmpdir(), 'pollen-run-'))
afterAll(() => rmSync(directory, { recursive: true }))
const command = path.join(import.meta.dirname, '../../dist/pollen.js')

function pollen(args: string[], input?: string): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], { input: input ?? '', encoding: 'utf8' })
  return { status, out: stdout, err: stderr }
}

let programs = 0

/** Assembles a program for RAM's base and writes it to a file. */
function program(source: string): string {
  const { object, diagnostics } = assemble(`.globl _start\n_start:\n${source}`, { file: 'test.s' })
  if (!object) throw new Error(diagnostics.map(({ line, message }) => `${line}: ${message}`).join('\n'))
  const file = path.join(directory, `program${programs++}.elf`)
  writeFileSync(file, link([object], flatLayout(0x8000_0000n)).elf)
  return file
}

const UART = 'li s0, 0x10000000\n'
const PRINT = `
print:
  lbu t0, 0(a0)
  beqz t0, 1f
  sb t0, 0(s0)
  addi a0, a0, 1
  j print
1: ret
`
const finish = (status: number) =>
  `li t0, 0x100000\nli t1, ${status === 0 ? '0x5555' : `0x3333 | ${status} << 16`}\nsw t1, 0(t0)\n9: j 9b\n`
const say = (text: string, status = 0) =>
  program(`${UART}la a0, text\ncall print\n${finish(status)}${PRINT}\n.data\ntext: .asciz "${text}"`)
const forever = () => program('1: j 1b')

describe('the exit status of pollen run', () => {
  it("is the guest's own: the test finisher", () => {
    expect(pollen(['run', say('hello\\n')])).toMatchObject({ status: 0, out: 'hello\n' })
    expect(pollen(['run', say('no', 7)])).toMatchObject({ status: 7, out: 'no' })
  })

  it("is the guest's own: HTIF tohost, and what it prints by HTIF", () => {
    const htif = program(`
      la t0, tohost
      li t1, 0x0101000000000041
      sd t1, 0(t0)
    1: ld t1, 0(t0)
      bnez t1, 1b
      li t1, 5 << 1 | 1
      sd t1, 0(t0)
    2: j 2b
      .data
      .globl tohost, fromhost
      .balign 64
    tohost: .dword 0
    fromhost: .dword 0`)
    expect(pollen(['run', htif, '--timeout', '1'])).toMatchObject({ status: 5, out: 'A' })
  })

  it('is 0 once everything expected was seen, 1 when the guest ends without it', () => {
    expect(pollen(['run', say('one two'), '--expect', 'one', '--expect', 'two']).status).toBe(0)
    const unmet = pollen(['run', say('one'), '--expect', 'three'])
    expect(unmet.status).toBe(1)
    expect(unmet.err).toContain('"three"')
  })

  it('is 1 when a text to fail on is seen, whatever the guest says', () => {
    expect(pollen(['run', say('panic: oh'), '--fail-on', 'panic']).status).toBe(1)
  })

  it('is 124 at a limit of virtual time, of instructions, of the wall clock', () => {
    expect(pollen(['run', forever(), '--timeout', '0.01'])).toMatchObject({
      status: 124,
      err: expect.stringContaining('time limit') as string,
    })
    expect(pollen(['run', forever(), '--max-instructions', '1000']).status).toBe(124)
    expect(pollen(['run', forever(), '--wall-timeout', '0.2']).status).toBe(124)
    expect(pollen(['run', program('1: wfi\nj 1b'), '--timeout', '5']).status).toBe(124)
  })
})

describe('the firmware', () => {
  const supervisor = () => {
    const { object } = assemble('.globl _start\n_start: li a0, 83\nli a7, 1\necall\nli a7, 8\necall\n', { file: 'test.s' })
    const file = path.join(directory, `program${programs++}.elf`)
    writeFileSync(file, link([object!], flatLayout(0x8020_0000n)).elf)
    return file
  }

  it('is built in for a kernel that does not start at the base of RAM', () => {
    expect(pollen(['run', supervisor()])).toMatchObject({ status: 0, out: 'S', err: '' })
  })

  it('is built in when asked for, for a payload that is only loaded', () => {
    const payload = path.join(directory, 'payload.bin')
    // li a7, 8; ecall
    writeFileSync(payload, Buffer.from('9308800073000000', 'hex'))
    expect(pollen(['run', '--bios', 'builtin', '--load', `${payload}@0x80200000`])).toMatchObject({ status: 0, err: '' })
  })

  it('is left out when asked for none', () => {
    const { status, err } = pollen(['run', supervisor(), '--bios', 'none', '--timeout', '0.001'])
    expect({ status, err }).toMatchObject({ status: 124, err: expect.stringContaining('limit') as string })
  })
})

describe('bad arguments and files are one line on stderr and status 125', () => {
  const text = () => {
    const file = path.join(directory, 'text.txt')
    writeFileSync(file, 'not a program')
    return file
  }
  const cases: [string, () => string[]][] = [
    ['no kernel', () => ['run']],
    ['a missing kernel', () => ['run', path.join(directory, 'missing')]],
    ['a directory', () => ['run', directory]],
    ['an empty file', () => ['run', '/dev/null']],
    ['a load outside of RAM', () => ['run', forever(), '--load', `${text()}@0x1000`]],
    ['loads over each other', () => ['run', forever(), '--load', `${text()}@0x80000000`]],
    ['a device tree that is none', () => ['run', forever(), '--dtb', text()]],
    ['a missing disk', () => ['run', forever(), '--disk', path.join(directory, 'missing.img')]],
    ['a fault of a card that is not there', () => ['run', forever(), '--sd-fault', 'crc']],
    ['an empty disk', () => ['run', forever(), '--disk', '/dev/null']],
    ['a kernel where the firmware is', () => ['run', forever(), '--bios', 'builtin']],
  ]
  it.each(cases)('%s', (_, args) => {
    const { status, err, out } = pollen(args())
    expect(status).toBe(125)
    expect(out).toBe('')
    expect(err.trim().split('\n')).toHaveLength(err.includes('(pollen help') ? 2 : 1)
  })

  it.each([
    ['--harts', '9'],
    ['--harts', 'two'],
    ['--ram', '12'],
    ['--ram', '64Q'],
    ['--ext', 'uintc'],
    ['--ext', 'v'],
    ['--timing', 'fast'],
    ['--load', 'file'],
    ['--seed', 'x'],
    ['--sd-fault', 'fire'],
    ['--timeout', '-1'],
    ['--board', 'k211'],
    ['--engine', 'fast'],
    ['--net', 'user'],
    ['--gdb', '1234'],
    ['--record', 'f'],
    ['--replay', 'f'],
    ['--nonsense', 'f'],
  ])('%s %s', (option, value) => {
    expect(pollen(['run', forever(), option, value]).status).toBe(125)
  })

  it.each([
    ['--ram', '16M'],
    ['--append', 'x'],
    ['--disk', '/dev/null'],
    ['--ext', 'n'],
    ['--harts', '3'],
  ])('%s %s on a K210', (option, value) => {
    const { status, err } = pollen(['run', forever(), '--board', 'k210', option, value])
    expect(status).toBe(125)
    expect(err).toMatch(new RegExp(`^pollen: ${option}.*the k210 board|^pollen: ${option}.*K210`))
  })

  it('what is not available yet says so and is not in the help', () => {
    expect(pollen(['run', forever(), '--net', 'user']).err).toContain('not available yet')
    const help = pollen(['run', '--help'])
    expect(help.status).toBe(0)
    expect(help.out).not.toMatch(/--net|--gdb|--record|--replay/)
  })

  it('a damaged ELF file is a LoadError, whatever the damage', () => {
    const bytes = readFileSync(say('x'))
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.nat(bytes.length), (at, value, length) => {
        const damaged = Uint8Array.from(bytes).subarray(0, length)
        if (at < length) damaged[at] = value
        try {
          loadProgram('damaged', damaged, 0x8000_0000)
        } catch (error) {
          expect(error).toBeInstanceOf(LoadError)
        }
      }),
      { numRuns: 2000 },
    )
  })
})

describe('pollen run', () => {
  it('runs images on a K210, raw or ELF, and starts anew when the chip resets itself', () => {
    const image = path.join(directory, 'k210.bin')
    const elf = program(
      `csrr t0, mhartid
      1: bnez t0, 1b
      li s0, 0x38000000
      li t0, 1
      sw t0, 8(s0)
      li t1, 0x50440060
      lw t1, 0(t1)
      srli t1, t1, 4
      andi t1, t1, 1
      addi t1, t1, 'A'
      sw t1, 0(s0)
      li t2, 20000
      2: addi t2, t2, -1
      bnez t2, 2b
      li t1, 0x50440030
      sw t0, 0(t1)
      j .`,
    )
    writeFileSync(image, loadProgram(elf, readFileSync(elf), 0x8000_0000).placements[0].bytes)
    for (const kernel of [image, elf])
      expect(pollen(['run', kernel, '--board', 'k210', '--expect', 'ABB', '--timeout', '1'])).toMatchObject({ status: 0 })
  })

  const echo = () =>
    program(`${UART}
    1: lbu t0, 5(s0)
      andi t0, t0, 1
      beqz t0, 1b
      lbu t1, 0(s0)
      sb t1, 0(s0)
      li t2, 'q'
      bne t1, t2, 1b
      ${finish(0)}`)

  it('hands standard input to the guest', () => {
    expect(pollen(['run', echo(), '--timeout', '1'], 'abcq').out).toBe('abcq')
  })

  it('repeats itself: the same input file, the same trace hash and counters', () => {
    const input = path.join(directory, 'input.txt')
    writeFileSync(input, 'hello q')
    const kernel = echo()
    const once = (name: string) => {
      const stats = path.join(directory, name)
      const trace = path.join(directory, `${name}.trace`)
      const shell = spawnSync('sh', [
        '-c',
        `"${process.execPath}" "${command}" run "${kernel}" --stats "${stats}" --trace "${trace}" < "${input}"`,
      ])
      expect(shell.status).toBe(0)
      const { instructions, cycles, virtualSeconds, traceHash } = JSON.parse(readFileSync(stats, 'utf8')) as Record<string, unknown>
      expect(JSON.parse(readFileSync(trace, 'utf8'))).toHaveProperty('traceEvents')
      return { instructions, cycles, virtualSeconds, traceHash }
    }
    const first = once('a.json')
    expect(first.instructions).toBeGreaterThan(100)
    expect(once('b.json')).toEqual(first)
  })

  it('puts files where --load says', () => {
    const data = path.join(directory, 'data.bin')
    writeFileSync(data, 'loaded\0')
    const kernel = program(`${UART}li a0, 0x80010000\ncall print\n${finish(0)}${PRINT}`)
    expect(pollen(['run', kernel, '--load', `${data}@0x80010000`]).out).toBe('loaded')
  })

  it('starts every hart with its number in a0 and a device tree in a1', () => {
    const kernel = program(`
      lwu t0, 0(a1)
      li t1, 0xedfe0dd0
      bne t0, t1, bad
      la t3, seen
      li t4, 1
      sll t4, t4, a0
      amoor.w x0, t4, (t3)
      bnez a0, park
    1: lw t4, 0(t3)
      li t5, 7
      bne t4, t5, 1b
      ${finish(0)}
    park: wfi
      j park
    bad: ${finish(3)}
      .data
      .balign 8
    seen: .word 0`)
    expect(pollen(['run', kernel, '--harts', '3', '--timeout', '0.01']).status).toBe(0)
    expect(pollen(['run', kernel, '--harts', '2', '--timeout', '0.01']).status).toBe(124)
  })

  it('starts over when the guest asks for a reset', () => {
    const kernel = program(`${UART}li t0, 'b'\nsb t0, 0(s0)\nli t0, 0x100000\nli t1, 0x7777\nsw t1, 0(t0)\n1: j 1b`)
    const { status, out } = pollen(['run', kernel, '--max-instructions', '2000'])
    expect(status).toBe(124)
    expect(out.length).toBeGreaterThan(2)
    expect(new Set(out)).toEqual(new Set('b'))
  })

  it('never writes to an image without --write-back', () => {
    const image = path.join(directory, 'disk.img')
    writeFileSync(image, new Uint8Array(4096))
    const before = statSync(image).mtimeMs
    expect(pollen(['run', say('x'), '--disk', image]).status).toBe(0)
    expect(statSync(image).mtimeMs).toBe(before)
  })
})
