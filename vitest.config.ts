import { defineConfig } from 'vitest/config'
import { suiteFolders } from './scripts/lib/suites.ts'

// Three projects: unit tests share one process per worker (modules hold no state); api tests talk to a real API server; stories run our programs.
const shared = { testTimeout: 20_000, hookTimeout: 30_000, expect: { poll: { timeout: 30_000 } }, env: suiteFolders(process.env) }
const cluster = {
  testTimeout: 120_000,
  hookTimeout: 180_000,
  globalSetup: ['src/testing/control-plane-setup.ts'],
}

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          include: ['src/**/*.test.ts', 'scripts/**/*.test.ts'],
          exclude: ['**/*.api.test.ts', '**/*.story.test.ts'],
          setupFiles: ['src/testing/properties.setup.ts'],
          pool: 'threads',
          isolate: false,
        },
      },
      {
        test: {
          ...shared,
          ...cluster,
          name: 'api',
          include: ['src/**/*.api.test.ts'],
          pool: 'forks',
          fileParallelism: true,
          maxWorkers: 2,
        },
      },
      {
        test: {
          ...shared,
          ...cluster,
          name: 'stories',
          include: ['src/**/*.story.test.ts'],
          pool: 'forks',
          maxWorkers: 2,
          testTimeout: 240_000,
        },
      },
    ],
  },
})
