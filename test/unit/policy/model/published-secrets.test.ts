// SEC-2: what a patch would publish.
import { expect, test } from 'vitest';
import { createRedactor } from '../../../../src/logs/redact/redact-values.ts';
import { secretsInCode } from '../../../../src/logs/redact/secrets-in-code.ts';
import { publishedSecrets } from '../../../../src/policy/patch/published-secrets.ts';

const redactor = createRedactor();
redactor.register('TOKEN', 'hush-hush-hush');
redactor.register('KEY', 'first line\nsecond line');
/** Put together here, so that no scanner takes this file for a leak. */
const token = (first: string): string => `ghp_${first}${'7Kx9Qz2mB4wR'.repeat(3)}`.slice(0, 40);
const privateKey = `-----BEGIN ${'PRIVATE'} KEY-----\n${'7Kx9Qz2mB4wR'.repeat(5)}\n-----END ${'PRIVATE'} KEY-----`;
const diff = (...lines: readonly string[]): string =>
  ['diff --git a/x b/x', '--- a/x', '+++ b/x', '@@ -1,9 +1,9 @@', ...lines, ''].join('\n');

test.each([
  { what: 'nothing', patch: diff(' same', '+plain'), names: [] },
  { what: 'an added value', patch: diff('+token: hush-hush-hush'), names: ['TOKEN'] },
  {
    what: 'one in another form',
    patch: diff(`+${Buffer.from('hush-hush-hush').toString('base64')}`),
    names: ['TOKEN'],
  },
  { what: 'one over two lines', patch: diff('+first line', '+second line'), names: ['KEY'] },
  { what: 'a removed value', patch: diff('-token: hush-hush-hush'), names: [] },
  {
    what: 'a line that only moved',
    patch: diff('-token: hush-hush-hush', '+  token: hush-hush-hush'),
    names: [],
  },
  {
    what: 'a second copy',
    patch: diff('-a: hush-hush-hush', '+a: hush-hush-hush', '+b: hush-hush-hush'),
    names: ['TOKEN'],
  },
  { what: 'context', patch: diff(' token: hush-hush-hush', '+plain'), names: [] },
  { what: 'a placeholder in text', patch: diff('+[secret:TOKEN]'), names: [] },
  {
    what: 'a password of an address',
    patch: diff('+url: postgres://shop:swordfish@db/shop'),
    names: ['password'],
  },
  { what: 'a token by its form', patch: diff(`+const token = "${token('a')}";`), names: ['github-token'] },
  { what: 'a token that only moved', patch: diff(`-a: ${token('a')}`, `+  b: ${token('a')}`), names: [] },
  {
    what: 'a token in the place of another',
    patch: diff(`-a: ${token('a')}`, `+a: ${token('b')}`),
    names: ['github-token'],
  },
  { what: 'a token that goes', patch: diff(`-a: ${token('a')}`, '+a: env:TOKEN'), names: [] },
  {
    what: 'a key over lines',
    patch: diff(...privateKey.split('\n').map((line) => `+${line}`)),
    names: ['private-key'],
  },
])('SEC-2: $what', ({ patch, names }) => {
  expect(publishedSecrets(patch, (text) => secretsInCode(text, redactor))).toEqual(names);
});
