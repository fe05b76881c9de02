// HEALTH-1: the pure parts of a request: placeholders that cannot break out, paths in a JSON, expectations, words for people.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HttpExpectation, HttpRequestSettings } from '../../../src/contract/ops/health-settings.ts';
import type { Exchange } from '../../../src/integrations/health/http/exchange.ts';
import { unmet } from '../../../src/integrations/health/http/expect.ts';
import { valueAt } from '../../../src/integrations/health/http/json-path.ts';
import { prepare } from '../../../src/integrations/health/http/placeholders.ts';
import { noAnswer } from '../../../src/integrations/health/no-answer.ts';
import { quote, sayable } from '../../../src/integrations/health/say.ts';
import { createRedactor } from '../../../src/logs/redact/redact-values.ts';

const settings = (more: Partial<HttpRequestSettings> = {}): HttpRequestSettings => ({
  method: 'POST',
  url: 'https://shop.example',
  path: '',
  headers: {},
  redirects: 0,
  ...more,
});
const same = (text: string): string => text;
const values = (of: Record<string, string>) => new Map(Object.entries(of));

describe('placeholders', () => {
  it('stay in their place, whatever the value is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const value = text.toWellFormed();
        const given = values({ v: value });
        const { url } = prepare(settings({ path: `/u/\${v}/end?q=\${v}` }), same, values({ v: text }));
        expect([url.origin, url.searchParams.get('q'), url.hash]).toEqual([
          'https://shop.example',
          value,
          '',
        ]);
        const json = prepare(
          settings({ json: JSON.stringify({ a: { b: [`<\${v}>`] }, n: 1 }) }),
          same,
          given,
        );
        expect(JSON.parse(json.body ?? '')).toEqual({ a: { b: [`<${value}>`] }, n: 1 });
        const form = prepare(settings({ form: { a: `\${v}`, z: '1' } }), same, given);
        expect([...new URLSearchParams(form.body)]).toEqual([
          ['a', value],
          ['z', '1'],
        ]);
      }),
    );
  });

  it('in a header refuse what would be a further header, and do not repeat it', () => {
    const headers = { authorization: `Bearer \${v}` };
    expect(prepare(settings({ headers }), same, values({ v: 'abc' })).headers).toEqual({
      authorization: 'Bearer abc',
    });
    for (const v of ['a\r\nx-admin: 1', 'a\nb', 'a\0b', 'ключ'])
      expect(() => prepare(settings({ headers }), same, values({ v }))).toThrow(
        'the value of header "authorization" has a character that headers cannot hold',
      );
  });

  it('are not filled in again: a value with a placeholder in it is text', () => {
    const prepared = prepare(settings({ body: `\${a}` }), same, values({ a: `\${b}`, b: 'secret' }));
    expect(prepared.body).toBe(`\${b}`);
  });

  it.each(['ftp://shop.example', 'shop.example', '', 'javascript:alert(1)'])(
    'need an address, not %j',
    (url) => {
      expect(() => prepare(settings({ url: 'env:X' }), () => url, values({}))).toThrow(
        'no http or https address',
      );
    },
  );

  it('need an address without a password', () => {
    expect(() => prepare(settings(), () => 'https://a:b@shop.example', values({}))).toThrow(
      'user or password in it',
    );
  });
});

describe('a path in a JSON', () => {
  it.each([
    ['a', { a: 1 }, 1],
    ['a.b', { a: { b: false } }, false],
    ['a[1].b', { a: [0, { b: 'x' }] }, 'x'],
    ['[0]', ['x'], 'x'],
    ['[0][1]', [[1, 2]], 2],
    ['a.b', { a: null }, undefined],
    ['a.length', { a: [1] }, undefined],
    ['a[0]', { a: { 0: 1 } }, undefined],
    ['constructor', {}, undefined],
    ['__proto__', JSON.parse('{}'), undefined],
    ['a', 'text', undefined],
  ])('%s', (path, json, value) => {
    expect(valueAt(json, path)).toEqual(value);
  });
});

