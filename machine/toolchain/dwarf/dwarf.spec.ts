import { writeFileSync } from 'node:fs'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describeWith, oracle } from '../../testing/oracles.ts'
import { runTool, withScratch } from '../assembler/gnu.test-support.ts'
import { assemble } from '../assembler/index.ts'
import { ElfError, readElf, readObject } from '../elf/index.ts'
import { flatLayout, link } from '../link/index.ts'
import type { ObjectDebug, ObjectFile } from '../object.ts'
import { DwarfError, readDebugInfo, type MachineState } from './index.ts'

const source = `.globl _start
_start: la sp, __stack_top
 call f
1: j 1b
f: .cfi_startproc
 addi sp, sp, -16
 .cfi_def_cfa_offset 16
 sd ra, 8(sp)
 .cfi_offset ra, -8
 call g
 ld ra, 8(sp)
 .cfi_restore ra
 addi sp, sp, 16
 .cfi_def_cfa_offset 0
 ret
 .cfi_endproc
g: li a0, 42
 li a1, 5
 ret
.bss
.globl counter
counter: .space 24
`

/** An object with everything the writer can say. */
function described(): ObjectFile {
  const { object } = assemble(source, { file: 'demo.s' })
  const int = { kind: 'base', name: 'int', encoding: 'signed', size: 4 } as const
  const debug: ObjectDebug = {
    language: 'typescript',
    file: 'demo.s',
    types: [
      int,
      {
        kind: 'struct',
        name: 'task',
        size: 24,
        members: [
          { name: 'state', offset: 0, type: 0 },
          { name: 'next', offset: 8, type: 2 },
          { name: 'colour', offset: 16, type: 4 },
        ],
      },
      { kind: 'pointer', target: 1, size: 8 },
      { kind: 'array', element: 0, count: 4 },
      { kind: 'enumeration', name: 'colour', size: 4, values: [{ name: 'red', value: -1 }] },
      { kind: 'typedef', name: 'Task', target: 1 },
    ],
    functions: [
      {
        name: 'g',
        section: '.text',
        offset: object!.symbols.find((symbol) => symbol.name === 'g')!.value,
        size: 8,
        file: 'demo.s',
        line: 17,
        external: false,
        returnType: 0,
        parameters: [{ name: 'x', type: 0, line: 17, location: [{ start: 0, end: 4, location: { kind: 'register', register: 10 } }] }],
        locals: [
          { name: 'k', type: 0, location: { kind: 'constant', value: -7 } },
          { name: 'slot', type: 3, location: { kind: 'frame', offset: -16 } },
          { name: 'based', type: 0, location: { kind: 'based', register: 2, offset: 24 } },
          { name: 'far', type: 0, location: { kind: 'register', register: 42 } },
        ],
      },
    ],
    variables: [{ name: 'counter', type: 5, location: { kind: 'symbol', symbol: 'counter', offset: 0 } }],
    frames: [
      ...object!.debug!.frames,
      {
        section: '.text',
        offset: object!.symbols.find((symbol) => symbol.name === 'g')!.value,
        size: 8,
        rows: [{ offset: 0, cfa: { register: 2, offset: 0 }, saved: [] }],
      },
    ],
  }
  return { ...object!, debug }
}

function program(): Uint8Array {
  const { elf, diagnostics } = link([described()], flatLayout(0xffffffff80200000n, { load: 0x80000000n, stack: 4096 }))
  expect(diagnostics).toEqual([])
  return elf
}

function machine(registers: Record<number, bigint>, memory: Record<string, bigint> = {}): MachineState {
  return { register: (number) => registers[number], readMemory: (address) => memory[address.toString(16)] }
}

