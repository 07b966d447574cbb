import fc from 'fast-check'
import { expect, it } from 'vitest'
import { describeWith } from '../../testing/oracles.ts'
import { instructions } from '../../isa/instructions.ts'
import { anyProgram, branchProgram, instructionText } from './corpus.test-support.ts'
import { gnuAssemble, gnuCompile, sectionBytes } from './gnu.test-support.ts'
import { assemble } from './index.ts'

/** `POLLEN_SEED` and `POLLEN_RUNS` repeat or lengthen a run; the seed is printed with every failure. */
const seed = Number(process.env.POLLEN_SEED ?? 20260101)
const runs = Number(process.env.POLLEN_RUNS ?? 60)

const macroPrograms: [string, string][] = [
  [
    'registers saved in a loop',
    '.macro save from:req, base=sp\n.irp r, s0, s1, \\from\n sd \\r, 8*\\@(\\base)\n.endr\n.endm\nsave s2\nsave s3, a0\nsave from=s4, base=a1\n',
  ],
  [
    'labels numbered by \\@',
    '.macro spin reg\n1\\@: addi \\reg, \\reg, -1\n bnez \\reg, 1\\@b\nskip\\@: nop\n j skip\\@\n.endm\n spin a0\n spin t3\n',
  ],
  ['recursion with conditions', '.macro fill n\n.if \\n\n .word \\n*2+1|8\n fill (\\n-1)\n.endif\n.endm\nfill 5\n'],
  [
    'variable arguments',
    '.macro words all:vararg\n.word \\all\n.endm\nwords 1, 2, 3\n.macro two a b\n li \\a, \\b\n.endm\ntwo a0 5\ntwo a1, 1 + 2\n',
  ],
  ['repetition', '.set n, 0\n.rept 4\n li a0, n << 4\n .set n, n + 1\n.endr\n.irpc c, 0123\n sw a\\c, \\c\\()0(sp)\n.endr\n'],
  [
    'every comparison',
    '.if 3 > 2 && 1\n nop\n.elseif 1\n ret\n.else\n ret\n.endif\n.ifdef nowhere\n ret\n.else\n ebreak\n.endif\n.ifc a,a\n nop\n.endif\n.ifb\n nop\n.endif\n.ifeq 4-4\n nop\n.endif\n.word 1<2, 2<=1, 1!=2, 7%4, -7/2, ~5, !0, 0x10>>2, 1<<4+1\n',
  ],
  [
    'distances',
    'a: nop\n.align 3\nb: nop\n.space 10-(b+2-b)\nc: ret\n.org 64\n.byte 1\n.uleb128 300\n.sleb128 -129\n.byte 0\n.balign 4\n.size a, .-a\n',
  ],
  [
    '.insn',
    '.insn r 0x33, 0, 0, a0, a1, a2\n.insn i OP_IMM, 0, a0, a1, -5\n.insn s STORE, 3, a0, 8(sp)\n.insn u LUI, a0, 0x12345\n.insn i LOAD, 2, a0, 4(a1)\n.insn r4 MADD, 0, 0, fa0, fa1, fa2, fa3\n.insn 0x13\n.insn 2, 0x0001\n.insn cr C2, 0x8, a0, a1\n.insn ca C1, 0x23, 0, a0, a1\nx: .insn b BRANCH, 0, a0, a1, x\n.insn j JAL, ra, x\n',
  ],
]

