/** The toolchain's thread, kept warm: one build at a time, in the order asked for. */
import { parentPort } from 'node:worker_threads'
import type { CodeCache, ProgramCache } from '../../machine/toolchain/build.ts'
import { buildProgram, type BuiltProgram } from './program.ts'

export interface ToToolchain {
  readonly id: number
  readonly files: ReadonlyMap<string, string>
}

export type FromToolchain = { readonly id: number; readonly program: BuiltProgram } | { readonly id: number; readonly failure: string }

/** Machine code by what it was made from: a change to one function compiles that one anew. */
const cache: CodeCache = new Map()
const programs: ProgramCache = new Map()
let last: Promise<void> = Promise.resolve()

parentPort?.on('message', ({ id, files }: ToToolchain) => {
  last = last.then(async () => {
    let answer: FromToolchain
    try {
      answer = { id, program: await buildProgram(files, cache, programs) }
    } catch (error) {
      // A defect of the toolchain must not take the editor down with it.
      answer = { id, failure: (error as Error).stack ?? String(error) }
    }
    parentPort!.postMessage(answer)
  })
})
