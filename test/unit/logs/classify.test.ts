// CI-2, CI-3, CI-4: why a run failed, by rules that know the words of many tools, and are careful with what is called not the change's fault.
import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { type Classification, classifyLog } from '../../../src/logs/classify.ts';
import { type LogFile, openLog } from '../../../src/logs/lines.ts';
import { github, labelledLogs } from './classify-fixtures.ts';

function logFile(text: string, name = 'log.txt'): LogFile {
  return {
    name,
    open: async function* () {
      yield Buffer.from(text);
    },
  };
}

function classify(text: string, passing?: string): Promise<Classification> {
  return classifyLog([logFile(text)], passing === undefined ? {} : { passing: [logFile(passing)] });
}

const notTheChange = (name: string): boolean => name === 'flake' || name === 'infra';

describe('a failed job', () => {
  it.each(labelledLogs.map((one) => [one.class, one.what, one.log] as const))(
    '%s: %s',
    async (wanted, _what, log) => {
      const result = await classify(log);
      expect(result.class).toBe(wanted);
      if (wanted !== 'unknown') expect(result.evidence.length).toBeGreaterThan(0);
      expect(result.failingJobs).toEqual(['log.txt']);
      const lines = log.split('\n');
      for (const { n, text } of result.evidence) expect(lines[n - 1]).toContain(text.trim().slice(-20));
    },
  );

  it('of a comparison that failed stays a regression, whatever the network says around it', async () => {
    const noise = labelledLogs
      .filter((one) => one.class === 'infra')
      .flatMap((one) => one.log.split('\n').slice(-6, -2));
    const failing = labelledLogs.filter(
      (one) => one.class === 'regression' && /[Ee]xpected|assert|Assert/.test(one.log),
    );
    const line = fc.constantFrom(
      ...noise.filter(
        (one) =>
          !/error\]|canceled|terminated|\[Pipeline|system failure|shutdown|No output|Cannot contact/.test(
            one,
          ),
      ),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...failing),
        fc.array(line, { maxLength: 6 }),
        fc.nat(),
        async (one, words, at) => {
          const lines = one.log.split('\n');
          const place = 12 + (at % Math.max(1, lines.length - 14));
          const mixed = [
            ...lines.slice(0, place),
            ...words.map((word) => `    ${word.replace(/^\S+Z /, '')}`),
            ...lines.slice(place),
          ];
          const { class: name } = await classify(mixed.join('\n'));
          expect([one.what, name]).toEqual([one.what, expect.not.stringMatching(/flake/)]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is not explained by what green runs say too', async () => {
    const noise = 'curl: (28) Operation timed out after 30001 milliseconds\nsocket hang up';
    expect((await classify(github('./do.sh', noise))).class).toBe('infra');
    expect((await classify(github('./do.sh', noise), github('./do.sh', noise))).confidence).toBeLessThan(0.4);
  });

  it('is not explained by a step that went well', async () => {
    const log = github('./do.sh', 'doing it').replace(
      'Syncing repository',
      'Connection reset by peer\nSyncing repository',
    );
    expect((await classify(log)).class).not.toBe('infra');
  });

  it('of any text has a class, a confidence and bounded evidence', async () => {
    const word = fc.constantFrom(
      'error',
      'FAILED',
      'timeout',
      ':',
      '\n',
      'Connection reset by peer',
      '##[error]',
      '1 failed',
      '"',
      ' ',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(word, fc.string()), { maxLength: 80 }), async (words) => {
        const { confidence, evidence } = await classify(words.join(''));
        expect(confidence).toBeGreaterThan(0);
        expect(confidence).toBeLessThanOrEqual(1);
        expect(evidence.length).toBeLessThanOrEqual(12);
      }),
      { numRuns: 60 },
    );
  });
});

describe('a run of several jobs', () => {
  const failed = logFile(
    github('npm test', 'not ok 1 - rounds\nAssertionError: 1 == 2\n# fail 1'),
    '1_test.txt',
  );
  const stopped = logFile(github('npm test', 'running', 'The operation was canceled.'), '2_slow.txt');
  const green = logFile(
    github('npm run lint', 'all well').replaceAll(/^.*##\[error\].*\n/gm, ''),
    '3_lint.txt',
  );

  it('names those that failed and those that were stopped, and is judged by the ones that failed', async () => {
    const result = await classifyLog([failed, stopped, green]);
    expect(result.failingJobs).toEqual(['1_test.txt', '2_slow.txt']);
    expect(result.class).toBe('regression');
    expect(result.evidence[0]).toMatchObject({ file: '1_test.txt' });
  });

  it('a step whose failure may be ignored is no failed job', async () => {
    const ignored = github('npm audit', 'found 3 high severity vulnerabilities').replace(
      'Post job cleanup.',
      '##[group]Run npm run build\n##[endgroup]\nbuilt\nPost job cleanup.',
    );
    const result = await classifyLog([failed, logFile(ignored, '4_build.txt')]);
    expect(result.failingJobs).toEqual(['1_test.txt']);
  });
});

it.each([
  'a',
  '[',
  'error: ',
  'FAILED ',
  ': ',
  'E: ',
  '.go:1:1: ',
  'timeout ',
  '"',
  'Could not ',
  'a.b.',
  'x/',
  '1 ',
  'token is ',
  'Expected ',
])('100 KB of %j in a line take little time', async (unit) => {
  const line = unit.repeat(Math.ceil(100_000 / unit.length));
  const begun = performance.now();
  await classify(`${line}\nerror ${line}\nfailed ${line.slice(0, 4_000)}\n`.repeat(3));
  expect(performance.now() - begun).toBeLessThan(1_500);
});

const zips = new URL('../../../../shared/data/ci-logs/zips/', import.meta.url);
const labels = new URL('labels.jsonl', zips);

/** Development logs beside the project, when they are there: real archives with the jobs that failed and a class. */
test.skipIf(!existsSync(labels))(
  `real archives: failing jobs, and nothing called flake or infra${existsSync(labels) ? '' : ' (skipped: no ../shared/data)'}`,
  async () => {
    const wanted = readFileSync(labels, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { file: string; failing_jobs: string[]; class: string });
    let right = 0;
    for (const { file, failing_jobs: jobs, class: name } of wanted) {
      const result = await classifyLog(await openLog(new URL(file, zips).pathname));
      expect([file, result.failingJobs.toSorted()]).toEqual([file, jobs.toSorted()]);
      expect([file, notTheChange(result.class)]).toEqual([file, notTheChange(name)]);
      if (result.class === name) right += 1;
    }
    expect(right / wanted.length).toBeGreaterThanOrEqual(0.8);
  },
  60_000,
);
