// Real commands as drift sources: small bash scripts, and Terraform where the machine has it.
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DriftSettings } from '../../../src/contract/tenant-config.ts';
import { driftApply, driftExport, driftPlan } from '../../../src/integrations/drift/run-drift.ts';

const hasTerraform = runs(['terraform', 'version']);
let worktree: string;

beforeEach(async () => {
  worktree = await mkdtemp(join(tmpdir(), 'drift-'));
});
afterEach(() => rm(worktree, { recursive: true, force: true }));

function settings(more: Partial<DriftSettings> = {}): DriftSettings {
  return {
    environment: 'production',
    preset: 'command',
    directory: '.',
    plan: './hybrid drift-plan',
    apply: './hybrid apply',
    env: {},
    autoMerge: false,
    policy: 'approval',
    timeoutMs: 30_000,
    exitCodes: { clean: 0, drifted: 2 },
    ...more,
  };
}

const plan = (more: Partial<DriftSettings> = {}, env: Record<string, string> = {}) =>
  driftPlan({ settings: settings(more), worktree, env });

const apply = (expectedPlanHash: string, more: Partial<DriftSettings> = {}, fence: () => void = () => {}) =>
  driftApply({ settings: settings(more), worktree, env: {}, expectedPlanHash, fence });

/** A drift tool whose real state is the file `state` and whose wanted state is the file `wanted`. */
async function driftTool(): Promise<void> {
  const script = `#!/bin/bash
    case "$1" in
      drift-plan) cmp -s state wanted && exit 0
        echo "{\\"drifted\\": true, \\"changes\\": [{\\"address\\": \\"service.$(cat wanted)\\", \\"action\\": \\"update\\"}]}"; exit 2 ;;
      apply) cp wanted state; echo apply >> applied ;;
    esac`;
  await writeFile(join(worktree, 'hybrid'), script, { mode: 0o755 });
  await writeFile(join(worktree, 'state'), 'web');
  await writeFile(join(worktree, 'wanted'), 'web');
}

