// How much of what explains a failure is kept, over real logs beside the project where they are; prints the figures (CI-2).
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { openLog } from '../../../src/logs/lines.ts';
import { type ReducedLog, reduceLog, reduceLogs } from '../../../src/logs/reduce/reduce.ts';

const folder = fileURLToPath(new URL('../../../../shared/data/ci-logs/', import.meta.url));
const here = existsSync(folder);

describe.skipIf(!here)(`real logs${here ? '' : ` (skipped: ${folder} is not there)`}`, () => {
  test.each([
    ['alone', false],
    ['with the log of a run that passed', true],
  ])('CI-2: explaining lines are kept, %s', async (name, compared) => {
    const figures: { log: string; recall: number; first: boolean; amongFive: boolean; tokens: number }[] = [];
    for (const log of readdirSync(`${folder}pairs`, { withFileTypes: true }).filter((one) =>
      one.isDirectory(),
    )) {
      const at = `${folder}pairs/${log.name}`;
      const explaining = explainingLines(readFileSync(`${at}/groundtruth`, 'utf8'));
      const reduced = await reduceFile(`${at}/fail.log`, compared ? `${at}/pass.log` : undefined);
      const right = reduced.cause.map(({ n }) => explaining.has(n));
      figures.push({
        log: log.name,
        recall: reduced.lines.filter(({ n }) => explaining.has(n)).length / explaining.size,
        first: right[0] === true,
        amongFive: right.slice(0, 5).includes(true),
        tokens: reduced.tokens,
      });
    }
    const share = (of: (one: (typeof figures)[number]) => number | boolean): number =>
      figures.reduce((sum, one) => sum + Number(of(one)), 0) / figures.length;
    const all = {
      anyKept: share(({ recall }) => recall > 0),
      recall: share(({ recall }) => recall),
      firstCause: share(({ first }) => first),
      firstFive: share(({ amongFive }) => amongFive),
    };
    console.table(figures);
    console.log(name, all);
    expect(all.anyKept).toBe(1);
    expect(all.recall).toBeGreaterThanOrEqual(0.85);
    expect(all.firstCause).toBeGreaterThanOrEqual(0.7);
    expect(all.firstFive).toBeGreaterThanOrEqual(0.9);
    expect(figures.every(({ tokens }) => tokens <= 4000)).toBe(true);
  });

  test('CI-2: of an archive the jobs that failed are kept', async () => {
    const labels = readFileSync(`${folder}zips/labels.jsonl`, 'utf8').trim().split('\n');
    for (const { file, failing_jobs } of labels.map((line) => JSON.parse(line) as Label)) {
      const reduced = await reduceLogs(await openLog(`${folder}zips/${file}`));
      expect(failing_jobs).toContain(reduced.cause[0]?.file);
      expect(reduced.tokens).toBeLessThanOrEqual(4000);
    }
  });
});

type Label = { readonly file: string; readonly failing_jobs: readonly string[] };

async function reduceFile(failed: string, passed: string | undefined): Promise<ReducedLog> {
  const passing = passed === undefined ? [] : (await openLog(passed)).map(({ open }) => open());
  const [log] = await openLog(failed);
  if (!log) throw new Error(`${failed} holds no log`);
  return reduceLog(log.open(), { passing });
}

/** `E 3-7` and `E 9` in lines after the first. */
function explainingLines(groundTruth: string): ReadonlySet<number> {
  const lines = new Set<number>();
  for (const [, from, to] of groundTruth.matchAll(/^E (\d+)(?:-(\d+))?$/gm)) {
    for (let n = Number(from); n <= Number(to ?? from); n++) lines.add(n);
  }
  return lines;
}
