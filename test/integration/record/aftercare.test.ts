// What is left to do for resolved findings, as the store says it (CI-10): reported until it is done, never where nothing can be done; and how
// long a resolved finding stays on the list (CI-11).
import { afterEach, beforeEach, expect, test } from 'vitest';
import { settleCycle } from '../../../src/activities/record/settle.ts';
import type { SourceDefinition } from '../../../src/activities/sources/definition.ts';
import { readCiState } from '../../../src/client/look/findings.ts';
import { parseTenantFile } from '../../../src/config/tenant-file.ts';
import type { Finding, Observation, ObservedFinding } from '../../../src/contract/finding.ts';
import { noteCare, readCare } from '../../../src/store/aftercare.ts';
import { transaction } from '../../../src/store/database.ts';
import { readFindingRow, readMemory, remember } from '../../../src/store/findings.ts';
import { applyTenant, readTenant } from '../../../src/store/tenants.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

const hour = 3_600_000;
const startMs = Date.UTC(2026, 10, 21, 9);
const source: SourceDefinition = {
  kind: 'ciRuns',
  timeoutMs: () => 1_000,
  targets: (workspace) => (workspace.ci.enabled ? [undefined] : []),
  read: async () => ({ state: 'green', reason: '', findings: [] }),
};

let database: TestDatabase;
let cycle = 0;
beforeEach(async () => {
  database = await createTestDatabase();
  cycle = 0;
  await apply({});
});
afterEach(() => database.drop());

