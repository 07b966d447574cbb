import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assemble, type AssembleOptions } from './index.ts'

function text(source: string, options: AssembleOptions = {}): string {
  const { object, diagnostics } = assemble(source, options)
  expect(diagnostics).toEqual([])
  return Buffer.from(object!.sections.find((section) => section.name === '.text')!.bytes).toString('hex')
}

/** `line:column-end code` of every diagnostic. */
function complaints(source: string, options: AssembleOptions = {}): string[] {
  return assemble(source, options).diagnostics.map(({ line, column, end, code }) => `${line}:${column}-${end.column} ${code}`)
}

describe('diagnostics', () => {
  it.each([
    ['  frob a0', '1:3-7 asm/unknown-mnemonic'],
    ['nop; addi a0, a1', '1:6-10 asm/operand-count'],
    ['addi a0, a9, 1', '1:10-12 asm/bad-register'],
    ['addi a0, a1, 4096', '1:1-5 asm/immediate-range'],
    ['lw a0, 4', '1:8-9 asm/bad-address'],
    ['beqz a0, 1f', '1:10-12 asm/undefined-label'],
    ['j 1b', '1:3-5 asm/undefined-label'],
    ['x: nop\nx: nop', '2:1-2 asm/duplicate-symbol'],
    ['.ascii "abc', '1:8-12 asm/unterminated-string'],
    ['.frobnicate 1', '1:1-12 asm/unknown-directive'],
    ['li a0, somewhere', '1:8-17 asm/not-constant'],
    ['.if 1\nnop', '2:1-4 asm/unclosed-block'],
    ['.macro m\nnop', '1:1-9 asm/unclosed-block'],
    ['csrr a0, nocsr', '1:10-15 asm/unknown-csr'],
    ['fadd.s fa0, fa1, fa2, up', '1:23-25 asm/bad-rounding-mode'],
    ['lui a0, %upper(x)', '1:10-15 asm/unknown-modifier'],
    ['.word 1/0', '1:7-10 asm/division-by-zero'],
    ['.org 4\n.word 1\n.org 2', '3:6-7 asm/origin-backwards'],
    ['.include "no.s"', '1:10-16 asm/missing-file'],
    ['bgt a0, a1', '1:1-4 asm/operand-count'],
    ['.word )', '1:7-8 asm/bad-expression'],
    ['.section .bss\n.word 5', '2:7-8 asm/bytes-in-bss'],
    ['.error "stop here"', '1:1-19 asm/error-directive'],
    ['a = b\nb = a\n.word a', '2:1-2 asm/circular-definition'],
  ])('points at the fault in %j', (source, expected) => {
    expect(complaints(source)).toContain(expected)
  })

  it('reports every error of a file', () => {
    expect(complaints('frob\nnop\naddi a0\n')).toEqual(['1:1-5 asm/unknown-mnemonic', '3:1-5 asm/operand-count'])
  })

  it('points into the macro and names the call', () => {
    const { diagnostics } = assemble('.macro m r\n  addi \\r, \\r\n.endm\nnop\nm a0\n', { file: 'a.s' })
    expect(diagnostics).toMatchObject([{ file: 'a.s', line: 2, hint: expect.stringContaining('macro m at a.s:5') as string }])
  })

  it('points into included files', () => {
    const readFile = (path: string) => ({ path: `lib/${path}`, bytes: new TextEncoder().encode('nop\nfrob\n') })
    expect(assemble('.include "x.s"', { readFile }).diagnostics).toMatchObject([{ file: 'lib/x.s', line: 2, column: 1 }])
  })
})

describe('text', () => {
  it('ignores all three kinds of comments', () => {
    expect(text('nop # one ; ret\n/* two\n lines */ nop // three\n.string "# /* not */" ; nop')).toBe(
      '01000100' + Buffer.from('# /* not */\0').toString('hex') + '0100',
    )
  })

  it('takes several statements and labels on a line', () => {
    expect(text('a: b: nop; 1: j 1b; ret')).toBe('010001a08280')
  })
})

