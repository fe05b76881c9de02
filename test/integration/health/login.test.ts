// HEALTH-1: a canary user logs in, by JSON with a token or by a form with cookies; what it needs for that appears nowhere (SEC-2).
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Production, startProduction } from '../../support/backend/production.ts';
import { type Env, reading } from './support.ts';

let production: Production;
let env: Env;
let byJson: { readonly kind: 'login'; readonly steps: readonly object[]; readonly secrets: object };
let byForm: typeof byJson;

beforeAll(async () => {
  production = await startProduction();
  const { canary, backendUrl } = production;
  env = { PRODUCTION_BACKEND_URL: backendUrl, CANARY_EMAIL: canary.email, CANARY_PASSWORD: canary.password };
  const secrets = { email: 'env:CANARY_EMAIL', password: 'env:CANARY_PASSWORD' };
  byJson = {
    kind: 'login',
    secrets,
    steps: [
      {
        name: 'login',
        method: 'POST',
        path: '/api/login',
        json: { email: `\${email}`, password: `\${password}` },
        expect: { json: { role: 'canary' } },
        take: [{ name: 'token', from: 'json', at: 'session.token' }],
      },
      {
        name: 'me',
        path: '/api/me',
        headers: { Authorization: `Bearer \${token}` },
        expect: { json: { email: canary.email } },
      },
    ],
  };
  byForm = {
    kind: 'login',
    secrets,
    steps: [
      { name: 'page', path: '/login', take: [{ name: 'csrf', from: 'cookie', at: 'csrf' }] },
      {
        name: 'form',
        method: 'POST',
        path: '/login',
        headers: { 'x-csrf': `\${csrf}` },
        form: { email: `\${email}`, password: `\${password}` },
        expect: { contains: ['Signed in'] },
      },
    ],
  };
});
afterEach(async () => {
  production.state.sessions = [];
  production.state.sessionLimit = 100;
  await production.heal();
});
afterAll(async () => {
  await production.close();
  production.verify();
});

describe('the canary user', () => {
  it('logs in by JSON, and its token works (HEALTH-1)', async () => {
    expect(await reading(byJson, env)).toMatchObject({
      state: 'ok',
      level: 'sev1',
      reason: 'logged in (2 steps)',
    });
    expect(production.state.sessions).toMatchObject([{ email: production.canary.email }]);
  });

  it('logs in by a form: cookies and a redirect, in a jar of its own each time (HEALTH-1)', async () => {
    expect(await reading(byForm, env)).toMatchObject({ state: 'ok', reason: 'logged in (2 steps)' });
    const [last, before] = production.requests().toReversed();
    expect(last).toMatchObject({ method: 'GET', path: '/account', body: '' });
    expect(last?.headers['content-type']).toBeUndefined();
    expect(before).toMatchObject({
      method: 'POST',
      body: 'email=canary%40shop.example&password=c4nary-p4ssword',
    });
    await reading(byForm, env);
    const first = production.requests().findLast(({ method, path }) => method === 'GET' && path === '/login');
    expect(first?.headers.cookie).toBeUndefined();
  });

  it.each([
    [
      { kind: 'loginRefused' } as const,
      'step "login": answered 401, expected 200-299: "{"error":"wrong email or password"}"',
    ],
    [
      { kind: 'databaseDown' } as const,
      'step "login": answered 500, expected 200-299: "{"error":"internal"}"',
    ],
    [
      { kind: 'status', path: '/api/me' } as const,
      'step "me": answered 500, expected 200-299: "Internal Server Error"',
    ],
    [
      { kind: 'wrongContent', path: '/api/login' } as const,
      'step "login": answered 200 with something that is no JSON',
    ],
    [{ kind: 'reset', path: '/api/me' } as const, 'step "me": the connection was reset (ECONNRESET)'],
  ])('cannot log in: %j', async (fault, reason) => {
    production.fail(fault);
    expect(await reading(byJson, env)).toMatchObject({ state: 'failed', level: 'sev1', reason });
  });

  it('cannot log in by the form: it stays on the page', async () => {
    production.fail({ kind: 'loginRefused' });
    expect(await reading(byForm, env)).toMatchObject({
      state: 'failed',
      reason: 'step "form": answered 200 without the text "Signed in"',
      facts: { step: 'form', stepNumber: 2 },
    });
  });

  it('cannot log in while there are too many sessions, and can when the stale ones are gone', async () => {
    production.state.sessionLimit = 5;
    production.addStaleSessions(5);
    expect(await reading(byJson, env)).toMatchObject({
      state: 'failed',
      facts: { step: 'login', status: 503 },
    });
    production.state.sessions = [];
    expect(await reading(byJson, env)).toMatchObject({ state: 'ok' });
  });

  it('has one time for all of its steps', async () => {
    production.fail({ kind: 'slow', ms: 700 });
    expect(await reading({ ...byJson, timeout: '1s' }, env)).toMatchObject({
      state: 'failed',
      reason: 'step "me": timed out before it answered (TIMEOUT)',
    });
  });
});