const cPrograms = [
  'typedef unsigned long u64; u64 hash(const unsigned char *s) { u64 h = 0xcbf29ce484222325; while (*s) { h ^= *s++; h *= 0x100000001b3; } return h; } static char buffer[100]; int counter = 7; const char *names[] = { "a\\"b\\n", "\\303\\244", 0 };',
  'int choose(int x) { switch (x) { case 0: return 5; case 1: return 99; case 2: return 7; case 3: return x * 9; case 4: return -1; case 5: return 44; case 6: return 1000000; } return 0; } extern int outside(int, ...); int call(int a) { return outside(a, 1, 2) + choose(a); } __attribute__((weak)) void hook(void) {} void twice(void) { hook(); hook(); }',
  'double sum(const double *a, int n) { double s = 0; for (int i = 0; i < n; i++) s += a[i] * 1.5f; return s; } float mix(float a, int b, long c) { return a * b + (float)(b / 3) - c; } unsigned long trunc_(double d) { return (unsigned long)d; } int compare(float a, double b) { return a < b || a != a; }',
  'struct node { struct node *next; int v; char name[13]; double d; }; struct node pool[64]; struct node *find(struct node *n, int v) { while (n && n->v != v) n = n->next; return n; } int main(void) { for (int i = 0; i < 64; i++) { pool[i].v = i * 12345; pool[i].next = i ? &pool[i - 1] : 0; pool[i].d = (double)(unsigned)i / 7; } __atomic_fetch_add(&pool[3].v, 1, 5); int e = 0; __atomic_compare_exchange_n(&pool[4].v, &e, 5, 0, 4, 0); char big[5000]; for (int i = 0; i < 5000; i++) big[i] = i; return find(pool, 3)->v + big[pool[1].v & 4095]; }',
]
const cFlags = [
  '-O0',
  '-O1',
  '-O2',
  '-Os',
  '-O3 -funroll-loops',
  '-O2 -g',
  '-O2 -fPIC',
  '-O2 -march=rv64g -mabi=lp64d',
  '-O2 -march=rv64imac -mabi=lp64',
  '-Os -msave-restore',
]

/** Fails with the first differing bytes, or when one side refuses what the other takes. */
function expectSameText(source: string): void {
  const gnu = gnuAssemble(source)
  const ours = assemble(source, { file: 'input.s' })
  const complaints = ours.diagnostics
    .filter((diagnostic) => diagnostic.severity === 'error')
    .map((diagnostic) => `${diagnostic.line}: ${diagnostic.message}`)
  expect({ gnu: gnu.object ? '' : gnu.errors, ours: complaints.join('\n') }).toEqual({ gnu: '', ours: '' })
  const expected = Buffer.from(sectionBytes(gnu.object!, '.text'))
  const actual = Buffer.from(ours.object!.sections.find((section) => section.name === '.text')!.bytes)
  if (expected.equals(actual)) return
  const at = expected.findIndex((byte, index) => byte !== actual[index]) & ~1
  const show = (bytes: Buffer): string => bytes.subarray(at, at + 12).toString('hex')
  expect({ at, bytes: show(actual), length: actual.length }).toEqual({ at, bytes: show(expected), length: expected.length })
}

describeWith(['riscv64-unknown-elf-as', 'riscv64-unknown-elf-gcc'], 'the assembler against GNU as', () => {
  it('makes the same code of every instruction', () => {
    const rows = instructions.filter((row) => !['Uintc', 'Priv1.9'].includes(row.extension) && row.name !== 'c.lui')
    const lines = rows.flatMap((row) => fc.sample(instructionText(row), { numRuns: 12, seed }))
    const labels = Array.from({ length: 8 }, (_, index) => `L${index}:`).join('\n')
    expectSameText(`${labels}\n${lines.join('\n')}\n`)
  })

  it('makes the same code of random programs', () => {
    fc.assert(fc.property(anyProgram, expectSameText), { numRuns: runs, seed })
  })

  it('chooses the same length for every branch', () => {
    fc.assert(fc.property(branchProgram, expectSameText), { numRuns: runs, seed })
  })

  it.each(macroPrograms)('makes the same code of macros: %s', (_, source) => expectSameText(source))

  it.each(cFlags)('makes the same code of what gcc %s writes', (flags) => {
    for (const program of cPrograms) expectSameText(gnuCompile(program, flags.split(' ')))
  })
})
