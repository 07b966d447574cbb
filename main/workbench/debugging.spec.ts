/** A board as a debugger drives it: steps over and out, the call stack, watchpoints, page tables, interrupts, snapshots. */
import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { LAB, eventually, openWorkbench, phase } from '../testing.test-support.ts'

type Opened = Awaited<ReturnType<typeof openWorkbench>>
type Handlers = Opened['workbench']['handlers']
const options = { kind: 'virt', harts: 1, timing: 'rocket100', ramMiB: 32 } as const
let opened: Opened

afterEach(() => opened.close())

async function paused(file: string, source: string): Promise<Handlers> {
  opened = await openWorkbench()
  const folder = path.join(opened.folder, LAB)
  await rm(path.join(folder, 'main.S'))
  await writeFile(path.join(folder, 'pollen.json'), JSON.stringify({ version: 1, kind: 'firmware', sources: [file], stack: 4096 }))
  await writeFile(path.join(folder, file), source)
  const { handlers } = opened.workbench
  await handlers['board.start']({ lab: LAB, options, paused: true })
  return handlers
}

const CALLS = `        .globl  _start
_start: la      sp, __stack_top
        li      a0, 5
        call    count
        la      t0, cell
        sd      a0, (t0)
        j       .
count:  addi    sp, sp, -16
        sd      ra, 8(sp)
        beqz    a0, 1f
        addi    a0, a0, -1
        call    count
1:      call    leaf
        ld      ra, 8(sp)
        addi    sp, sp, 16
        ret
leaf:   addi    a1, a1, 1
        ret
        .data
        .balign 8
cell:   .dword  0
`

async function runToLine(handlers: Handlers, file: string, line: number): Promise<void> {
  await handlers['board.breakpoints']({ lab: LAB, breakpoints: [{ path: file, line }] })
  const stopped = eventually(opened.workbench, 'board.status', phase('paused'))
  await handlers['board.run']({})
  await stopped
}

const lineOf = async (answer: Promise<{ stop?: { line?: number } }>) => (await answer).stop?.line

describe('steps', () => {
  it('go over a call that calls itself, into it, and out of it', async () => {
    const handlers = await paused('main.S', CALLS)
    const step = (unit: 'line' | 'over' | 'out') => lineOf(handlers['board.step']({ unit, hart: 0 }))
    expect([await step('over'), await step('over')]).toEqual([3, 4])
    expect(await step('line')).toBe(8)
    for (const line of [9, 10, 11, 12]) expect(await step('over')).toBe(line)
    const leaves = async () => Number((await handlers['board.registers']({ hart: 0 })).integer.find(({ name }) => name === 'a1')!.value)
    const before = await leaves()
    // Five calls deep and back: the return address is passed on the way.
    expect(await step('over')).toBe(13)
    expect(await leaves()).toBe(before + 5)
    expect(await step('line')).toBe(17)
    expect(await step('out')).toBe(14)
  })

  it('over a call without end can be given up, and a breakpoint inside ends it', async () => {
    const handlers = await paused('main.S', '.globl _start\n_start: call hang\n nop\nhang: addi t0, t0, 1\n j hang\n')
    const running = await handlers['board.step']({ unit: 'over', hart: 0 })
    expect(running.phase).toBe('running')
    expect((await handlers['board.pause']({})).stop).toMatchObject({ reason: 'pause' })
    await handlers['board.start']({ lab: LAB, options, paused: true })
    await handlers['board.breakpoints']({ lab: LAB, breakpoints: [{ path: 'main.S', line: 5 }] })
    const stopped = eventually(opened.workbench, 'board.status', phase('paused'))
    await handlers['board.step']({ unit: 'over', hart: 0 })
    expect((await stopped).stop).toMatchObject({ line: 5, reason: 'breakpoint' })
  })
})

describe('the call stack', () => {
  it('has the functions, lines and variables of a program in TypeScript', async () => {
    const source = `let sink: u64 = 0
@inline(never)
function inner(depth: u64): u64 {
  if (depth == 0) { sink = 77; return 1 }
  return inner(depth - 1) + depth
}
export function main(): i32 {
  sink = inner(3)
  return <i32>sink
}
`
    const handlers = await paused('main.ts', source.replace('@inline(never)\n', ''))
    await runToLine(handlers, 'main.ts', 3)
    const frames = await handlers['board.stack']({ hart: 0 })
    expect(frames.map((frame) => frame.function).join(' ')).toMatch(/inner main/)
    expect(frames.find((frame) => /main$/.test(frame.function))).toMatchObject({ file: 'main.ts', line: 7, guessed: false })
    expect(frames[0].variables.map(({ name }) => name)).toContain('depth')
  })

  it('says of assembly what the return address register says', async () => {
    const handlers = await paused('main.S', CALLS)
    await runToLine(handlers, 'main.S', 17)
    expect(await handlers['board.stack']({ hart: 0 })).toMatchObject([
      { function: 'leaf', line: 17, guessed: false },
      { function: 'count', line: 13, guessed: true },
    ])
  })
})

