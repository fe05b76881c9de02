// OPS-2, DEPLOY-1, HEALTH-1: what `doctor` says about a tenant's production: which references are not set here, with the fix, and no value.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Check, tenantChecks } from '../../../src/cli/set-up/doctor-tenants.ts';
import { parseTenantFile } from '../../../src/config/tenant-file.ts';
import { createRedactor } from '../../../src/logs/redact/redact-values.ts';
import { applyTenant } from '../../../src/store/tenants.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  const text = `
tenant: acme
workspaces:
  - name: shop
    github: { repository: acme/shop }
    services: { provider: { kind: railway } }
    health:
      checks:
        - { kind: http, name: backend, path: /health }
        - { kind: database, name: database }
    incidents: { devopsApi: {} }
  - name: plain
    github: { repository: acme/plain }
`;
  const parsed = parseTenantFile(text, { fileName: 'tenant.yaml' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  await applyTenant(database.pool, parsed.config, 'test', 0, parsed.source);
});
afterAll(() => database.drop());

async function production(env: Readonly<Record<string, string>>): Promise<readonly Check[]> {
  const checks = await tenantChecks(database.pool, { env, redactor: createRedactor() });
  return checks.filter(({ name }) => name.startsWith('production '));
}

it('names each reference that is not set, by its field, and how to set it', async () => {
  const checks = await production({ PRODUCTION_BACKEND_URL: 'https://shop.example.com', DATABASE_URL: '' });
  expect(checks).toEqual([
    {
      name: 'production acme/shop',
      ok: false,
      found:
        'services.provider.token: env:RAILWAY_TOKEN_SW_FACTORY is not set; health.checks[1].url: env:DATABASE_URL is empty; incidents.devopsApi.secret: env:DEVOPS_API_SECRET is not set',
      fix: expect.stringContaining('set RAILWAY_TOKEN_SW_FACTORY in the environment of the worker'),
    },
  ]);
});

it('is well where all are set, and repeats none of them', async () => {
  const env = {
    RAILWAY_TOKEN_SW_FACTORY: 'railway-secret-value',
    PRODUCTION_BACKEND_URL: 'https://shop.example.com',
    DATABASE_URL: 'postgres://u:hidden-password@db/shop',
    DEVOPS_API_SECRET: 'devops-secret-value',
  };
  const checks = await production(env);
  expect(checks).toMatchObject([
    { ok: true, found: 'services by railway, 2 health checks, all references are set here', fix: '' },
  ]);
  for (const value of Object.values(env)) expect(JSON.stringify(checks)).not.toContain(value);
});
