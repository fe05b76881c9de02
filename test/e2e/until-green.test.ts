// The main job, end to end: real Temporal, Postgres, dbmate, git, sandbox; a forge that really runs workflows; nobody but a maintainer who
// presses merge. LOOP-1, LOOP-3, LOOP-4, LOOP-6, CI-5, CI-6, CI-8, DRIFT-2, MIG-1.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { breakageOf } from '../../demo/shop/shop.ts';
import { listFindings } from '../../src/store/findings.ts';
import { startMaintainer } from './people/maintainer.ts';
import { createWorld, type World } from './rig.ts';

let world: World | undefined;
afterEach(async () => {
  await world?.stop();
  world = undefined;
});

test('LOOP-3: red CI, drift and pending migrations turn green unattended', { timeout: 180_000 }, async () => {
  world = await createWorld(breakageOf(0));
  const { forge, own, shop, tenant } = world;
  await world.startWorker();
  await world.startLoop();
  const maintainer = startMaintainer(world);

  await vi.waitFor(
    async () => {
      const findings = await listFindings(own.pool, tenant, 0);
      if (process.env.TEST_SHOW)
        console.log(
          findings
            .map((f) => `${f.kind} ${f.status} ${f.attempts} ${f.title} | ${f.waitingFor ?? ''}`)
            .join('\n'),
          '\n',
        );
      expect(findings.length).toBeGreaterThanOrEqual(4);
      expect(findings.every((finding) => finding.status === 'resolved')).toBe(true);
    },
    { timeout: 150_000, interval: 1_000 },
  );
  await maintainer.stop();

  const runs = (await forge.actions.runs({ owner: 'acme', repo: 'shop' })).filter(
    (run) => run.branch === 'main',
  );
  expect(runs[0]?.conclusion).toBe('success');
  const { rows } = await shop.pool.query('select count(*)::int as n from schema_migrations');
  expect(rows[0].n).toBe(4);
  const environment = JSON.parse(await readFile(join(world.environments, 'production.json'), 'utf8'));
  expect(
    JSON.parse(
      (await forge.readFile({ owner: 'acme', repo: 'shop', path: 'environments/production.json' })) ?? '{}',
    ),
  ).toEqual(environment);
  expect(await forge.journal.unexpected()).toEqual([]);
  await world.replayed('until-green');
});
