// Runs real commands: their ends, their limits, and that nothing of them is left.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  type CommandRequest,
  cleanEnvironment,
  runCommand,
} from '../../../src/integrations/process/run-command.ts';

const RUN_COMMAND = new URL('../../../src/integrations/process/run-command.ts', import.meta.url).pathname;
let cwd: string;

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'run-command-'));
});
afterEach(() => rm(cwd, { recursive: true, force: true }));

function bash(
  script: string,
  more: Partial<CommandRequest> = {},
): Promise<Awaited<ReturnType<typeof runCommand>>> {
  return runCommand({
    argv: ['bash', '-c', script],
    cwd,
    env: { ...cleanEnvironment(), PWD: cwd },
    timeoutMs: 30_000,
    maxOutputBytes: 10_000,
    ...more,
  });
}

/** Processes of this test, by the variable PWD they were started with. */
async function processesHere(): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const environ = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (environ.includes(`PWD=${cwd}`)) found.push(pid);
  }
  return found;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

test.each([
  { script: 'echo out; echo err >&2', exitCode: 0, signal: null },
  { script: 'echo out > /dev/stdout; echo err > /dev/stderr; exit 7', exitCode: 7, signal: null },
  { script: 'echo out; echo err >&2; kill -SEGV $$', exitCode: null, signal: 'SIGSEGV' },
])('reports how a command ended: $script', async ({ script, exitCode, signal }) => {
  const result = await bash(script);

  expect(result).toMatchObject({ end: 'exited', exitCode, signal, stdout: 'out\n', truncated: false });
  expect(result.stderr).toBe('err\n');
});

test('a missing program, and one that cannot run, is a result', async () => {
  await writeFile(join(cwd, 'text'), 'no program', { mode: 0o600 });
  const request = { cwd, env: cleanEnvironment(), timeoutMs: 1_000, maxOutputBytes: 100 };

  for (const program of ['no-such-program-here', './text', './missing', '/']) {
    expect(await runCommand({ ...request, argv: [program] })).toMatchObject({
      end: 'notFound',
      exitCode: null,
    });
  }
});

test.each([
  [{ argv: [] }, /argv is empty/],
  [{ cwd: '/no/such/folder' }, /cwd is no directory/],
  [{ timeoutMs: 0 }, /timeoutMs is 0/],
  [{ maxOutputBytes: Number.NaN }, /maxOutputBytes is NaN/],
])('misuse throws: %o', async (wrong, message) => {
  await expect(bash('true', wrong)).rejects.toThrow(message);
});

test('the environment is the one passed, with nothing inherited (SEC-3)', async () => {
  process.env.RUN_COMMAND_TEST_SECRET = 'inherited';

  const result = await runCommand({
    argv: ['env'],
    cwd,
    env: { PATH: cleanEnvironment().PATH, 'ODD-name': 'kept' },
    timeoutMs: 5_000,
    maxOutputBytes: 10_000,
  });

  const names = result.stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split('=')[0]);
  expect(names.sort()).toEqual(['ODD-name', 'PATH', 'UNTILGREEN_COMMAND_ID']);
});

test('input reaches the command, also more than a pipe holds, and a command that does not read it is no error', async () => {
  const stdin = 'x'.repeat(1_000_000);

  expect((await bash('wc -c', { stdin })).stdout.trim()).toBe('1000000');
  expect(await bash('exit 0', { stdin })).toMatchObject({ end: 'exited', exitCode: 0 });
  expect((await bash('cat | wc -c')).stdout.trim()).toBe('0');
});

test('invalid UTF-8 is replaced and NUL bytes pass (DUR-4)', async () => {
  expect((await bash(String.raw`printf 'a\xff\x00b'`)).stdout).toBe('a�\0b');
});

test('a long output keeps its beginning and end and says what is missing', async () => {
  const result = await bash('echo first; yes filler | head -c 1000000; echo; echo last', {
    maxOutputBytes: 100,
  });

  expect(result).toMatchObject({ truncated: true, totalBytes: 1_000_012 });
  expect(result.stdout).toMatch(/^first\n[\s\S]*\n\[999912 bytes left out\]\n[\s\S]*last\n$/);
});

test('a timeout ends the command with its children, also those that left its group (SEC-3)', async () => {
  const script = 'sleep 1000 & setsid sleep 1000 & (setsid setsid sleep 1000 &); echo ready; wait';

  const result = await bash(script, { timeoutMs: 500 });

  expect(result).toMatchObject({ end: 'timedOut', exitCode: null, signal: 'SIGKILL', stdout: 'ready\n' });
  expect(await processesHere()).toEqual([]);
});

