// LOOP-9: what a tenant's row gives to a version of the program that is not the one that stored it.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseTenantFile } from '../../../src/config/tenant-file.ts';
import { applyTenant, listTenants, readTenant } from '../../../src/store/tenants.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

const file = (tenant: string, more = {}) => ({
  tenant,
  workspaces: [{ name: 'shop', github: { repository: 'acme/shop' } }],
  ...more,
});

async function apply(given: ReturnType<typeof file>, withSource = true) {
  const parsed = parseTenantFile(JSON.stringify(given), { fileName: 'tenant.yaml' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const { config, source } = parsed;
  return {
    config,
    ...(await applyTenant(database.pool, config, 'test', 0, withSource ? source : undefined)),
  };
}

test.each([true, false])(
  'LOOP-9 OPS-2: a setting that is not stored has its default (file known: %j)',
  async (known) => {
    const { config } = await apply(file('acme', { cadence: { red: '2m' } }), known);
    await database.pool.query(
      `update tenants set config = (config #- '{workspaces,0,ci,storm}') #- '{cadence,nightMs}' #- '{model}'`,
    );
    const row = await readTenant(database.pool, 'acme');
    expect(row?.config).toEqual(config);
    expect(row?.settingsProblem).toBeUndefined();
  },
);

test('a file that this version refuses leaves the tenant as it was, and others as they are', async () => {
  const { config } = await apply(file('acme'));
  await apply(file('beta'));
  await apply(file('gamma'), false);
  await database.pool.query(
    `update tenant_versions set source = source || '{"colour": "green"}' where tenant = 'acme'`,
  );
  await database.pool.query(`update tenants set config = '"gone"' where tenant = 'gamma'`);
  const [acme, beta, gamma] = await listTenants(database.pool);
  expect(acme?.config).toEqual(config);
  expect(acme?.settingsProblem).toMatch(/colour .*tenant apply/);
  expect(beta?.settingsProblem).toBeUndefined();
  expect(gamma).toMatchObject({ enabled: true, config: { workspaces: [] } });
});

test('the same file again is no new version; one that writes a default out is', async () => {
  expect((await apply(file('acme'))).version).toBe(1);
  expect(await apply(file('acme'))).toMatchObject({ version: 1, changed: false });
  expect(await apply(file('acme'), false)).toMatchObject({ version: 1, changed: false });
  expect(await apply(file('acme', { timeZone: 'UTC' }))).toMatchObject({ version: 2, changed: true });
});

test('a version that an older program applied has no file: its own settings count, not the file of the one before', async () => {
  await apply(file('acme', { timeZone: 'Europe/Berlin' }));
  await apply(file('acme', { timeZone: 'Asia/Tokyo' }), false);
  expect((await readTenant(database.pool, 'acme'))?.config.timeZone).toBe('Asia/Tokyo');
});

test('the settings are judged once per tenant and version', async () => {
  await apply(file('acme'));
  const first = await readTenant(database.pool, 'acme');
  expect((await readTenant(database.pool, 'acme'))?.config).toBe(first?.config);
  await apply(file('acme', { timeZone: 'Asia/Tokyo' }));
  expect((await readTenant(database.pool, 'acme'))?.config.timeZone).toBe('Asia/Tokyo');
});
