// The command `logs reduce` as people and programs call it (CI-2).
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cli, createCli } from '../../support/cli.ts';
import { largeLogFailure, writeLargeLog } from '../../support/large-log.ts';
import { documentedShapes, shapeOf } from './documented.ts';

const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
const failing = [
  '2024-02-01T10:00:00.0000000Z ##[group]Run make',
  '2024-02-01T10:00:01.0000000Z ##[endgroup]',
  "2024-02-01T10:00:02.0000000Z src/cart.c:41:12: error: no member named 'sevrity' in 'struct entry'",
  '2024-02-01T10:00:03.0000000Z ##[error]Process completed with exit code 2.',
  '',
].join('\n');

let cli: Cli;
let folder: string;
let log: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'untilgreen-logs-'));
  log = join(folder, 'fail.log');
  await writeFile(log, failing);
  cli = await createCli({ DEPLOY_TOKEN: 'hunter2-hunter2-hunter2' });
});

afterAll(async () => {
  await cli.remove();
  await rm(folder, { recursive: true });
});

describe('logs reduce', () => {
  test('CI-2: gives the documented document', async () => {
    const result = await cli.run('logs', 'reduce', log, '--json');
    expect(result.code).toBe(0);
    expect(result.json()).toMatchObject({
      totalLines: 4,
      failedTests: [],
      cause: [{ n: 3, text: "src/cart.c:41:12: error: no member named 'sevrity' in 'struct entry'" }],
    });
    const documented = (await documentedShapes()).get('logs reduce') ?? {};
    expect(Object.keys(documented)).toEqual(expect.arrayContaining(Object.keys(shapeOf(result.json()))));
  });

  test('for people it shows the cause, then the lines with their numbers', async () => {
    const { stdout } = await cli.run('logs', 'reduce', log);
    expect(stdout).toMatch(/of 4 lines, about \d+ tokens\nMost telling:\n {2}3 {2}src\/cart\.c/);
  });

  test('reads gzip, and leaves no secret in', async () => {
    const packed = join(folder, 'fail.log.gz');
    await writeFile(packed, gzipSync('error: login with hunter2-hunter2-hunter2 was refused\n'));
    const { stdout } = await cli.run('logs', 'reduce', packed, '--json');
    expect(stdout).toContain('[secret:DEPLOY_TOKEN]');
    expect(stdout).not.toContain('hunter2');
  });

  test.each([
    ['a missing file', ['nowhere.log'], /FILE: cannot read ".*nowhere\.log".*Fix: name a file that exists/],
    ['a folder', ['.'], /FILE: cannot read .*Fix: /],
    ['a missing log that passed', ['fail.log', '--passing', 'nowhere.log'], /--passing: cannot read .*Fix: /],
    ['a broken archive', ['broken.zip'], /FILE: cannot read .*broken\.zip.*Fix: /],
    ['a broken gzip file', ['broken.gz'], /FILE: cannot read .*broken\.gz.*Fix: /],
    [
      'no number',
      ['fail.log', '--max-tokens', 'many'],
      /--max-tokens: "many" is not a number from 50 .*Fix: /,
    ],
    ['too few tokens', ['fail.log', '--max-tokens', '3'], /--max-tokens: "3" is not .*Fix: /],
  ])('%s is wrong usage, with field, value and fix', async (_, args, message) => {
    await writeFile(join(folder, 'broken.zip'), 'PK\u0003\u0004 and nothing else');
    await writeFile(join(folder, 'broken.gz'), Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3]));
    const paths = args.map((arg) => (/^(?:\.|[a-z]+\.\w+)$/.test(arg) ? join(folder, arg) : arg));
    const result = await cli.run('logs', 'reduce', ...paths, '--json');
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(message);
    expect(result.json()).toMatchObject({ error: { type: 'UsageError', exitCode: 2 } });
  });

  test('CI-2: a log of 200 MB takes less than 200 MB of memory', { timeout: 120_000 }, async () => {
    const large = join(folder, 'large.log');
    await writeLargeLog(large);
    // The peak of its memory is the last thing the process says.
    const peak = 'data:text/javascript,process.on("exit",()=>console.error(process.resourceUsage().maxRSS))';
    const shell = `exec "$0" --import '${peak}' "$1" logs reduce "$2" --json 2>"$2.peak"; `;
    const stdout = execFileSync('/bin/sh', ['-c', shell, process.execPath, main, large], {
      encoding: 'utf8',
    });
    const peakMb = Number(execFileSync('cat', [`${large}.peak`], { encoding: 'utf8' })) / 1024;
    expect(JSON.parse(stdout)).toMatchObject({ cause: [{ text: largeLogFailure }] });
    expect(peakMb).toBeLessThan(200);
  });
});
