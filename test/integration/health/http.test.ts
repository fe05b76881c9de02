// HEALTH-1 over HTTP: the backend answers, a page of the frontend loads; what counts as right, and what is said when it is not.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Production, startProduction } from '../../support/backend/production.ts';
import { reading } from './support.ts';

let production: Production;
let backend: { readonly kind: 'http'; readonly url: string; readonly path: string };
let page: object;

beforeAll(async () => {
  production = await startProduction();
  backend = { kind: 'http', url: production.backendUrl, path: '/health' };
  page = {
    kind: 'content',
    url: production.frontendUrl,
    path: '/',
    expect: { contains: ['Welcome to the shop'] },
  };
});
afterEach(() => production.heal());
afterAll(() => production.close());

describe('the backend', () => {
  it('answers: status, body and latency are right (HEALTH-1)', async () => {
    const expected = {
      status: [200],
      json: { status: 'ok', 'db.up': true },
      matches: '"1\\.\\d+',
      maxLatency: '15s',
    };
    const read = await reading({ ...backend, expect: expected });
    expect(read).toMatchObject({
      state: 'ok',
      ok: true,
      level: 'sev1',
      reason: 'answered 200',
      facts: { status: 200 },
    });
    expect(read.latencyMs).toBeGreaterThanOrEqual(0);
  });

  it('is asked as the settings say, with secrets in their headers', async () => {
    const settings = {
      ...backend,
      path: '/health?deep=1',
      headers: { 'X-Probe': 'env:PROBE', 'x-from': 'ops' },
    };
    await reading(settings, { PROBE: 'probe-token-1' });
    expect(production.requests().at(-1)).toMatchObject({
      method: 'GET',
      path: '/health',
      query: '?deep=1',
      headers: { 'x-probe': 'probe-token-1', 'x-from': 'ops', 'user-agent': 'untilgreen-health' },
    });
  });

  it('is down: refused, and that is not our own network (HEALTH-1)', async () => {
    await production.down('backend');
    expect(await reading(backend)).toEqual({
      name: 'one',
      state: 'failed',
      ok: false,
      level: 'sev1',
      reason: 'connection refused (ECONNREFUSED)',
      latencyMs: expect.any(Number),
      facts: { stage: 'connect', code: 'ECONNREFUSED' },
    });
  });

  it.each([
    ['an error', { kind: 'status' } as const, 'answered 500, expected 200-299: "Internal Server Error"'],
    [
      'an error of a proxy',
      { kind: 'status', status: 502 } as const,
      'answered 502, expected 200-299: "Internal Server Error"',
    ],
    [
      'a database that is down',
      { kind: 'databaseDown' } as const,
      'answered 503, expected 200-299: "{"status":"unhealthy","db":{"up":false}}"',
    ],
    ['a reset', { kind: 'reset' } as const, 'the connection was reset (ECONNRESET)'],
  ])('fails by %s', async (_name, fault, reason) => {
    production.fail(fault);
    expect(await reading(backend)).toMatchObject({ state: 'failed', reason });
  });

  it('answers too late: within the time of the check, but not of the expectation', async () => {
    production.fail({ kind: 'slow', ms: 300 });
    const read = await reading({ ...backend, expect: { maxLatency: '100ms' } });
    expect(read).toMatchObject({ state: 'failed', facts: { status: 200 } });
    expect(read.reason).toMatch(/^answered 200 after \d+ ms, expected at most 100 ms: /);
  });

  it('never answers: its time is over (HEALTH-1)', async () => {
    production.fail({ kind: 'hang' });
    const read = await reading({ ...backend, timeout: '1s' });
    expect(read).toMatchObject({
      state: 'failed',
      reason: 'timed out before it answered (TIMEOUT)',
      facts: { stage: 'answer', code: 'TIMEOUT' },
    });
    expect(read.latencyMs).toBeGreaterThanOrEqual(900);
    expect(read.latencyMs).toBeLessThan(7_000);
  });

  it('has no address: it may be our own network', async () => {
    const read = await reading({ ...backend, url: 'http://no-such-host.invalid' });
    expect(read).toMatchObject({ state: 'failed', facts: { stage: 'name', network: true } });
  });

  it('answers over IPv6', async () => {
    const other = await startProduction({ host: '::1' });
    try {
      const settings = { kind: 'http', url: other.backendUrl, path: '/health' };
      expect(await reading(settings)).toMatchObject({ state: 'ok' });
      await other.down('backend');
      expect(await reading(settings)).toMatchObject({
        state: 'failed',
        facts: { stage: 'connect', code: 'ECONNREFUSED' },
      });
    } finally {
      await other.close();
    }
  });

  it('is asked nothing when a reference does not resolve: that says nothing about production', async () => {
    const before = production.requests().length;
    const read = await reading({ ...backend, headers: { 'x-probe': 'env:NOT_SET' } });
    expect(read).toMatchObject({
      state: 'unknown',
      ok: false,
      reason: 'one.headers.x-probe: env:NOT_SET is not set',
    });
    expect(await reading({ kind: 'http' }, { PRODUCTION_BACKEND_URL: 'shop.example' })).toMatchObject({
      state: 'unknown',
      reason: 'the address is no http or https address',
    });
    expect(production.requests()).toHaveLength(before);
  });

  it('is where the usual name says (OPS-2)', async () => {
    const env = { PRODUCTION_BACKEND_URL: `${production.backendUrl}/` };
    expect(await reading({ kind: 'http', path: '/health' }, env)).toMatchObject({ state: 'ok' });
  });
});

describe('a page of the frontend', () => {
  it('loads: HTML with the expected text (HEALTH-1)', async () => {
    expect(await reading(page)).toMatchObject({ state: 'ok', facts: { status: 200 } });
  });

  it('loads without its content: an application that is broken answers 200', async () => {
    production.fail({ kind: 'wrongContent', side: 'frontend' });
    expect(await reading(page)).toMatchObject({
      state: 'failed',
      level: 'sev1',
      reason: 'answered 200 without the text "Welcome to the shop": "Shop"',
    });
  });

  it('is no page when it is no HTML', async () => {
    production.fail({
      kind: 'answer',
      by: (_request, response) =>
        response.writeHead(200, { 'content-type': 'text/plain' }).end('Welcome to the shop'),
    });
    expect((await reading(page)).reason).toBe(
      'answered 200 with something that is no HTML: "Welcome to the shop"',
    );
  });

  it('is down while the backend is up', async () => {
    await production.down('frontend');
    expect(await reading(page)).toMatchObject({ state: 'failed', facts: { code: 'ECONNREFUSED' } });
    expect(await reading(backend)).toMatchObject({ state: 'ok' });
  });
});

it('nothing was asked that production does not have', () => {
  production.verify();
});
