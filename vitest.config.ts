import { defineConfig } from 'vitest/config';
import { FlakyReporter } from './test/support/flaky-reporter.ts';

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
    // On a machine of strangers one more try, named in the output. A counterexample of a property is never a matter of luck.
    retry: process.env.CI ? { count: 1, condition: /^(?!Property failed)/ } : 0,
    reporters: ['default', new FlakyReporter(), ...(reportFile ? [json(reportFile)] : [])],
  },
});

function json(outputFile: string): ['json', { outputFile: string }] {
  return ['json', { outputFile }];
}
