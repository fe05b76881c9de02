// What dependency-cruiser cannot see: that workflow code imports activities for their types only. A value import would
// pull the outside world into the workflow sandbox.

import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const VALUE_IMPORT_OF_ACTIVITIES =
  /^\s*(?:import|export)\s+(?!type\b)[^;]*?\bfrom\s*['"][^'"]*\/activities\//m;

test.each([
  { text: "import type { A } from '../activities/a.ts';", found: false },
  {
    text: "import { proxyActivities } from '@temporalio/workflow';\nimport type { A } from '../activities/a.ts';",
    found: false,
  },
  { text: "import { act } from '../activities/a.ts';", found: true },
  { text: "import {\n  act,\n} from '../activities/a.ts';", found: true },
  { text: "export { act } from '../activities/a.ts';", found: true },
  { text: "import { type A, act } from '../activities/a.ts';", found: true },
])('a value import of activities is told from a type import: $text', ({ text, found }) => {
  expect(VALUE_IMPORT_OF_ACTIVITIES.test(text)).toBe(found);
});

test('workflows import activities as types only', () => {
  const files = globSync('src/{workflows,contract,policy}/**/*.ts', { cwd: ROOT });

  const offenders = files.filter((file) =>
    VALUE_IMPORT_OF_ACTIVITIES.test(readFileSync(`${ROOT}${file}`, 'utf8')),
  );

  expect(files.length).toBeGreaterThan(0);
  expect(offenders).toEqual([]);
});
