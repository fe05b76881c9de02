// Pause, settings that change, drain and removal, in skipped time (LOOP-9, LOOP-10).
import { afterEach, expect } from 'vitest';
import type { PauseResult } from '../../src/contract/loop.ts';
import type { Pool } from '../../src/store/database.ts';
import { removeTenant, setDrained } from '../../src/store/tenants.ts';
import { keep } from '../replay/histories.ts';
import { createRig, dayMs, hourMs, minuteMs, type Rig, test, until, workspace } from './rig.ts';

let rig: Rig;
afterEach(async () => rig.stop());

const oneDatabase = { workspaces: [workspace({ ci: false })] };

test('LOOP-10: a paused tenant stays paused over a roll and a worker restart, and goes on from the same step', async () => {
  rig = await createRig({ cached: false });
  await rig.startWorker();
  await rig.apply('still', oneDatabase);
  const { pending } = rig.world.place('still');
  const { firstExecutionRunId } = await rig.startLoop('still', { rollAtEvents: 40 });
  const paused = await rig.loop('still').executeUpdate<PauseResult, [object]>('pause', {
    args: [{ reason: 'release freeze', by: 'ana' }],
  });
  expect(paused.started).toEqual([]);
  pending.main = ['1.sql'];
  await rig.skip(31 * minuteMs);
  await until(async () =>
    expect((await rig.findings('still'))[0]?.waitingFor).toMatch(/paused.*release freeze/),
  );
  const remedy = (await rig.view('still')).openRemedies[0]?.workflowId ?? '';
  await rig.stopWorker();
  await rig.startWorker();
  await rig.skip(8 * hourMs);
  expect(rig.world.writes('applyMigrations')).toEqual([]);
  expect((await rig.loop('still').describe()).runId).not.toBe(firstExecutionRunId);

  await rig.loop('still').executeUpdate('resume', { args: [{ reason: 'over', by: 'ana' }] });
  await until(async () =>
    expect((await rig.findings('still'))[0]).toMatchObject({ status: 'resolved', attempts: 1 }),
  );
  expect(rig.world.writes('applyMigrations')).toHaveLength(1);
  expect(await rig.client.workflow.getHandle(remedy).result()).toMatchObject({ outcome: 'green' });
  await keep('pause-and-resume', await rig.histories());
});

test('LOOP-10: a pause with an end ends by itself; a pause of another kind or workspace stops nothing', async () => {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply('timed', oneDatabase);
  const { pending } = rig.world.place('timed');
  await rig.startLoop('timed');
  const untilMs = (await rig.nowMs()) + 3 * hourMs;
  const pause = (input: object) =>
    rig.loop('timed').executeUpdate('pause', { args: [{ by: 'ana', reason: 'x', ...input }] });
  await pause({ scope: 'workspace', value: 'other' });
  await pause({ scope: 'effect', value: 'applyDrift' });
  pending.main = ['1.sql'];
  await rig.skip(31 * minuteMs);
  await until(() => expect(rig.world.writes('applyMigrations')).toHaveLength(1));

  await pause({ scope: 'effect', value: 'applyMigrations', untilMs });
  pending.main = ['2.sql'];
  await rig.skip(2 * hourMs);
  await until(async () => expect((await rig.findings('timed'))[0]?.waitingUntilMs).toBe(untilMs));
  expect(rig.world.writes('applyMigrations')).toHaveLength(1);
  await rig.skip(hourMs);
  await until(() => expect(rig.world.writes('applyMigrations')).toHaveLength(2));
});

