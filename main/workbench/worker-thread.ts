/** Starts the product's worker threads: the compiled file beside the main bundle, or the source when run from source. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'

/** The folder of this project: where package.json says so. */
export function projectRoot(): string {
  for (let folder = import.meta.dirname; ; folder = path.dirname(folder)) {
    const manifest = path.join(folder, 'package.json')
    if (existsSync(manifest) && (JSON.parse(readFileSync(manifest, 'utf8')) as { name?: string }).name === 'pollen') return folder
    if (folder === path.dirname(folder)) throw new Error('Pollen runs from a folder that has lost its package.json')
  }
}

export interface WorkerFile {
  /** Relative to the project's root. */
  readonly source: string
  /** In `out/main`. */
  readonly compiled: string
}

export const BOARD_WORKER: WorkerFile = { source: 'machine/worker.ts', compiled: 'board-worker.js' }
export const TOOLCHAIN_WORKER: WorkerFile = { source: 'main/workbench/toolchain-worker.ts', compiled: 'toolchain-worker.js' }

export const CHECK_WORKER: WorkerFile = { source: 'main/workbench/check-worker.ts', compiled: 'check-worker.js' }

export function startWorker(file: WorkerFile, workerData?: unknown): Worker {
  const root = projectRoot()
  if (import.meta.url.endsWith('.ts')) {
    const source = pathToFileURL(path.join(root, file.source)).href
    // Worker threads do not inherit the loader that lets Node read TypeScript.
    const code = `import('tsx/esm/api').then(({ register }) => { register(); return import(${JSON.stringify(source)}) })`
    return new Worker(code, { eval: true, workerData, name: file.compiled, stderr: false })
  }
  // Beside this bundle, or one folder up when it was split into chunks.
  const places = [import.meta.dirname, path.dirname(import.meta.dirname), path.join(root, 'out/main')].map((folder) =>
    path.join(folder, file.compiled),
  )
  return new Worker(places.find(existsSync) ?? places[0], { workerData, name: file.compiled })
}
