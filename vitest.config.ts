import { defineConfig } from 'vitest/config'

/** Where CI reads the counts from; people see the default reporter alone. */
const report = process.env['TEST_REPORT']

export default defineConfig({
  test: {
    include: ['{packages,apps,examples,test}/**/*.test.ts'],
    globalSetup: 'test/support/global-setup.ts',
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