test('LOOP-9: other settings take effect at the next cycle, without losing state', async () => {
  rig = await createRig();
  await rig.startWorker();
  // Nothing to read: the loop still looks at its settings.
  await rig.apply('fresh', { workspaces: [workspace({ ci: false, databases: [] })] });
  await rig.startLoop('fresh');
  await until(async () => expect((await rig.view('fresh')).phase).toBe('sleeping'));
  const shop = rig.world.place('fresh', 'shop');
  const site = rig.world.place('fresh', 'site');
  await rig.apply('fresh', {
    workspaces: [workspace(), workspace({ name: 'site', databases: ['site'], migrate: 'approval' })],
  });
  await rig.loop('fresh').executeUpdate('cycleNow', { args: [{ by: 'ana' }] });
  await until(() => {
    expect(shop.reads).toMatchObject({ ciRuns: 1, 'migrations:main': 1 });
    expect(site.reads).toMatchObject({ 'migrations:site': 1 });
  });

  // A workspace that leaves takes its findings and remedies with it.
  site.pending.site = ['1.sql'];
  await rig.loop('fresh').executeUpdate('cycleNow', { args: [{ by: 'ana' }] });
  await until(async () => expect((await rig.findings('fresh'))[0]?.waitingFor).toMatch(/approval/));
  const remedy = (await rig.view('fresh')).openRemedies[0]?.workflowId ?? '';
  await rig.apply('fresh', { workspaces: [workspace()] });
  await rig.skip(31 * minuteMs);
  await until(async () => expect((await rig.findings('fresh'))[0]?.status).toBe('resolved'));
  await rig.skip(hourMs);
  expect(await rig.client.workflow.getHandle(remedy).result()).toMatchObject({ outcome: 'gone' });
  await until(async () => expect((await rig.view('fresh')).openRemedies).toEqual([]));
  await until(async () =>
    expect((await rig.cycles('fresh'))[0]).toMatchObject({ outcome: 'green', summary: 'all clear' }),
  );
  expect(rig.world.writes('applyMigrations')).toEqual([]);
});

test('LOOP-9: a drained tenant finishes what is open and is not woken by an event; a removed one neither', async () => {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply('leaving', { workspaces: [workspace({ ci: false, migrate: 'approval' })] });
  const place = rig.world.place('leaving');
  place.pending.main = ['1.sql'];
  await rig.startLoop('leaving');
  await until(async () => expect((await rig.findings('leaving'))[0]?.waitingFor).toMatch(/approval/));
  const handle = rig.loop('leaving');
  const { openRemedies } = await handle.executeUpdate<{ openRemedies: number }, [object]>('drain', {
    args: [{ by: 'ana', reason: 'moving' }],
  });
  expect(openRemedies).toBe(1);
  expect(await handle.result()).toMatchObject({ ended: expect.stringContaining('drained') });
  const reads = { ...place.reads };
  const again = await rig.startLoop('leaving');
  expect(await rig.client.workflow.getHandle('tenant/leaving', again.firstExecutionRunId).result()).toEqual({
    ended: 'drained',
  });
  expect(place.reads).toEqual(reads);

  // Taken back: the remedy that waited all the time is found, not doubled.
  await setDrained(rig.database.pool, 'leaving', false);
  await rig.startLoop('leaving');
  await until(async () => expect((await rig.view('leaving')).openRemedies).toHaveLength(1));
  place.comments.push({ hash: await askedHash('leaving'), decision: 'approve', by: 'maria' });
  await rig.skip(10 * minuteMs);
  await until(async () => expect((await rig.findings('leaving'))[0]?.status).toBe('resolved'));
  expect(rig.world.writes('applyMigrations')).toHaveLength(1);

  await removeTenant(rig.database.pool as unknown as Pool, 'leaving', 'ana', await rig.nowMs());
  await rig.skip(dayMs);
  expect(await rig.loop('leaving').result()).toMatchObject({ ended: expect.stringContaining('removed') });
  const last = await rig.startLoop('leaving');
  expect(await rig.client.workflow.getHandle('tenant/leaving', last.firstExecutionRunId).result()).toEqual({
    ended: 'removed',
  });
});

async function askedHash(tenant: string): Promise<string> {
  const { rows } = await rig.database.pool.query(
    `select hash from approvals where tenant = $1 and state = 'asked'`,
    [tenant],
  );
  return rows[0].hash;
}
