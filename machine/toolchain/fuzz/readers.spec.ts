import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { describeWith, oracle } from '../../testing/oracles.ts'
import { corpus, fuzzReader, readerKinds, type Corpus, type ReaderKind } from './readers.test-support.ts'

/** Objects of GNU's compiler, whose debug information has forms that ours does not use. */
function gnuObjects(): Uint8Array[] {
  const folder = mkdtempSync(join(tmpdir(), 'pollen-'))
  try {
    const source = join(folder, 'list.c')
    const object = join(folder, 'list.o')
    writeFileSync(
      source,
      `struct node { int value; char name[4]; struct node *next; }; enum kind { one, two };
static int sum(struct node *at, enum kind k) { int r = 0; for (int i = 0; i < at->value; i++) { int t = i * k; r += t; } return r; }
int both(struct node *at) { return sum(at, one) + sum(at->next, two); }\n`,
    )
    return ['-gdwarf-4', '-gdwarf-5'].map((version) => {
      execFileSync(oracle('riscv64-unknown-elf-gcc'), ['-c', '-O2', '-g', version, source, '-o', object])
      return new Uint8Array(readFileSync(object))
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const counts: Record<ReaderKind, number> = { module: 5000, program: 100, debug: 400, object: 1000, archive: 5000, assembly: 300 }

describeWith(['riscv64-unknown-elf-gcc'], 'readers of damaged input', () => {
  let all: Corpus
  beforeAll(async () => {
    all = await corpus(gnuObjects())
  })

  // `npm run fuzz:toolchain` tries other seeds.
  test.each(readerKinds)('the reader of %s input refuses it or reads it', (kind) => {
    for (let seed = 1; seed <= counts[kind]; seed++) expect(fuzzReader(kind, all, seed)?.stack, `seed ${seed}`).toBeUndefined()
  })
})

test('assembly whose sizes cannot be told is an error, not a crash', async () => {
  const { assemble } = await import('../assembler/index.ts')
  const { object, diagnostics } = assemble('.zero .text\n.word 1\n.zero 4\n')
  expect(object).toBeUndefined()
  expect(diagnostics[0].message).toContain('not a constant')
})