describe('debug information of our own programs', () => {
  const elf = readElf(program())
  const info = readDebugInfo(elf)
  const g = info.functions[0].ranges[0].start

  it('maps addresses to lines and lines to addresses', () => {
    expect(info.files()).toEqual(['demo.s'])
    expect(info.lineAt(g)).toEqual({ file: 'demo.s', line: 17, column: 4 })
    expect(info.lineAt(g + 2n)?.line).toBe(17)
    expect(info.addressesOf('demo.s', 17)).toEqual([g])
    expect(info.addressesOf('src/demo.s', 17)).toEqual([g])
    expect(info.addressesOf('other.s', 17)).toEqual([])
    expect(info.lineAt(g - 0x1000n)).toBeUndefined()
    expect(info.lineAt(g + 0x1000n)).toBeUndefined()
  })

  it('names functions and tells where their variables are', () => {
    expect(info.functionAt(g + 4n)).toMatchObject({
      name: 'g',
      position: { file: 'demo.s', line: 17 },
      returnType: { kind: 'base', name: 'int' },
    })
    const state = machine({ 2: 0x1000n })
    const places = (pc: bigint) =>
      Object.fromEntries(
        info
          .functionAt(pc)!
          .variablesAt(pc)
          .map((variable) => [variable.name, variable.locate(pc, state)]),
      )
    expect(places(g)).toEqual({
      x: { kind: 'register', register: 10 },
      k: { kind: 'constant', value: BigInt.asUintN(64, -7n) },
      slot: { kind: 'memory', address: 0xff0n },
      based: { kind: 'memory', address: 0x1018n },
      far: { kind: 'register', register: 42 },
    })
    expect(places(g + 4n).x).toBeUndefined()
  })

  it('gives types, also those that refer to themselves', () => {
    const [counter] = info.globals
    expect(counter.locate(0n, machine({}))).toEqual({
      kind: 'memory',
      address: elf.symbols.find((symbol) => symbol.name === 'counter')!.value,
    })
    const type = counter.type!
    if (type.kind !== 'struct') throw new Error('not a struct')
    expect(type.members().map(({ name, offset }) => [name, offset])).toEqual([
      ['state', 0],
      ['next', 8],
      ['colour', 16],
    ])
    const next = type.members()[1].type!
    expect(next.kind === 'pointer' && next.target()).toBe(type)
    expect(type.members()[2].type).toMatchObject({ kind: 'enumeration', values: [{ name: 'red' }] })
  })

  it('unwinds through frames that are half built', () => {
    const call = info.addressesOf('demo.s', 10)[0]
    const frames = info.unwind(g, machine({ 1: call + 8n, 2: 0x1000n }, { '1008': 0xffffffff80200010n }))
    expect(frames.map((frame) => [frame.pc, frame.cfa])).toEqual([
      [g, 0x1000n],
      [call + 8n, 0x1010n],
      [0xffffffff80200010n, undefined],
    ])
    expect(frames[1].position?.line).toBe(10)
    expect(frames[2].position?.line).toBe(3)
    expect(frames[2].register(2)).toBe(0x1010n)
  })

  it('survives any damage', () => {
    const whole = program()
    const first = readElf(whole).sections.find((section) => section.name.startsWith('.debug'))!
    const from = first.bytes.byteOffset - whole.byteOffset
    const property = fc.property(
      fc.array(fc.tuple(fc.integer({ min: from, max: whole.length - 1 }), fc.integer({ min: 0, max: 255 })), {
        minLength: 1,
        maxLength: 5,
      }),
      (changes) => {
        const bytes = whole.slice()
        for (const [at, value] of changes) bytes[at] = value
        try {
          const damaged = readDebugInfo(readElf(bytes))
          for (const fn of damaged.functions) for (const variable of fn.variablesAt(g)) variable.locate(g, machine({ 2: 0n }))
          damaged.unwind(g, machine({ 1: g, 2: 0n }))
        } catch (error) {
          if (!(error instanceof DwarfError) && !(error instanceof ElfError)) throw error
        }
      },
    )
    fc.assert(property, { numRuns: 2000, seed: 20260107 })
  })
})

describeWith(['riscv64-unknown-elf-readelf', 'riscv64-unknown-elf-objdump', 'gdb-multiarch'], 'debug information against GNU', () => {
  const withProgram = <T>(body: (path: string) => T): T =>
    withScratch((directory) => {
      const path = join(directory, 'demo.elf')
      writeFileSync(path, program())
      return body(path)
    })

  it('readelf and objdump read all of it without a complaint', () => {
    withProgram((path) => {
      const report = runTool('riscv64-unknown-elf-readelf', ['-W', '-w', path]) + runTool('riscv64-unknown-elf-objdump', ['--dwarf', path])
      expect(report).not.toMatch(/warning|error|corrupt|unknown/i)
      expect(report).toContain('DW_TAG_structure_type')
    })
  })

  it('gdb finds lines, functions, types and places', () => {
    const commands = ['info line demo.s:17', 'info scope g', 'ptype counter', 'info line g', 'list g', 'break demo.s:10'].flatMap(
      (command) => ['-ex', command],
    )
    const report = withProgram((path) => runTool('gdb-multiarch', ['-nx', '-batch', ...commands, path]))
    expect(report).toMatch(/Line 17 of "\.?\/?demo\.s" starts at address 0xffffffff80200024 <g>/)
    expect(report).toMatch(/Symbol x is multi-location/)
    expect(report).toContain('task *next;')
    expect(report).toMatch(/Breakpoint 1 at 0xffffffff802000/)
  })
})

