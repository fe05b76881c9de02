// SEC-2: registered values, then what has the form of a secret; normal text of logs stays as it is.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redactStream, redactText } from '../../../src/logs/redact/redact-text.ts';
import { createRedactor } from '../../../src/logs/redact/redact-values.ts';

/** Put together here, so that no scanner takes this file for a leak. */
const mixed = (length: number): string => 'a7Kx9Qz2mB4wR8'.repeat(Math.ceil(length / 14)).slice(0, length);
const key = `-----BEGIN RSA ${'PRIVATE'} KEY-----\n${`${mixed(64)}\n`.repeat(12)}-----END RSA ${'PRIVATE'} KEY-----`;
const jwt = `eyJ${mixed(20)}.eyJ${mixed(40)}.${mixed(43)}`;

const secrets: readonly (readonly [kind: string, secret: string, around?: (secret: string) => string])[] = [
  ['github-token', `ghp_${mixed(36)}`],
  ['github-token', `ghs_${mixed(36)}`, (one) => `https://x-oauth:${one}`],
  ['github-token', `github_pat_${mixed(82)}`],
  ['aws-access-key', 'AKIAIOSFODNN7ABCDEFG'],
  ['aws-secret-key', mixed(40), (one) => `AWS_SECRET_ACCESS_KEY=${one}`],
  ['npm-token', `npm_${mixed(36)}`, (one) => `//registry.example/:_authToken=${one}`],
  ['slack-token', `xoxb-123456789012-123456789012-${mixed(24)}`],
  ['slack-token', `https://hooks.slack.com/services/T0A1B2C3D/B0A1B2C3D/${mixed(24)}`],
  ['stripe-key', `sk_live_${mixed(24)}`],
  ['anthropic-key', `sk-ant-api03-${mixed(93)}AA`],
  ['openai-key', `sk-proj-${mixed(48)}`],
  ['google-key', `AIza${mixed(35)}`],
  ['gitlab-token', `glpat-${mixed(20)}`],
  ['mail-token', `SG.${mixed(22)}.${mixed(43)}`],
  ['pypi-token', `pypi-AgE${mixed(80)}`],
  ['jwt', jwt],
  ['private-key', key],
  ['service-token', `SK${'0a1b2c3d'.repeat(4)}`],
  ['service-token', `NRAK-${'7KX9QZ2MB'.repeat(3)}`],
  ['service-token', `pscale_pw_${mixed(43)}`],
  ['service-token', `fm2_${mixed(100)}`, (one) => `FlyV1 ${one}`],
  ['service-token', `ATATT3x${mixed(180)}=0A1B2C3D`],
  ['service-token', `tskey-auth-${mixed(16)}-${mixed(32)}`],
  ['service-token', `gsk_${mixed(52)}`],
  ['service-token', `xai-${mixed(80)}`],
  ['service-token', `r8_${mixed(37)}`],
  ['service-token', `figd_${mixed(40)}`],
  ['service-token', `ntn_${mixed(46)}`],
  ['service-token', `lsv2_pt_${'0a1b2c3d'.repeat(4)}_0a1b2c3d4e`],
  ['service-token', `rnd_${mixed(32)}`],
  ['service-token', `phx_${mixed(43)}`],
  ['service-token', `patA7kx9Qz2mB4wR8.${'0a1b2c3d'.repeat(8)}`],
  ['service-token', `sl.B${mixed(135)}`],
  ['service-token', `sk-live-${mixed(30)}`],
  ['password', 'q7Rk2!vzA9', (one) => `+ curl -fsS -u admin:${one} https://ci.internal/x`],
  ['password', mixed(40), (one) => `set-cookie: session=${one}; HttpOnly`],
  ['azure-key', `${mixed(86)}==`, (one) => `AccountName=shop;AccountKey=${one}`],
  ['password', 'q7Rk2!vz', (one) => `"db_password": "${one}"`],
  ['password', 'correcthorse', (one) => `env DB_PASSWORD=${one}`],
  ['password', 'q7Rk2vzA91', (one) => `--client-secret=${one}`],
];

