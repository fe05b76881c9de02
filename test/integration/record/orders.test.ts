// LOOP-11, DUR-2: which remedy of its finding one is, when orders and cycles ask at once. The number is part of every key of its effects: one that
// runs as #1 and is adopted as #2 would not find its receipts.
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLoopActivities } from '../../../src/activities/record/loop.ts';
import { createServices } from '../../../src/activities/services.ts';
import { createSecretResolver } from '../../../src/config/secrets.ts';
import { parseTenantFile } from '../../../src/config/tenant-file.ts';
import type { LoopActivities } from '../../../src/contract/activities.ts';
import { createRedactor } from '../../../src/logs/redact/redact-values.ts';
import { openCycle } from '../../../src/store/cycles.ts';
import { transaction } from '../../../src/store/database.ts';
import { lockFindingRow, readFindingRow, readMemory } from '../../../src/store/findings.ts';
import { applyTenant } from '../../../src/store/tenants.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

const nowMs = Date.UTC(2026, 10, 21, 9);
const key = { tenant: 'acme', fingerprint: 'f00d'.repeat(16), occurrence: 1 };

let database: TestDatabase;
let loop: LoopActivities;
beforeEach(async () => {
  database = await createTestDatabase();
  const redactor = createRedactor();
  const secrets = createSecretResolver({ env: {}, redactor });
  loop = createLoopActivities(
    createServices({ pool: database.pool, redactor, secrets, cacheDir: 'none' }),
    [],
  );
  const file = { tenant: 'acme', workspaces: [{ name: 'shop', github: { repository: 'acme/shop' } }] };
  const parsed = parseTenantFile(JSON.stringify(file), { fileName: 'tenant.yaml' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  await applyTenant(database.pool, parsed.config, 'test', nowMs);
  await database.pool.query(
    `insert into findings (tenant, fingerprint, occurrence, workspace, source, kind, target, signature, rule_version, severity, title, detail,
       status, first_seen_ms, last_seen_ms)
     values ($1, $2, 1, 'shop', 'drift', 'drift', 'production', 's', 1, 'warning', 'it drifts', '{}', 'open', $3, $3)`,
    [key.tenant, key.fingerprint, nowMs],
  );
});
afterEach(() => database.drop());

const act = <T>(work: () => Promise<T>): Promise<T> => new MockActivityEnvironment().run(work);
const order = async (requestId: string): Promise<number> =>
  (
    await act(() =>
      loop.orderRemedy({ tenant: 'acme', finding: key.fingerprint.slice(0, 8), by: 'ana', requestId, nowMs }),
    )
  ).remedy;

async function decideStart(cycle: number): Promise<readonly number[]> {
  await openCycle(database.pool, {
    tenant: 'acme',
    cycle,
    runId: 'run',
    trigger: 'schedule',
    startedMs: nowMs,
  });
  const { started } = await act(() =>
    loop.recordDecisions({
      tenant: 'acme',
      cycle,
      nowMs,
      decisions: [{ ...key, action: 'start', reason: 'first not green' }],
    }),
  );
  return started.map(({ remedy }) => remedy);
}

test('LOOP-11: four people order the same finding at once: it is one remedy, and each order is known', async () => {
  const ids = Array.from({ length: 4 }, (_, index) => `r${index}`);
  const orders = await transaction(database.pool, async (tx) => {
    await lockFindingRow(tx, key);
    const asked = ids.map(order);
    // All of them have come as far as they can.
    await vi.waitFor(async () => {
      const { rows } = await database.pool.query(
        `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      expect(rows).toHaveLength(ids.length);
    }, 5_000);
    return { asked };
  });
  expect(await Promise.all(orders.asked)).toEqual(ids.map(() => 1));
  expect((await readFindingRow(database.pool, key))?.remedies).toBe(1);
  expect((await readMemory(database.pool, key)).requests).toEqual([expect.stringMatching(/^r\d$/)]);
});

test('DUR-2: a cycle that looked before an order starts no second remedy; one whose answer was lost starts the same', async () => {
  expect(await order('r1')).toBe(1);
  expect(await decideStart(7)).toEqual([]);
  expect((await readFindingRow(database.pool, key))?.remedies).toBe(1);

  await database.pool.query(`update findings set status = 'open'`);
  expect(await decideStart(8)).toEqual([2]);
  expect(await decideStart(8)).toEqual([2]);
  expect((await readFindingRow(database.pool, key))?.remedies).toBe(2);
});
