/** What the workbench's tests share: a workspace of their own, a workbench in it, waiting for what is announced. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { BoardStatus, EventName, EventPayload } from './protocol/index.ts'
import { LabStore } from './workbench/lab-store.ts'
import { Toolchain } from './workbench/toolchain.ts'
import { Workbench } from './workbench/workbench.ts'

/** One thread for all tests of a file: the compilers take seconds to load. */
export const sharedToolchain = new Toolchain()

export async function temporaryFolder(): Promise<{ folder: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pollen-test-'))
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) }
}

export const LAB = '01-first-light'

/** A workbench whose lab 01 is open, with its solution in place when asked for. */
export async function openWorkbench(solution = false): Promise<{ workbench: Workbench; folder: string; close(): Promise<void> }> {
  const { folder, remove } = await temporaryFolder()
  const workbench = new Workbench({ root: folder, host: 'browser', version: '0.0.0', locale: 'en', toolchain: sharedToolchain })
  await workbench.handlers['labs.open']({ lab: LAB })
  if (solution) for (const [file, text] of await new LabStore().files(LAB, 'solution')) await writeFile(path.join(folder, LAB, file), text)
  return {
    workbench,
    folder,
    close: async () => {
      await workbench.close()
      await remove()
    },
  }
}

/** Resolves with the first event that fits. */
export function eventually<N extends EventName>(
  workbench: Workbench,
  name: N,
  fits: (payload: EventPayload<N>) => boolean,
): Promise<EventPayload<N>> {
  return new Promise((resolve) => {
    const stop = workbench.connect(async (event: EventName, payload: unknown) => {
      if (event !== name || !fits(payload as unknown as EventPayload<N>)) return
      stop()
      resolve(payload as unknown as EventPayload<N>)
    })
  })
}

export const phase =
  (wanted: BoardStatus['phase']) =>
  (status: BoardStatus): boolean =>
    status.phase === wanted