describeWith(['qemu-system-riscv64', 'gdb-multiarch'], 'debug information in a running program', () => {
  it('stops at a source line and shows the callers and their variables', () => {
    const { elf } = link([described()], flatLayout(0x80000000n, { stack: 4096 }))
    const report = withScratch((directory) => {
      const path = join(directory, 'demo.elf')
      writeFileSync(path, elf)
      const machineCommand = `${oracle('qemu-system-riscv64')} -M virt -display none -serial none -monitor none -bios none -kernel ${path} -S -gdb stdio`
      const commands = [
        'set confirm off',
        'set arch riscv:rv64',
        `target remote | ${machineCommand}`,
        'break demo.s:17',
        'continue',
        'backtrace',
        'info args',
        'info locals',
        'print counter',
        'finish',
      ]
      return runTool('gdb-multiarch', ['-nx', '-batch', ...commands.flatMap((command) => ['-ex', command]), path])
    })
    expect(report).toMatch(/Breakpoint 1, g \(x=0\) at .*demo\.s:17/)
    expect(report).toMatch(/#1 .* f \(\) at .*demo\.s:10\n#2 .* _start \(\) at .*demo\.s:3/)
    expect(report).toContain('k = -7')
    expect(report).toContain('$1 = {state = 0, next = 0x0, colour = 0}')
    expect(report).toContain('Value returned is $2 = 42')
  })
})

describeWith(['riscv64-unknown-elf-gcc'], 'debug information that gcc made', () => {
  const code =
    'struct node { struct node *next; int value; } *head;\nstatic int depth(struct node *n, int limit) {\n  int count = 0;\n  for (; n && count < limit; n = n->next)\n    count += n->value;\n  return count;\n}\nint main(void) {\n  return depth(head, 5);\n}\n'

  const cases = ['4', '5'].flatMap((version) => ['-O0', '-O2'].map((level): [string, string] => [version, level]))

  it.each(cases)('version %s at %s is read through our linker', (version, level) => {
    const object = withScratch((directory) => {
      writeFileSync(join(directory, 'node.c'), code)
      runTool('riscv64-unknown-elf-gcc', [
        `-gdwarf-${version}`,
        level,
        '-fno-inline',
        '-ffreestanding',
        '-mcmodel=medany',
        '-c',
        '-o',
        join(directory, 'node.o'),
        join(directory, 'node.c'),
      ])
      return readObject(readFileSync(join(directory, 'node.o')), 'node.o')
    })
    const { elf, diagnostics } = link([described(), object], flatLayout(0x80000000n, { stack: 4096 }))
    expect(diagnostics).toEqual([])
    const info = readDebugInfo(readElf(elf))
    expect(info.functions.map((fn) => fn.name).sort()).toEqual(['depth', 'g', 'main'])
    const depth = info.functions.find((fn) => fn.name === 'depth')!
    const pc = depth.ranges[0].start
    expect(depth.position).toMatchObject({ file: expect.stringContaining('node.c') as string, line: 2 })
    expect(info.lineAt(pc)).toMatchObject({ line: 2 })
    expect(info.addressesOf('node.c', 5).length).toBeGreaterThan(0)
    const variables = depth.variablesAt(pc).map((variable) => [variable.name, variable.parameter, variable.type?.kind])
    expect(variables.sort()).toEqual([
      ['count', false, 'base'],
      ['limit', true, 'base'],
      ['n', true, 'pointer'],
    ])
    expect(info.globals.map((variable) => variable.name)).toContain('head')
    expect(info.unwind(pc, machine({ 1: 0x80000010n, 2: 0x9000n })).at(0)).toMatchObject({ cfa: 0x9000n })
  })
})
