/**
 * Damaged input for every reader of the toolchain, from a seed: modules, programs, objects, debug information, assembly text.
 * A reader may refuse (its own error, or diagnostics); anything else that it throws is a defect.
 */
import { random } from '../build/random-module.test-support.ts'
import { buildProgram } from '../build/program.ts'
import { assemble } from '../assembler/index.ts'
import { mutate, refusalOf, samples } from '../conformance/mutate.test-support.ts'
import { disassembleElf } from '../disassembler/index.ts'
import { DwarfError, readDebugInfo, readFrames, type MachineState, type TypeInfo } from '../dwarf/index.ts'
import { ElfError, isArchive, readArchive, readElf, readObject, writeObject } from '../elf/index.ts'
import { link } from '../link/index.ts'

export interface Corpus {
  readonly modules: readonly Uint8Array[]
  readonly programs: readonly Uint8Array[]
  readonly objects: readonly Uint8Array[]
  readonly archive: Uint8Array
}

const assembly = `    .file 1 "a.s"
    .macro twice a:req, b=2, rest:vararg
    .if \\b > 1
    addi \\a, \\a, \\b
    .else
    nop
    .endif
    .byte \\rest
    .endm
    .equ size, (4 * 8 - 1) << 1
    .set later, finish - start
    .section .text.x, "ax", @progbits
    .globl start
    .type start, @function
start:
    .cfi_startproc
    addi sp, sp, -16
    .cfi_def_cfa_offset 16
    sd ra, 8(sp)
    .cfi_offset ra, -8
1:  la a0, table
    lui t0, %hi(end)
    addi t0, t0, %lo(end)
    auipc t1, %pcrel_hi(table)
    ld t1, %pcrel_lo(1b)(t1)
    beqz a0, 1f
    li a1, 0x123456789abcdef0
    call start
    fadd.d fa0, fa1, fa2, rtz
    amoadd.w.aqrl a0, a1, (a2)
    csrrwi zero, mstatus, 31
    .insn r 0x33, 0, 0, a0, a1, a2
    twice a0, 3, 1, 2, 'x', 0
    tail end
1:  j 1b
finish:
    .option push
    .option norvc
    .p2align 4
    .rept 3
    .word size, . - start, later
    .endr
    .irp r, a0, a1, a2
    mv \\r, zero
    .endr
    .option pop
    .cfi_endproc
    .size start, . - start
    .data
table: .quad start, end + 4
    .ascii "text\\n\\x41\\101", "more"
    .asciz "end"
    .fill 3, 2, 0xffff
    .zero 7
    .uleb128 300, 5
    .sleb128 -300
    .balign 8, 1
    .comm shared, 16, 8
    .double 1.5, -0.25e10
    .float 3.5
    .local hidden
    .weak maybe
    .quad maybe
    .text
    .loc 1 5 2
    nop
    .data
    .section .note, "", @note
    .incbin "nothing"
    .include "nothing.inc"
    .text
    .balign 4
end: ret
    .end
`

const typescript = `let shared: i32 = 3;
class Pair { first: u32 = 1; second: f64 = 2.5; }
async function wait(n: i32): Promise<i32> { co.suspend(); return n; }
async function work(count: i32): Promise<i32> {
  const pair = new Pair();
  let sum = 0;
  for (let i = 0; i < count; i++) { sum += await wait(i); sum += <i32>pair.second; }
  return sum + shared;
}
export function main(): i32 { const task = work(3); co.resume(changetype<usize>(task)); return twice(shared); }
`

const c = `struct point { int x; double y; };
static unsigned char table[4] = {1, 2, 3, 4};
int twice(int n) { struct point p = {n, 1.5}; for (int i = 0; i < n; i++) p.x += table[i & 3]; return p.x * 2; }
`

/** What the readers are given, undamaged. */
export async function corpus(extraObjects: readonly Uint8Array[] = []): Promise<Corpus> {
  const files: Record<string, string> = {
    'main.ts': `@external("c", "twice") declare function twice(n: i32): i32;\n${typescript}`,
    'twice.c': c,
  }
  const { elf, diagnostics } = await buildProgram({
    configuration: { version: 1, kind: 'firmware', sources: Object.keys(files) },
    readFile: (path) => files[path],
  })
  if (!elf) throw new Error(diagnostics.map(({ message }) => message).join('\n'))
  const own = assemble(assembly.replace(/ {4}\.(incbin|include).*\n/g, ''))
  if (!own.object) throw new Error(own.diagnostics.map(({ message, line }) => `${line}: ${message}`).join('\n'))
  const object = writeObject(own.object)
  return { modules: await samples(), programs: [elf], objects: [object, ...extraObjects], archive: archiveOf(object.subarray(0, 300)) }
}

function archiveOf(member: Uint8Array): Uint8Array {
  const head = (name: string, size: number): string => `${name.padEnd(48)}${String(size).padEnd(10)}\`\n`
  const names = 'a-name-longer-than-sixteen.o/\n'
  const text = `!<arch>\n${head('//', names.length)}${names}${head('/0', member.length)}`
  return Uint8Array.from([...new TextEncoder().encode(text), ...member])
}

const machine: MachineState = {
  register: (number) => (number === 2 ? 0x8010_0000n : 0x8000_0000n + BigInt(number) * 64n),
  readMemory: (address, size) => BigInt.asUintN(8 * Math.min(size, 8), address * 0x9e37_79b9n),
}

