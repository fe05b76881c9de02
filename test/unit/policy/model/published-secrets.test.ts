// SEC-2: what a patch would publish.
import { expect, test } from 'vitest';
import { createRedactor } from '../../../../src/logs/redact/redact-values.ts';
import { publishedSecrets } from '../../../../src/policy/patch/published-secrets.ts';

const redactor = createRedactor();
redactor.register('TOKEN', 'hush-hush-hush');
redactor.register('KEY', 'first line\nsecond line');
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
])('SEC-2: $what', ({ patch, names }) => {
  expect(publishedSecrets(patch, redactor.redact)).toEqual(names);
});
