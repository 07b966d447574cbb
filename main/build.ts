/** Builds what runs: the hart core, then the bundle of the `pollen` command. The renderer is built by electron-vite. */
import { chmod, mkdir } from 'node:fs/promises'
import path from 'node:path'
import { build } from 'esbuild'
import { buildHart } from '../machine/hart/build.ts'

const root = path.join(import.meta.dirname, '..')
const dist = path.join(root, 'dist')

async function main(): Promise<void> {
  await mkdir(dist, { recursive: true })
  await buildHart(dist)
  const outfile = path.join(dist, 'pollen.js')
  await build({
    entryPoints: [path.join(root, 'main/cli/index.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    // Dependencies stay in node_modules: the bundle is our own code.
    packages: 'external',
    banner: { js: '#!/usr/bin/env node' },
    sourcemap: 'linked',
    logLevel: 'warning',
  })
  await chmod(outfile, 0o755)
}

await main()
