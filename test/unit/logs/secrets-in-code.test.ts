// SEC-2: what a patch may not bring into a repository, and that ordinary code is not taken for it.
import { globSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { createRedactor } from '../../../src/logs/redact/redact-values.ts';
import { secretsInCode } from '../../../src/logs/redact/secrets-in-code.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const redactor = createRedactor();
redactor.register('DEPLOY', 'hush-hush-hush');
const names = (text: string): readonly string[] => [
  ...new Set(secretsInCode(text, redactor).map(({ name }) => name)),
];

/** Put together here, so that no scanner takes this file for a leak. */
const mixed = (length: number): string => 'a7Kx9Qz2mB4wR8'.repeat(Math.ceil(length / 14)).slice(0, length);

test.each([
  ['DEPLOY', 'hush-hush-hush'],
  ['github-token', `ghp_${mixed(36)}`],
  ['github-token', `github_pat_${mixed(82)}`],
  ['aws-access-key', 'AKIAIOSFODNN7ABCDEFG'],
  ['aws-secret-key', `aws_secret_access_key = ${mixed(40)}`],
  ['npm-token', `npm_${mixed(36)}`],
  ['npm-token', `//registry.npmjs.org/:_authToken=${mixed(36)}`],
  ['slack-token', `xoxb-583920174655-583920174655-${mixed(24)}`],
  ['stripe-key', `sk_live_${mixed(24)}`],
  ['anthropic-key', `sk-ant-api03-${mixed(93)}AA`],
  ['openai-key', `sk-proj-${mixed(48)}`],
  ['google-key', `AIza${mixed(35)}`],
  ['gitlab-token', `glpat-${mixed(20)}`],
  ['pypi-token', `pypi-AgE${mixed(80)}`],
  ['jwt', `eyJ${mixed(20)}.eyJ${mixed(40)}.${mixed(43)}`],
  [
    'private-key',
    `-----BEGIN ${'PRIVATE'} KEY-----\n${`${mixed(64)}\n`.repeat(12)}-----END ${'PRIVATE'} KEY-----`,
  ],
  ['authorization', `curl -H "Authorization: Bearer ${mixed(32)}"`],
  ['password', 'DATABASE_URL=postgres://shop:q7Rk2vz@db.acme.io/shop'],
])('%s is seen', (name, text) => {
  expect(names(`  const given = '${text}';`)).toContain(name);
});

test.each([
  'headers: { authorization: options.request.headers.authorization }',
  "headers: { 'proxy-authorization': upstream.authorization },",
  `Authorization: Basic $\{basic}`,
  `const url = \`postgres://$\{USER}:$\{password}@$\{HOST}/shop\`;`,
  'psql postgres://postgres:postgres@localhost:5432/test',
  'amqp://guest:guest@rabbit:5672',
  'https://user:password@example.com/path',
  'this.password=null;',
  'connect(password=settings.db_password)',
  'self._auth=authenticator',
  'this._authToken=response.data.token;',
  `_authToken=$\{NPM_TOKEN}`,
  "if (text.startsWith('-----BEGIN PRIVATE KEY-----') && text.endsWith('-----END PRIVATE KEY-----'))",
  'AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE',
  'token: ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
  '"integrity": "sha512-hfdYra+ZB6RmviEApxeL/YCx4ovBtpj0d9c+uhlCZaCikObjb8Sb8yqBN6g8/9tt7qD7LXGE3k9RtVvGK1fNVw=="',
  'secret_key_base: <%= ENV["SECRET_KEY_BASE"] %>',
  'password: str = Field(min_length=8)',
  'commit 3d5d80f0e1a2b3c4d5e6f708192a3b4c5d6e7f80',
])('code is no secret: %s', (line) => {
  expect(names(line)).toEqual([]);
});

/** Of all lines, as if each was added. */
function alarms(files: readonly string[]): { readonly lines: number; readonly found: readonly string[] } {
  let lines = 0;
  const found = files.flatMap((file) => {
    const text = readFileSync(`${root}${file}`, 'utf8');
    if (text.includes('\0')) return [];
    lines += text.split('\n').length;
    return secretsInCode(text, redactor).map(({ name, value }) => `${file}: ${name} ${value.slice(0, 60)}`);
  });
  return { lines, found };
}

test('none of the own sources would be refused', () => {
  const files = globSync(
    [
      'src/**/*.ts',
      'demo/**/*.ts',
      'scripts/**',
      'docs/**/*.md',
      'examples/**/*.{yaml,yml,md}',
      '*.{json,md,yml}',
      '.ci/*',
    ],
    { cwd: root },
  );
  const { lines, found } = alarms(files.filter((file) => statSync(`${root}${file}`).isFile()));
  expect(lines).toBeGreaterThan(30_000);
  expect(found).toEqual([]);
});

test('at most 10 alarms in a million lines of other people’s code, tests and documents included', () => {
  const all = globSync('node_modules/*/**/*.{js,mjs,cjs,ts,json,md,yml,proto}', { cwd: root }).sort();
  // Without the package whose documents show each kind of secret.
  const files = all.filter(
    (file, at) =>
      at % 12 === 0 && !file.includes('@secretlint/') && statSync(`${root}${file}`).size < 400_000,
  );
  const { lines, found } = alarms(files);
  expect(lines).toBeGreaterThan(50_000);
  expect(found.length, found.join('\n')).toBeLessThanOrEqual(Math.ceil(lines / 100_000));
});