describe('the preprocessor', () => {
  const header = '#pragma once\n#define SIZE 16\n#define PAIR(a, b) (a) + (b)\n#ifndef __ASSEMBLER__\n#error not for C\n#endif\n'
  const readFile = (path: string) => (path === 'layout.h' ? { path, bytes: new TextEncoder().encode(header) } : undefined)

  it('runs on .S files', () => {
    const source =
      '#include "layout.h"\n#include "layout.h"\n#if SIZE == 16 && defined(SIZE) && !defined(NOPE)\n li a0, PAIR(SIZE, 1) // comment\n#else\n frob\n#endif\n# an ordinary comment\n'
    expect(text(source, { file: 'a.S', readFile })).toBe(text('li a0, 17'))
  })

  it('joins and quotes', () => {
    expect(text('#define LABEL(n) .Lx##n\n#define TEXT(s) .ascii #s\nLABEL(1): TEXT(ab)\n.byte 0,0\n j LABEL(1)\n', { file: 'a.S' })).toBe(
      '61620000f5bf',
    )
  })

  it('takes definitions from outside', () => {
    expect(text('#ifdef FAST\nret\n#endif\n', { file: 'a.S', defines: { FAST: 1 } })).toBe('8280')
    expect(text('.if FAST\nret\n.endif\n', { defines: { FAST: 1 } })).toBe('8280')
  })

  it.each([
    ['#include "none.h"', 'cpp/missing-file'],
    ['#if (1\n#endif', 'cpp/bad-expression'],
    ['#endif', 'cpp/unbalanced'],
    ['#ifdef X', 'cpp/unclosed-if'],
    ['#error no', 'cpp/error'],
    ['#define F(x) x\nF(', 'cpp/bad-call'],
  ])('complains about %j', (source, code) => {
    expect(assemble(source, { file: 'a.S' }).diagnostics.map((diagnostic) => diagnostic.code)).toContain(code)
  })
})

describe('objects', () => {
  it('hold sections, symbols with type and size, and COMMON blocks', () => {
    const { object } = assemble(
      '.section .text.f,"ax",@progbits\n.globl f\n.type f,@function\nf: nop\n ret\n.size f, .-f\n.comm buffer, 64, 16\n.set limit, 3\n.globl limit\n.weak hook\ncall hook\n',
    )
    expect(object!.sections.find((section) => section.name === '.text.f')).toMatchObject({
      flags: { alloc: true, write: false, execute: true },
      size: 12,
    })
    expect(object!.symbols).toEqual(
      expect.arrayContaining([
        { name: 'f', binding: 'global', type: 'function', section: '.text.f', value: 0, size: 4 },
        { name: 'buffer', binding: 'global', type: 'object', section: '*COM*', value: 16, size: 64 },
        { name: 'limit', binding: 'global', type: 'none', section: '*ABS*', value: 3, size: 0 },
        { name: 'hook', binding: 'weak', type: 'none', section: undefined, value: 0, size: 0 },
      ]),
    )
  })

  it('know the line of every instruction, and the call of a macro', () => {
    const { object } = assemble('nop\n.macro twice\nnop\nnop\n.endm\n  twice\nret\n', { file: 'a.s' })
    expect(object!.lines.map(({ offset, line }) => [offset, line])).toEqual([
      [0, 1],
      [2, 6],
      [6, 7],
    ])
  })

  it('take lines from .loc instead where there are any', () => {
    const { object } = assemble('.file 1 "src" "a.c"\n.loc 1 10 5\nnop\n.loc 1 11\nret\n')
    expect(object!.lines).toMatchObject([
      { offset: 0, file: 'src/a.c', line: 10, column: 5 },
      { offset: 2, file: 'src/a.c', line: 11 },
    ])
  })

  it('assemble user interrupts, for which there is no other assembler', () => {
    expect(text('uret\nuipi.send a0\nuipi.read a1\nuipi.activate\ncsrr a0, suist\n')).toBe('730020007b200500fb2500027b2000067325001b')
  })
})

describe('any text', () => {
  const fragment = fc.oneof(
    fc.constantFrom(
      '.macro m x',
      '.endm',
      'm m',
      '.rept 3',
      '.endr',
      '.irp r, a0, m',
      '.if x',
      '.else',
      '.endif',
      '.set x, x + 1',
      'x: ',
      '1:',
      'j 1f',
      'beqz a0, x',
      '.org x',
      '.space y - x',
      'y:',
      '.align 3',
      '.word x - y',
      '.section a, "ax"',
      '.previous',
      '.popsection',
      '\\x',
      '"',
      "'",
      '/*',
      '((',
      '.insn r 1',
      '.uleb128 y-x',
      '#if 1',
      '#define m m m',
      '#include "a"',
      'm(',
    ),
    fc.string({ maxLength: 20 }),
  )

  it('is assembled or refused, never crashes or hangs', () => {
    const property = fc.property(fc.array(fragment, { maxLength: 25 }), fc.constantFrom('a.s', 'a.S'), (lines, file) => {
      const { object, diagnostics } = assemble(lines.join('\n'), { file })
      expect(object !== undefined || diagnostics.length > 0).toBe(true)
    })
    fc.assert(property, { numRuns: 3000, seed: 20260103 })
  })
})
