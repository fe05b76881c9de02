// MODEL-4: `untilgreen cost estimate` needs nothing but the file, prints what it assumes, and takes other assumptions.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cli, createCli } from '../../support/cli.ts';
import { documentedShapes, shapeOf } from './documented.ts';

const file = 'examples/tenant.yaml';
let cli: Cli;
beforeAll(async () => {
  cli = await createCli({});
});
afterAll(() => cli.remove());

test('MODEL-4: the JSON is the documented one, with every assumption', async () => {
  const { code, json } = await cli.run('cost', 'estimate', '-f', file, '--json');
  expect(code).toBe(0);
  expect(shapeOf(json())).toEqual((await documentedShapes()).get('cost estimate'));
});

test('MODEL-4: people read the same, and the assumptions', async () => {
  const { code, stdout } = await cli.run('cost', 'estimate', file);
  expect(code).toBe(0);
  expect(stdout).toContain('MODEL TOKENS');
  expect(stdout).toMatch(/^failures +3 +CI findings that appear in a day$/m);
  expect(stdout).toContain('model.budgets.tokensPerDay (1000000)');
});

test('MODEL-4: assumptions can be changed', async () => {
  const quiet = (
    await cli.run('cost', 'estimate', file, '--json', '--assume', 'failures=0', 'incidents=0')
  ).json();
  expect(quiet).toMatchObject({
    perDay: { expected: { tokens: 0, usd: 0 }, worst: { tokens: 1_000_000, usd: 20 } },
  });
  const many = await cli.run(
    'cost',
    'estimate',
    file,
    '--json',
    '--assume',
    'failures=9',
    'fixShare=1',
    'incidents=0',
  );
  expect(many.json()).toMatchObject({
    perDay: { expected: { tokens: 9 * 45_000 + 9 * 0.3 * 6_000 } },
    assumptions: expect.arrayContaining([expect.objectContaining({ name: 'fixShare', value: 1 })]),
  });
});

test.each([
  [['--assume', 'failure=1'], '"failure=1" names no assumption. Fix: write one of failures, redHours'],
  [['--assume', 'fixShare=2'], '--assume fixShare: "2" is not a number from 0 to 1'],
  [['--assume', 'failures=many'], '--assume failures: "many" is not a number'],
])('MODEL-4: %j is refused', async (args, message) => {
  const { code, stderr } = await cli.run('cost', 'estimate', file, ...args);
  expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
});

test('MODEL-4: a file with problems says them all', async () => {
  const { code, stdout } = await cli.run('cost', 'estimate', 'package.json');
  expect([code, stdout]).toEqual([2, expect.stringContaining('see docs/tenant-file.md')]);
});
