// SEC-2, MIG-3: no registered value survives, in whatever form and wherever the text is cut; other text is left alone.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRedactor } from '../../../src/logs/redact/redact-values.ts';

const value = 'hunter2/&"ä +pw';

const forms: readonly (readonly [string, string])[] = [
  ['plain', value],
  ['URL-encoded', encodeURIComponent(value)],
  ['URL-encoded in small letters', encodeURIComponent(value).replace(/%../g, (code) => code.toLowerCase())],
  ['form-encoded', new URLSearchParams({ x: value }).toString().slice(2)],
  ['JSON', JSON.stringify(value).slice(1, -1)],
  ['JSON in JSON', JSON.stringify(JSON.stringify(value)).slice(3, -3)],
  ['JSON in ASCII', JSON.stringify(value).slice(1, -1).replace('ä', '\\u00e4')],
  ['hex', Buffer.from(value).toString('hex')],
  ['HEX', Buffer.from(value).toString('hex').toUpperCase()],
  ['HTML', 'hunter2/&amp;&quot;ä +pw'],
  ['URL-encoded twice', encodeURIComponent(encodeURIComponent(value))],
  ['JSON that may stand in HTML', JSON.stringify(value).slice(1, -1).replace('&', '\\u0026')],
];

function withSecrets(secrets: Record<string, string>) {
  const redactor = createRedactor();
  for (const [name, text] of Object.entries(secrets)) redactor.register(name, text);
  return redactor;
}

/** Cuts the text at the places, and sends the pieces through a stream. */
function streamed(
  redactor: ReturnType<typeof createRedactor>,
  text: string,
  cuts: readonly number[],
): string {
  const stream = redactor.stream();
  const places = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b);
  let result = '';
  let from = 0;
  for (const place of [...places, text.length]) {
    result += stream.push(text.slice(from, place));
    from = place;
  }
  return result + stream.end();
}

