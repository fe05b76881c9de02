// Focused sessions over records, with Temporal away (CI-14, SEE-2): which tenant and workspace are meant, what is wrong usage, and that servers
// which do not answer have an exit code of their own.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseTenantFile } from '../../../src/config/tenant-file.ts';
import { freePort } from '../../../src/embedded/machine/ports.ts';
import { applyTenant } from '../../../src/store/tenants.ts';
import { type Cli, createCli } from '../../support/cli.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { seed } from './seed.ts';

let database: TestDatabase;
let cli: Cli;

beforeAll(async () => {
  database = await createTestDatabase();
  await seed(database.pool, 'acme');
  const other = {
    tenant: 'other',
    workspaces: [
      { name: 'shop', github: { repository: 'other/shop' } },
      { name: 'site', github: { repository: 'other/site' } },
    ],
  };
  const parsed = parseTenantFile(JSON.stringify(other), { fileName: 'tenant.yaml' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  await applyTenant(database.pool, parsed.config, 'test', Date.now());
  cli = await createCli({ DATABASE_URL: database.url, TEMPORAL_ADDRESS: `127.0.0.1:${await freePort()}` });
});
afterAll(async () => {
  await cli.remove();
  await database.drop();
});

const run = 'actions/runs/4711000';

test.each([
  [['ci', 'fix', '4711000'], 2, /which tenant\? Name one with --tenant: acme, other/],
  [['until-green', 'shop'], 2, /which tenant\? Name one with --tenant: acme, other/],
  [
    ['ci', 'fix', '4711000', '--tenant', 'acme', '--workspace', 'shops'],
    2,
    /Did you mean "shop"\? Fix: name one of: shop/,
  ],
  [['until-green', 'sitte', '--tenant', 'other'], 2, /Did you mean "site"\? Fix: name one of: shop, site/],
  [
    ['ci', 'fix', `https://github.com/acme/shop/${run}`, '--tenant', 'other'],
    2,
    /acme\/shop is the repository of no workspace of other/,
  ],
  [['ci', 'fix', 'main', '--tenant', 'acme'], 2, /run: "main" is none\. Fix: give the id of a workflow run/],
  [
    ['until-green', 'shop', '--tenant', 'acme', '--timeout', 'soon'],
    2,
    /--timeout: "soon" is no length of time/,
  ],
  // The only tenant with such a workspace, or with the repository of the run: only Temporal is missing.
  [['until-green', 'site'], 4, /Temporal at 127\.0\.0\.1/],
  [['ci', 'fix', `https://github.com/ACME/shop/${run}`], 4, /Temporal at 127\.0\.0\.1/],
] as const)('CI-14: %j has exit code %i', async (args, code, words) => {
  const said = await cli.run(...args);
  expect(said.stderr).toMatch(words);
  expect(said.code).toBe(code);
  const json = (await cli.run(...args, '--json')).json() as { error: { message: string; exitCode: number } };
  expect(json.error.exitCode).toBe(code);
  expect(json.error.message).toMatch(words);
});

test('CI-14: a job of the run that is green already is no work, and needs no server', async () => {
  await database.pool.query(`update findings set status = 'resolved', resolved_ms = $1 where kind = 'ci'`, [
    Date.now(),
  ]);
  const said = await cli.run('ci', 'fix', '4711000', '--tenant', 'acme', '--json');
  expect(said.code).toBe(0);
  expect(said.json()).toMatchObject({ run: 4_711_000, jobs: [], green: [{ status: 'resolved' }] });
  expect((await cli.run('ci', 'fix', '4711000', '--tenant', 'acme')).stdout).toMatch(/^green already since /);
});
