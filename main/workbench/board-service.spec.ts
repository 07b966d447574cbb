import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { LAB, eventually, openWorkbench, phase } from '../testing.test-support.ts'

type Opened = Awaited<ReturnType<typeof openWorkbench>>
const options = { kind: 'virt', harts: 1, timing: 'rocket100', ramMiB: 32 } as const
let opened: Opened

afterEach(() => opened.close())

async function program(source: string): Promise<Opened['workbench']['handlers']> {
  opened = await openWorkbench()
  const description = { version: 1, kind: 'firmware', sources: ['main.S'], layout: 'bare', stack: 1024 }
  await writeFile(path.join(opened.folder, LAB, 'pollen.json'), JSON.stringify(description))
  await writeFile(path.join(opened.folder, LAB, 'main.S'), source)
  return opened.workbench.handlers
}

const COUNTER = `
        .globl  _start
_start: li      t0, 0
loop:   addi    t0, t0, 1
        la      t1, cell
        sd      t0, (t1)
        j       loop
        .data
        .balign 8
cell:   .dword  0
`

describe('a run', () => {
  it('shows text, charts and the exit status', async () => {
    opened = await openWorkbench(true)
    const { handlers } = opened.workbench
    const chart = eventually(opened.workbench, 'board.charts', ({ classes }) => classes.some((one) => one.class === 1 && one.count >= 10))
    await handlers['board.pace']({ paced: false })
    await handlers['board.start']({ lab: LAB, options })
    const [frame] = (await chart).classes
    expect(frame.p50).toBeGreaterThan(100)
    expect(frame.series.seconds.length).toBe(frame.series.p99.length)
    expect(frame.histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(frame.count)
    await handlers['board.input']({ text: 'q' })
    const { exit } = await eventually(opened.workbench, 'board.status', phase('stopped'))
    expect(exit).toBe(0)
    const { console: shown } = await handlers['board.attach']({})
    expect(shown.text).toContain('Hello from hart 0\nline 0001 ok\n')
    expect(shown.text).toContain('Good night\n')
    // A line's time is that of its first byte: line n begins about 20 ms after the one before.
    const at = (text: string) => shown.lines.find((line) => shown.text.startsWith(text, line.at))!.seconds
    expect(at('line 0003') - at('line 0002')).toBeCloseTo(0.02, 4)
  })

  it('gives an error and no board for a program that does not build', async () => {
    const handlers = await program('_start: nonsense a0\n')
    await expect(handlers['board.start']({ lab: LAB, options })).rejects.toMatchObject({ code: 'build-failed' })
    const result = await handlers['build.run']({ lab: LAB })
    expect(result.diagnostics).toMatchObject([{ file: 'main.S', line: 1, severity: 'error' }])
    expect((await handlers['board.attach']({})).status.phase).toBe('off')
  })

  it('says how much of it runs as compiled code', async () => {
    const handlers = await program(COUNTER)
    await handlers['board.pace']({ paced: false })
    await handlers['board.start']({ lab: LAB, options })
    // A loop of five instructions is compiled as a whole.
    const { compiled } = await eventually(opened.workbench, 'board.status', (status) => status.compiled > 0.9)
    expect(compiled).toBeLessThanOrEqual(1)
    expect((await handlers['board.pause']({})).compiled).toBe(0)
  })

  it('waits when the guest waits for input and nothing else can happen', async () => {
    const handlers = await program('.globl _start\n_start: wfi\n j _start\n')
    const idle = eventually(opened.workbench, 'board.status', phase('idle'))
    await handlers['board.start']({ lab: LAB, options })
    expect((await idle).phase).toBe('idle')
  })
})

describe('looking inside', () => {
  it('pauses, steps by instruction and by line, and continues', async () => {
    const handlers = await program(COUNTER)
    const paused = await handlers['board.start']({ lab: LAB, options, paused: true })
    expect(paused).toMatchObject({ phase: 'paused', stop: { pc: '0x80000000', file: 'main.S', line: 3 } })
    expect((await handlers['board.step']({ unit: 'instruction', hart: 0 })).stop).toMatchObject({ line: 4, reason: 'step' })
    // `la` is two instructions on one line.
    expect((await handlers['board.step']({ unit: 'line', hart: 0 })).stop).toMatchObject({ line: 5 })
    expect((await handlers['board.step']({ unit: 'line', hart: 0 })).stop).toMatchObject({ line: 6 })
    expect((await handlers['board.run']({})).phase).toBe('running')
    expect((await handlers['board.pause']({})).phase).toBe('paused')
  })

  it('stops at a breakpoint each time, and goes on from it', async () => {
    const handlers = await program(COUNTER)
    const set = await handlers['board.breakpoints']({ lab: LAB, breakpoints: [{ path: 'main.S', line: 6 }] })
    expect(set).toMatchObject([{ line: 6 }])
    for (const turn of [1, 2, 3]) {
      const hit = eventually(
        opened.workbench,
        'board.status',
        (status) => status.phase === 'paused' && status.stop?.reason === 'breakpoint',
      )
      if (turn === 1) await handlers['board.start']({ lab: LAB, options })
      else await handlers['board.run']({})
      expect((await hit).stop).toMatchObject({ file: 'main.S', line: 6 })
      const { integer } = await handlers['board.registers']({ hart: 0 })
      expect(integer.find(({ name }) => name === 't0')!.value).toBe(`0x${turn}`)
    }
  })

  it('says where no instruction comes from a line', async () => {
    const handlers = await program(COUNTER)
    await handlers['board.start']({ lab: LAB, options, paused: true })
    expect(await handlers['board.breakpoints']({ lab: LAB, breakpoints: [{ path: 'main.S', line: 8 }] })).toMatchObject([{ address: null }])
  })

  it('reads and writes registers and memory while paused, and only then', async () => {
    const handlers = await program(COUNTER)
    await handlers['board.start']({ lab: LAB, options, paused: true })
    const file = await handlers['board.writeRegister']({ hart: 0, name: 't0', value: '0x41' })
    expect(file.integer.find(({ name }) => name === 't0')!.value).toBe('0x41')
    expect(file.privilege).toBe('M')
    await expect(handlers['board.writeRegister']({ hart: 0, name: 'nonsense', value: '0x0' })).rejects.toThrow('cannot be written')
    await handlers['board.writeMemory']({ hart: 0, address: '0x80200000', bytes: [1, 2, 3] })
    expect((await handlers['board.memory']({ hart: 0, address: '0x80200000', length: 4 })).bytes).toEqual([1, 2, 3, 0])
    expect((await handlers['board.memory']({ hart: 0, address: '0x10000000', length: 1 })).bytes).toEqual([null])
    await expect(handlers['board.writeMemory']({ hart: 0, address: '0x1000', bytes: [1] })).rejects.toThrow('not RAM')
    await expect(handlers['board.registers']({ hart: 5 })).rejects.toThrow('no hart 5')
    await handlers['board.run']({})
    await expect(handlers['board.writeRegister']({ hart: 0, name: 't0', value: '0x1' })).rejects.toThrow('pause the board first')
  })

  it('runs what was written into code', async () => {
    const handlers = await program(COUNTER)
    await handlers['board.start']({ lab: LAB, options, paused: true })
    // j . in place of the first instruction
    await handlers['board.writeMemory']({ hart: 0, address: '0x80000000', bytes: [0x6f, 0, 0, 0] })
    await handlers['board.step']({ unit: 'instruction', hart: 0 })
    expect((await handlers['board.registers']({ hart: 0 })).pc).toBe('0x80000000')
  })
})

describe('a crash of the board’s thread', () => {
  it('is shown with its reason, and a new run starts', async () => {
    const handlers = await program(COUNTER)
    await handlers['board.start']({ lab: LAB, options })
    const crashed = eventually(opened.workbench, 'board.status', phase('crashed'))
    await opened.workbench.board.crashForTest()
    expect((await crashed).crash).toContain('its thread ended with status 1')
    await expect(handlers['board.pause']({})).rejects.toMatchObject({ code: 'board-off' })
    expect((await handlers['board.start']({ lab: LAB, options })).phase).toBe('running')
  })
})
