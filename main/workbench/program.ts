/** pollen.json, and the build of a program from sources that were read before. Runs in the toolchain's thread. */
import { z } from 'zod'
import { assemble } from '../../machine/toolchain/assembler/index.ts'
import type { Diagnostic } from '../../machine/toolchain/diagnostic.ts'
import { flatLayout, link } from '../../machine/toolchain/link/index.ts'
import type { ObjectFile } from '../../machine/toolchain/object.ts'
import { listProgram, type ListedLine } from './listing.ts'

const description = z
  .object({
    version: z.literal(1),
    kind: z.enum(['kernel', 'program', 'firmware']),
    sources: z.array(z.string()).min(1),
    entry: z.string().default('_start'),
    layout: z.enum(['bare']).default('bare'),
    stack: z
      .number()
      .int()
      .min(0)
      .max(1 << 24)
      .default(0),
    defines: z.record(z.string(), z.union([z.string(), z.number()])).default({}),
  })
  .strict()

export interface BuiltProgram {
  /** Absent after an error. */
  readonly elf?: Uint8Array
  readonly diagnostics: readonly Diagnostic[]
  readonly listing: readonly ListedLine[]
}

/** RAM of the boards begins here. */
const RAM = 0x8000_0000n

/** Builds the program that the files describe; `files` holds the text of each by its path. */
export function buildProgram(files: ReadonlyMap<string, string>): BuiltProgram {
  const failed = (...diagnostics: Diagnostic[]): BuiltProgram => ({ diagnostics, listing: [] })
  const manifest = files.get('pollen.json')
  if (manifest === undefined) return failed(problem('pollen.json', 'program/missing', 'the program has no pollen.json'))
  let parsed: z.infer<typeof description>
  try {
    parsed = description.parse(JSON.parse(manifest))
  } catch (error) {
    const message =
      error instanceof z.ZodError
        ? error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')
        : (error as Error).message
    return failed(problem('pollen.json', 'program/description', message))
  }
  const diagnostics: Diagnostic[] = []
  const objects: ObjectFile[] = []
  for (const source of parsed.sources) {
    const text = files.get(source)
    if (text === undefined) {
      diagnostics.push(problem('pollen.json', 'program/no-such-file', `there is no file ${source}`))
      continue
    }
    const result = assemble(text, { file: source, defines: parsed.defines, readFile: (name) => includedFile(files, name) })
    diagnostics.push(...result.diagnostics)
    if (result.object) objects.push(result.object)
  }
  if (diagnostics.some((diagnostic) => diagnostic.severity === 'error')) return failed(...diagnostics)
  const linked = link(objects, flatLayout(RAM, { entry: parsed.entry, stack: parsed.stack }), { floatAbi: 'double' })
  diagnostics.push(...linked.diagnostics)
  if (linked.elf.length === 0) return failed(...diagnostics)
  return { elf: linked.elf, diagnostics, listing: listProgram(linked.elf, objects) }
}

function includedFile(files: ReadonlyMap<string, string>, path: string): { path: string; bytes: Uint8Array } | undefined {
  const text = files.get(path)
  return text === undefined ? undefined : { path, bytes: new TextEncoder().encode(text) }
}

function problem(file: string, code: string, message: string): Diagnostic {
  return { file, line: 1, column: 1, end: { line: 1, column: 1 }, severity: 'error', code, message }
}
