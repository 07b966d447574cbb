import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['main/**/*.spec.ts', 'machine/**/*.spec.ts', 'labs/**/*.spec.ts', 'renderer/src/**/*.spec.ts'],
    // Nothing here is timed; a generous ceiling only stops a test that hangs.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    maxWorkers: 2,
    reporters: ['default', './machine/testing/not-run-reporter.ts'],
  },
})
