// The demo as a person runs it: a child process that has to end by itself with the right word and exit code, and leave nothing behind. What it
// says is checked against its own judge's fields; that those come from the services, the forge, the database and the drift command is the demo's code.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Report } from '../../../demo/report.ts';

const root = join(import.meta.dirname, '../../..');
const linux = process.platform === 'linux';

let temporary: string;
beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'untilgreen-demo-test-'));
  await chmod(temporary, 0o755);
});
afterEach(async () => {
  await rm(temporary, { recursive: true, force: true });
});

type Demo = {
  readonly child: ChildProcessWithoutNullStreams;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly exitCode: Promise<number | null>;
};

/** What `npm run demo -- …` runs, with a temporary folder of its own. */
function startDemo(...args: readonly string[]): Demo {
  const child = spawn(process.execPath, ['demo/main.ts', ...args], {
    cwd: root,
    env: { ...process.env, TMPDIR: temporary },
  });
  const texts = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    texts.stdout += chunk.toString('utf8');
  });
  child.stderr.on('data', (chunk: Buffer) => {
    texts.stderr += chunk.toString('utf8');
  });
  return {
    child,
    stdout: () => texts.stdout,
    stderr: () => texts.stderr,
    exitCode: once(child, 'close').then(([code]) => code as number | null),
  };
}

async function runDemo(...args: readonly string[]): Promise<{ exitCode: number | null; report: Report }> {
  const demo = startDemo('--json', ...args);
  const exitCode = await demo.exitCode;
  // The reason for a red test is in here.
  if (!demo.stdout().startsWith('{')) throw new Error(`no document; exit ${exitCode}\n${demo.stderr()}`);
  return { exitCode, report: JSON.parse(demo.stdout()) as Report };
}

/** Processes that were started with our temporary folder in their arguments or environment. */
async function leftovers(): Promise<readonly string[]> {
  if (!linux) return [];
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    if (Number(pid) === process.pid) continue;
    const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
    const [command, environment] = [await read('cmdline'), await read('environ')];
    if (`${command}${environment}`.includes(temporary)) found.push(command.replaceAll('\0', ' '));
  }
  return found;
}

async function expectNothingLeft(): Promise<void> {
  expect(await leftovers()).toEqual([]);
  expect((await readdir(temporary)).filter((name) => name.startsWith('untilgreen-throw-away'))).toEqual([]);
}

test('the npm script is what is tested here', async () => {
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  expect(scripts.demo).toBe('node demo/main.ts');
});

test('LOOP-3, HEALTH-1, INC-2, DEPLOY-3, SEE-2: one command from red to green, judged from outside', {
  timeout: 400_000,
}, async () => {
  const { exitCode, report } = await runDemo();

  expect(report).toMatchObject({ outcome: 'green', exitCode: 0, seed: 0 });
  expect(exitCode).toBe(0);
  expect(report.wasRed).toHaveLength(4);
  expect(report.wasRed[0]).toMatch(/^production: backend answers 503 /);
  expect(report.judged).toMatchObject({
    green: true,
    ci: { green: true, ofHead: true, failedJobs: [] },
    migrations: { green: true, applied: 4, pending: [] },
    drift: { green: true, changes: [] },
    production: {
      green: true,
      services: [
        { name: 'backend', green: true },
        { name: 'frontend', green: true },
      ],
    },
  });
  expect(report.exactlyOnce).toMatchObject({
    ok: true,
    landed: {
      pushBranch: 3,
      openPullRequest: 3,
      mergePullRequest: 1,
      rowOfMigration: 4,
      restartService: 1,
      closeIssue: 1,
    },
  });
  // Production comes first: CI waits until it is well.
  const order = report.effects.map(({ kind }) => kind);
  expect(order.indexOf('restartService')).toBeGreaterThan(order.indexOf('sendAlert'));
  expect(order.indexOf('restartService')).toBeLessThan(order.indexOf('pushBranch'));
  const [incident, ...more] = report.judged?.production.incidents ?? [];
  expect(more).toEqual([]);
  expect(incident).toMatchObject({ state: 'closed', title: '[SEV1] Production incident: backend' });
  // The backend's log has the address of its database with the password.
  expect(incident?.body).toContain('no connection to [secret:SHOP_DATABASE_URL]: timeout exceeded');
  expect(incident?.body).not.toContain('postgres');
  expect(incident?.timeline.map((line) => line.replace(/^.* UTC: /, ''))).toEqual([
    'Detected: SEV1 production: backend fails',
    'Severity none → sev1: backend fails',
    'Restart of backend: applied',
    'Severity sev1 → none: nothing fails',
    expect.stringMatching(/^Recovered after \d+ (?:s|min)$/),
  ]);
  expect(report.alerts).toEqual([
    expect.stringContaining('SEV1 in shop: backend'),
    expect.stringContaining('Recovered'),
  ]);
  expect(report.findings.map(({ status }) => status)).toEqual(report.findings.map(() => 'resolved'));
  // The agent merges drift, which the workspace's policy allows; a maintainer merges what a fixer made.
  expect(report.merges).toHaveLength(2);
  expect(report.cost).toMatchObject({ tokens: 0, usd: 0 });
  expect(report.cost?.temporalActions).toBeGreaterThan(0);
  await expectNothingLeft();
});

