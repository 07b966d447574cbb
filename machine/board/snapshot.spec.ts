/** A machine saved and resumed goes on as if nothing had happened. */
import { expect, it, describe } from 'vitest'
import fc from 'fast-check'
import { ConsoleStream } from '../backend/console.ts'
import { memoryImage } from '../backend/disk-image.ts'
import { describeWith, oracle } from '../testing/oracles.ts'
import { testHartModule } from '../testing/hart-module.ts'
import { boardTraceKinds } from '../trace/kinds.ts'
import { boot } from './boot.ts'
import { SnapshotError, decodeSnapshot, encodeSnapshot, restoreSnapshot, takeSnapshot } from './snapshot.ts'
import { VirtBoard, type VirtOptions } from './virt.ts'
import { readFileSync } from 'node:fs'

function makeBoard(options: Partial<VirtOptions> = {}): { board: VirtBoard; text: () => string } {
  const sent: Uint8Array[] = []
  const console = new ConsoleStream((bytes) => sent.push(bytes))
  const disks = [memoryImage(new Uint8Array(1 << 20).fill(7))]
  const board = new VirtBoard({ hartModule: testHartModule(), ramSize: 64 << 20, console, disks, ...options })
  board.machine.trace.enable(boardTraceKinds)
  return { board, text: () => (console.flush(), Buffer.concat(sent).toString()) }
}

describeWith(['opensbi/generic/fw_jump.elf', 'u-boot/qemu-riscv64_smode/u-boot.bin'], 'a snapshot of a boot', () => {
  const files = () => ({
    firmware: { name: 'fw_jump', bytes: readFileSync(oracle('opensbi/generic/fw_jump.elf')) },
    kernel: { name: 'u-boot', bytes: readFileSync(oracle('u-boot/qemu-riscv64_smode/u-boot.bin')) },
  })
  const END = 60_000_000

  it.each([
    { harts: 1, timing: 'ideal' },
    { harts: 2, timing: 'rocket100' },
  ] as const)('resumes on $harts harts with $timing timing: same console, same trace hash', ({ harts, timing }) => {
    const whole = makeBoard({ harts, timing })
    boot(whole.board, files())
    whole.board.machine.run(END)

    const first = makeBoard({ harts, timing })
    boot(first.board, files())
    first.board.machine.run(END * 0.37)
    const before = first.text()
    const file = encodeSnapshot(takeSnapshot(first.board))

    const second = makeBoard({ harts, timing })
    restoreSnapshot(second.board, decodeSnapshot(file))
    second.board.machine.run(END)
    expect(before + second.text()).toBe(whole.text())
    expect(second.board.machine.trace.hash).toBe(whole.board.machine.trace.hash)
    expect(second.board.machine.retired).toBe(whole.board.machine.retired)
    expect(whole.text()).toContain('OpenSBI')
  })
})

describe('a snapshot file', () => {
  const file = () => encodeSnapshot(takeSnapshot(makeBoard({ ramSize: 1 << 20 }).board))

  it('of another machine is refused', () => {
    const snapshot = takeSnapshot(makeBoard({ ramSize: 1 << 20 }).board)
    expect(() => restoreSnapshot(makeBoard({ ramSize: 2 << 20 }).board, snapshot)).toThrow(SnapshotError)
  })

  it('of another version is refused by number', () => {
    const bytes = file()
    bytes[8] = 99
    expect(() => decodeSnapshot(bytes)).toThrow(/version 99/)
  })

  it('that is cut short or damaged anywhere is one clear error', () => {
    const bytes = file()
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, change, cut) => {
        const damaged = cut ? bytes.slice(0, at) : bytes.slice()
        if (!cut) damaged[at] ^= change
        expect(() => decodeSnapshot(damaged)).toThrow(SnapshotError)
      }),
      { numRuns: 50 },
    )
  })
})
