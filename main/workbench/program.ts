/** The build of a program from sources that were read before, as its pollen.json describes it. Runs in the toolchain's thread. */
import {
  buildImage,
  programSchema,
  programStage,
  type Stage,
  type StageLine,
  type CodeCache,
  type ProgramCache,
  type ProgramConfiguration,
} from '../../machine/toolchain/build.ts'
import type { Diagnostic } from '../../machine/toolchain/diagnostic.ts'
import { listProgram, type ListedLine } from './listing.ts'

export interface BuiltProgram {
  /** Absent after an error. */
  readonly elf?: Uint8Array
  readonly diagnostics: readonly Diagnostic[]
  readonly listing: readonly ListedLine[]
  /** Of the image's programs that are made of the learner's files: what came from those. Addresses are each process' own. */
  readonly programListing: readonly ListedLine[]
  /** Makes another stage of the program on demand. */
  readonly stage: (stage: Stage) => StageLine[][]
}

/** Builds the program; `files` holds the text of each file by its path, `own` names those of the learner where others lie underneath. */
export async function buildProgram(
  files: ReadonlyMap<string, string>,
  cache?: CodeCache,
  programs?: ProgramCache,
  onProgress?: (stage: string) => void,
  own: ReadonlySet<string> = new Set(),
): Promise<BuiltProgram> {
  const failed = (...diagnostics: Diagnostic[]): BuiltProgram => ({ diagnostics, listing: [], programListing: [], stage: () => [] })
  const manifest = files.get('pollen.json')
  if (manifest === undefined) return failed(problem('program/missing', 'the program has no pollen.json'))
  let json: unknown
  try {
    json = JSON.parse(manifest)
  } catch (error) {
    return failed(problem('program/description', (error as Error).message))
  }
  const parsed = programSchema.safeParse(json)
  if (!parsed.success) {
    return failed(
      ...parsed.error.issues.map(({ path, message }) =>
        problem('program/description', [path.join('.'), message].filter(Boolean).join(': ')),
      ),
    )
  }
  const configuration: ProgramConfiguration = parsed.data
  const readBytes = (name: string) => {
    const text = files.get(name)
    return text === undefined ? undefined : new TextEncoder().encode(text)
  }
  const result = await buildImage({
    configuration,
    readFile: (name) => files.get(name),
    readBytes,
    files: [...files.keys()].sort(),
    cache,
    programs,
    onProgress,
  })
  const { elf, diagnostics } = result
  const ownPrograms = result.programs.filter(({ path }) => [configuration.root?.[path] ?? []].flat().some((source) => own.has(source)))
  return {
    elf,
    diagnostics,
    listing: elf ? listProgram(elf) : [],
    programListing: ownPrograms.flatMap((program) => listProgram(program.elf).filter(({ file }) => file !== undefined && own.has(file))),
    stage: (stage) => programStage(result, configuration, stage),
  }
}

function problem(code: string, message: string): Diagnostic {
  return { file: 'pollen.json', line: 1, column: 1, end: { line: 1, column: 1 }, severity: 'error', code, message }
}
