// What triage says is what the remedy does (CI-3, CI-4, CI-12): watched and waiting findings get no write, and are looked at again when they move.
import { afterEach, expect } from 'vitest';
import { createRig, dayMs, type Rig, test, until, workspace } from '../rig.ts';

let rig: Rig;
afterEach(async () => rig.stop());

async function failing(next: 'watch' | 'wait' | 'person'): Promise<Rig['world']> {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply('triaged', { workspaces: [workspace({ databases: ['main'] })] });
  const place = rig.world.place('triaged');
  Object.assign(place.ci, { jobs: ['build'], fixer: 'formatter', next });
  place.pending.main = ['1.sql'];
  await rig.startLoop('triaged');
  return rig.world;
}

const status = async (): Promise<string | undefined> =>
  (await rig.findings('triaged')).find(({ kind }) => kind === 'ci')?.status;

test('CI-3: a flake is watched: nothing is written for it, it blocks nothing, and a failure of another commit is triaged anew', async () => {
  const world = await failing('watch');
  await until(async () => expect(await status()).toBe('watched'));
  await until(() => expect(world.writes('applyMigrations')).toHaveLength(1));
  expect(world.writes('pushBranch')).toEqual([]);
  // Losing the workflow does not lose the watch.
  await rig.loseTemporal();
  await rig.startWorker();
  await rig.startLoop('triaged');
  const { ci } = world.place('triaged');
  Object.assign(ci, { runId: 2, headSha: 'd'.repeat(40), next: undefined });
  await rig.loop('triaged').executeUpdate('cycleNow', { args: [{ by: 'ana' }] });
  await until(() => expect(world.writes('openPullRequest')).toHaveLength(1));
});

test('CI-12: what waits for another fix is not fixed, and goes on when it may', async () => {
  const world = await failing('wait');
  await until(async () => expect(await status()).toBe('waiting'));
  expect(world.writes('pushBranch')).toEqual([]);
  Object.assign(world.place('triaged').ci, { runId: 2, next: undefined });
  await rig.loop('triaged').executeUpdate('cycleNow', { args: [{ by: 'ana' }] });
  await until(() => expect(world.writes('openPullRequest')).toHaveLength(1));
});

test('CI-4: what no change of code can mend is handed over at once, without a fix', async () => {
  const world = await failing('person');
  await until(async () => expect(await status()).toBe('escalated'));
  expect(world.writes('openIssue')).toHaveLength(1);
  expect(world.writes('pushBranch')).toEqual([]);
});

test('CI-3: a quarantine that people know of is brought up to date, not opened again', async () => {
  rig = await createRig();
  const proposal = { test: 'adds', rate: 0.3, title: 'Flaky: adds', body: 'in 3 of 10 runs', issue: 12 };
  Object.assign(rig.world.activities, {
    noteGreen: async () => ({ flake: true, why: 'a flake', quarantine: proposal }),
  });
  await rig.startWorker();
  await rig.apply('known', { workspaces: [workspace({ databases: [] })] });
  const { ci } = rig.world.place('known');
  Object.assign(ci, { jobs: ['build'], next: 'watch' });
  await rig.startLoop('known');
  await until(async () => expect((await rig.findings('known'))[0]?.status).toBe('watched'));
  Object.assign(ci, { jobs: [] });
  await rig.loop('known').executeUpdate('cycleNow', { args: [{ by: 'ana' }] });
  await until(() =>
    expect(rig.world.writes('updateIssue')).toMatchObject([
      { input: { number: 12, title: proposal.title, body: proposal.body } },
    ]),
  );
  expect(rig.world.writes('openIssue')).toEqual([]);
});

test('CI-9: a failure that returns in March is a new occurrence, with 0 of 3 attempts', async () => {
  rig = await createRig();
  await rig.startWorker();
  // A day between readings, so that ten are quick.
  await rig.apply('march', {
    workspaces: [workspace({ databases: [] })],
    cadence: { perSource: { ciRuns: '24h', approvals: '24h' } },
  });
  const place = rig.world.place('march');
  const read = () => rig.loop('march').executeUpdate('cycleNow', { args: [{ by: 'ana' }] });
  const latest = async () =>
    (await rig.findings('march')).reduce((a, b) => (a.occurrence > b.occurrence ? a : b));
  // In February it took three attempts.
  Object.assign(place.ci, { jobs: ['build'], fixer: 'formatter' });
  await rig.startLoop('march');
  await until(() => expect(rig.world.writes('openPullRequest')).toHaveLength(1));
  await rig.database.pool.query(`update findings set attempts = 3 where tenant = 'march'`);
  Object.assign(place.pull ?? {}, { merged: true, state: 'closed' });
  Object.assign(place.ci, { jobs: [], runId: 2, headSha: 'b'.repeat(40) });
  await read();
  await until(async () => expect(await latest()).toMatchObject({ status: 'resolved', attempts: 3 }));

  await rig.skip(10 * dayMs);
  place.pull = null;
  Object.assign(place.ci, { jobs: ['build'], runId: 3, headSha: 'c'.repeat(40), next: 'wait' });
  await read();
  await until(async () => expect(await latest()).toMatchObject({ status: 'waiting' }));
  expect(await latest()).toMatchObject({ occurrence: 2, attempts: 0 });
  // So it is fixed again, as the first of three.
  Object.assign(place.ci, { runId: 4, next: undefined });
  await read();
  await until(() => expect(rig.world.writes('openPullRequest')).toHaveLength(2));
  expect(await latest()).toMatchObject({ occurrence: 2, attempts: 1 });
});
