/** The compiled hart core, which the build puts beside the bundles. */
import { readFileSync } from 'node:fs'
import path from 'node:path'

/** @throws Error saying how to make it when it is not there. */
export function loadHartModule(): WebAssembly.Module {
  // From a bundle in dist/, and from the sources under a TypeScript runner.
  const candidates = ['hart.wasm', '../../dist/hart.wasm'].map((name) => path.join(import.meta.dirname, name))
  for (const candidate of candidates) {
    try {
      return new WebAssembly.Module(readFileSync(candidate))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  throw new Error('the hart core is not built: run "npm run build"')
}