test('DUR-1, DUR-2, DUR-5: three times kill -9, once between a write and its receipt: green, every effect once', {
  timeout: 600_000,
}, async () => {
  const { exitCode, report } = await runDemo('--kill');

  expect(report).toMatchObject({ outcome: 'green', exitCode: 0 });
  expect(exitCode).toBe(0);
  expect(report.kills.map(({ moment }) => moment)).toEqual([
    'in the middle of a cycle',
    'while a fixer ran',
    expect.stringContaining('between a write and its receipt (openPullRequest'),
  ]);
  expect(new Set(report.kills.map(({ pid }) => pid)).size).toBe(3);
  // The interrupted write was found by a second attempt, not repeated.
  const interrupted = report.effects.filter(
    ({ kind, attempts }) => kind === 'openPullRequest' && attempts > 1,
  );
  expect(interrupted.length).toBeGreaterThanOrEqual(1);
  expect(report.exactlyOnce).toMatchObject({
    ok: true,
    problems: [],
    landed: {
      pushBranch: 3,
      openPullRequest: 3,
      mergePullRequest: 1,
      // The incident's, and that of the activities.
      openIssue: 2,
      rowOfMigration: 4,
      restartService: 1,
      closeIssue: 1,
    },
  });
  await expectNothingLeft();
});

test('CI-9: what nobody can fix by rule ends with a person, and says why', { timeout: 400_000 }, async () => {
  const { exitCode, report } = await runDemo('--seed', '3');

  expect(report).toMatchObject({ outcome: 'escalated', exitCode: 3 });
  expect(exitCode).toBe(3);
  expect(report.reason).toMatch(
    /ci \/ test fails .*: a person: .*no fixer .*no model: model.enabled is false/,
  );
  expect(report.alerts).toEqual([expect.stringContaining('test')]);
  expect(report.effects).toContainEqual(
    expect.objectContaining({
      kind: 'openIssue',
      outcome: 'applied',
      describe: expect.stringContaining('test'),
    }),
  );
  expect(report.judged).toMatchObject({
    green: false,
    ci: { green: false, failedJobs: ['test'] },
    migrations: { green: true },
    drift: { green: true },
    production: { green: true, incidents: [] },
  });
  await expectNothingLeft();
});

test('SEE-2: Ctrl-C in the middle ends with 130 and leaves nothing behind', {
  timeout: 300_000,
}, async () => {
  const demo = startDemo();
  await new Promise<void>((resolve) => {
    demo.child.stdout.on('data', () => {
      if (demo.stdout().includes('verify  working')) resolve();
    });
  });
  demo.child.kill('SIGINT');

  expect(await demo.exitCode).toBe(130);
  expect(demo.stdout()).toContain('INTERRUPTED: ended by SIGINT');
  await expectNothingLeft();
});

test.for([
  [['--seed', 'many'], '--seed is "many": give a whole number'],
  [['--sed', '1'], "Unknown option '--sed'"],
] as const)('SEE-2: wrong usage %j', { timeout: 30_000 }, async ([args, words]) => {
  const demo = startDemo(...args);

  expect(await demo.exitCode).toBe(2);
  expect(demo.stderr()).toContain(words);
  expect(demo.stdout()).toBe('');
});

test('DUR-4: without a way to a Temporal server it says what to do', { timeout: 120_000 }, async () => {
  const demo = spawn(process.execPath, ['demo/main.ts'], {
    cwd: root,
    // Neither our cache nor `go`, nor a way to the download site.
    env: {
      PATH: '/nowhere',
      XDG_CACHE_HOME: join(temporary, 'cache'),
      TMPDIR: temporary,
      NODE_USE_ENV_PROXY: '1',
      HTTPS_PROXY: 'http://127.0.0.1:9',
    },
  });
  let text = '';
  demo.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
  });
  const [exitCode] = await once(demo, 'close');

  expect(text).toContain('FAILED: No Temporal server can be started on this machine');
  expect(text).toContain('install the Temporal CLI');
  expect(exitCode).toBe(1);
  expect(existsSync(join(temporary, 'cache', 'untilgreen', 'temporal-v1.5.1', 'temporal'))).toBe(false);
});
