// The reducer over logs of many tools and CI systems, and over anything (CI-2).
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ReducedLog,
  type ReduceOptions,
  reduceLog,
  reduceLogs,
} from '../../../src/logs/reduce/reduce.ts';
import { estimateTokens } from '../../../src/logs/tokens.ts';
import { ciLog, type LogCase, type System } from './cases/ci-log.ts';
import { compilerCases } from './cases/compilers.ts';
import { testCases } from './cases/tests.ts';
import { toolCases } from './cases/tools.ts';

const cases: readonly LogCase[] = [...compilerCases, ...testCases, ...toolCases];
/** Less than the logs have, so that something must go. */
const BUDGET = 900;

async function* bytesOf(text: string | Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

function reduce(text: string | Uint8Array, options: ReduceOptions = {}): Promise<ReducedLog> {
  return reduceLog(bytesOf(text), { maxTokens: BUDGET, ...options });
}

describe('what explains a failure is kept', () => {
  test('the cases are of more than 40 tools on six CI systems', () => {
    expect(new Set(cases.map(({ tool }) => tool)).size).toBeGreaterThan(40);
    expect(new Set(cases.map(({ system }) => system)).size).toBe(6);
  });

  test.each(cases.map((one) => [one.tool, one.system, one] as const))(
    'CI-2: %s on %s',
    async (_, __, one) => {
      const { text, explaining, passing } = ciLog(one);
      for (const options of [{}, { passing: [bytesOf(passing)] }]) {
        const reduced = await reduce(text, options);
        const kept = reduced.lines.filter(({ n }) => explaining.has(n)).length;
        expect(kept / explaining.size).toBeGreaterThanOrEqual(0.85);
        expect(reduced.cause[0]?.n).toSatisfy((n: number) => explaining.has(n));
        expect(reduced.tokens).toBeLessThanOrEqual(BUDGET);
      }
    },
  );

  test.each<System>(['github', 'gitlab', 'travis', 'jenkins', 'circleci', 'azure'])(
    'CI-2: on %s the first cause explains for nine tools of ten',
    async (system) => {
      let right = 0;
      for (const one of cases) {
        const { text, explaining } = ciLog({ ...one, system });
        const first = (await reduce(text)).cause[0];
        if (first && explaining.has(first.n)) right++;
      }
      expect(right / cases.length).toBeGreaterThanOrEqual(0.9);
    },
  );
});

describe('what does not explain goes', () => {
  const [gcc] = compilerCases;

  test('passing tests, downloads and the end of the job are not in a small budget', async () => {
    const { text } = ciLog(gcc ?? fail());
    const kept = (await reduce(text, { maxTokens: 300 })).lines.map((line) => line.text).join('\n');
    expect(kept).not.toMatch(/Downloading|✓ fails|^ok \d+|vulnerabilities|after_failure/m);
  });

  test('a line that the passing log has is no cause', async () => {
    const shared = 'ERROR: cannot reach the licence server, going on without';
    const failing = `${shared}\nworking\nsecond phase\nwidget 12 is not aligned: error in row 9\n##[error]Process completed with exit code 1.`;
    const alone = await reduce(failing);
    const compared = await reduce(failing, { passing: [bytesOf(`${shared}\nworking\nsecond phase\n`)] });
    expect(alone.cause[0]?.n).toBe(1);
    expect(compared.cause[0]?.n).toBe(4);
  });

  test('the same block a hundred times leaves room for another one', async () => {
    const block = 'src/a.c:1:2: error: no member\n  1 | x.y\n    |   ^\n';
    const text = `${block.repeat(100)}src/b.c:7:7: error: unknown type name\nmake: *** [all] Error 1\nExited with code 2\n`;
    const reduced = await reduce(text, { maxTokens: 200 });
    expect(reduced.lines.map((line) => line.text)).toContain('src/b.c:7:7: error: unknown type name');
  });

  test('a long line is cut', async () => {
    const reduced = await reduce(`error: ${'x'.repeat(5000)}\n`);
    expect(reduced.lines[0]?.text.length).toBeLessThan(700);
    expect(reduced.lines[0]?.text.endsWith('…')).toBe(true);
  });
});

describe('any log', () => {
  const line = fc.oneof(
    fc.string({ maxLength: 60, unit: 'binary' }),
    fc.constantFrom(
      'error: x',
      '##[error]y',
      'FAIL z',
      '  at a.b(C.java:1)',
      '##[group]Run a',
      'Post job cleanup.',
      '',
      'Traceback (most recent call last):',
      '✓ ok',
      'Exited with code 1',
      '\u001b[31mred\u001b[0m',
      '1) Failure:',
    ),
  );

  test('never more than the budget, lines in order and of the log, causes among them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 60 }),
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.integer({ min: 1, max: 300 }),
        async (lines, end, maxTokens) => {
          const text = lines.join(end);
          const reduced = await reduce(text, { maxTokens });
          const split = text.split(/\r\n|\n|\r/);
          if (split.at(-1) === '') split.pop();
          expect(reduced.totalLines).toBe(split.length);
          expect(reduced.tokens).toBeLessThanOrEqual(maxTokens);
          expect(reduced.tokens).toBe(reduced.lines.reduce((sum, one) => sum + estimateTokens(one.text), 0));
          const numbers = reduced.lines.map(({ n }) => n);
          expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
          expect(numbers.every((n) => n >= 1 && n <= split.length)).toBe(true);
          expect(reduced.cause.every(({ n, score }) => numbers.includes(n) && score > 0 && score <= 1)).toBe(
            true,
          );
        },
      ),
    );
  });

  test('never throws on bytes, and chunks do not matter', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 2000 }),
        fc.integer({ min: 1, max: 64 }),
        async (bytes, size) => {
          const whole = await reduceLog(bytesOf(bytes, 4000));
          expect(await reduceLog(bytesOf(bytes, size))).toEqual(whole);
        },
      ),
    );
  });

  test.each([
    ['opening brackets', '('.repeat(400)],
    ['a path without end', '/a'.repeat(200)],
    ['dots', 'a.'.repeat(200)],
    ['colons', 'x:1:'.repeat(100)],
    ['blanks', `error${' '.repeat(390)}x`],
    ['expectations', 'expect(expected '.repeat(25)],
    ['commands', `The command "${'"'.repeat(380)}`],
    ['hyphens', `${'-'.repeat(390)} x`],
  ])('20,000 lines of %s take no more than a moment', async (_, hostile) => {
    const begun = performance.now();
    await reduce(`${hostile} 1\n`.repeat(20_000));
    expect(performance.now() - begun).toBeLessThan(6000);
  });

  test('of a large log the failure in its middle is found', async () => {
    const filler = Array.from({ length: 60_000 }, (_, index) => `step ${index} of the long way is done`);
    const text = [...filler, 'src/a.c:3:4: error: expected expression', ...filler].join('\n');
    const reduced = await reduce(text);
    expect(reduced.totalLines).toBe(120_001);
    expect(reduced.cause[0]?.n).toBe(60_001);
  });

  test('nothing comes of nothing', async () => {
    expect(await reduce('')).toEqual({ lines: [], cause: [], failedTests: [], tokens: 0, totalLines: 0 });
  });
});

describe('the logs of a run', () => {
  const log = (name: string, text: string) => ({ name, open: () => bytesOf(text) });
  const end = '##[error]Process completed with exit code 1.';

  test('CI-2: jobs that failed share the budget; the same failure is said once', async () => {
    const failing = `##[group]Run make\nsrc/a.c:1:1: error: no member named x\n${end}\n`;
    const reduced = await reduceLogs([
      log('1_ubuntu.txt', failing),
      log('2_lint.txt', 'all is well\nerror: this one was survived\n'),
      log('3_windows.txt', failing),
      log('5_inputs.txt', '##[group]Run a/b@v1\n##[error]Input required and not supplied: token\n'),
      log('4_docs.txt', `##[group]Run docs\ndocs/a.md: broken link to b.md, not found\n${end}\n`),
    ]);
    expect(reduced.totalLines).toBe(13);
    expect(reduced.cause.map(({ file, n }) => [file, n])).toEqual([
      ['1_ubuntu.txt', 2],
      ['5_inputs.txt', 2],
      ['4_docs.txt', 2],
    ]);
    expect(reduced.lines.some(({ file }) => file === '2_lint.txt')).toBe(false);
  });
});

function fail(): never {
  throw new Error('no case');
}
