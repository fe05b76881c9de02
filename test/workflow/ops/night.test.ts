// The night of an incident, in skipped time (DEPLOY-3, INC-2, INC-4, LOOP-8): a crash loop goes restart → redeploy (the restart is in cooldown) →
// second restart → held rollback, beside the words to people, until somebody approves and it ends green.
import { afterEach, expect } from 'vitest';
import { keep } from '../../replay/histories.ts';
import { createRig, hourMs, minuteMs, type Rig, test, until } from '../rig.ts';
import {
  alerts,
  crashLoop,
  incidentOf,
  ladderOf,
  minutesAfter,
  opsWorkspace,
  timelineOf,
} from './ops-rig.ts';

let rig: Rig;
afterEach(async () => rig.stop());

test('DEPLOY-3 INC-2: restart, redeploy, second restart, held rollback, approved, green', async () => {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply('night', { workspaces: [opsWorkspace()] });
  const { production, comments } = rig.world.place('night');
  production.services.backend = crashLoop();
  production.failing = { backend: { level: 'sev1', services: ['backend'] } };
  await rig.startLoop('night', { rollAtEvents: 1_500 });
  // INC-6: the issue opens at detection.
  await until(() => expect(rig.world.writes('openIssue')).toHaveLength(1));
  const body = String(rig.world.writes('openIssue')[0]?.input.body);
  expect(body).toMatch(/^## 🚨 Production Incident\n/);
  expect(body).toContain('fatal: cannot go on');
  expect(body).toMatch(
    /\[View workflow logs\]\(http:\/\/ui\.example\/namespaces\/default\/workflows\/remedy%2Fnight%2Fincident%2F[0-9a-f]{16}%2F1\/[0-9a-f-]{36}\/history\)/,
  );
  expect(body).toContain('untilgreen view-logs backend --tenant night --workspace shop');
  await until(() => expect(alerts(rig, /SEV1 in shop/)).toHaveLength(1));
  const { detectedMs } = await incidentOf(rig, 'night');
  await rig.skip(46 * minuteMs);
  const steps = await until(async () => {
    const now = await ladderOf(rig, 'night');
    expect(now.map(({ kind }) => kind)).toEqual(['restartService', 'redeployService', 'restartService']);
    return now;
  });
  // Never before its time (5 min of proof, 30 min of cooldown), and at most two looks after it: where in a minute the fault begins is chance.
  const [restart = 0, redeploy = 0, again = 0] = steps.map(({ atMs }) => atMs);
  for (const [waitedMs, leastMs] of [
    [restart - detectedMs, 5 * minuteMs],
    [redeploy - restart, 5 * minuteMs],
    [again - restart, 30 * minuteMs],
  ] as const) {
    // Readings of one grid differ by seconds.
    expect(waitedMs).toBeGreaterThanOrEqual(leastMs - 5_000);
    expect(waitedMs).toBeLessThanOrEqual(leastMs + 2 * minuteMs);
  }
  const { rows } = await rig.database.pool.query('select kind, hash, state, precondition from approvals');
  expect(rows).toMatchObject([{ kind: 'rollBackService', state: 'asked', precondition: 'd1' }]);
  const hash = rows[0].hash as string;
  // INC-4: told within ten minutes of detection, and again until somebody has it, while the ladder went on.
  const told = (await timelineOf(rig, 'night')).filter(({ kind }) => kind === 'told');
  expect(minutesAfter(detectedMs, told[0]?.atMs ?? Number.POSITIVE_INFINITY)).toBeLessThanOrEqual(10);
  expect(told.length).toBeGreaterThanOrEqual(2);
  await until(() =>
    expect(rig.world.writes('commentOnIssue').map(({ input }) => String(input.body))).toContainEqual(
      expect.stringContaining(`/approve ${hash}`),
    ),
  );
  expect(production.asked.filter((one) => one.startsWith('rollBack'))).toEqual([]);

  comments.push({ hash, decision: 'approve', by: 'maria' });
  production.services.backend.heals.rollBack = 'running';
  await rig.skip(4 * minuteMs);
  await until(() => expect(production.asked.filter((one) => one.startsWith('rollBack'))).toHaveLength(1));
  production.failing = {};
  await rig.skip(25 * minuteMs);
  await until(async () => {
    expect((await incidentOf(rig, 'night')).open).toBe(false);
    expect((await rig.findings('night')).every(({ status }) => status === 'resolved')).toBe(true);
  });
  expect(rig.world.writes('closeIssue')).toHaveLength(1);
  const summary = String(rig.world.writes('closeIssue')[0]?.input.comment);
  expect(summary).toMatch(/## Resolved[\s\S]*Restart of backend: applied[\s\S]*Rollback of backend: applied/);
  const channel = rig.world.writes('sendAlert');
  expect(channel.at(-1)?.input).toMatchObject({ state: 'resolved' });
  expect(new Set(channel.map(({ input }) => input.about)).size).toBe(1);
  expect(rig.world.writes('openIssue')).toHaveLength(1);
  await rig.skip(hourMs);
  expect(rig.world.writes('sendAlert')).toHaveLength(channel.length);
  await keep('incident', await rig.histories());
});
