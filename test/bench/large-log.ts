// What it takes to reduce a log of 200 MB, as whole processes: `logs reduce` beside a program that only finds the lines of the same file (CI-2).
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeLargeLog } from '../support/large-log.ts';

const pairs = 3;
const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
/** The peak of a process's memory, in KB, is the last thing that it says: its own, since `maxRSS` begins with that of whoever started it. */
const peak = `data:text/javascript,${encodeURIComponent(
  "import { readFileSync } from 'node:fs'; process.on('exit', () => console.error(/VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]));",
)}`;
const floor = `let lines = 0;
for await (const part of (await import('node:fs')).createReadStream(process.argv[1]))
  for (let at = part.indexOf(10); at !== -1; at = part.indexOf(10, at + 1)) lines += 1;
console.log(lines);`;

/** The fastest of each, in turn, so that a busy moment of the machine hits both. */
export async function reducingALargeLog(): Promise<{ readonly [name: string]: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'untilgreen-bench-'));
  try {
    const file = join(folder, 'large.log');
    await writeLargeLog(file);
    const floors: Run[] = [];
    const reductions: Run[] = [];
    for (let pair = 0; pair < pairs; pair += 1) {
      floors.push(await timed(['--input-type=module', '--eval', floor, file], join(folder, 'peak')));
      reductions.push(await timed([main, 'logs', 'reduce', file, '--json'], join(folder, 'peak')));
    }
    const [floorS, reduceS] = [least(floors, 'seconds'), least(reductions, 'seconds')];
    return {
      reduce200MbSeconds: reduceS,
      floor200MbSeconds: floorS,
      reduceOverFloor: reduceS / floorS,
      reduce200MbPeakMb: least(reductions, 'peakMb'),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type Run = { readonly seconds: number; readonly peakMb: number };

async function timed(args: readonly string[], peakFile: string): Promise<Run> {
  const begun = performance.now();
  execFileSync('/bin/sh', ['-c', 'exec "$@" 2>"$0"', peakFile, process.execPath, '--import', peak, ...args]);
  const seconds = (performance.now() - begun) / 1_000;
  return {
    seconds,
    peakMb: Number(execFileSync('tail', ['-n', '1', peakFile], { encoding: 'utf8' })) / 1_024,
  };
}

function least(runs: readonly Run[], figure: keyof Run): number {
  return Math.min(...runs.map((run) => run[figure]));
}
