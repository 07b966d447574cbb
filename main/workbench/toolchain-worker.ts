/** The toolchain's thread, kept warm: one build at a time, in the order asked for. */
import path from 'node:path'
import { parentPort } from 'node:worker_threads'
import type { CodeCache, Stage, StageLine } from '../../machine/toolchain/build.ts'
import { DiskProgramCache } from './program-cache.ts'
import { buildProgram, type BuiltProgram } from './program.ts'
import { projectRoot } from './worker-thread.ts'

export interface ToToolchain {
  readonly id: number
  readonly files: ReadonlyMap<string, string>
  /** The learner's among them. */
  readonly own?: readonly string[]
  /** Not the program but one of its stages. */
  readonly stage?: Stage
}

export type SentProgram = Omit<BuiltProgram, 'stage'>

export type FromToolchain =
  | { readonly id: number; readonly program: SentProgram }
  | { readonly id: number; readonly stage: StageLine[][] }
  | { readonly id: number; readonly failure: string }
  /** Not the answer yet. */
  | { readonly id: number; readonly progress: string }

/** Machine code by what it was made from: a change to one function compiles that one anew. */
const cache: CodeCache = new Map()
/** The programs of an operating system, most of which a learner never changes: shared with the command. */
const programs = new DiskProgramCache(path.join(projectRoot(), 'labs/os'))
let last: Promise<void> = Promise.resolve()
/** The build before: looking at its stages does not build it anew. */
let before: { readonly files: ReadonlyMap<string, string>; readonly program: BuiltProgram } | undefined

parentPort?.on('message', ({ id, files, own, stage }: ToToolchain) => {
  last = last.then(async () => {
    let answer: FromToolchain
    try {
      if (!before || !stage || !same(before.files, files)) {
        const onProgress = (progress: string) => parentPort!.postMessage({ id, progress } satisfies FromToolchain)
        before = { files, program: await buildProgram(files, cache, programs, onProgress, new Set(own)) }
      }
      const { stage: makeStage, ...program } = before.program
      answer = stage ? { id, stage: makeStage(stage) } : { id, program }
    } catch (error) {
      // A defect of the toolchain must not take the editor down with it.
      answer = { id, failure: (error as Error).stack ?? String(error) }
    }
    parentPort!.postMessage(answer)
  })
})

function same(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  return one.size === other.size && [...one].every(([name, text]) => other.get(name) === text)
}
