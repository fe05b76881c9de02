// CI-6: a failure is recognised again by its own lines, and nothing else is taken for it.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorSignature, lastLines, matchesSignature, ranNoTests } from '../../../src/logs/signature.ts';

const STAMP = '2026-05-01T10:00:00.1234567Z ';
const log = (...lines: string[]): string => lines.map((line) => `${STAMP}${line}`).join('\r\n');

const failing = log(
  '##[group]Run actions/checkout@v4',
  'error: an older step said this',
  '##[endgroup]',
  '##[group]Run npm run format:check',
  'npm run format:check --error-on-warning',
  'shell: /usr/bin/bash -e {0}',
  'env:',
  '  FAIL_FAST: true',
  '##[endgroup]',
  '',
  '> shop@1.0.0 format:check',
  'Checking formatting...',
  '\u001b[31m[error]\u001b[39m /home/runner/work/shop/shop/src/cart.js: not formatted (line 12, 35ms)',
  'npm ERR! code 1',
  '##[error]Process completed with exit code 1.',
  'Post job cleanup.',
  'fatal: something afterwards',
);

describe('error signature', () => {
  const signature = errorSignature(failing);

  it('keeps what the failing step itself said', () => {
    expect(signature).toEqual({
      errorLines: ['[error] cart.js: not formatted (line #, <time>)'],
      exitCode: 1,
    });
  });

  it('recognises it elsewhere, with other numbers, times, paths and colours', () => {
    expect(
      matchesSignature('[error] /workspace/src/cart.js: not formatted (line 14, 1.2s)\n', signature),
    ).toBe(true);
    expect(
      matchesSignature('[error] /workspace/src/other.js: not formatted (line 12, 35ms)\n', signature),
    ).toBe(false);
    expect(matchesSignature('sh: 1: prettier: not found\nnpm ERR! code 1\n', signature)).toBe(false);
    expect(matchesSignature('', signature, 1)).toBe(false);
  });

  it('falls back to the last lines, then to the exit code', () => {
    expect(
      errorSignature(
        log(
          '##[group]Run ./check',
          '##[endgroup]',
          'prices are too high',
          '##[error]Process completed with exit code 3.',
        ),
      ),
    ).toEqual({
      errorLines: ['prices are too high'],
      exitCode: 3,
    });
    const silent = errorSignature(
      log('##[group]Run ./check', '##[endgroup]', '##[error]Process completed with exit code 4.'),
    );
    expect(silent).toEqual({ errorLines: [], exitCode: 4 });
    expect(matchesSignature('anything', silent, 4)).toBe(true);
    expect(matchesSignature('anything', silent, 1)).toBe(false);
    expect(matchesSignature('anything', errorSignature(''), 1)).toBe(false);
  });

  it('is never matched by lines that any failure prints', () => {
    const generic = errorSignature(
      log(
        'npm ERR! Lifecycle script `test` failed',
        'make: *** [Makefile:3: test] Error 1',
        '##[error]Process completed with exit code 2.',
      ),
    );
    expect(generic.errorLines).toEqual([]);
    const summary = errorSignature(
      'Tests: 1 failed, 3 passed\n 2 failing\n3 tests failed in 2.5s\n0 errors found in a.js\n+ npm test\n',
    );
    expect(summary.errorLines).toEqual([]);
  });

  it('recognises the output that made it, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 80 })), (lines) => {
        const text = lines.join('\n');
        const made = errorSignature(text);
        expect(made.errorLines.length === 0 || matchesSignature(text, made)).toBe(true);
        expect(made.errorLines.length).toBeLessThanOrEqual(50);
      }),
    );
  });

  it('reads a log of 20 MB', () => {
    expect(errorSignature(`${'x'.repeat(99)}\n`.repeat(200_000) + failing)).toEqual(signature);
    expect(errorSignature(`error ${'a1/'.repeat(3_000_000)}`).errorLines.length).toBeLessThanOrEqual(1);
  });
});

describe('0 tests ran is a failure', () => {
  it.each([
    'No tests found, exiting with code 0',
    'No test files found, exiting with code 0',
    'collected 0 items\n\n==== no tests ran in 0.01s ====',
    'Ran 0 tests in 0.000s\n\nOK',
    '  0 passing (1ms)',
    'testing: warning: no tests to run\nPASS',
    '?   \texample.com/a\t[no test files]',
    'Tests run: 0, Failures: 0',
    '0 examples, 0 failures',
    'ℹ tests 0\nℹ pass 0',
  ])('%s', (text) => expect(ranNoTests(text)).toBe(true));

  it.each([
    'Tests  10 passed (10)',
    'running 3 tests\ntest result: ok. 3 passed\n\nDoc-tests\nrunning 0 tests\n0 passed',
    '?   \texample.com/a\t[no test files]\nok  \texample.com/b\t0.01s',
    'All matched files use Prettier code style!',
    'Ran 12 tests in 0.1s',
    '',
  ])('but not: %s', (text) => expect(ranNoTests(text)).toBe(false));

  // DUR-4: a command may print nothing but line ends.
  it.each(['\n', ' \n', 'ok\n', 'ok ', '\u001b]'])('reads a flood of %j at once', (part) => {
    expect(ranNoTests(part.repeat(400_000))).toBe(false);
  });
});

it('keeps the last lines as people read them', () => {
  expect(lastLines('a\r\n10%\r50%\r100%\r\n\u001b[1mb\u001b[0m\n\n', 2)).toEqual(['100%', 'b']);
});
