// Names every test that failed and then passed on the same commit: a fault of the test or of the product, to be found, that need not
// stop a landing (docs/decisions/2026-11-21-one-retry.md).
import type { Reporter, TestCase } from 'vitest/node';

export class FlakyReporter implements Reporter {
  private readonly flaky: string[] = [];

  onTestCaseResult(test: TestCase): void {
    if (test.diagnostic()?.flaky !== true) return;
    const first = test.result().errors?.[0]?.message ?? 'no message';
    this.flaky.push(`${test.module.relativeModuleId} > ${test.fullName}\n    ${first.split('\n')[0]}`);
  }

  onTestRunEnd(): void {
    if (this.flaky.length === 0) return;
    console.warn(`\nflaky, passed at the second try:\n${this.flaky.map((one) => `  ${one}`).join('\n')}\n`);
  }
}