/** Lines that explain failures and hold what looks random. */
const harmless: readonly string[] = [
  'npm ERR! sha512-hfdYra+ZB6RmviEApxeL/YCx4ovBtpj0d9c+uhlCZaCikObjb8Sb8yqBN6g8/9tt7qD7LXGE3k9RtVvGK1fNVw== integrity checksum failed',
  'fatal: reference is not a tree: 3d5d80f0e1a2b3c4d5e6f708192a3b4c5d6e7f80',
  'Error: container 4f3c2b1a0d9e8f7c6b5a4d3c2b1a0f9e8d7c6b5a4f3e2d1c0b9a8f7e6d5c4b3a exited with 1',
  'request 6fa459ea-ee8a-3ca4-894e-db77e160355e failed with status 500',
  '    at Object.<anonymous> (/home/runner/work/shop/shop/node_modules/pg@8.11.3/lib/client.js:526:17)',
  "SyntaxError: Unexpected token '}', expected password: string",
  'error TS2345: Argument of type "token" is not assignable to parameter of type secret: SecretKey2048',
  'E       AssertionError: assert token.access_token == expected.access_token',
  'AssertionError: expected password to be hashed with $2b$10$ but got plain text',
  'KeyError: "SECRET_KEY"  # settings.SECRET_KEY=os.environ["SECRET_KEY"]',
  'Input required and not supplied: token',
  'DB_PASSWORD=$PASSWORD DEPLOY_TOKEN=*** API_TOKEN=/run/secrets/token',
  'token: ***  password: *** secret=$\u007b{ secrets.DEPLOY_TOKEN }}',
  'git@github.com:acme/shop.git: Permission denied (publickey).',
  'Pulling image registry.example:5000/acme/api:1.2.3@sha256:9b2c1d0e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c',
  'expected -----BEGIN PUBLIC KEY----- but the file is empty',
  'the risk-assessment-service-with-a-long-name-1234567890 is down',
  'com.acme.auth.TokenServiceTest.refreshToken_returns401 FAILED',
  'docker run -u runner:docker --rm acme/shop',
  'chown: cannot run as -u 1000:1000',
  'curl -u "$CI_USER:$CI_PASSWORD" https://ci.internal/x',
  "FAIL: expected header 'Set-Cookie: session=; Max-Age=0' to be set",
  'error: package sk-live-chat@1.2.3 not found, task-live-reload-and-some-more-words-behind-it failed',
];

const none = createRedactor();