describe('a registered value', () => {
  it.each(forms)('is replaced: %s', (_form, written) => {
    expect(withSecrets({ 'my token': value }).redact(`a ${written} b`)).toBe('a [secret:my_token] b');
  });

  it.each([0, 1, 2])('is replaced in base64 after %i other bytes, in both alphabets', (before) => {
    const bytes = Buffer.concat([Buffer.from('xyz'.slice(0, before)), Buffer.from(`${value}???`)]);
    for (const alphabet of ['base64', 'base64url'] as const) {
      const redacted = withSecrets({ T: value }).redact(bytes.toString(alphabet));
      expect(redacted).toContain('[secret:T]');
      expect(Buffer.from(redacted.replace('[secret:T]', ''), 'base64').length).toBeLessThan(
        bytes.length - value.length + 3,
      );
    }
  });

  it('is replaced in base64 of base64, and broken over indented lines', () => {
    const once = Buffer.from(value).toString('base64');
    const twice = Buffer.from(once).toString('base64');
    const redactor = withSecrets({ T: value });
    expect(redactor.redact(`a ${twice}`)).not.toContain(twice.slice(0, 12));
    expect(redactor.redact(`data: |\n  ${once.slice(0, 12)}\n  ${once.slice(12)}\n`)).toMatch(
      /^data: \|\n {2}\[secret:T\]\n {2}\[secret:T\]w?=*\n$/,
    );
  });

  it('is replaced line by line when it has lines', () => {
    const key =
      '-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEF\nAASCBKcwggSjAgEAAoIBAQC7VJTU\n-----END KEY-----';
    const redacted = withSecrets({ KEY: key }).redact('log: AASCBKcwggSjAgEAAoIBAQC7VJTU');
    expect(redacted).toBe('log: [secret:KEY]');
  });

  it('wins when it is longer or overlaps another', () => {
    const redactor = withSecrets({ SHORT: 'abcdef', LONG: 'abcdefghij', NEXT: 'hijklmnop' });
    expect(redactor.redact('abcdefghij')).toBe('[secret:LONG]');
    expect(redactor.redact('>abcdefghijklmnop<')).toBe('>[secret:LONG]<');
  });

  it('under six characters is left alone', () => {
    expect(withSecrets({ T: 'abcde' }).redact('abcde')).toBe('abcde');
  });

  it('may be a word of the placeholders: a second time changes nothing', () => {
    const redactor = withSecrets({ T: 'secret', U: 'password' });
    const once = redactor.redact('my secret password, postgres://u:abc@h');
    expect(once).toBe('my [secret:T] [secret:U], postgres://u:[secret:password]@h');
    expect(redactor.redact(once)).toBe(once);
  });

  it('does not survive, whole or streamed, whatever surrounds it and wherever it is cut', () => {
    const secret = fc
      .string({ minLength: 6, maxLength: 40, unit: 'binary' })
      .filter((text) => text.trim().length >= 6);
    const filler = fc.oneof(
      fc.string(),
      fc.integer({ min: 0, max: 12_000 }).map((length) => 'x '.repeat(length)),
    );
    fc.assert(
      fc.property(
        fc.array(secret, { minLength: 1, maxLength: 4 }),
        fc.array(filler, { minLength: 5, maxLength: 5 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        fc.nat(),
        (secrets, fillers, cuts, pick) => {
          const redactor = withSecrets(Object.fromEntries(secrets.map((text, index) => [`N${index}`, text])));
          const cores = secrets.map((text) => text.toWellFormed().trim());
          const written = cores.flatMap((core) => [
            core,
            encodeURIComponent(core),
            JSON.stringify(core).slice(1, -1),
            Buffer.from(core).toString('hex'),
            Buffer.from(core).toString('base64url'),
            Buffer.from(core).toString('base64').replace(/=+$/, ''),
          ]);
          const placeholders = '[secret:N0] [secret:N1] [secret:password] [secret:authorization]';
          fc.pre(!written.some((form) => placeholders.includes(form)));
          const text = fillers.map((part, index) => part + written[(pick + index) % written.length]).join('');
          for (const result of [redactor.redact(text), streamed(redactor, text, cuts)]) {
            expect(written.filter((form) => result.includes(form))).toEqual([]);
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});

it('a stream gives what the whole text gives: no part of a value is left at a cut', () => {
  const redactor = withSecrets({ T: 'QWERTZ12345', U: 'postgres://u:POIUZT@h/d' });
  const word = fc.constantFrom(
    'QWERTZ12345',
    'x',
    'postgres://u:POIUZT@h/d',
    '\n',
    'https://a:b@c',
    'Authorization: Bearer abcdefghijkl',
  );
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 20, maxLength: 40 }),
      fc.array(fc.nat(), { maxLength: 60 }),
      (words, cuts) => {
        const text = `${words.join(' ')} `.repeat(120);
        expect(streamed(redactor, text, cuts) === redactor.redact(text)).toBe(true);
      },
    ),
    { numRuns: 60 },
  );
});

describe('text without secrets', () => {
  it.each([
    'http://localhost:3000/users/@me and https://registry.example:443/@scope/pkg@1.2.3',
    'ssh://git@github.com:22/acme/shop.git git@github.com:acme/shop.git',
    'authorization: denied for user; Authorization failed, bearer of news',
    'expect(token).toBe(2) // https://example.com?mail=a@b.c',
    'postgres://localhost:5432/shop',
  ])('is unchanged: %s', (text) => {
    const redactor = withSecrets({ T: value });
    expect(redactor.redact(text)).toBe(text);
    expect(streamed(redactor, text, [3, 17, 20])).toBe(text);
  });

  it('is unchanged by a stream, wherever it is cut', () => {
    const redactor = withSecrets({ T: value });
    fc.assert(
      fc.property(
        fc.array(fc.lorem({ maxCount: 400 }), { maxLength: 20 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        (words, cuts) => {
          const text = words.join('\n');
          expect(streamed(redactor, text, cuts)).toBe(text);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('leaves a stream before its end: memory is bounded', () => {
    const stream = withSecrets({ T: value }).stream();
    let given = 0;
    for (let i = 0; i < 100; i += 1) given += stream.push('0123456789'.repeat(1000)).length;
    expect(given).toBeGreaterThan(900_000);
  });

  it('that repeats a value without end is bounded too', () => {
    const stream = withSecrets({ T: 'aaaaaa' }).stream();
    let result = '';
    for (let i = 0; i < 50; i += 1) result += stream.push('a'.repeat(10_000));
    result += stream.end();
    expect(result).not.toContain('aaaaaa');
    expect(result.length).toBeLessThan(10_000);
  });
});

describe('what is secret by its form', () => {
  it.each([
    ['postgres://app:abc@db/shop', 'postgres://app:[secret:password]@db/shop'],
    ['postgres://app:p@ss@db/shop', 'postgres://app:[secret:password]@db/shop'],
    [
      'https://x-access-token:ghs_1@github.com/a/b',
      'https://x-access-token:[secret:password]@github.com/a/b',
    ],
    ['Authorization: Bearer abc.def', 'Authorization: Bearer [secret:authorization]'],
    ['authorization: basic YWJjOmRlZg==', 'authorization: basic [secret:authorization]'],
    ['{"Authorization":"token abcdef"}', '{"Authorization":"token [secret:authorization]"}'],
    [
      '{\\"authorization\\": \\"Bearer abcdef\\"}',
      '{\\"authorization\\": \\"Bearer [secret:authorization]\\"}',
    ],
    ['x-access-token: abcdefgh', 'x-access-token: [secret:authorization]'],
    ['PGPASSWORD=abc psql', 'PGPASSWORD=[secret:password] psql'],
    ['host=db user=app password=abc dbname=shop', 'host=db user=app password=[secret:password] dbname=shop'],
  ])('%s', (text, redacted) => {
    const redactor = createRedactor();
    expect(redactor.redact(text)).toBe(redacted);
    expect(redactor.redact(redacted)).toBe(redacted);
    const filler = ' y'.repeat(9_000);
    const result = streamed(redactor, `${filler} ${text}${filler}`, [18_003, 18_010, 18_020, 30_000]);
    expect(result.length).toBe(filler.length * 2 + 1 + redacted.length);
    expect(result.replaceAll(' y', '')).toBe(` ${redacted}`);
  });
});

it('JSON is redacted in texts, keys and numbers, and keeps its form', () => {
  const redactor = withSecrets({ T: value, PIN: '12345678' });
  const json = { a: [1, true, null, `x ${value}`], [value]: { pin: 12_345_678, other: 1234 } };
  expect(redactor.redactDeep(json)).toEqual({
    a: [1, true, null, 'x [secret:T]'],
    '[secret:T]': { pin: '[secret:PIN]', other: 1234 },
  });
});
