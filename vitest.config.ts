import { defineConfig } from 'vitest/config';

/** A file for the counts that `.ci/run` reports, beside what people read. */
const reportFile = process.env.UNTILGREEN_TEST_REPORT;

export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: reportFile ? ['default', ['json', { outputFile: reportFile }]] : ['default'],
  },
});
