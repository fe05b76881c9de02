// DUR-4: what a source read from strangers (NUL, half characters in names) cannot keep a cycle from being recorded.
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createServices } from '../../../src/activities/services.ts';
import type { SourceDefinition } from '../../../src/activities/sources/definition.ts';
import { createSourceActivities } from '../../../src/activities/sources/read.ts';
import { createSecretResolver } from '../../../src/config/secrets.ts';
import { parseTenantFile } from '../../../src/config/tenant-file.ts';
import type { Observation } from '../../../src/contract/finding.ts';
import type { ReadRequest } from '../../../src/contract/loop.ts';
import { createRedactor } from '../../../src/logs/redact/redact-values.ts';
import { applyTenant } from '../../../src/store/tenants.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

const bad = `half ${'😀'.slice(0, 1)} and nul \0`;
const good = 'half \uFFFD and nul \uFFFD';
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

it.each(['read', 'failed'])('a source that %s', async (how) => {
  const { pool } = database;
  const parsed = parseTenantFile(
    'tenant: strangers\nworkspaces:\n  - name: shop\n    github: { repository: o/r, token: env:GITHUB_TOKEN }\n',
    { fileName: 'tenant.yaml' },
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed));
  await applyTenant(pool, parsed.config, 'test', 1);
  const redactor = createRedactor();
  const secrets = createSecretResolver({ env: {}, redactor });
  const source: SourceDefinition = {
    kind: 'ciRuns',
    timeoutMs: () => 5_000,
    targets: () => [undefined],
    read: async () => {
      if (how === 'failed') throw new Error(bad);
      return { state: 'red', reason: bad, findings: [], memory: { [bad]: [bad] } };
    },
  };
  const services = createServices({ pool, redactor, secrets, cacheDir: '/nonexistent' });
  const activities = createSourceActivities(services, [source], 1);
  const request: ReadRequest = {
    tenant: 'strangers',
    workspace: 'shop',
    source: 'ciRuns',
    cycle: 1,
    runId: 'r',
    dueAtMs: 1,
    timeoutMs: 5_000,
    trigger: 'schedule',
    nowMs: 1,
  };
  const observation: Observation = await new MockActivityEnvironment().run(
    activities['source.ciRuns'],
    request,
  );
  expect(observation.reason).toBe(good);
  await pool.query('select $1::jsonb', [JSON.stringify(observation)]);
  const { rows } = await pool.query('select memory from source_memory');
  expect(rows).toEqual(how === 'read' ? [{ memory: { [good]: [good] } }] : expect.anything());
});
