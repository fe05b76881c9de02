// The Temporal database is lost with work open (DUR-2, LOOP-8, LOOP-9): a server that knows nothing, over the same Postgres.
import { afterEach, expect } from 'vitest';
import { createRig, hourMs, minuteMs, type Rig, test, until, workspace } from './rig.ts';

let rig: Rig;
afterEach(async () => rig.stop());

test('DUR-2: a pause, a cooldown, an approval, counters and a working remedy outlive the Temporal database', async () => {
  rig = await createRig();
  await rig.startWorker();
  const workspaces = [
    workspace({ name: 'asked', ci: false, drift: 'approval', databases: [] }),
    workspace({ name: 'cool', ci: false, databases: ['cool'] }),
    workspace({ name: 'paused', ci: false, databases: ['paused'] }),
    workspace({ name: 'fixed', databases: [] }),
  ];
  await rig.apply('lost', { workspaces });
  const [asked, cool, paused, fixed] = ['asked', 'cool', 'paused', 'fixed'].map((name) =>
    rig.world.place('lost', name),
  );
  if (!asked || !cool || !paused || !fixed) throw new Error('no places');
  await rig.startLoop('lost');
  await until(async () => expect((await rig.view('lost')).phase).toBe('sleeping'));
  // Everything is under way: an approval in its second question, a cooldown, a pause, a pull request that nobody merged yet.
  await rig
    .loop('lost')
    .executeUpdate('pause', { args: [{ by: 'ana', reason: 'freeze', scope: 'workspace', value: 'paused' }] });
  asked.drift = { planHash: 'plan-a', destroys: 1 };
  cool.pending.cool = ['1.sql'];
  paused.pending.paused = ['1.sql'];
  fixed.ci.jobs = ['build'];
  fixed.ci.fixer = 'formatter';
  await rig.loop('lost').executeUpdate('cycleNow', { args: [{ by: 'ana' }] });
  await until(() => {
    expect(rig.world.writes('applyMigrations')).toHaveLength(1);
    expect(fixed.pull).not.toBeNull();
  });
  asked.drift = { planHash: 'plan-b', destroys: 1 };
  cool.pending.cool = ['2.sql'];
  await rig.skip(16 * minuteMs);
  const before = await until(async () => {
    const findings = await rig.findings('lost');
    expect(findings.map((one) => [one.workspace, one.status]).sort()).toEqual([
      ['asked', 'waiting'],
      ['cool', 'waiting'],
      ['fixed', 'waiting'],
      ['paused', 'waiting'],
    ]);
    const { rows } = await rig.database.pool.query(`select hash from approvals where state = 'asked'`);
    expect(rows).toHaveLength(1);
    return { findings, hash: rows[0].hash as string, cycle: (await rig.cycles('lost'))[0]?.cycle ?? 0 };
  });
  const markers = rig.world.journal.map((one) => one.marker);

  await rig.loseTemporal();
  await rig.startWorker();
  await rig.startLoop('lost');
  await until(async () => {
    expect((await rig.view('lost')).openRemedies).toHaveLength(4);
    expect((await rig.cycles('lost'))[0]?.cycle).toBeGreaterThan(before.cycle);
    expect((await rig.findings('lost')).map((one) => one.status)).toEqual(
      before.findings.map(() => 'waiting'),
    );
  });
  // The same question, the same counters, and nothing written again.
  const { rows } = await rig.database.pool.query(`select hash from approvals where state = 'asked'`);
  expect(rows).toEqual([{ hash: before.hash }]);
  const after = await rig.findings('lost');
  for (const one of before.findings) {
    const same = after.find((other) => other.fingerprint === one.fingerprint);
    expect(same).toMatchObject({
      attempts: one.attempts,
      remedies: one.remedies,
      occurrence: one.occurrence,
    });
  }
  expect(rig.world.journal.map((one) => one.marker)).toEqual(markers);

  // And all of it ends.
  asked.comments.push({ hash: before.hash, decision: 'approve', by: 'maria' });
  if (fixed.pull) fixed.pull.merged = true;
  fixed.ci = { ...fixed.ci, jobs: [], runId: 2 };
  await rig.skip(31 * minuteMs);
  await until(() => {
    expect(rig.world.writes('applyDrift')).toHaveLength(1);
    expect(rig.world.writes('applyMigrations')).toHaveLength(2);
  });
  await rig
    .loop('lost')
    .executeUpdate('resume', { args: [{ by: 'ana', reason: 'over', scope: 'workspace', value: 'paused' }] });
  await rig.skip(hourMs);
  await until(async () => {
    expect(rig.world.writes('applyMigrations')).toHaveLength(3);
    expect((await rig.findings('lost')).map((one) => one.status)).toEqual([
      'resolved',
      'resolved',
      'resolved',
      'resolved',
    ]);
  });
  expect(new Set(rig.world.journal.map((one) => one.marker)).size).toBe(rig.world.journal.length);
});

test('DUR-2: an open breaker stays open after the loss, and tells nobody twice', async () => {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply('fused', { workspaces: [workspace({ ci: false })] });
  const place = rig.world.place('fused');
  place.sources['migrations:main'] = 'throw';
  await rig.startLoop('fused');
  await rig.skip(20 * minuteMs);
  const state = async (): Promise<object> => {
    const { rows } = await rig.database.pool.query('select breaker_state, breaker_since_ms from guards');
    return rows[0];
  };
  await until(async () => {
    expect(await state()).toMatchObject({ breaker_state: 'open' });
    expect(rig.world.writes('sendAlert')).toHaveLength(1);
  });
  const opened = await state();
  await rig.loseTemporal();
  await rig.startWorker();
  place.sources['migrations:main'] = undefined;
  place.pending.main = ['1.sql'];
  await rig.startLoop('fused');
  await until(async () =>
    expect((await rig.findings('fused'))[0]?.waitingFor).toMatch(/circuit breaker open/),
  );
  expect(await state()).toEqual(opened);
  expect(rig.world.writes('sendAlert')).toHaveLength(1);
});
