// Lines of different runs that say the same, and tokens without a model (CI-2).
import fc from 'fast-check';
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { describe, expect, test } from 'vitest';
import { templateOf } from '../../../src/logs/template.ts';
import { estimateTokens } from '../../../src/logs/tokens.ts';
import { ciLog } from './cases/ci-log.ts';
import { compilerCases } from './cases/compilers.ts';
import { testCases } from './cases/tests.ts';

describe('the template of a line', () => {
  test.each([
    ['numbers', 'took 12 ms', 'took 9481 ms'],
    ['commits', 'HEAD is now at 9f3c2ab fix', 'HEAD is now at 0a41d7e fix'],
    ['temporary folders', 'writing /tmp/build-8f2a/out.log', 'writing /tmp/build-77c1/out.log'],
    ['versions', 'Downloaded left-pad@1.3.0', 'Downloaded left-pad@1.4.1'],
    ['times', 'at 10:11:12,345 done', 'at 23:59:01,001 done'],
    ['blanks', 'a   b', 'a b'],
    ['ids', 'job 3f2504e0-4f89-11d3-9a0c-0305e82c3301', 'job 7c9e6679-7425-40de-944b-e07fc1f90ae7'],
  ])('is the same whatever the %s', (_, one, other) => {
    expect(templateOf(one)).toBe(templateOf(other));
  });

  test.each([
    ['another word', 'error: no member x', 'error: no member y'],
    ['another sign', 'a = b', 'a - b'],
    ['a word more', 'all tests passed', 'not all tests passed'],
  ])('differs with %s', (_, one, other) => {
    expect(templateOf(one)).not.toBe(templateOf(other));
  });

  test('is a 32-bit number for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => (templateOf(text) | 0) === templateOf(text)),
    );
  });
});

describe('estimated tokens', () => {
  test('are at most a third above and a tenth below what an encoder counts over a log', () => {
    const ratios = [...compilerCases, ...testCases].map((one) => {
      const lines = ciLog(one).text.split('\n');
      const estimated = lines.reduce((sum, line) => sum + estimateTokens(line), 0);
      return estimated / countTokens(lines.join('\n'));
    });
    expect(Math.min(...ratios)).toBeGreaterThan(0.9);
    expect(Math.max(...ratios)).toBeLessThan(1.35);
  });

  test('grow with the text, and a blank line costs one', () => {
    expect(estimateTokens('')).toBe(1);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(estimateTokens(text)).toBeGreaterThanOrEqual(1);
        expect(estimateTokens(`${text} more`)).toBeGreaterThanOrEqual(estimateTokens(text));
      }),
    );
  });
});
