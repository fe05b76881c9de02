// Settings that are applied in the middle of a cycle (LOOP-9): whoever locks a tenant's guard row and its settings does so in the same order.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { parseTenantFile } from '../../../src/config/tenant-file.ts';
import { lockGuard } from '../../../src/store/claims.ts';
import { openCycle } from '../../../src/store/cycles.ts';
import { transaction } from '../../../src/store/database.ts';
import { applyTenant } from '../../../src/store/tenants.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

async function apply(timeZone: string): Promise<number> {
  const file = {
    tenant: 'acme',
    timeZone,
    workspaces: [{ name: 'shop', github: { repository: 'acme/shop' } }],
  };
  const parsed = parseTenantFile(JSON.stringify(file), { fileName: 'tenant.yaml' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return (await applyTenant(database.pool, parsed.config, 'test', 0)).version;
}

test('LOOP-9: settings that are applied while a cycle ends wait for it, and neither of the two fails', async () => {
  await apply('UTC');
  let applied: Promise<number> | undefined;
  await transaction(database.pool, async (tx) => {
    await lockGuard(tx, 'acme');
    await tx.query(`update guards set breaker_failures = 1 where tenant = 'acme'`);
    applied = apply('Europe/Berlin');
    applied.catch(() => {});
    await vi.waitFor(async () => {
      const { rows } = await database.pool.query(
        `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      expect(rows).toHaveLength(1);
    });
    await openCycle(tx, { tenant: 'acme', cycle: 1, runId: 'run', trigger: 'schedule', startedMs: 0 });
  });
  expect(await applied).toBe(2);
});
