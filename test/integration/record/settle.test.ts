// The end of a cycle in Postgres: told again as it was when its answer was lost (LOOP-6, LOOP-7), and what the settings lost (LOOP-9).
import { afterEach, beforeEach, expect, test } from 'vitest';
import { settleCycle } from '../../../src/activities/record/settle.ts';
import type { SourceDefinition } from '../../../src/activities/sources/definition.ts';
import { parseTenantFile } from '../../../src/config/tenant-file.ts';
import type { Observation, ObservedFinding } from '../../../src/contract/finding.ts';
import type { SettleRequest, SettleResult } from '../../../src/contract/loop.ts';
import { listCycles, openCycle } from '../../../src/store/cycles.ts';
import { applyTenant } from '../../../src/store/tenants.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

const startMs = Date.UTC(2026, 10, 21, 9);
const source: SourceDefinition = {
  kind: 'drift',
  timeoutMs: () => 1_000,
  targets: (workspace) => workspace.drift.map(({ environment }) => environment),
  read: async () => ({ state: 'green', reason: '', findings: [] }),
};

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
  await apply(['production', 'staging']);
});
afterEach(() => database.drop());

async function apply(environments: readonly string[]): Promise<void> {
  const drift = environments.map((environment) => ({ environment, preset: 'hybrid' }));
  const file = { tenant: 'acme', workspaces: [{ name: 'shop', github: { repository: 'acme/shop' }, drift }] };
  const parsed = parseTenantFile(JSON.stringify(file), { fileName: 'tenant.yaml' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  await applyTenant(database.pool, parsed.config, 'test', startMs);
}

function drifted(environment: string, changes = 1): ObservedFinding {
  return {
    kind: 'drift',
    target: environment,
    signature: 'drift',
    ruleVersion: 1,
    severity: 'warning',
    title: `${environment} drifts`,
    detail: {
      kind: 'drift',
      environment,
      planHash: 'a',
      destroys: 0,
      changes: Array.from({ length: changes }, (_, index) => ({
        address: `thing.${index}`,
        action: 'update',
      })),
    },
  };
}

function observation(
  target: string,
  state: Observation['state'],
  findings: readonly ObservedFinding[] = [],
): Observation {
  return {
    workspace: 'shop',
    source: 'drift',
    target,
    readAtMs: startMs,
    durationMs: 1,
    state,
    reason: 'read',
    findings,
  };
}

function settle(
  cycle: number,
  observations: readonly Observation[],
  more: Partial<SettleRequest> = {},
): Promise<SettleResult> {
  const nowMs = startMs + cycle * 60_000;
  const request: SettleRequest = {
    tenant: 'acme',
    cycle,
    runId: 'run',
    trigger: 'schedule',
    startedMs: nowMs,
    nowMs,
    observations,
    unrecordedFailures: 0,
    ...more,
  };
  return settleCycle({ pool: database.pool, sources: [source] }, request);
}

test('LOOP-7: a lost answer is given again: what was seen gone, and that the breaker opened', async () => {
  await settle(1, [observation('production', 'red', [drifted('production')])]);
  const gone = await settle(2, [observation('production', 'green')]);
  expect(gone.changed).toHaveLength(1);
  expect(await settle(2, [observation('production', 'green')])).toEqual(gone);

  const unknown = [observation('production', 'unknown')];
  await settle(3, unknown);
  await settle(4, unknown);
  const opened = await settle(5, unknown);
  expect(opened).toMatchObject({
    outcome: 'failed',
    breakerOpened: {},
    breaker: { state: 'open', failures: 3 },
  });
  expect(await settle(5, unknown)).toEqual(opened);
  const { rows } = await database.pool.query(
    `select count(*)::int as n from audit where action = 'breaker.open'`,
  );
  expect(rows[0].n).toBe(1);
});

test('DUR-2: the end of a cycle that comes when the loop has gone on changes nothing: what it read is old', async () => {
  await settle(1, [observation('production', 'red', [drifted('production')])]);
  const read = { tenant: 'acme', cycle: 2, runId: 'run', trigger: 'schedule', startedMs: startMs } as const;
  await openCycle(database.pool, read);
  await settle(3, [observation('production', 'green')]);
  const before = await listCycles(database.pool, 'acme', 5);
  await expect(settle(2, [observation('production', 'red', [drifted('production')])])).rejects.toThrow(
    'cycle 2 is over: the loop went on with 3',
  );
  const { rows } = await database.pool.query('select status from findings');
  expect(rows).toEqual([{ status: 'resolved' }]);
  expect(await listCycles(database.pool, 'acme', 5)).toEqual(before);
});

test('LOOP-7: a cycle that failed for an unknown effect stays failed when its end is written again', async () => {
  await database.pool.query(
    `insert into effects (key, tenant, workspace, kind, target, precondition, requester, step, digest, risk, delivery, describe, actor, state,
       owner, fence, pause_epoch, lease_until, policy_ms, outcome)
     values ('k', 'acme', 'shop', 'rerunFailedJobs', 't', 'p', 'r', 's', 'd', 'mutating', 'atMostOnce', 'rerun', 'loop', 'done', 'o', 1, 0, now(), 1, 'unknown')`,
  );
  const failed = await settle(1, [observation('production', 'green')]);
  expect(failed).toMatchObject({ outcome: 'failed', summary: 'a mutating effect ended unknown: rerun' });
  expect(await settle(1, [observation('production', 'green')])).toEqual(failed);
  expect((await listCycles(database.pool, 'acme', 1))[0]).toMatchObject({
    state: 'failed',
    outcome: 'failed',
  });
  expect(await settle(2, [observation('production', 'green')])).toMatchObject({ outcome: 'green' });
});

test('LOOP-9: findings of what the settings lost are over, and unread leftovers fail no cycle', async () => {
  await settle(1, [
    observation('production', 'red', [drifted('production')]),
    observation('staging', 'red', [drifted('staging')]),
  ]);
  await apply(['production']);
  const after = await settle(2, [observation('staging', 'unknown')]);
  expect(after.outcome).toBe('red');
  expect(after.findings.map(({ target }) => target)).toEqual(['production']);
  expect(after.changed).toHaveLength(1);
  expect(after.schedule.map(({ target }) => target)).toEqual(['production']);
});

test('LOOP-6: a cycle whose end was never written gets one', async () => {
  await openCycle(database.pool, {
    tenant: 'acme',
    cycle: 1,
    runId: 'run',
    trigger: 'schedule',
    startedMs: startMs,
  });
  await settle(2, [observation('production', 'green')]);
  expect((await listCycles(database.pool, 'acme', 5)).map(({ cycle, state }) => [cycle, state])).toEqual([
    [2, 'completed'],
    [1, 'failed'],
  ]);
});

test('LOOP-4: what the loop is handed is bounded, what is known is not', async () => {
  const { findings } = await settle(1, [observation('production', 'red', [drifted('production', 5_000)])]);
  expect(JSON.stringify(findings).length).toBeLessThan(10_000);
  const { rows } = await database.pool.query(
    `select jsonb_array_length(detail -> 'changes') as n from findings`,
  );
  expect(rows[0].n).toBe(5_000);
});

test('LOOP-6: a cycle records the tokens and the cost of the calls since the one before, each call once', async () => {
  const call = async (key: string, tokens: number | null): Promise<void> => {
    await database.pool.query(
      `insert into model_calls (key, tenant, workspace, fingerprint, occurrence, purpose, model, conversation, state, owner, lease_until)
       values ($1, 'acme', 'shop', 'f', 1, 'implement', 'm', 'c', 'answered', 'w', now()) on conflict do nothing`,
      [key],
    );
    await database.pool.query(
      `insert into model_attempts (tenant, key, fingerprint, occurrence, budget, purpose, model, day, reserved_tokens, reserved_micro_usd, lease_until, outcome, tokens, micro_usd)
       values ('acme', $1, 'f', 1, 'fix', 'implement', 'm', '2026-11-21', 9000, 9, now(), $2, $3, $4)`,
      [key, tokens === null ? null : 'answered', tokens, tokens === null ? null : tokens * 10],
    );
  };
  await call('a', 1_000);
  await call('b', 500);
  await call('under way', null);
  await settle(1, [observation('production', 'green')]);
  await settle(1, [observation('production', 'green')]);
  await call('c', 7);
  await settle(2, [observation('production', 'green')]);
  await settle(3, [observation('production', 'green')]);
  const cycles = await listCycles(database.pool, 'acme', 10);
  expect(cycles.map(({ tokens, costUsd }) => [tokens, Number(costUsd)])).toEqual([
    [0, 0],
    [7, 0.000_07],
    [1_500, 0.015],
  ]);
});

test('DEPLOY-5 CI-4: what says nothing any more goes with old evidence: budgets of tokens that nobody uses, outages that are over', async () => {
  const { pool } = database;
  const dayMs = 86_400_000;
  const { rows: clock } = await pool.query('select (extract(epoch from now()) * 1000)::float8 as ms');
  const nowMs: number = clock[0].ms;
  for (const [token, atMs, pausedMs] of [
    ['unused', nowMs - 2 * dayMs, 0],
    ['unused and paused', nowMs - 2 * dayMs, nowMs + dayMs],
    ['used an hour ago', nowMs - dayMs / 24, 0],
  ] as const)
    await pool.query(
      `insert into request_budgets (token_hash, everyday, incidents, second, at_ms, paused_until_ms) values ($1, 1, 1, 1, $2, $3)`,
      [token, atMs, pausedMs],
    );
  const cycleMs = startMs + 200 * 60_000;
  for (const [signature, lastMs] of [
    ['over', cycleMs - 2 * dayMs],
    ['just over', cycleMs - dayMs / 12],
    ['on', cycleMs],
  ] as const)
    await pool.query(
      `insert into ci_outages (tenant, signature, since_ms, last_ms, said) values ('acme', $1, $2, $2, 'said')`,
      [signature, lastMs],
    );
  await pool.query(
    `insert into evidence (tenant, sha256, kind, body, expires_at) values ('acme', 'old', 'log', 'x', now() - interval '1 day')`,
  );
  const left = async (): Promise<readonly string[]> => {
    const { rows } = await pool.query(
      `select token_hash as name from request_budgets union all select signature from ci_outages union all select sha256 from evidence order by 1`,
    );
    return rows.map(({ name }: { name: string }) => name);
  };
  await settle(199, [observation('production', 'green')]);
  expect(await left()).toHaveLength(7);
  await settle(200, [observation('production', 'green')]);
  expect(await left()).toEqual(['just over', 'on', 'unused and paused', 'used an hour ago']);
});

test('DEPLOY-5: a budget that is being taken from is neither waited for nor thrown away', async () => {
  const { pool } = database;
  await pool.query(
    `insert into request_budgets (token_hash, everyday, incidents, second, at_ms) values ('taken', 1, 1, 1, 0)`,
  );
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query(`select 1 from request_budgets where token_hash = 'taken' for update`);
    await settle(200, [observation('production', 'green')]);
    await client.query('commit');
  } finally {
    client.release();
  }
  expect((await pool.query('select 1 from request_budgets')).rows).toHaveLength(1);
});
