// HEALTH-1, OPS-2: what may be said about health checks, what is refused and with which words, and that schema and contract agree.
import { describe, expect, expectTypeOf, it } from 'vitest';
import type * as z from 'zod';
import { Health } from '../../../src/config/health-schema.ts';
import type { HealthCheck, HealthSettings } from '../../../src/contract/ops/health-settings.ts';

type ReadonlyDeep<Value> = Value extends string | number | boolean
  ? Value
  : { readonly [Key in keyof Value]: ReadonlyDeep<Value[Key]> };

function checkOf(given: object): HealthCheck {
  const [check] = Health.parse({ checks: [{ name: 'one', ...given }] }).checks;
  if (check === undefined) throw new Error('no check');
  return check;
}

/** `path: message`, of all that is wrong. */
function problems(given: object): string[] {
  const issues = Health.safeParse(given).error?.issues ?? [];
  return issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

function wrong(check: object): string[] {
  return problems({ checks: [{ name: 'one', kind: 'http', ...check }] }).map((line) =>
    line.replace(/^checks\.0\.?/, ''),
  );
}

describe('settings of health checks', () => {
  it('give what the contract says', () => {
    expectTypeOf<ReadonlyDeep<z.output<typeof Health>>>().toEqualTypeOf<ReadonlyDeep<HealthSettings>>();
  });

  it('need a name and a kind: the usual names are where they ask (OPS-2)', () => {
    const every = { name: 'one', timeoutMs: 10_000, services: [] };
    const expected = { status: [{ from: 200, to: 299 }], contains: [], json: {} };
    const request = { path: '', headers: {}, redirects: 3 };
    expect(checkOf({ kind: 'http' })).toEqual({
      ...every,
      ...request,
      kind: 'http',
      method: 'GET',
      url: 'env:PRODUCTION_BACKEND_URL',
      level: 'sev1',
      expect: expected,
    });
    expect(checkOf({ kind: 'content', expect: { contains: ['Welcome'] } })).toEqual({
      ...every,
      ...request,
      kind: 'content',
      method: 'GET',
      url: 'env:PRODUCTION_FRONTEND_URL',
      level: 'sev1',
      expect: { ...expected, contains: ['Welcome'] },
    });
    expect(checkOf({ kind: 'login', steps: [{ name: 'in', path: '/login' }] })).toMatchObject({
      level: 'sev1',
      secrets: {},
      steps: [{ url: 'env:PRODUCTION_BACKEND_URL', method: 'GET', take: [] }],
    });
    expect(checkOf({ kind: 'database' })).toEqual({
      ...every,
      kind: 'database',
      url: 'env:DATABASE_URL',
      level: 'sev1',
    });
    expect(checkOf({ kind: 'tls' })).toEqual({
      ...every,
      kind: 'tls',
      url: 'env:PRODUCTION_FRONTEND_URL',
      warnDays: 14,
      level: 'sev3',
      levelInvalid: 'sev1',
    });
    expect(checkOf({ kind: 'devops' })).toEqual({
      ...every,
      kind: 'devops',
      url: 'env:PRODUCTION_BACKEND_URL',
      secret: 'env:DEVOPS_API_SECRET',
      level: 'sev2',
    });
  });

  it.each([
    [[200], [{ from: 200, to: 200 }]],
    [
      ['2xx', '301-308'],
      [
        { from: 200, to: 299 },
        { from: 301, to: 308 },
      ],
    ],
    [['404'], [{ from: 404, to: 404 }]],
  ])('read the statuses %j', (status, ranges) => {
    expect(checkOf({ kind: 'http', expect: { status } })).toMatchObject({ expect: { status: ranges } });
  });

  it('allow production in a private network over http, and an address as a reference', () => {
    for (const url of [
      'http://10.0.0.7:8080',
      'http://backend.internal',
      'https://[fd00::1]',
      'file:/run/url',
    ])
      expect(checkOf({ kind: 'http', url })).toMatchObject({ url });
    expect(checkOf({ kind: 'http', url: 'https://shop.example/' })).toMatchObject({
      url: 'https://shop.example',
    });
  });

  it('detect a fault within 5 min: an interval is at most 4 min, a reading at most 15 s', () => {
    expect(checkOf({ kind: 'http', every: '4m', timeout: '15s' })).toMatchObject({
      everyMs: 240_000,
      timeoutMs: 15_000,
    });
    expect(wrong({ every: '5m' })).toEqual(['every: must be from 30s to 4m']);
    expect(wrong({ timeout: '16s' })).toEqual(['timeout: must be from 1s to 15s']);
  });

  it.each([
    [{ url: 'ftp://shop.example' }, 'url: must be an http or https address'],
    [{ url: 'https://me:word@shop.example' }, 'url: must not have a user or password in it'],
    [{ url: 'https://shop.example/?a=1' }, 'url: must not have a query or fragment: write them into "path"'],
    [{ url: 'env:9' }, 'url: is not a reference'],
    [{ path: '/health?api_key=abc' }, 'path: has a plain value for "api_key"'],
    [{ path: `/x/\${who}` }, `path: has \${who}, which is not known`],
    [
      { headers: { Authorization: 'Bearer abc' } },
      'headers.Authorization: is a plain value where a reference to a secret belongs',
    ],
    [
      { headers: { 'X-Api-Key': 'abc' } },
      'headers.X-Api-Key: is a plain value where a reference to a secret belongs',
    ],
    [
      { headers: { Cookie: 'sid=1' } },
      'headers.Cookie: is a plain value where a reference to a secret belongs',
    ],
    [{ headers: { Host: 'other' } }, 'headers.Host: is made from the request'],
    [{ expect: { matches: '(?=x)' } }, /^expect\.matches: is not a regular expression of RE2/],
    [{ expect: { status: ['299-200'] } }, 'expect.status.0: ends before it starts'],
    [{ json: { a: 1 } }, 'method: has no body, and "json" is given'],
    [{ method: 'POST', json: { a: 1 }, body: 'x' }, 'body: is a second body beside "json"'],
    [{ kind: 'content' }, 'expect: says nothing of the content'],
    [{ kind: 'tls', url: 'http://shop.example' }, 'url: has no certificate'],
  ])('refuse %j', (check, problem) => {
    expect(wrong(check)).toEqual([typeof problem === 'string' ? problem : expect.stringMatching(problem)]);
  });

  it('refuse a header with a line end', () => {
    expect(wrong({ headers: { 'x-a': 'b\r\nx-c: d' } })).toHaveLength(1);
  });

  it('refuse placeholders that nobody fills in, and values that are taken from nowhere', () => {
    const login = (steps: readonly object[]) =>
      wrong({ kind: 'login', secrets: { password: 'env:CANARY' }, steps });
    const first = { name: 'a', method: 'POST', json: { user: { password: `\${password}` } } };
    const taken = { name: 'token', from: 'json', at: 'session.token' };
    const second = { name: 'b', headers: { authorization: `Bearer \${token}` } };
    expect(login([{ ...first, take: [taken] }, second])).toEqual([]);
    expect(login([first, second])).toEqual([`steps.1.headers: has \${token}, which is not known`]);
    // A step cannot use what it takes itself.
    expect(login([{ ...second, take: [taken] }])).toEqual([
      `steps.0.headers: has \${token}, which is not known`,
    ]);
    expect(login([{ ...first, take: [{ ...taken, at: 'a..b' }] }])).toEqual([
      'steps.0.take.0.at: is not a path in a JSON',
    ]);
    expect(login([{ ...first, take: [{ ...taken, name: 'password' }] }])).toEqual([
      'steps.0.take.0.name: is known already',
    ]);
  });

  it('refuse a name that is there twice', () => {
    const checks = [
      { name: 'a', kind: 'database' },
      { name: 'a', kind: 'tls' },
    ];
    expect(problems({ checks })).toEqual(['checks.1.name: is used by checks[0] already']);
  });

  it('have maintenance windows', () => {
    const maintenance = [
      { kind: 'once', from: '2027-01-31T22:00:00Z', to: '2027-02-01T02:00:00+01:00', reason: 'new disks' },
      { kind: 'weekly', days: ['sun'], from: '23:30', to: '01:00' },
    ];
    expect(Health.parse({ maintenance }).maintenance).toEqual([
      { kind: 'once', fromMs: Date.UTC(2027, 0, 31, 22), toMs: Date.UTC(2027, 1, 1, 1), reason: 'new disks' },
      { kind: 'weekly', days: ['sun'], from: '23:30', to: '01:00', reason: '' },
    ]);
  });

  it.each([
    [{ kind: 'once', from: '2027-01-31T22:00:00Z', to: '2027-01-31T21:00:00Z' }, 'to: is not after "from"'],
    [
      { kind: 'once', from: '2027-01-01T00:00:00Z', to: '2027-02-01T00:00:00Z' },
      'to: is more than 7 days after "from"',
    ],
    [{ kind: 'once', from: '2027-01-01', to: '2027-01-02T00:00:00Z' }, 'from: Invalid ISO datetime'],
    [{ kind: 'weekly', days: ['sun'], from: '10:00', to: '10:00' }, 'to: gives no window'],
  ])('refuse the window %j', (window, problem) => {
    expect(problems({ maintenance: [window] })).toEqual([`maintenance.0.${problem}`]);
  });
});