describe('watchpoints', () => {
  it('stop before the access, name the address, and outlive a run', async () => {
    const handlers = await paused('main.S', CALLS)
    await runToLine(handlers, 'main.S', 6)
    const cell = (await handlers['board.registers']({ hart: 0 })).integer.find(({ name }) => name === 't0')!.value
    await handlers['board.breakpoints']({ lab: LAB, breakpoints: [] })
    await handlers['board.watchpoints']({ watchpoints: [{ address: cell, length: 8, access: 'write' }] })
    for (const _run of [1, 2]) {
      await handlers['board.start']({ lab: LAB, options, paused: true })
      const stopped = eventually(opened.workbench, 'board.status', phase('paused'))
      await handlers['board.run']({})
      expect((await stopped).stop).toMatchObject({ line: 6, reason: 'watchpoint', address: cell })
      expect((await handlers['board.memory']({ hart: 0, address: cell, length: 1 })).bytes).toEqual([0])
    }
  })
})

describe('views', () => {
  it('walk page tables level by level', async () => {
    const handlers = await paused(
      'main.S',
      `        .globl  _start
_start: li      t0, -1                  # the physical memory is open to S
        csrw    pmpaddr0, t0
        li      t0, 0x1f
        csrw    pmpcfg0, t0
        la      t0, table
        srli    t0, t0, 12
        li      t1, 8 << 60
        or      t0, t0, t1
        csrw    satp, t0
        li      t0, 0x800
        csrs    mstatus, t0
        la      t0, there
        csrw    mepc, t0
        mret
there:  j       there
        .data
        .balign 4096
table:  .zero   16
        .dword  0x20000000 | 0xcf       # 0x80000000, a gigapage
        .zero   4096 - 24
`,
    )
    expect(await handlers['board.walk']({ hart: 0, address: '0x80001234' })).toMatchObject({ mode: 'bare', physical: '0x80001234' })
    await runToLine(handlers, 'main.S', 16)
    expect(await handlers['board.walk']({ hart: 0, address: '0x80001234' })).toMatchObject({
      mode: 'sv39',
      levels: [{ level: 2, index: 2, entry: '0x200000cf', flags: 'DA--XWRV', target: '0x80000000' }],
      physical: '0x80001234',
      pageSize: 1 << 30,
      problem: null,
    })
    expect((await handlers['board.walk']({ hart: 0, address: '0x1000' })).problem).toBe('the entry is not valid')
  })

  it('show what the interrupt controllers hold', async () => {
    const handlers = await paused(
      'main.S',
      `        .globl  _start
_start: li      t0, 0x0c000000
        li      t1, 3
        sw      t1, 40(t0)              # priority of source 10
        li      t2, 0x400
        li      t3, 0x0c002000
        sw      t2, (t3)                # enabled for M of hart 0
        li      t4, 0x02004000
        li      t5, 12345
        sd      t5, (t4)
stop:   j       stop
`,
    )
    await runToLine(handlers, 'main.S', 11)
    const view = await handlers['board.interrupts']({})
    expect(view.sources.find(({ name }) => name === 'uart')).toMatchObject({ number: 10, priority: 3, pending: false, enabled: ['h0 M'] })
    expect(view.contexts.map(({ name }) => name)).toEqual(['h0 M', 'h0 S'])
    expect(view.harts).toEqual([{ software: false, timerCompare: '0x3039' }])
  })
})

describe('a snapshot', () => {
  it('brings registers, memory and time back, as often as wanted', async () => {
    const handlers = await paused('main.S', CALLS)
    await expect(handlers['board.restore']({})).rejects.toMatchObject({ code: 'bad-request' })
    await handlers['board.step']({ unit: 'over', hart: 0 })
    await handlers['board.step']({ unit: 'over', hart: 0 })
    const kept = await handlers['board.snapshot']({})
    expect(kept.snapshot).toBe(kept.seconds)
    for (const _turn of [1, 2]) {
      await handlers['board.step']({ unit: 'over', hart: 0 })
      await handlers['board.step']({ unit: 'over', hart: 0 })
      const back = await handlers['board.restore']({})
      expect(back).toMatchObject({ phase: 'paused', cycles: kept.cycles, stop: { line: 4, reason: 'restore' } })
      const { integer } = await handlers['board.registers']({ hart: 0 })
      expect(integer.find(({ name }) => name === 'a0')?.value).toBe('0x5')
    }
    await handlers['board.stop']({})
    expect((await handlers['board.attach']({})).status.snapshot).toBeUndefined()
  })
})
