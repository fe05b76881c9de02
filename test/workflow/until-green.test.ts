// From red to green through all kinds of remedies, in the order of the tree (LOOP-3), and the end with a person (CI-9).
import { afterEach, expect } from 'vitest';
import { keep } from '../replay/histories.ts';
import { createRig, hourMs, type Rig, test, until, workspace } from './rig.ts';

let rig: Rig;
afterEach(async () => rig.stop());

test('LOOP-3: CI, then drift, then migrations; each verified before the next', async () => {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply('shop', { workspaces: [workspace({ drift: 'auto', activityIssue: true })] });
  const place = rig.world.place('shop');
  place.ci.jobs = ['format'];
  place.ci.fixer = 'formatter';
  place.drift = { planHash: 'plan-a', destroys: 0 };
  place.pending.main = ['1.sql', '2.sql'];
  await rig.startLoop('shop', { rollAtEvents: 150 });
  await until(() => expect(place.pull).not.toBeNull());
  // Waiting for a person blocks nothing that comes after (LOOP-3).
  await until(() => expect(rig.world.writes('applyMigrations')).toHaveLength(1));
  if (place.pull) Object.assign(place.pull, { merged: true, state: 'closed' });
  Object.assign(place.ci, { jobs: [], runId: 2, headSha: 'b'.repeat(40) });
  await rig.skip(hourMs);
  await until(async () =>
    expect((await rig.findings('shop')).every((one) => one.status === 'resolved')).toBe(true),
  );

  const order = rig.world.journal.map((one) => one.kind);
  expect(order.indexOf('openPullRequest')).toBeLessThan(order.indexOf('applyDrift'));
  expect(order.indexOf('applyDrift')).toBeLessThan(order.indexOf('applyMigrations'));
  const { rows } = await rig.database.pool.query(
    `select f.kind, f.resolved_ms, (select min(policy_ms) from effects e where e.fingerprint = f.fingerprint) as first_ms from findings f`,
  );
  const of = (kind: string) => rows.find((row: { kind: string }) => row.kind === kind);
  expect(of('migration').first_ms).toBeGreaterThanOrEqual(of('drift').resolved_ms);
  expect((await rig.cycles('shop'))[0]).toMatchObject({ outcome: 'green', summary: 'all clear' });
  expect(rig.world.writes('commentOnIssue').length).toBeGreaterThanOrEqual(2); // SEE-5
  await keep('until-green', await rig.histories());
});

test('CI-9: what no rule can fix ends with a person, once', async () => {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply('hard', { workspaces: [workspace({ databases: [] })] });
  const { ci } = rig.world.place('hard');
  ci.jobs = ['test'];
  await rig.startLoop('hard');
  await until(async () => expect(await rig.findings('hard')).toMatchObject([{ status: 'escalated' }]));
  await rig.skip(3 * hourMs);
  expect(rig.world.writes('openIssue')).toHaveLength(1);
  expect(rig.world.writes('sendAlert')).toHaveLength(1);
  // A person's finding makes nothing red (LOOP-3).
  expect((await rig.cycles('hard'))[0]).toMatchObject({ outcome: 'green', summary: '1 waiting' });
  await keep('escalation', await rig.histories());
});

test('LOOP-5: green cycles', async () => {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply('calm');
  await rig.startLoop('calm', { rollAtEvents: 60 });
  await rig.skip(2 * hourMs);
  expect((await rig.cycles('calm')).map((cycle) => cycle.summary)).not.toContain(null);
  expect(rig.world.journal).toEqual([]);
  await keep('green-cycle', await rig.histories());
});