describe('what a canary user knows', () => {
  /** Every route says back what it was sent, and more. */
  const echo = (status: number): void =>
    production.fail({
      kind: 'answer',
      by: (request, response, body) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(
          JSON.stringify({
            session: { token: 'tok-0123456789-made-by-server' },
            role: 'canary',
            body,
            headers: request.headers,
          }),
        ),
    });

  it('is in no reason, even when the server says it back (SEC-2)', async () => {
    echo(500);
    const { reason } = await reading(byJson, env);
    expect(reason).toContain('[secret:CANARY_PASSWORD]');
    expect(reason).not.toMatch(/c4nary|canary@|tok-0123/);
  });

  it('is in no reason when the answer is right but for its content: it may be a token that is not known (SEC-2)', async () => {
    echo(200);
    const read = await reading(byJson, env);
    expect(read.reason).toBe('step "me": answered 200 with email missing, expected "[secret:CANARY_EMAIL]"');
    expect(JSON.stringify(read)).not.toMatch(/c4nary|tok-0123/);
  });

  it('and took from an answer is a secret from then on (SEC-2)', async () => {
    production.fail({
      kind: 'answer',
      path: '/api/me',
      by: (request, response) =>
        response.writeHead(500).end(`no: ${request.headers.authorization?.slice(7)}`),
    });
    const { reason } = await reading(byJson, env);
    expect(reason).toBe('step "me": answered 500, expected 200-299: "no: [secret:token]"');
  });

  it('never becomes a header of its own, neither by a secret nor by what a server answers', async () => {
    const before = production.requests().length;
    const header = { ...byJson, steps: [{ name: 'one', headers: { 'x-canary': `\${password}` } }] };
    const injected = { ...env, CANARY_PASSWORD: 'word\r\nx-admin: 1' };
    expect(await reading(header, injected)).toMatchObject({
      state: 'unknown',
      reason: 'the value of header "x-canary" has a character that headers cannot hold',
    });
    expect(production.requests()).toHaveLength(before);

    production.fail({
      kind: 'answer',
      path: '/api/login',
      by: (_request, response) => response.end('{"session":{"token":"a\\r\\nx-admin: 1"},"role":"canary"}'),
    });
    expect(await reading(byJson, env)).toMatchObject({
      state: 'failed',
      reason: 'step "login": answered 200, with json "session.token" holding control characters',
    });
    expect(production.requests().at(-1)?.path).toBe('/api/login');
  });

  it.each([
    ['{"role":"canary"}', 'missing'],
    ['{"role":"canary","session":{"token":""}}', 'empty'],
    ['{"role":"canary","session":{"token":"a\\ud800b"}}', 'holding half characters'],
    ['{"role":"canary","session":{"token":{"a":1}}}', 'missing'],
  ])('is not there to take in %s', async (body, problem) => {
    production.fail({ kind: 'answer', path: '/api/login', by: (_request, response) => response.end(body) });
    expect((await reading(byJson, env)).reason).toBe(
      `step "login": answered 200, with json "session.token" ${problem}`,
    );
  });
});