async function apply(more: object, ci: object = {}): Promise<void> {
  const workspace = { name: 'shop', github: { repository: 'acme/shop' }, ci };
  const parsed = parseTenantFile(JSON.stringify({ tenant: 'acme', workspaces: [workspace], ...more }), {
    fileName: 'tenant.yaml',
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  await applyTenant(database.pool, parsed.config, 'test', startMs);
}

function failing(job: string): ObservedFinding {
  return {
    kind: 'ci',
    target: job,
    signature: job,
    ruleVersion: 1,
    severity: 'critical',
    title: `${job} fails`,
    detail: {
      kind: 'ci',
      repository: 'acme/shop',
      branch: 'main',
      runId: 1,
      runAttempt: 1,
      headSha: 'a'.repeat(40),
      workflowPath: '.github/workflows/ci.yml',
      workflowName: 'ci',
      job,
      jobId: 1,
      step: 'Test',
      stepNumber: 2,
      url: 'https://github.example/acme/shop/actions/runs/1',
    },
  };
}

/** One cycle that sees these jobs fail, `atMs` after the start; what it hands to aftercare. */
function settle(atMs: number, ...jobs: readonly string[]): Promise<readonly Finding[]> {
  return settleObserved(atMs, [
    {
      workspace: 'shop',
      source: 'ciRuns',
      readAtMs: startMs + atMs,
      durationMs: 1,
      state: jobs.length > 0 ? 'red' : 'green',
      reason: 'read',
      findings: jobs.map(failing),
    },
  ]);
}

async function settleObserved(
  atMs: number,
  observations: readonly Observation[],
): Promise<readonly Finding[]> {
  cycle += 1;
  const nowMs = startMs + atMs;
  const { aftercare = [] } = await settleCycle(
    { pool: database.pool, sources: [source] },
    {
      tenant: 'acme',
      cycle,
      runId: 'run',
      trigger: 'schedule',
      startedMs: nowMs,
      nowMs,
      observations,
      unrecordedFailures: 0,
    },
  );
  return aftercare;
}

async function keyOf(job: string): Promise<{ tenant: string; fingerprint: string; occurrence: number }> {
  const { rows } = await database.pool.query(
    'select tenant, fingerprint, occurrence from findings where target = $1',
    [job],
  );
  return rows[0];
}

async function careOf(job: string): Promise<Awaited<ReturnType<typeof readCare>>> {
  const tenant = await readTenant(database.pool, 'acme');
  if (!tenant) throw new Error('no tenant');
  return readCare(database.pool, await keyOf(job), tenant.config);
}

test('CI-10: what was opened for a resolved finding is reported by every cycle until it is closed', async () => {
  expect(await settle(0, 'test', 'lint')).toEqual([]);
  await remember(database.pool, await keyOf('test'), { issue: 12, pullRequest: 7 });
  expect(await settle(hour, 'test', 'lint')).toEqual([]);
  // Nothing was opened for lint: it needs nobody.
  for (const at of [2, 3, 4])
    expect(await settle(at * hour)).toMatchObject([{ target: 'test', status: 'resolved' }]);
  const key = await keyOf('test');
  const resolvedMs = startMs + 2 * hour;
  expect(await careOf('test')).toMatchObject({ issue: 12, pullRequest: 7, resolvedMs, fixedBy: '' });
  await noteCare(database.pool, key, { about: 'pullRequest', number: 7, end: 'merged', reason: '' }, startMs);
  await noteCare(database.pool, key, { about: 'issue', number: 12, end: 'closed', reason: '' }, startMs);
  expect(await careOf('test')).toMatchObject({ issue: null, pullRequest: null, fixedBy: 'pull request #7' });
  await noteCare(database.pool, key, { about: 'end', resolvedMs, reason: 'done' }, startMs);
  expect(await settle(5 * hour)).toEqual([]);
});

test('CI-10: a finding that comes back is not cared for; what is noted of the time before changes nothing', async () => {
  await settle(0, 'test');
  await remember(database.pool, await keyOf('test'), {
    fixedSha: 'a'.repeat(40),
    fixedBy: 'pull request #7',
  });
  await database.pool.query('update findings set attempts = 1');
  await settle(hour);
  const key = await keyOf('test');
  const resolvedMs = startMs + hour;
  await noteCare(
    database.pool,
    key,
    { about: 'passed', resolvedMs, checksMs: [600_000], reason: 'ok' },
    startMs,
  );
  expect(await careOf('test')).toMatchObject({ passedMs: [600_000], fixedBy: 'pull request #7' });
  expect(await settle(2 * hour, 'test')).toEqual([]);
  expect(await readMemory(database.pool, key)).toMatchObject({ repeats: 1 });
  await noteCare(database.pool, key, { about: 'repeat', resolvedMs, reason: 'late' }, startMs);
  await noteCare(database.pool, key, { about: 'end', resolvedMs, reason: 'late' }, startMs);
  expect(await readMemory(database.pool, key)).toMatchObject({ repeats: 1 });
  expect((await readFindingRow(database.pool, key))?.status).toBe('open');
  // Green anew: its checks begin anew, and the old fix is not the reason.
  expect(await settle(3 * hour)).toHaveLength(1);
  expect(await careOf('test')).toMatchObject({ passedMs: [], fixedBy: '' });
});

test('CI-10: a repeat failure whose answer was lost counts once; a late word on an old pull request forgets no other', async () => {
  await settle(0, 'test');
  const key = await keyOf('test');
  await remember(database.pool, key, { fixedSha: 'a'.repeat(40), fixedBy: 'pull request #7' });
  await settle(hour);
  const note = { about: 'repeat', resolvedMs: startMs + hour, reason: 'red again' } as const;
  await Promise.all(
    [1, 2, 3].map(() => transaction(database.pool, (tx) => noteCare(tx, key, note, startMs))),
  );
  expect(await readMemory(database.pool, key)).toMatchObject({ repeats: 1, soak: { state: 'repeat' } });
  const { rows } = await database.pool.query(`select 1 from audit where action = 'finding.repeatFailure'`);
  expect(rows).toHaveLength(1);

  await settle(2 * hour, 'test');
  await remember(database.pool, key, { pullRequest: 9 });
  await noteCare(database.pool, key, { about: 'pullRequest', number: 7, end: 'closed', reason: '' }, startMs);
  expect(await readMemory(database.pool, key)).toMatchObject({ pullRequest: 9 });
});

test('CI-10: the job of a fix failing in another step within 48 h is a repeat failure of that fix, later it is not', async () => {
  const other = (atMs: number, step: string): Observation => ({
    workspace: 'shop',
    source: 'ciRuns',
    readAtMs: startMs + atMs,
    durationMs: 1,
    state: 'red',
    reason: 'read',
    findings: [{ ...failing('test'), signature: step, title: `test fails in ${step}` }],
  });
  const repeats = async (): Promise<unknown> => {
    const { rows } = await database.pool.query(
      `select memory -> 'repeats' as n, memory -> 'soak' ->> 'state' as soak from findings where signature = 'test'`,
    );
    return rows[0];
  };
  await settle(0, 'test');
  await settle(hour);
  await remember(database.pool, await keyOf('test'), {
    fixedSha: 'a'.repeat(40),
    fixedBy: 'pull request #7',
  });
  await settleObserved(30 * hour, [other(30 * hour, 'lint')]);
  expect(await repeats()).toEqual({ n: 1, soak: 'repeat' });
  const { rows } = await database.pool.query(
    `select reason from audit where action = 'finding.repeatFailure'`,
  );
  expect(rows).toMatchObject([{ reason: expect.stringMatching(/test fails in lint/) }]);
  await settleObserved(31 * hour, [other(31 * hour, 'build')]);
  expect(await repeats()).toEqual({ n: 1, soak: 'repeat' });

  await database.pool.query(`update findings set memory = memory - 'soak' where signature = 'test'`);
  await settleObserved(50 * hour, [other(50 * hour, 'deploy')]);
  expect(await repeats()).toMatchObject({ n: 1, soak: null });
});

test('CI-10, LOOP-9: what the settings do not name any more is left as it is', async () => {
  await settle(0, 'test');
  await remember(database.pool, await keyOf('test'), { issue: 12 });
  await apply({}, { enabled: false });
  expect(await settleObserved(hour, [])).toEqual([]);
  expect((await readFindingRow(database.pool, await keyOf('test')))?.status).toBe('resolved');
});

test('CI-10: fixes by a commit on a branch of a person are known by their receipts', async () => {
  await settle(0, 'test');
  const { fingerprint } = await keyOf('test');
  await database.pool.query(
    `insert into effects (key, tenant, workspace, kind, target, precondition, requester, step, digest, risk, delivery, describe, actor, state,
       owner, fence, pause_epoch, lease_until, policy_ms, outcome, result, fingerprint, occurrence)
     values ('k', 'acme', 'shop', 'pushBranch', 'acme/shop@main', 'p', 'r', 's', 'd', 'proposing', 'exactlyOnce', 'push', 'loop', 'done', 'o', 1, 0,
       now(), $1, 'applied', $2, $3, 1)`,
    [startMs, { commitSha: 'c'.repeat(40) }, fingerprint],
  );
  await remember(database.pool, await keyOf('test'), { patchedSha: 'a'.repeat(40) });
  await settle(hour);
  expect(await careOf('test')).toMatchObject({ fixedBy: `commit ${'c'.repeat(12)}`, pullRequest: null });
});

test('CI-10, CI-11: resolved findings leave the list after 7 days, or as the settings say', async () => {
  await settle(0, 'test', 'lint');
  await settle(24 * hour, 'lint');
  await settle(48 * hour);
  const jobsAt = async (days: number): Promise<readonly string[]> => {
    const tenant = await readTenant(database.pool, 'acme');
    if (!tenant) throw new Error('no tenant');
    const context = { pool: database.pool, endpoints: {}, clock: () => startMs + days * 24 * hour };
    const rows = await readCiState(context as unknown as Parameters<typeof readCiState>[0], tenant);
    return rows.map(({ job }) => job).sort();
  };
  expect(await jobsAt(7.9)).toEqual(['lint', 'test']);
  expect(await jobsAt(8.1)).toEqual(['lint']);
  expect(await jobsAt(9.1)).toEqual([]);
  await apply({ retention: { resolvedFindings: '1d' } });
  expect(await jobsAt(2.5)).toEqual(['lint']);
  expect(await jobsAt(3.1)).toEqual([]);
});
