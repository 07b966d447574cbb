/** Real firmware, unmodified: Debian's OpenSBI and U-Boot start on the board and use what its device tree offers. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDiskImage, type DiskImage } from '../backend/disk-image.ts'
import { describeWith, oracle } from '../testing/oracles.ts'
import { linkProgram, TestBoard, type TestBoardOptions } from '../testing/programs.ts'
import { boot, type BootFile } from './boot.ts'

const RAM_SIZE = 64 << 20

function file(name: Parameters<typeof oracle>[0]): BootFile {
  return { name, bytes: readFileSync(oracle(name)) }
}

/** What OpenSBI hands over to: says so on the SBI console and powers off (SBI 1.0, 5.2 and 5.9). */
const PAYLOAD = `
.globl _start
_start:
  li a0, 'S'
  li a7, 1
  ecall
  li a7, 8
  ecall
`

function startOpenSbi(kind: 'fw_jump' | 'fw_dynamic', harts: number): TestBoard {
  const run = new TestBoard({ harts, ramSize: RAM_SIZE })
  const payload = { name: 'payload', bytes: linkProgram(PAYLOAD, { origin: 0x8020_0000 }) }
  boot(run.board, { firmware: file(`opensbi/generic/${kind}.elf`), kernel: payload })
  return run
}

describeWith(['opensbi/generic/fw_jump.elf', 'opensbi/generic/fw_dynamic.elf'], 'OpenSBI', () => {
  for (const kind of ['fw_jump', 'fw_dynamic'] as const) {
    for (const harts of [1, 2, 4, 8]) {
      it(`${kind} accepts the device tree of a board of ${harts} and hands over to S-mode`, () => {
        const run = startOpenSbi(kind, harts)
        const result = run.run(1_000_000_000)
        const { text } = run
        const field = (name: string) => new RegExp(`^${name} *: (.*?)\\s*$`, 'm').exec(text)?.[1]
        expect(text).toMatch(/^OpenSBI v\d/m)
        expect(field('Platform Name')).toBe('riscv-virtio,pollen')
        expect(field('Platform HART Count')).toBe(String(harts))
        expect(field('Platform Console Device')).toBe('uart8250')
        expect(field('Platform IPI Device')).toBe('aclint-mswi')
        expect(field('Platform Timer Device')).toBe('aclint-mtimer @ 10000000Hz')
        expect(field('Platform Reboot Device')).toBe('sifive_test')
        expect(field('Platform Shutdown Device')).toBe('sifive_test')
        expect(field('Domain0 Next Address')).toBe('0x0000000080200000')
        expect(field('Domain0 Next Mode')).toBe('S-mode')
        expect(field('Boot HART ID')).toMatch(/^\d$/)
        expect(field('Boot HART Priv Version')).toBe('v1.12')
        expect(field('Boot HART Base ISA')).toBe('rv64imafdc')
        expect(field('Boot HART ISA Extensions')).toMatch(/time/)
        expect(field('Boot HART PMP Count')).toBe('16')
        expect(field('Boot HART PMP Granularity')).toBe('4')
        expect(field('Boot HART PMP Address Bits')).toBe('54')
        expect(field('Boot HART MIDELEG')).toBe('0x0000000000000222')
        expect(text).not.toMatch(/unknown|error|fail/i)
        expect(text.endsWith('S')).toBe(true)
        expect(result).toEqual({ kind: 'exit', status: 0 })
        expect(run.warnings).toEqual([])
      })
    }
  }
})

const PROMPT = '=> '
const CONTENT = 'read through virtio, FAT and U-Boot\n'

describeWith(['opensbi/generic/fw_jump.elf', 'u-boot/qemu-riscv64_smode/u-boot.bin', 'mkfs.fat', 'mcopy'], 'U-Boot on OpenSBI', () => {
  let directory: string
  let disk: DiskImage

  beforeAll(() => {
    directory = mkdtempSync(path.join(os.tmpdir(), 'pollen-boots-'))
    const image = path.join(directory, 'disk.img')
    writeFileSync(image, new Uint8Array(4 << 20))
    execFileSync(oracle('mkfs.fat'), ['-i', '12345678', image], { stdio: 'ignore' })
    writeFileSync(path.join(directory, 'known.txt'), CONTENT)
    execFileSync(oracle('mcopy'), ['-i', image, path.join(directory, 'known.txt'), '::known.txt'])
    disk = openDiskImage(image)
  })
  afterAll(() => {
    disk.close()
    rmSync(directory, { recursive: true })
  })

  function start(options: TestBoardOptions): TestBoard {
    const run = new TestBoard({ ramSize: RAM_SIZE, ...options })
    boot(run.board, { firmware: file('opensbi/generic/fw_jump.elf'), kernel: file('u-boot/qemu-riscv64_smode/u-boot.bin') })
    return run
  }

  /** Types a command at the prompt and returns what it printed. */
  function command(run: TestBoard, line: string): string {
    const from = run.text.length
    run.input.push(Buffer.from(`${line}\r`), run.machine.now)
    run.runUntilShown(`\n${PROMPT}`, from)
    return run.text.slice(from).replace(/\r/g, '')
  }

  /** Interrupts the countdown to autoboot. */
  function toPrompt(run: TestBoard): void {
    const at = run.runUntilShown('Hit any key to stop autoboot')
    run.input.push(Buffer.from(' '), run.machine.now)
    run.runUntilShown(PROMPT, at)
  }

  for (const harts of [1, 2]) {
    describe(`with ${harts} hart${harts > 1 ? 's' : ''}`, () => {
      let run: TestBoard
      beforeAll(() => {
        run = start({ harts, disks: [disk] })
        toPrompt(run)
      })

      it('comes to its prompt', () => {
        expect(run.text).toMatch(/U-Boot 20\d\d/)
        expect(run.text).toContain('DRAM:  64 MiB')
        expect(run.text).toMatch(/In: +serial@10000000/)
      })

      it('prints its version', () => expect(command(run, 'version')).toMatch(/U-Boot 20\d\d.*\n\n.*gcc/))

      it('finds the disk on virtio', () => {
        command(run, 'virtio scan')
        const info = command(run, 'virtio info')
        expect(info).toMatch(/Device 0: .*VirtIO Block Device/)
        expect(info).toContain('Capacity: 4.0 MB')
      })

      it('reads a sector', () => {
        expect(command(run, 'virtio read 0x81000000 0 1')).toContain('1 blocks read: OK')
        // The boot sector of a FAT file system: a jump, "mkfs.fat", 512 bytes a sector.
        expect(command(run, 'md.b 0x81000000 10')).toMatch(/eb 3c 90 6d 6b 66 73 2e 66 61 74 00 02/)
      })

      it('reads a file from a FAT file system', () => {
        expect(command(run, 'fatls virtio 0')).toMatch(new RegExp(`${CONTENT.length} +known.txt`))
        expect(command(run, 'load virtio 0 0x82000000 known.txt')).toContain(`${CONTENT.length} bytes read`)
        expect(command(run, 'md.b 0x82000000 10')).toContain('read through vir')
      })
    })
  }

  it('takes commands that were typed before it ran', () => {
    const run = start({ disks: [disk] })
    // The first byte ends the countdown.
    run.input.push(Buffer.from(' version\r'), 0)
    const at = run.runUntilShown('Hit any key to stop autoboot')
    run.runUntilShown('gcc', at)
  })
})