describe('an expectation', () => {
  const right: HttpExpectation = { status: [{ from: 200, to: 299 }], contains: [], json: {} };
  const got = (text: string, more: Partial<Exchange> = {}): Exchange => ({
    status: 200,
    headers: {},
    text,
    truncated: false,
    redirects: 0,
    elsewhere: false,
    latencyMs: 100,
    firstByteMs: 50,
    ...more,
  });

  it.each<[Partial<HttpExpectation>, Exchange, string | undefined]>([
    [{}, got(''), undefined],
    [{}, got('', { status: 500 }), 'answered 500, expected 200-299'],
    [
      {
        status: [
          { from: 204, to: 204 },
          { from: 300, to: 399 },
        ],
      },
      got(''),
      'answered 200, expected 204, 300-399',
    ],
    [{ contains: ['a', 'b'] }, got('xbxa'), undefined],
    [{ contains: ['a', 'b'] }, got('a'), 'answered 200 without the text "b"'],
    [
      { contains: ['b'] },
      got('a', { truncated: true }),
      'answered 200 without the text "b" in its first megabyte',
    ],
    [{ matches: '^v\\d+$' }, got('x\nv12\ny'), undefined],
    [{ matches: '^v\\d+$' }, got('v'), 'answered 200 without a match of "^v\\d+$"'],
    [{ json: { 'a.b': true, s: 'ok' } }, got('{"a":{"b":true},"s":"ok"}'), undefined],
    [{ json: { a: true } }, got('{"a":false}'), 'answered 200 with a = false, expected true'],
    [{ json: { a: 'up' } }, got('{"a":"s3cret"}'), 'answered 200 with a another text, expected "up"'],
    [{ json: { a: null } }, got('{}'), 'answered 200 with a missing, expected null'],
    [{ json: { a: 1 } }, got('<html>'), 'answered 200 with something that is no JSON'],
    [
      { json: { a: 1 } },
      got('{"a":1}', { truncated: true }),
      'answered 200 with more than 1 MB where JSON was expected',
    ],
    [{ maxLatencyMs: 100 }, got(''), undefined],
    [{ maxLatencyMs: 99 }, got(''), 'answered 200 after 100 ms, expected at most 99 ms'],
  ])('%j', (more, answer, problem) => {
    expect(unmet({ ...right, ...more }, answer)).toBe(problem);
  });

  it('with a pattern that would take a backtracking engine for ever is judged at once', () => {
    const startedMs = performance.now();
    expect(unmet({ ...right, matches: '(a+)+$' }, got(`${'a'.repeat(100_000)}!`))).toContain(
      'without a match',
    );
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });
});

describe('what a server says', () => {
  it('is quoted on one line, short, without control characters and known secrets', () => {
    const redactor = createRedactor();
    redactor.register('PASSWORD', 'hunter2-hunter2');
    const said = `<html>\u001b[31mno\u0000 \u202emore\r\n\thunter2-hunter2 aGVsbG8 ${'x'.repeat(500)}`;
    const quoted = quote(said, redactor);
    expect(quoted).toMatch(/^"no more \[secret:PASSWORD\] aGVsbG8 x+…"$/);
    expect(quoted.length).toBeLessThan(210);
  });

  it('hides no secret in what is taken out of it', () => {
    const redactor = createRedactor();
    redactor.register('PASSWORD', 'hunter2-hunter2');
    for (const split of ['hunter2\u001b[0m-hunter2', 'hunter2\u0000-hunter2', 'hunter2\u200b-hunter2'])
      expect(quote(`it was ${split}`, redactor).replace(/ /g, '')).not.toContain('hunter2-hunter2');
  });

  it.each([
    [
      '{"session":{"accessToken": "abc.def","id":7},"error":"no"}',
      '{"session":{"accessToken": "[redacted:field]","id":7},"error":"no"}',
    ],
    ['{"x":"{\\"csrf_token\\":\\"abc\\"}"}', '{"x":"{\\"csrf_token\\":\\"[redacted:field]\\"}"}'],
    ['{"error":"token expired","code":"E42"}', '{"error":"token expired","code":"E42"}'],
  ])('hides what a field of %s says it is', (said, quoted) => {
    expect(quote(said, createRedactor())).toBe(`"${quoted}"`);
  });

  it('does not show the half of a secret at the end of what is read', () => {
    const redactor = createRedactor();
    redactor.register('KEY', `k3y-${'z'.repeat(60)}`);
    for (let before = 65_500; before < 65_560; before += 7) {
      const tags = `<${' '.repeat(98)}>`.repeat(Math.floor(before / 100)).padEnd(before, ' ');
      expect(quote(`${tags}k3y-${'z'.repeat(60)} end`, redactor)).not.toContain('k3y-zz');
    }
  });

  it('makes no reason longer than a message, whatever it was', () => {
    const redactor = createRedactor();
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2_000 }), (text) => {
        const reason = sayable(text, redactor);
        expect(reason.length).toBeLessThanOrEqual(401);
        expect(reason).not.toMatch(/[\p{Cc}\p{Cf}]/u);
        expect(reason.isWellFormed()).toBe(true);
      }),
    );
  });
});

describe('no answer', () => {
  it.each([
    ['name', 'ENOTFOUND', true],
    ['name', 'EAI_AGAIN', true],
    ['name', 'TIMEOUT', true],
    ['connect', 'ENETUNREACH', true],
    ['connect', 'EHOSTUNREACH', true],
    // Somebody said no, or production does not say anything: that is production.
    ['connect', 'ECONNREFUSED', undefined],
    ['connect', 'TIMEOUT', undefined],
    ['tls', 'CERT_HAS_EXPIRED', undefined],
    ['answer', 'ECONNRESET', undefined],
    ['body', 'TIMEOUT', undefined],
  ] as const)('at %s by %s: our own network %s', (stage, code, network) => {
    const { facts, reason, ok } = noAnswer({ stage, code });
    expect({ ok, network: facts.network }).toEqual({ ok: false, network });
    expect(reason).toContain(`(${code})`);
  });
});
