// OPS-2, MODEL-1: what `doctor` says about tenants. Nobody is asked (a call costs money) and no key is printed.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Check, tenantChecks } from '../../../src/cli/set-up/doctor-tenants.ts';
import { parseTenantFile } from '../../../src/config/tenant-file.ts';
import { createRedactor } from '../../../src/logs/redact/redact-values.ts';
import { applyTenant } from '../../../src/store/tenants.ts';
import { createCli } from '../../support/cli.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

/** Put together here, so that no scanner takes this file for a leak. */
const key = `sk-ant-${'api03'}-${'q7Rk2vzA91'.repeat(4)}`;

let database: TestDatabase;
let folder: string;
let asked = 0;
/** Stands for everybody who could be asked. */
const listener = createServer((socket) => {
  asked += 1;
  socket.destroy();
});
beforeAll(async () => {
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
});
afterAll(() => void listener.close());
beforeEach(async () => {
  database = await createTestDatabase();
  folder = await mkdtemp(join(tmpdir(), 'untilgreen-doctor-'));
  asked = 0;
});
afterEach(async () => {
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

async function apply(model: object, tenant = 'acme'): Promise<void> {
  const file = { tenant, model, workspaces: [{ name: 'shop', github: { repository: 'acme/shop' } }] };
  const parsed = parseTenantFile(JSON.stringify(file), { fileName: 'tenant.yaml' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  await applyTenant(database.pool, parsed.config, 'test', 0, parsed.source);
}

/** What it says about tenants with these variables, whose values it never repeats. */
async function doctor(env: Readonly<Record<string, string>> = {}): Promise<readonly Check[]> {
  const checks = await tenantChecks(database.pool, { env, redactor: createRedactor() });
  expect(JSON.stringify(checks)).not.toContain(key.slice(-12));
  expect(asked).toBe(0);
  return checks;
}
const of = (checks: readonly Check[], name: string) => checks.find((check) => check.name === name);

test('OPS-2: a key that resolves, with models, prices and budgets, is well', async () => {
  await apply({});
  const check = of(await doctor({ ANTHROPIC_API_KEY: key }), 'model acme');
  expect(check).toMatchObject({ ok: true, fix: '' });
  expect(check?.found).toMatch(
    /^the key env:ANTHROPIC_API_KEY is set here; .*claude-\S+.* at https:\/\/api\.anthropic\.com, all with prices; 1000000 tokens a day, 50000 a triage, 200000 a fix, 150000 an incident$/,
  );
});

test('MODEL-1: a key from a file, at another address, counts as well, and nobody is asked', async () => {
  const file = join(folder, 'key');
  await writeFile(file, `${key}\n`);
  const { port } = listener.address() as AddressInfo;
  await apply({ apiKey: `file:${file}`, baseUrl: `http://127.0.0.1:${port}` });
  expect(of(await doctor(), 'model acme')).toMatchObject({ ok: true });
});

test.each<[string, object, Readonly<Record<string, string>>, RegExp, RegExp]>([
  [
    'no key',
    {},
    {},
    /^no key: env:ANTHROPIC_API_KEY is not set; claude/,
    /set ANTHROPIC_API_KEY.*enabled: false/,
  ],
  [
    'an empty key',
    {},
    { ANTHROPIC_API_KEY: '' },
    /^no key: env:ANTHROPIC_API_KEY is empty/,
    /set ANTHROPIC_API_KEY/,
  ],
  [
    'no file',
    { apiKey: 'file:/nowhere/key' },
    {},
    /^no key: file:\/nowhere\/key cannot be read/,
    /create the file/,
  ],
  [
    'a key of another service',
    { apiKey: 'env:OTHER_KEY' },
    { OTHER_KEY: key.slice(7) },
    /^the key env:OTHER_KEY does not look like one of https:\/\/api\.anthropic\.com/,
    /which variable or file model\.apiKey names/,
  ],
])('MODEL-1: %s is said with its fix', async (_what, model, env, found, fix) => {
  await apply(model);
  const check = of(await doctor(env), 'model acme');
  expect(check).toMatchObject({ ok: false });
  expect(check?.found).toMatch(found);
  expect(check?.fix).toMatch(fix);
});

test.each<[string, object, RegExp]>([
  ['off', { enabled: false }, /^off \(model\.enabled\)/],
  ['without a budget for a day', { budgets: { tokensPerDay: 0 } }, /0 tokens a day.*\(0: all calls off\)/],
  ['without a budget for triage', { budgets: { triageTokens: 0 } }, /\(0: triage off\)/],
])('a model that is %s on purpose is well, and said', async (_what, model, found) => {
  await apply(model);
  const check = of(await doctor({ ANTHROPIC_API_KEY: key }), 'model acme');
  expect(check).toMatchObject({ ok: true, found: expect.stringMatching(found) });
});

test('a model without a price is said: a version that lost its list price', async () => {
  await apply({});
  await database.pool.query('update tenant_versions set source = null');
  await database.pool.query(
    `update tenants set config = jsonb_set(config, '{model,models,triage}', '"claude-unheard-of"')`,
  );
  const check = of(await doctor({ ANTHROPIC_API_KEY: key }), 'model acme');
  expect(check).toMatchObject({
    ok: false,
    found: expect.stringContaining('no price for claude-unheard-of'),
  });
});

test('LOOP-9: settings that this version cannot read are said in doctor and in status, and other tenants go on', async () => {
  await apply({});
  await apply({}, 'beta');
  await database.pool.query(
    `update tenant_versions set source = source || '{"colour": "green"}' where tenant = 'acme'`,
  );
  const checks = await doctor({ ANTHROPIC_API_KEY: key });
  expect(of(checks, 'settings acme')).toMatchObject({ ok: false, found: expect.stringContaining('colour') });
  expect(of(checks, 'settings beta')).toBeUndefined();
  expect(of(checks, 'model beta')).toMatchObject({ ok: true });
  const env = { DATABASE_URL: database.url, TEMPORAL_ADDRESS: '127.0.0.1:1', ANTHROPIC_API_KEY: key };
  const cli = await createCli(env);
  try {
    const said = await cli.run('doctor', '--json');
    expect(said.json()).toMatchObject({ ok: false, checks: expect.arrayContaining([...checks]) });
    expect(said.stdout + said.stderr).not.toContain(key.slice(-12));
    const status = await cli.run('status', 'acme');
    expect(status.stdout).toMatch(
      /note: this version of untilgreen cannot read the settings of tenant acme: .*colour/,
    );
    expect((await cli.run('status', 'beta')).stdout).not.toContain('cannot read the settings');
  } finally {
    await cli.remove();
  }
});
