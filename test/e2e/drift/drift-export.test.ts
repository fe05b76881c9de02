// The export step alone, from the command line (DRIFT-4), and the example workflow that calls it.
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { createCli } from '../../support/cli.ts';
import { start } from '../people/approving.ts';
import { createWorld, whole } from '../rig.ts';

test('DRIFT-4: "drift export" gives the one rolling pull request, and says so when nothing drifts', {
  timeout: 300_000,
}, async ({ onTestFinished }) => {
  const world = await createWorld(
    { ...whole, drift: 'export' },
    { ci: null, database: null, drift: { autoMerge: false, policy: 'approval' } },
  );
  onTestFinished(world.stop);
  await start(world);
  const cli = await createCli({
    DATABASE_URL: world.own.url,
    TEMPORAL_ADDRESS: world.temporal.address,
    UNTILGREEN_QUEUE_PREFIX: world.queuePrefix,
  });
  onTestFinished(cli.remove);

  const wrong = await cli.run('drift', 'export', 'shop', 'staging', '--json');
  expect(wrong.code).toBe(2);
  expect(wrong.stdout).toContain('name one of: production');

  const exported = await cli.run('drift', 'export', 'shop', 'production', '--by', 'ana', '--json');
  expect(exported.json()).toMatchObject({
    outcome: 'waiting',
    finding: { pullRequest: { number: expect.any(Number) } },
  });
  expect(exported.code).toBe(0);
  const again = await cli.run('drift', 'export', 'shop', 'production', '--by', 'ana');
  expect(again.code).toBe(0);

  const pulls = await world.maria.request<{ number: number; head: { ref: string } }[]>(
    'GET',
    '/pulls?state=all',
  );
  expect(pulls.map((pull) => pull.head.ref)).toEqual(['untilgreen/drift-shop-production']);
  expect(await world.forge.journal.writes({ kind: 'pullCreated' })).toHaveLength(1);

  await world.maria.request('PUT', `/pulls/${pulls[0]?.number}/merge`, {});
  await world.until(
    'the drift is resolved',
    async () => (await world.finding('drift'))?.status === 'resolved',
  );
  const clean = await cli.run('drift', 'export', 'shop', 'production');
  expect(clean.stdout).toContain('nothing to export');
  expect(clean.code).toBe(0);
});

test('DRIFT-4: the example workflow is YAML and passes its inputs by environment, not by interpolation', async () => {
  const text = await readFile('examples/github-actions/drift-export.yml', 'utf8');
  const workflow = parse(text) as { jobs: { export: { steps: { run?: string }[] } }; permissions: object };
  expect(workflow.permissions).toEqual({ contents: 'read' });
  const run = workflow.jobs.export.steps.map((step) => step.run ?? '').join('\n');
  expect(run).toContain('untilgreen drift export "$WORKSPACE" "$ENVIRONMENT"');
  expect(run).not.toContain('${{');
});
