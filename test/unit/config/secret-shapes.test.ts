// SEC-2: which variables are taken for secrets.
import { expect, test } from 'vitest';
import { namesSecret } from '../../../src/config/secret-shapes.ts';

test.each([
  ['DB_PWD', true],
  ['GITHUB_TOKEN', true],
  ['PASSWORD', true],
  ['PWD', false],
  ['OLDPWD', false],
  ['DB_PASSWORD_FILE', false],
  ['PATH', false],
])('SEC-2: %s names a secret: %s', (name, expected) => {
  expect(namesSecret(name)).toBe(expected);
});
