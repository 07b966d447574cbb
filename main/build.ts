/** Builds what runs: the hart core, the firmware, then the bundles of the `pollen` command and its worker threads. The renderer is built by electron-vite. */
import { chmod, mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { build } from 'esbuild'
import { buildHart } from '../machine/hart/build.ts'
import { buildFirmware } from './build-firmware.ts'

const root = path.join(import.meta.dirname, '..')
const dist = path.join(root, 'dist')

async function main(): Promise<void> {
  await mkdir(dist, { recursive: true })
  await buildHart(dist)
  await buildFirmware(path.join(root, 'labs/os/firmware'), 'virt', path.join(dist, 'firmware.elf'))
  await buildFirmware(path.join(root, 'labs/os/firmware'), 'k210', path.join(dist, 'firmware-k210.elf'))
  await rm(path.join(dist, 'chunks'), { recursive: true, force: true })
  await build({
    entryPoints: {
      pollen: path.join(root, 'main/cli/index.ts'),
      'board-worker': path.join(root, 'machine/worker.ts'),
      'toolchain-worker': path.join(root, 'main/workbench/toolchain-worker.ts'),
      'check-worker': path.join(root, 'main/workbench/check-worker.ts'),
    },
    outdir: dist,
    // The verb that starts the workbench is loaded when it is asked for.
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    // Dependencies stay in node_modules: the bundle is our own code.
    packages: 'external',
    sourcemap: 'linked',
    logLevel: 'warning',
  })
  await chmod(path.join(dist, 'pollen.js'), 0o755)
}

await main()
