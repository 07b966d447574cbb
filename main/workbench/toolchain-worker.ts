/** The toolchain's thread, kept warm: one build at a time, in the order asked for. */
import { parentPort } from 'node:worker_threads'
import { buildProgram, type BuiltProgram } from './program.ts'

export interface ToToolchain {
  readonly id: number
  readonly files: ReadonlyMap<string, string>
}

export type FromToolchain = { readonly id: number; readonly program: BuiltProgram } | { readonly id: number; readonly failure: string }

parentPort?.on('message', ({ id, files }: ToToolchain) => {
  let answer: FromToolchain
  try {
    answer = { id, program: buildProgram(files) }
  } catch (error) {
    // A defect of the toolchain must not take the editor down with it.
    answer = { id, failure: (error as Error).stack ?? String(error) }
  }
  parentPort!.postMessage(answer)
})
