// CI-2: the names of failing tests, as each runner prints them, and no others.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFailedTests } from '../../../src/logs/failed-tests.ts';
import { runnerLogs } from './failed-tests-fixtures.ts';

function namesIn(log: string): readonly string[] {
  const tests = createFailedTests();
  for (const text of log.split('\n')) tests.push({ text });
  return tests.names();
}

describe('names of failing tests', () => {
  it.each(runnerLogs.map((one) => [one.runner, one] as const))('%s', (_runner, { log, names }) => {
    expect(namesIn(log)).toEqual(names);
  });

  it('are found after the lines of another runner, and each once', () => {
    const clean = runnerLogs.filter(({ runner }) => !/surefire 2|retry|gradle|elm|spec|no test/.test(runner));
    const both = clean.flatMap((one, index) => [one.log, clean[(index + 7) % clean.length]?.log ?? '']);
    const found = new Set(namesIn(both.join('\n')));
    const wanted = clean.flatMap(({ names }) => names);
    const plain = (name: string) => name.replace(/\W+/g, ' ');
    const lost = wanted.filter((name) => ![...found].some((one) => plain(one).endsWith(plain(name))));
    expect(lost).toEqual([]);
  });

  it('are bounded in number and length', () => {
    const many = Array.from({ length: 5_000 }, (_, n) => `--- FAIL: Test${n} (0.00s)`);
    expect(namesIn(many.join('\n'))).toHaveLength(2_000);
    expect(namesIn(`--- FAIL: Test${'x'.repeat(5_000)} (0.00s)`)[0]?.length).toBeLessThanOrEqual(500);
  });

  it('come out of any text without a throw, as parts of it', () => {
    const piece = fc.constantFrom(
      'FAIL',
      'FAILED',
      ' > ',
      ': ',
      '● ',
      '--- FAIL: ',
      ' ... ',
      '1) ',
      'not ok 1 - ',
      '\n',
      ' ',
      'x',
      '::',
      '.py',
      '(',
      ')',
      '[',
      ']',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 60 }), (pieces) => {
        const text = pieces.join('');
        for (const name of namesIn(text)) expect(name.length).toBeGreaterThan(1);
      }),
    );
  });

  it.each([
    ['letters', 'a'],
    ['brackets', '['],
    ['names', ' > FAIL'],
    ['colons', 'FAIL: a::'],
    ['dots', 'FAILED a.b.c('],
    ['numbers', '  1) '],
    ['spaces', ' '],
    ['arrows', '● a › '],
    ['times', '<<< FAILURE! Time elapsed: 1 '],
    ['three dots', 'x ... '],
    ['dashes', '-- '],
    ['containers', 'FAIL-1-1-1-1 |'],
  ])('take little time on long lines of %s', (_what, unit) => {
    const line = unit.repeat(Math.ceil(100_000 / unit.length));
    const begun = performance.now();
    const tests = createFailedTests();
    for (let n = 0; n < 20; n += 1) tests.push({ text: n % 2 === 0 ? line : `FAIL ${line}` });
    tests.names();
    expect(performance.now() - begun).toBeLessThan(500);
  });
});