/** Asks a program's debug information all that a debugger asks. */
function ask(bytes: Uint8Array): void {
  const elf = readElf(bytes)
  disassembleElf(elf, {})
  readFrames(elf)
  const info = readDebugInfo(elf)
  const look = (type: TypeInfo | undefined, depth = 0): void => {
    if (!type || depth > 3) return
    if (type.kind === 'struct') for (const member of type.members()) look(member.type, depth + 1)
    else if (type.kind === 'pointer') look(type.target(), depth + 1)
    else if (type.kind === 'array') look(type.element(), depth + 1)
  }
  for (const global of info.globals) {
    look(global.type)
    global.locate(0n, machine)
  }
  for (const fn of info.functions.slice(0, 30)) {
    const pc = fn.ranges[0].start
    look(fn.returnType)
    for (const at of [pc, pc + 12n]) {
      info.lineAt(at)
      info.unwind(at, machine, 20)
      for (const variable of fn.variablesAt(at)) {
        look(variable.type)
        variable.locate(at, machine)
      }
    }
  }
  for (const file of info.files().slice(0, 4)) info.addressesOf(file, 3)
}

/** One to forty changed bytes inside a section whose name begins with `prefix`: the file stays an ELF file. */
function damageSections(bytes: Uint8Array, prefix: RegExp, next: () => number): Uint8Array {
  const copy = bytes.slice()
  const places = readElf(copy).sections.filter((section) => prefix.test(section.name) && section.bytes.length > 0)
  if (places.length === 0) return mutate(copy, next())
  for (let count = 1 + (next() % (next() % 4 ? 3 : 40)); count > 0; count--) {
    const section = places[next() % places.length]
    section.bytes[next() % section.bytes.length] = next() % 3 ? next() & 255 : [0, 1, 0x7f, 0x80, 0xff][next() % 5]
  }
  return copy
}

const pieces = assembly.split(/[\n ,]+/).filter((piece) => piece !== '')

/** The sample with lines and words moved, doubled, taken out or replaced. */
function damageText(next: () => number): string {
  const lines = assembly.split('\n')
  for (let count = 1 + (next() % 8); count > 0; count--) {
    const at = next() % lines.length
    const words = lines[at].split(/(?<=[ ,()])/)
    switch (next() % 7) {
      case 0:
        lines.splice(at, 1 + (next() % 3))
        break
      case 1:
        lines.splice(next() % lines.length, 0, lines[at])
        break
      case 2:
        lines.splice(at, 0, lines.splice(next() % lines.length, 1)[0] ?? '')
        break
      case 3:
        words[next() % words.length] = `${pieces[next() % pieces.length]} `
        break
      case 4:
        words.splice(next() % words.length, 1)
        break
      case 5:
        words.splice(
          next() % words.length,
          0,
          ['-', '(', ')', '"', "'", '\\', '%', '.', '0x', '1b', '99999999999999999999', ',', '#', '/*', '$', '~', '<<', '\u0000', 'é', ':'][
            next() % 20
          ],
        )
        break
      default:
        words[next() % words.length] = String((next() % 2 ? -1 : 1) * (next() % 2 ? next() : next() % 40))
    }
    if (lines[at] !== undefined && words.length > 0) lines[at] = words.join('')
    if (lines.length === 0) lines.push('')
  }
  return lines.join('\n')
}

const layout = {
  name: 'fuzz',
  entry: 'start',
  regions: [{ name: 'ram', origin: 0x8000_0000n, length: 0x10_0000n }],
  sections: [
    { name: '.text', region: 'ram', inputs: ['.text', '.text.*'] },
    { name: '.data', region: 'ram', inputs: ['.data', '.data.*', '.bss', '.bss.*'] },
  ],
}

export const readerKinds = ['module', 'program', 'debug', 'object', 'archive', 'assembly'] as const
export type ReaderKind = (typeof readerKinds)[number]

/** Gives damaged input number `seed` to a reader; what it threw that is not its own error, or undefined. */
export function fuzzReader(kind: ReaderKind, { modules, programs, objects, archive }: Corpus, seed: number): Error | undefined {
  const next = random(seed)
  const pick = <T>(from: readonly T[]): T => from[next() % from.length]
  try {
    switch (kind) {
      case 'module':
        refusalOf(mutate(pick(modules), seed))
        break
      case 'program':
        ask(mutate(pick(programs), seed))
        break
      case 'debug':
        ask(damageSections(pick([...programs, ...objects]), /^\.(debug|pollen|eh_frame)/, next))
        break
      case 'object': {
        const bytes = pick(objects)
        link([readObject(next() % 2 ? mutate(bytes, seed) : damageSections(bytes, /./, next), 'a.o')], layout)
        break
      }
      case 'archive': {
        const damaged = mutate(archive, seed)
        if (isArchive(damaged)) readArchive(damaged)
        break
      }
      case 'assembly': {
        const { object } = assemble(damageText(next), { file: next() % 4 ? 'a.s' : 'a.S' })
        if (object) link([readObject(writeObject(object), 'a.o')], layout)
      }
    }
  } catch (error) {
    if (error instanceof ElfError || error instanceof DwarfError) return undefined
    return error as Error
  }
  return undefined
}