describe('what has the form of a secret', () => {
  it.each(secrets.map(([kind, secret, around]) => ({ kind, secret, around })))(
    '$kind goes',
    ({ kind, secret, around }) => {
      const text = `before ${around ? around(secret) : secret} after`;
      const result = redactText(text, none);
      expect(result).not.toContain(secret);
      expect(result).toMatch(/\[(redacted|secret):/);
      if (!text.includes('://x')) expect(result).toContain(`[redacted:${kind}]`);
      expect(result.startsWith('before ')).toBe(true);
      expect(result.endsWith(' after')).toBe(true);
      expect(redactText(result, none)).toBe(result);
    },
  );

  it.each(harmless)('stays: %s', (line) => {
    expect(redactText(line, none)).toBe(line);
  });

  it('of a connection string goes alone: the host stays', () => {
    expect(redactText('cannot connect to postgres://shop:q7Rk2vz@db.internal:5432/shop', none)).toBe(
      'cannot connect to postgres://shop:[secret:password]@db.internal:5432/shop',
    );
  });

  it('goes although the text asks a scanner to look away', () => {
    expect(redactText(`/* secretlint-disable */ ghp_${mixed(36)}`, none)).toBe(
      '/* secretlint-disable */ [redacted:github-token]',
    );
  });

  it('keeps the line numbers, also of a key that is cut off, escaped or encrypted', () => {
    const lines = redactText(`one\n${key}\ntwo`, none).split('\n');
    expect(lines.length).toBe(`one\n${key}\ntwo`.split('\n').length);
    expect(lines.at(-1)).toBe('two');
    const cut = redactText(`${key.slice(0, 400)}\nBUILD FAILED because of a test`, none);
    expect(cut).not.toContain(mixed(64));
    expect(cut).toContain('BUILD FAILED because of a test');
    expect(redactText(JSON.stringify(key), none)).not.toContain(mixed(64));
    expect(redactText(key.replace('KEY-----\n', 'KEY-----\nProc-Type: 4,ENCRYPTED\n\n'), none)).not.toContain(
      mixed(64),
    );
  });
});

describe('registered values', () => {
  const redactor = createRedactor();
  redactor.register('DEPLOY', 'a-secret-of-the-tenant-01');
  redactor.register('HOOK', `ghp_${mixed(36)}`);

  it('win over forms', () => {
    expect(redactText(`x ghp_${mixed(36)} y`, redactor)).toBe('x [secret:HOOK] y');
  });

  it.each([
    ['base64', (value: string) => Buffer.from(value).toString('base64').replace(/=+$/, '')],
    ['URL-encoded', (value: string) => encodeURIComponent(value)],
    ['hex', (value: string) => Buffer.from(value).toString('hex')],
  ])('go as %s, over line ends too', (_form, encode) => {
    const written = encode('a-secret-of-the-tenant-01');
    const broken = `${written.slice(0, 9)}\r\n${written.slice(9, 20)}\n${written.slice(20)}`;
    for (const text of [written, broken]) {
      const result = redactText(`<${text}>`, redactor);
      expect(result.replace(/\s/g, '')).not.toContain(written.slice(2, -2));
      expect(result.split('\n').length).toBe(text.split('\n').length);
    }
  });

  it('and forms, streamed in any pieces, give what the whole gives, and the same places', () => {
    const word = fc.constantFrom(
      'a-secret-of-the-tenant-01',
      'a-secret-of-\nthe-tenant-01',
      `ghp_${mixed(36)}`,
      key,
      jwt,
      'postgres://u:q7Rk2vz@h/d',
      'an ordinary line of a log',
      'password=',
      '\n',
      '[redacted:jwt]',
    );
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 20, maxLength: 60 }),
        fc.array(fc.nat(), { maxLength: 40 }),
        fc.integer({ min: 1, max: 60 }),
        (words, cuts, times) => {
          const text = `${words.join(' ')}\n`.repeat(times);
          const stream = redactStream(redactor);
          const places = [...new Set(cuts.map((cut) => cut % text.length))].sort((a, b) => a - b);
          let result = '';
          let from = 0;
          for (const place of [...places, text.length]) {
            result += stream.push(text.slice(from, place));
            from = place;
          }
          result += stream.end();
          expect(result === redactText(text, redactor)).toBe(true);
          for (const { start, line } of stream.found().slice(-3))
            expect(text.slice(0, start).split('\n').length).toBe(line);
        },
      ),
      { numRuns: 40 },
    );
  });
});

it.each([
  'a',
  '[',
  'a:',
  'http://',
  'xoxb-1-',
  'secret=',
  '_token',
  '-----BEGIN PRIVATE KEY-----\n',
  '-----BEGIN ',
  'eyJ',
  'eyJaaaaaaaaa.',
  '://a:',
  'a.b@',
  '=',
  ' ',
  'AccountKey=',
  '\n',
])('100 KB of %j take little time', (unit) => {
  const begun = performance.now();
  redactText(unit.repeat(Math.ceil(100_000 / unit.length)), none);
  expect(performance.now() - begun).toBeLessThan(1_000);
});