function runs([program, ...args]: readonly [string, ...string[]]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test('clean, drifted, applied, clean again (DRIFT-1)', async () => {
  await driftTool();
  expect(await plan()).toMatchObject({ state: 'clean', reason: '' });
  await writeFile(join(worktree, 'wanted'), 'api');

  const drifted = await plan();

  expect(drifted).toMatchObject({
    state: 'drifted',
    destroys: 0,
    changes: [{ address: 'service.api', action: 'update' }],
  });
  expect((await plan()).planHash).toBe(drifted.planHash);
  expect(await apply(drifted.planHash)).toEqual({ outcome: 'applied' });
  expect(await apply(drifted.planHash)).toEqual({ outcome: 'alreadyApplied' });
  expect(await readFile(join(worktree, 'applied'), 'utf8')).toBe('apply\n');
});

test('a plan that changed since is stale, and a fence that refuses stops apply (DRIFT-2, DUR-1)', async () => {
  await driftTool();
  await writeFile(join(worktree, 'wanted'), 'api');
  const { planHash } = await plan();
  await writeFile(join(worktree, 'wanted'), 'other');

  expect(await apply(planHash)).toMatchObject({ outcome: 'stale', plan: { state: 'drifted' } });
  const refusing = apply((await plan()).planHash, {}, () => {
    throw new Error('the lease is over');
  });
  await expect(refusing).rejects.toThrow('the lease is over');
  expect(await readFile(join(worktree, 'state'), 'utf8')).toBe('web');
});

test('the preset hybrid finds its program on the tenant’s PATH and names the environment', async () => {
  await writeFile(join(worktree, 'hybrid'), '#!/bin/bash\necho "$*" >> calls\nexit 0', { mode: 0o755 });
  const { plan: _plan, apply: _apply, ...preset } = settings({ preset: 'hybrid' });

  const env = { PATH: `${worktree}:/usr/bin:/bin` };
  expect(await driftPlan({ settings: preset, worktree, env })).toMatchObject({ state: 'clean' });

  expect(await readFile(join(worktree, 'calls'), 'utf8')).toBe('drift-plan --env production\n');
});

test.each([
  ['prints 200 MB', 'head -c 200000000 /dev/zero; exit 2', 'Drift.OutputTooLarge', /printed 200000000 bytes/],
  ['prints invalid UTF-8', String.raw`printf 'a\xff'; exit 2`, 'Drift.OutputUnreadable', /not valid UTF-8/],
  ['ends by a signal', 'kill -SEGV $$', 'Drift.Killed', /SIGSEGV/],
  ['is missing', './no-such-tool', 'Drift.CommandMissing', /command not found/],
  [
    'fails',
    'echo "no credentials" >&2; exit 1',
    'Drift.CommandFailed',
    /exit code 1, expected 0 or 2: no credentials/,
  ],
])('a plan command that %s fails with a reason (DUR-4)', async (_what, command, failure, reason) => {
  expect(await plan({ plan: command })).toMatchObject({
    state: 'failed',
    planHash: '',
    changes: [],
    failure,
    reason: expect.stringMatching(reason),
  });
});

test('a plan command that hangs is stopped (DUR-4)', async () => {
  expect(await plan({ plan: 'sleep 1000', timeoutMs: 300 })).toMatchObject({
    state: 'failed',
    failure: 'Drift.TimedOut',
  });
});

test('a directory that is missing, or leads out of the repository, is a reason', async () => {
  await symlink('/tmp', join(worktree, 'out'));

  for (const directory of ['none', 'out'])
    expect(await plan({ directory })).toMatchObject({ state: 'failed', failure: 'Drift.DirectoryMissing' });
});

test('the environment is what the tenant names; its secrets are in no answer (DRIFT-1, SEC-2)', async () => {
  process.env.DRIFT_TEST_SECRET = 'of-the-worker';
  const command = 'echo "token $TOKEN, worker $DRIFT_TEST_SECRET., region $REGION" >&2; exit 1';
  const env = { TOKEN: 'secret-token-value', REGION: 'europe-west' };

  const { reason } = await plan({ plan: command, env: { TOKEN: 'env:TOKEN', REGION: 'europe-west' } }, env);

  expect(reason).toContain('token [secret:TOKEN], worker ., region europe-west');
});

test('an apply that fails says whether it may have changed something', async () => {
  await driftTool();
  await writeFile(join(worktree, 'wanted'), 'api');
  const { planHash } = await plan();
  const { apply: _apply, ...without } = settings();

  expect(await apply(planHash, { apply: 'echo broken >&2; exit 3' })).toMatchObject({
    outcome: 'failed',
    failure: 'Drift.CommandFailed',
    reason: 'apply: exit code 3, expected 0: broken',
    mayHaveChanged: true,
  });
  expect(
    await driftApply({ settings: without, worktree, env: {}, expectedPlanHash: planHash, fence: () => {} }),
  ).toMatchObject({
    outcome: 'failed',
    failure: 'Drift.CannotApply',
    mayHaveChanged: false,
  });
});

test('export runs in the worktree (DRIFT-1)', async () => {
  const paths = ['generated/**'];
  await mkdir(join(worktree, 'generated'));

  expect(
    await driftExport({
      settings: settings({ export: { command: 'echo real > generated/state', paths } }),
      worktree,
      env: {},
    }),
  ).toEqual({ outcome: 'exported' });
  expect(await readFile(join(worktree, 'generated/state'), 'utf8')).toBe('real\n');
  expect(
    await driftExport({ settings: settings({ export: { command: 'exit 9', paths } }), worktree, env: {} }),
  ).toMatchObject({ outcome: 'failed', failure: 'Drift.CommandFailed' });
});

test.skipIf(!hasTerraform)(
  'Terraform: exactly the plan that was looked at is applied; nothing of it stays (needs terraform)',
  async () => {
    const write = (input: string) =>
      writeFile(
        join(worktree, 'main.tf'),
        `resource "terraform_data" "one" { input = "${input}" }\nresource "terraform_data" "two" { triggers_replace = ["${input}"] }`,
      );
    const { plan: _plan, apply: _apply, ...terraform } = settings({ preset: 'terraform' });
    const request = { settings: terraform, worktree, env: {}, fence: () => {} };
    await write('first-value');

    const first = await driftPlan(request);
    expect(first).toMatchObject({ reason: '', state: 'drifted', destroys: 0, summary: '2 create' });
    expect(await driftApply({ ...request, expectedPlanHash: 'another' })).toMatchObject({ outcome: 'stale' });
    expect(await driftApply({ ...request, expectedPlanHash: first.planHash })).toEqual({
      outcome: 'applied',
    });
    expect(await driftPlan(request)).toMatchObject({ state: 'clean' });
    await write('second-value');
    const second = await driftPlan(request);

    expect(second).toMatchObject({ state: 'drifted', destroys: 1, summary: '1 replace, 1 update' });
    expect(second.planHash).not.toBe(first.planHash);
    expect(JSON.stringify([first, second])).not.toMatch(/(first|second)-value/);
    expect(
      (await readdir(tmpdir())).filter((name) => name.startsWith(`untilgreen-plan-${process.pid}-`)),
    ).toEqual([]);
  },
);

test('plans of workers that died are removed', async () => {
  const left = join(tmpdir(), 'untilgreen-plan-999999999-test');
  await mkdir(left, { recursive: true });
  await driftTool();

  await plan();

  expect(await readdir(tmpdir())).not.toContain('untilgreen-plan-999999999-test');
});
