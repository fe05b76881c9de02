// Services, health checks and incidents of a workspace: what one names, another has (DEPLOY-1, HEALTH-1, INC-1), with the fix in the message (DUR-4).
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { createSecretResolver, learnSecrets } from '../../../src/config/secrets.ts';
import { parseTenantFile } from '../../../src/config/tenant-file.ts';
import { createRedactor } from '../../../src/logs/redact/redact-values.ts';

const page = { kind: 'content', name: 'frontend', expect: { contains: ['Shop'] } };
const api = { kind: 'http', name: 'backend', services: ['backend'] };
const services = { provider: { kind: 'railway' }, watch: ['back*', 'frontend'] };

function problemsOf(workspace: object): readonly string[] {
  const text = stringify({
    tenant: 'acme',
    workspaces: [{ name: 'shop', github: { repository: 'acme/shop' }, ...workspace }],
  });
  const parsed = parseTenantFile(text, { fileName: 'tenant.yaml' });
  return parsed.ok
    ? []
    : parsed.problems.map(
        ({ path, message, fix }) => `${path.replace('workspaces[0].', '')} ${message}. ${fix}`,
      );
}

const raise = (checks: string[], more: object = {}) => ({ raise: [{ checks, level: 'sev1', ...more }] });

describe('what is good', () => {
  it.each<[string, object]>([
    ['no services and no checks', {}],
    ['checks without services', { health: { checks: [page] } }],
    [
      'names that a glob watches',
      {
        services: { ...services, level: { byService: { backend: 'sev1' } } },
        health: { checks: [api, page] },
      },
    ],
    [
      'rules over checks',
      { services, health: { checks: [api, page] }, incidents: raise(['backend', 'frontend'], { count: 2 }) },
    ],
    [
      'the shortest times',
      {
        services: { ...services, ladder: { unhealthyFor: '10s', healthyFor: '10s' } },
        health: { confirmWithin: '6s', checks: [{ ...api, timeout: '2s' }] },
        incidents: { lowerAfter: '1s' },
      },
    ],
  ])('%s', (_name, workspace) => {
    expect(problemsOf(workspace)).toEqual([]);
  });
});

describe('what is refused', () => {
  it.each<[string, object, string]>([
    [
      'two checks of one name',
      { health: { checks: [page, page] } },
      'health.checks[1].name is used by checks[0] already. give it a name of its own',
    ],
    [
      'a rule over a check that is not there',
      { health: { checks: [page] }, incidents: raise(['frontend', 'bakend']) },
      'incidents.raise[0].checks[1] is no health check of this workspace. write one of frontend',
    ],
    [
      'a rule without any checks',
      { incidents: raise(['backend']) },
      'incidents.raise[0].checks[0] is no health check of this workspace. add the check to health.checks',
    ],
    [
      'a rule that can never come true',
      { health: { checks: [page] }, incidents: raise(['frontend'], { count: 2 }) },
      'incidents.raise[0].count is more than the 1 checks of this rule. write a number from 1 to 1',
    ],
    [
      'a confirmation into which three readings do not fit',
      {
        health: {
          confirmWithin: '6s',
          checks: [
            { ...page, timeout: '2s' },
            { ...page, name: 'shop' },
          ],
        },
      },
      'health.checks[1].timeout is 10s: three readings do not fit into health.confirmWithin. write at most 2s, or raise health.confirmWithin',
    ],
    [
      'a confirmation that HEALTH-1 does not allow',
      { health: { confirmWithin: '1m', checks: [page] } },
      'health.confirmWithin must be from 3s to 45s. write a duration from 3s to 45s',
    ],
    [
      'a step of the ladder after which nothing could be read',
      { services: { ...services, ladder: { unhealthyFor: '5s' } } },
      'services.ladder.unhealthyFor must be from 10s to 1h. write a duration from 10s to 1h',
    ],
    [
      'a check of a service where there are none',
      { health: { checks: [api] } },
      'health.checks[0].services[0] names a service, and the workspace has no services. add services, or remove the name',
    ],
    [
      'a check of a service that nothing watches',
      { services, health: { checks: [{ ...api, services: ['worker'] }] } },
      'health.checks[0].services[0] is not watched: services.watch is back*, frontend. correct the name, or watch it',
    ],
    [
      'a level of a service that nothing watches',
      { services: { ...services, level: { byService: { worker: 'sev1' } } } },
      'services.level.byService.worker is not watched: services.watch is back*, frontend. correct the name, or watch it',
    ],
    [
      'a version of a service that nothing watches',
      {
        services: {
          ...services,
          versions: [{ name: 'redis', service: 'redis', url: 'https://example.com/redis', path: 'tag_name' }],
        },
      },
      'services.versions[0].service is not watched: services.watch is back*, frontend. correct the name, or watch it',
    ],
    [
      'two backups of one name',
      {
        services: {
          ...services,
          backups: [
            { name: 'shop', command: 'a' },
            { name: 'shop', command: 'b' },
          ],
        },
      },
      'services.backups[1].name is used by services.backups[0] already. give it a name of its own',
    ],
    [
      'an account token without its place',
      { services: { provider: { kind: 'railway', tokenKind: 'account' } } },
      'services.provider.environmentId is missing: an account token does not say which one is meant. add environmentId: <id>',
    ],
  ])('%s', (_name, workspace, problem) => {
    expect(problemsOf(workspace)).toContain(problem);
  });
});

it('SEC-2: every secret that production needs is known to the redactor before anything is read; addresses stay readable', async () => {
  const env = {
    RAILWAY_TOKEN_SW_FACTORY: 'railway-token-4711',
    DEVOPS_API_SECRET: 'devops-secret-4711',
    CANARY_PASSWORD: 'canary-password-4711',
    API_HEADER: 'Bearer header-token-4711',
    PRODUCTION_BACKEND_URL: 'https://shop.example.com',
  };
  const login = {
    kind: 'login',
    name: 'login',
    secrets: { password: 'env:CANARY_PASSWORD' },
    steps: [{ name: 'login', method: 'POST', path: '/login' }],
  };
  const text = stringify({
    tenant: 'acme',
    workspaces: [
      {
        name: 'shop',
        github: { repository: 'acme/shop' },
        services: { provider: { kind: 'railway' } },
        health: { checks: [{ ...api, headers: { authorization: 'env:API_HEADER' } }, login] },
        incidents: { devopsApi: {} },
      },
    ],
  });
  const parsed = parseTenantFile(text, { fileName: 'tenant.yaml' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const redactor = createRedactor();
  await learnSecrets(createSecretResolver({ env, redactor }), parsed.config);
  const { PRODUCTION_BACKEND_URL: address, ...secrets } = env;
  for (const secret of Object.values(secrets))
    expect(redactor.redact(`it said ${secret}!`)).not.toContain('4711');
  expect(redactor.redact(`at ${address}/health`)).toBe(`at ${address}/health`);
});