test('children left behind by a command that exits are ended, and their open pipes are not waited for', async () => {
  const result = await bash('(setsid sleep 1000 &); sleep 1000 & echo done');

  expect(result).toMatchObject({ end: 'exited', exitCode: 0, stdout: 'done\n' });
  expect(await processesHere()).toEqual([]);
});

test('output that trails the exit is kept', async () => {
  expect((await bash('echo x > >(sleep 0.05; cat)')).stdout).toBe('x\n');
});

test('an abort ends the command; an abort before it starts does not start it', async () => {
  const controller = new AbortController();
  const result = await bash('echo ready; sleep 1000', {
    signal: controller.signal,
    onActivity: () => controller.abort(),
  });

  expect(result).toMatchObject({ end: 'aborted', signal: 'SIGKILL', stdout: 'ready\n' });
  expect(await bash('touch started', { signal: controller.signal })).toMatchObject({ end: 'aborted' });
  expect(await readdir(cwd)).toEqual([]);
});

test('with a grace a stopped command may put its things in order, but not for ever', async () => {
  const tidy = `trap 'echo tidied; exit 0' TERM; while :; do sleep 0.05; done`;
  const stubborn = `trap '' TERM; while :; do sleep 0.05; done`;

  const [tidied, killed] = await Promise.all([
    bash(tidy, { timeoutMs: 500, stopGraceMs: 20_000 }),
    bash(stubborn, { timeoutMs: 500, stopGraceMs: 300 }),
  ]);

  expect(tidied).toMatchObject({ end: 'timedOut', exitCode: 0, stdout: 'tidied\n' });
  expect(killed).toMatchObject({ end: 'timedOut', signal: 'SIGKILL' });
});

/** A worker of its own that runs one command; resolves when the command is running. */
async function startWorker(
  script: string,
  timeoutMs: number,
): Promise<{ pid: number; exited: Promise<unknown> }> {
  const program = `
    import { cleanEnvironment, runCommand } from ${JSON.stringify(RUN_COMMAND)};
    const before = process.memoryUsage.rss();
    let peak = before;
    const watch = () => { peak = Math.max(peak, process.memoryUsage.rss()); };
    const result = await runCommand({ argv: ['bash', '-c', ${JSON.stringify(script)}], cwd: ${JSON.stringify(cwd)},
      env: { ...cleanEnvironment(), PWD: ${JSON.stringify(cwd)} }, timeoutMs: ${timeoutMs}, maxOutputBytes: 1_000_000, onActivity: watch });
    watch();
    console.log(JSON.stringify({ grownBytes: peak - before, end: result.end, totalBytes: result.totalBytes,
      keptBytes: result.combined.length }));
  `;
  const file = join(cwd, '..', `worker-${cwd.split('-').at(-1)}.mjs`);
  await writeFile(file, program);
  const worker = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const output: Buffer[] = [];
  worker.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  const exited = once(worker, 'close').then(async () => {
    await rm(file);
    return output.length > 0 ? JSON.parse(Buffer.concat(output).toString()) : undefined;
  });
  if (worker.pid === undefined) throw new Error('the worker did not start');
  return { pid: worker.pid, exited };
}

test('a SIGKILLed worker takes the command, its children and its daemons with it (MIG-2, SEC-3)', async () => {
  const family = 'sleep 1000 & bash -c "sleep 1000; true" & (setsid setsid sleep 1000 &) ; wait';
  const worker = await startWorker(family, 600_000);
  await until(async () => (await processesHere()).length >= 5);

  process.kill(worker.pid, 'SIGKILL');

  await worker.exited;
  await until(async () => (await processesHere()).length === 0);
});

test('the deadline holds while the worker is frozen (DUR-1)', async () => {
  const worker = await startWorker('sleep 1000', 1_000);
  await until(async () => (await processesHere()).length >= 1);

  process.kill(worker.pid, 'SIGSTOP');
  await until(async () => (await processesHere()).length === 0);
  process.kill(worker.pid, 'SIGCONT');

  expect(await worker.exited).toMatchObject({ end: 'timedOut' });
});

test('200 MB of output run in bounded memory (DUR-4)', async () => {
  const worker = await startWorker('head -c 200000000 /dev/zero', 120_000);

  const { grownBytes, totalBytes, keptBytes } = (await worker.exited) as Record<string, number>;

  expect(totalBytes).toBe(200_000_000);
  expect(keptBytes).toBeLessThan(1_000_100);
  expect(grownBytes).toBeLessThan(150_000_000);
});
