// CI-4, CI-12: the same failure elsewhere has the same signature; what any failing command prints is none.
import { describe, expect, it } from 'vitest';
import { failureSignature } from '../../../src/logs/failure-signature.ts';

const of = (line: string, tests: readonly string[] = []) =>
  failureSignature([line], tests)?.signature ?? null;

describe('failure signature', () => {
  it.each([
    [
      'another package of the same registry',
      'npm error 503 Service Unavailable - GET https://registry.npmjs.org/left-pad',
      'npm error 503 Service Unavailable - GET https://registry.npmjs.org/@acme%2fbutton/-/button-1.2.3.tgz',
    ],
    [
      'another machine and number',
      "/home/runner/work/a/a/src/total.ts(12,3): error TS2304: Cannot find name 'price'.",
      "/work/b/src/total.ts(99,1): error TS2304: Cannot find name 'price'.",
    ],
  ])('is the same for %s', (_name, one, other) => {
    expect(of(one)).not.toBeNull();
    expect(of(one)).toBe(of(other));
  });

  it.each([
    [
      'another error',
      "src/a.ts(1,1): error TS2304: Cannot find name 'price'.",
      "src/a.ts(1,1): error TS2304: Cannot find name 'tax'.",
    ],
    [
      'another registry',
      'npm error 503 Service Unavailable - GET https://registry.npmjs.org/a',
      'npm error 503 Service Unavailable - GET https://npm.acme.example/a',
    ],
  ])('is another one for %s', (_name, one, other) => {
    expect(of(one)).not.toBe(of(other));
  });

  it('tells the same assertion in other tests apart, in whatever order they are', () => {
    const line = 'AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:';
    expect(of(line, ['adds'])).not.toBe(of(line, ['subtracts']));
    expect(of(line, ['a', 'b'])).toBe(of(line, ['b', 'a']));
  });

  it.each([
    'Process completed with exit code 1.',
    '##[error]Process completed with exit code 2.',
    'npm error code ELIFECYCLE',
    'npm error command failed',
    'Tests: 1 failed, 20 passed, 21 total',
    'npm error A complete log of this run can be found in: /root/.npm/_logs/x.log',
    'error',
    '',
  ])('is none for %j', (line) => {
    expect(of(line)).toBeNull();
  });

  it('takes the first line that tells something', () => {
    const found = failureSignature(
      ['Process completed with exit code 1.', 'TypeError: x is not a function'],
      [],
    );
    expect(found?.headline).toBe('TypeError: x is not a function');
  });
});
