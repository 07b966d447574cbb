/** The compiled hart core, which the build puts in dist/. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { projectRoot } from './worker-thread.ts'

/** @throws Error saying how to make it when it is not there. */
export function loadHartModule(): WebAssembly.Module {
  try {
    return new WebAssembly.Module(readFileSync(path.join(projectRoot(), 'dist/hart.wasm')))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new Error('the hart core is not built: run "npm run build"')
  }
}
