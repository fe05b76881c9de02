// `npm ci` works from package-lock.json on every platform, also where it was written with a registry that did not
// serve the packages of other platforms.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

interface Entry {
  optionalDependencies?: Record<string, string>;
}

test('package-lock.json has every optional platform package (else: node scripts/complete-lockfile.ts)', () => {
  const file = new URL('../../package-lock.json', import.meta.url);
  const { packages }: { packages: Record<string, Entry> } = JSON.parse(readFileSync(file, 'utf8'));

  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !(`node_modules/${name}` in packages || `${path}/node_modules/${name}` in packages),
    ),
  );

  expect(missing).toEqual([]);
});
