// INC-5: the DevOps API of a tenant's backend: four routes, one secret in one header, each call one request, and whether a failure changed anything.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createDevopsApi, type DevopsApi } from '../../../src/integrations/devops-api/client.ts';
import { DevopsApiError } from '../../../src/integrations/devops-api/errors.ts';
import { type Production, startProduction } from '../../support/backend/production.ts';
import { reading } from '../health/support.ts';

let production: Production;

beforeAll(async () => {
  production = await startProduction();
});
afterEach(async () => {
  production.state.sessions = [];
  production.state.sessionLimit = 100;
  await production.heal();
});
afterAll(() => production.close());

function api(options: { readonly secret?: string; readonly timeoutMs?: number } = {}): DevopsApi {
  return createDevopsApi({
    url: `${production.backendUrl}/`,
    secret: options.secret ?? production.devopsSecret,
    signal: AbortSignal.timeout(options.timeoutMs ?? 20_000),
  });
}

async function failureOf(call: Promise<unknown>): Promise<DevopsApiError> {
  const error = await call.then(
    () => new Error('it did not fail'),
    (failure: unknown) => failure,
  );
  if (!(error instanceof DevopsApiError)) throw error;
  return error;
}

function answering(status: number, body: string, headers: Record<string, string> = {}): void {
  production.fail({
    kind: 'answer',
    by: (_request, response) => response.writeHead(status, headers).end(body),
  });
}

describe('the DevOps API', () => {
  it('says how the backend is, with its secret in the header and nowhere else (INC-5)', async () => {
    expect(await api().health()).toEqual({ healthy: true, status: 'healthy', unwell: [] });
    const asked = production.requests().at(-1);
    expect(asked).toMatchObject({ method: 'GET', path: '/api/devops/health', query: '', body: '' });
    expect(asked?.headers['x-devops-secret']).toBe(production.devopsSecret);
    const { 'x-devops-secret': _, ...rest } = asked?.headers ?? {};
    expect(JSON.stringify(rest)).not.toContain(production.devopsSecret);
    production.fail({ kind: 'databaseDown' });
    expect(await api().health()).toEqual({ healthy: false, status: 'unhealthy', unwell: ['database'] });
  });

  it('says numbers, and what is no number is left out (INC-5)', async () => {
    production.addStaleSessions(3);
    production.state.orphans = 7;
    expect(await api().stats()).toEqual({ users: 1, 'sessions.active': 0, 'sessions.stale': 3, orphans: 7 });
  });

  it('clears stale sessions and orphans, each by one request, and says how many (INC-5)', async () => {
    production.addStaleSessions(3);
    production.state.orphans = 7;
    const before = production.requests().length;
    expect(await api().cleanUp('staleSessions')).toEqual({ removed: 3 });
    expect(production.state.sessions).toEqual([]);
    expect(await api().cleanUp('orphans')).toEqual({ removed: 7 });
    expect(await api().cleanUp('orphans')).toEqual({ removed: 0 });
    expect(
      production
        .requests()
        .slice(before)
        .map(({ method, path }) => `${method} ${path}`),
    ).toEqual([
      'DELETE /api/devops/cleanup/stale-sessions',
      'DELETE /api/devops/cleanup/orphans',
      'DELETE /api/devops/cleanup/orphans',
    ]);
    production.verify();
  });

  it.each([
    [204, '', null],
    [200, '', null],
    [200, 'done', null],
    [202, '{"deleted":12}', 12],
    [200, '{"removed":"many"}', null],
    [200, '{"removed":-1}', null],
  ])('has cleared when it answers %i %j', async (status, body, removed) => {
    answering(status, body);
    expect(await api().cleanUp('staleSessions')).toEqual({ removed });
  });

  it.each([
    ['{"status":"ok"}', { healthy: true, status: 'ok', unwell: [] }],
    ['{"status":"UP","extra":{"deep":[1]}}', { healthy: true, status: 'UP', unwell: [] }],
    ['{"healthy":false}', { healthy: false, status: 'not ok', unwell: [] }],
    ['{"ok":true}', { healthy: true, status: 'ok', unwell: [] }],
    [
      '{"status":"degraded","services":{"queue":"down","db":"up","cache":false,"odd":[1]}}',
      { healthy: false, status: 'degraded', unwell: ['queue', 'cache'] },
    ],
    ['{"status":"@everyone <b>ok</b>"}', { healthy: false, status: 'not ok', unwell: [] }],
  ])('reads %s', async (body, health) => {
    answering(200, body);
    expect(await api().health()).toEqual(health);
  });

  it.each(['', 'null', '[]', '{}', '<html>', '{"status":{"a":1}}'])(
    'does not read %j as health',
    async (body) => {
      answering(200, body);
      expect(await failureOf(api().health())).toMatchObject({ kind: 'unexpected', definite: false });
    },
  );
});

