/** The compiled hart core for tests: `npm test` builds it first. */
import { readFileSync } from 'node:fs'
import path from 'node:path'

let module: WebAssembly.Module | undefined

export function testHartModule(): WebAssembly.Module {
  return (module ??= new WebAssembly.Module(readFileSync(path.join(import.meta.dirname, '../../dist/hart.wasm'))))
}
