// The commands `logs classify` and `redact` as people and programs call them (CI-2, SEC-2). Each is a process.
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cli, createCli } from '../../support/cli.ts';
import { github } from '../../unit/logs/classify-fixtures.ts';
import { documentedShapes, shapeOf } from './documented.ts';

const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
const token = `ghp_${'a7Kx9Qz2mB'.repeat(4).slice(0, 36)}`;

let cli: Cli;
let folder: string;
let log: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'untilgreen-logs-'));
  log = join(folder, 'fail.log');
  await writeFile(log, github('npm test', `error TS2322: Type 'string' is not assignable, token ${token}`));
  cli = await createCli({});
});

afterAll(async () => {
  await cli.remove();
  await rm(folder, { recursive: true });
});

describe('logs classify', () => {
  test('CI-2: gives a class with the lines that say so, without their secrets', async () => {
    const result = await cli.spawn('logs', 'classify', log, '--json');
    expect(result.code).toBe(0);
    expect(result.json()).toMatchObject({
      class: 'regression',
      confidence: expect.any(Number),
      evidence: [{ n: 15, text: expect.stringContaining('[redacted:github-token]') }],
      failingJobs: ['fail.log'],
    });
    const { 'evidence[].file': _file, ...documented } = Object.fromEntries(
      Object.entries((await documentedShapes()).get('logs classify') ?? {}).map(([key, value]) => [
        key.replace(/^\./, ''),
        value,
      ]),
    );
    const given = Object.keys(shapeOf(result.json())).map((key) => key.replace(/^\./, ''));
    expect(given.toSorted()).toEqual(Object.keys(documented).toSorted());
  });

  test('says it to people, and what a green run says too is no evidence', async () => {
    const text = await cli.spawn('logs', 'classify', log);
    expect(text.stdout).toMatch(/^regression \(\d+ % sure\)\nBecause of:\n {2}15 {2}error TS2322/);
    const same = await cli.spawn('logs', 'classify', log, '--passing', log);
    expect(same.stdout).toMatch(/^(?:unknown|regression \([1-4]?\d % sure\))/);
  });

  test('SEE-2: a file that is not there is wrong usage, with its name and a fix', async () => {
    const result = await cli.spawn('logs', 'classify', log, '--passing', join(folder, 'gone.zip'));
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(/--passing: .*gone\.zip.*Fix: /);
  });
});

describe('redact', () => {
  test('SEC-2: streams stdin without the values of the environment and without forms of secrets', async () => {
    const line = `one ${token} two hunter2-hunter2 three\n`;
    const { stdout, code } = await redact([], line.repeat(5_000));
    expect(code).toBe(0);
    expect(stdout).toBe('one [redacted:github-token] two [secret:DEPLOY_TOKEN] three\n'.repeat(5_000));
  });

  test('SEC-2: gives the places with --json', async () => {
    const text = `é one\n${token}\r\nhunter2-hunter2`;
    const { stdout } = await redact(['--json'], text);
    const document = JSON.parse(stdout) as { spans: { start: number; end: number }[] };
    expect(document).toEqual({
      spans: [
        { start: 6, end: 46, line: 2, kind: 'github-token' },
        { start: 48, end: 63, line: 3, kind: 'secret:DEPLOY_TOKEN' },
      ],
    });
    expect(document.spans.map(({ start, end }) => text.slice(start, end))).toEqual([
      token,
      'hunter2-hunter2',
    ]);
    expect(shapeOf(document)).toEqual((await documentedShapes()).get('redact'));
  });
});

/** Stdin in pieces that are cut anywhere. */
async function redact(
  args: readonly string[],
  input: string,
): Promise<{ stdout: string; code: number | null }> {
  const env = { PATH: process.env.PATH, HOME: folder, DEPLOY_TOKEN: 'hunter2-hunter2' };
  const child = spawn(process.execPath, [main, 'redact', ...args], {
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  const bytes = Buffer.from(input);
  for (let at = 0; at < bytes.length; at += 7_919) child.stdin.write(bytes.subarray(at, at + 7_919));
  child.stdin.end();
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { stdout, code };
}
