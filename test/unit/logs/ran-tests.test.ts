// CI-6: how many tests ran, and which, by what runners print; and that a failing test which is taken away does not count as fixed.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ranTests, testsMissing } from '../../../src/logs/ran-tests.ts';

describe('how many tests ran', () => {
  it.each<[string, string, number | null]>([
    [
      'jest',
      'Test Suites: 1 failed, 1 passed, 2 total\nTests:       1 failed, 2 skipped, 4 passed, 7 total\n',
      5,
    ],
    ['vitest', ' Test Files  1 failed (1)\n      Tests  1 failed | 4 passed | 1 skipped (6)\n', 5],
    ['vitest, colours', '\u001b[2m      Tests \u001b[22m \u001b[32m4 passed\u001b[39m (4)\n', 4],
    ['pytest', '=================== 1 failed, 4 passed, 1 skipped in 0.12s ===================\n', 5],
    ['pytest, quiet', '3 passed in 0.01s\n', 3],
    ['pytest, expected failures', '====== 1 passed, 2 xfailed in 0.10s ======\n', 1],
    ['pytest, broken import', '=== 1 error in 0.10s ===\n', 0],
    ['unittest', 'Ran 5 tests in 0.001s\n\nOK (skipped=1, expected failures=1)\n', 3],
    ['unittest, failed', 'Ran 5 tests in 0.001s\n\nFAILED (failures=1, skipped=2)\n', 3],
    [
      'go -v',
      '--- PASS: TestA (0.00s)\n    --- PASS: TestA/one (0.00s)\n--- SKIP: TestB (0.00s)\n--- FAIL: TestC (0.01s)\n',
      3,
    ],
    ['go', 'ok  \texample.com/shop\t0.002s\n', null],
    [
      'cargo',
      'test result: ok. 4 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\ntest result: FAILED. 1 passed; 1 failed; 0 ignored;\n',
      6,
    ],
    ['node', 'ℹ tests 5\nℹ suites 1\nℹ pass 3\nℹ fail 0\nℹ cancelled 0\nℹ skipped 1\nℹ todo 1\n', 3],
    ['node, TAP', '# tests 5\n# pass 4\n# fail 1\n# skipped 0\n# todo 0\n', 5],
    ['mocha', '  5 passing (12ms)\n  1 pending\n  2 failing\n', 7],
    ['RSpec', '5 examples, 1 failure, 2 pending\n', 3],
    ['minitest', '5 runs, 9 assertions, 0 failures, 0 errors, 1 skips\n', 4],
    ['PHPUnit', 'Tests: 5, Assertions: 9, Failures: 1, Skipped: 1.\n', 4],
    ['PHPUnit, passed', 'OK (5 tests, 9 assertions)\n', 5],
    [
      'Maven',
      '[INFO] Tests run: 2, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 0.1 s - in A\n[ERROR] Tests run: 5, Failures: 1, Errors: 0, Skipped: 1\n',
      4,
    ],
    [
      'dotnet',
      'Passed!  - Failed:     0, Passed:     5, Skipped:     1, Total:     6, Duration: 3 ms - a.dll\nPassed!  - Failed:     0, Passed:     2, Skipped:     0, Total:     2\n',
      7,
    ],
    ['nothing known', 'all good\n', null],
  ])('%s', (_name, output, ran) => {
    expect(ranTests(output).ran).toBe(ran);
  });

  it('never throws, whatever a command prints', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2_000 }), (text) => {
        const { ran } = ranTests(text);
        return ran === null || Number.isFinite(ran);
      }),
    );
  });
});

const go = (...lines: readonly string[]): string => lines.map((line) => `--- ${line} (0.00s)`).join('\n');

describe('a failing test that is taken away', () => {
  it.each<[string, string, string, readonly string[], RegExp | null]>([
    ['is fixed', go('PASS: TestA', 'FAIL: TestB'), go('PASS: TestA', 'PASS: TestB'), ['TestB'], null],
    [
      'is skipped',
      go('PASS: TestA', 'FAIL: TestB'),
      go('PASS: TestA', 'SKIP: TestB'),
      ['TestB'],
      /TestB is skipped/,
    ],
    ['is gone', go('PASS: TestA', 'FAIL: TestB'), go('PASS: TestA'), ['TestB'], /TestB did not run/],
    ['has another in its place', go('FAIL: TestB'), go('PASS: TestC'), ['TestB'], /TestB did not run/],
    [
      'is one of several fixed',
      go('FAIL: TestA', 'FAIL: TestB'),
      go('PASS: TestA', 'SKIP: TestB'),
      ['TestA', 'TestB'],
      /TestB is skipped/,
    ],
    [
      'is skipped, pytest',
      'a.py::test_b FAILED [100%]\n== 1 failed in 0.1s ==',
      'a.py::test_b SKIPPED (x) [100%]\n== 1 skipped in 0.1s ==',
      ['a.py::test_b'],
      /skipped/,
    ],
    [
      'is fixed, pytest',
      'a.py::test_b FAILED [100%]\n== 1 failed in 0.1s ==',
      'a.py::test_b PASSED [100%]\n== 1 passed in 0.1s ==',
      ['a.py::test_b'],
      null,
    ],
    [
      'is fixed, under a longer name',
      '1 failed in 0.1s',
      'tests/a.py::TestX::test_b PASSED\n1 passed in 0.1s',
      ['TestX::test_b'],
      null,
    ],
    [
      'is gone, with counts only',
      'Tests:  1 failed, 4 passed, 5 total',
      'Tests:  4 passed, 4 total',
      ['x'],
      /5 tests ran before, 4 after/,
    ],
    [
      'is fixed, with counts only',
      'Tests:  1 failed, 4 passed, 5 total',
      'Tests:  5 passed, 5 total',
      ['x'],
      null,
    ],
    ['has more beside it', 'Tests:  1 failed, 5 total', 'Tests:  9 passed, 9 total', [], null],
    [
      "is node's own",
      '✖ adds (1.2ms)\nℹ tests 1\nℹ skipped 0',
      '﹣ adds (0.2ms) # SKIP\nℹ tests 1\nℹ skipped 1',
      ['adds'],
      /adds is skipped/,
    ],
    ['left no word', 'wrong price', 'ok', [], null],
    ['stopped at its first failure', go('FAIL: TestA'), go('PASS: TestA', 'PASS: TestB'), ['TestA'], null],
  ])('%s', (_name, before, after, failed, reason) => {
    const said = testsMissing(ranTests(before), ranTests(after), failed);
    if (reason === null) expect(said).toBeNull();
    else expect(said).toMatch(reason);
  });
});