describe('a call that fails', () => {
  it.each([
    [401, {}, 'permission', true, undefined],
    [403, {}, 'permission', true, undefined],
    [404, {}, 'notFound', true, undefined],
    [405, {}, 'notFound', true, undefined],
    [400, {}, 'invalid', true, undefined],
    [429, { 'retry-after': '7' }, 'rateLimited', true, 7_000],
    [429, { 'retry-after': '999999999' }, 'rateLimited', true, 3_600_000],
    [302, { location: 'http://127.0.0.1:1/' }, 'moved', true, undefined],
    [500, {}, 'server', false, undefined],
    [502, {}, 'server', false, undefined],
    [503, { 'retry-after': 'soon' }, 'server', false, undefined],
  ])(
    'by %i %j is %s, certainly without effect: %s (DUR-1)',
    async (status, headers, kind, definite, retryAfterMs) => {
      answering(status, `the secret is ${production.devopsSecret}`, headers);
      const before = production.requests().length;
      const error = await failureOf(api().cleanUp('staleSessions'));
      expect(error).toMatchObject({ kind, definite, status, retryAfterMs });
      expect(error.message).toContain('DELETE /api/devops/cleanup/stale-sessions');
      expect(JSON.stringify([error.message, { ...error }])).not.toContain(production.devopsSecret);
      expect(production.requests()).toHaveLength(before + 1);
    },
  );

  it('by the wrong secret changes nothing', async () => {
    production.addStaleSessions(2);
    const error = await failureOf(api({ secret: 'another-secret' }).cleanUp('staleSessions'));
    expect(error).toMatchObject({ kind: 'permission', status: 401 });
    expect(production.state.sessions).toHaveLength(2);
  });

  it('by a refused connection was not sent; by a reset or a time that is over it may have been (DUR-1)', async () => {
    await production.down('backend');
    expect(await failureOf(api().cleanUp('orphans'))).toMatchObject({
      kind: 'refused',
      definite: true,
      status: 0,
    });
    await production.up('backend');
    production.fail({ kind: 'reset', times: 1 });
    const before = production.requests().length;
    expect(await failureOf(api().cleanUp('orphans'))).toMatchObject({ kind: 'network', definite: false });
    expect(production.requests()).toHaveLength(before + 1);
    production.fail({ kind: 'hang' });
    expect(await failureOf(api({ timeoutMs: 500 }).cleanUp('orphans'))).toMatchObject({
      kind: 'network',
      definite: false,
    });
  });
});

describe('the check of it', () => {
  it('is well, unwell with the parts, or not reachable (HEALTH-1, INC-5)', async () => {
    const env = { PRODUCTION_BACKEND_URL: production.backendUrl, DEVOPS_API_SECRET: production.devopsSecret };
    const check = { kind: 'devops' };
    expect(await reading(check, env)).toMatchObject({ state: 'ok', level: 'sev2', reason: 'says "healthy"' });
    production.state.sessionLimit = 0;
    expect(await reading(check, env)).toMatchObject({
      state: 'failed',
      reason: 'says "unhealthy": sessions',
    });
    expect(await reading(check, { ...env, DEVOPS_API_SECRET: 'another-secret' })).toMatchObject({
      state: 'failed',
      reason: 'DevOps API: GET /api/devops/health: the secret is not accepted (401)',
    });
    await production.down('backend');
    expect(await reading(check, env)).toMatchObject({ state: 'failed', facts: { code: 'ECONNREFUSED' } });
    expect(await reading(check, { ...env, DEVOPS_API_SECRET: 'a\r\nb: c' })).toMatchObject({
      state: 'unknown',
    });
  });
});
