/** The window's bundle for both hosts, and Electron's main process, preload script and worker threads. */
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'electron-vite'

export default defineConfig({
  main: {
    build: {
      outDir: 'out/main',
      externalizeDeps: true,
      rolldownOptions: {
        input: {
          index: 'main/index.ts',
          start: 'main/cli/start-main.ts',
          'board-worker': 'machine/worker.ts',
          'toolchain-worker': 'main/workbench/toolchain-worker.ts',
          'check-worker': 'main/workbench/check-worker.ts',
        },
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
      },
    },
  },
  preload: {
    build: {
      outDir: 'out/preload',
      // A sandboxed preload script is one CommonJS file.
      externalizeDeps: false,
      rolldownOptions: { input: { preload: 'main/preload.ts' }, output: { format: 'cjs', entryFileNames: '[name].cjs' } },
    },
  },
  renderer: {
    root: 'renderer',
    base: '/',
    plugins: [svelte()],
    build: {
      outDir: 'out/renderer',
      emptyOutDir: true,
      minify: 'oxc',
      target: 'es2022',
      // Inlined fonts and images would need wider policies.
      assetsInlineLimit: 0,
      chunkSizeWarningLimit: 8000,
      rolldownOptions: { input: 'renderer/index.html' },
    },
    worker: { format: 'es' },
  },
})
