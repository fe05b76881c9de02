// An incident whose workers stop and whose Temporal is lost (DUR-2, LOOP-8), and something to know (DEPLOY-4).
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

test('DUR-2: the worker stops again and again, Temporal is lost: one issue, two restarts, nobody is forgotten', async () => {
  rig = await createRig({ cached: false });
  await rig.startWorker();
  await rig.apply('lost', { workspaces: [opsWorkspace()] });
  const { production } = rig.world.place('lost');
  production.services.backend = crashLoop();
  production.failing = { backend: { level: 'sev1', services: ['backend'] } };
  await rig.startLoop('lost', { rollAtEvents: 1_500 });
  await until(() => expect(rig.world.writes('openIssue')).toHaveLength(1));
  for (let turn = 0; turn < 4; turn += 1) {
    await rig.stopWorker();
    await rig.startWorker();
    await rig.skip(3 * minuteMs);
  }
  await until(async () => expect(await ladderOf(rig, 'lost')).toHaveLength(2));
  const before = await incidentOf(rig, 'lost');
  const told = (await timelineOf(rig, 'lost')).filter(({ kind }) => kind === 'told').length;
  expect(told).toBe(1);
  await rig.loseTemporal();
  await rig.startWorker();
  await rig.startLoop('lost', { rollAtEvents: 1_500 });
  await until(async () => expect((await rig.view('lost')).openRemedies.length).toBeGreaterThan(0));
  await rig.skip(40 * minuteMs);
  const after = await incidentOf(rig, 'lost');
  expect(after).toMatchObject({ detectedMs: before.detectedMs, issue: before.issue, opening: 1 });
  expect(rig.world.writes('openIssue')).toHaveLength(1);
  expect(alerts(rig, /^SEV1 in/)).toHaveLength(1);
  expect((await ladderOf(rig, 'lost')).map(({ kind }) => kind)).toEqual([
    'restartService',
    'redeployService',
    'restartService',
  ]);
  const words = (await timelineOf(rig, 'lost')).filter(({ key }) => key.startsWith('told-'));
  expect(words.length).toBeGreaterThanOrEqual(2);
  expect(minutesAfter(after.detectedMs, words[0]?.atMs ?? 0)).toBeLessThanOrEqual(10);
});

test('DEPLOY-4: something to know is told once, told anew when it changes, and told to be over', async () => {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply('known', { workspaces: [opsWorkspace()] });
  const { production } = rig.world.place('known');
  production.notices = { postgres: 'version 18 is out, 17 is in use' };
  await rig.startLoop('known');
  await until(() => expect(rig.world.writes('sendAlert')).toHaveLength(1));
  await rig.skip(6 * hourMs);
  expect(rig.world.writes('sendAlert')).toHaveLength(1);
  expect(rig.world.writes('openIssue')).toEqual([]);
  // Nothing waits for it, and it makes nothing red.
  expect((await rig.cycles('known'))[0]?.outcome).toBe('green');
  production.notices = { postgres: 'version 19 is out, 17 is in use' };
  await rig.skip(2 * hourMs);
  await until(() => expect(rig.world.writes('sendAlert')).toHaveLength(2));
  production.notices = {};
  await rig.skip(2 * hourMs);
  await until(() => expect(rig.world.writes('sendAlert')).toHaveLength(3));
  const said = rig.world.writes('sendAlert').map(({ input }) => [input.state, input.about]);
  expect(said.map(([state]) => state)).toEqual(['open', 'update', 'resolved']);
  expect(new Set(said.map(([, about]) => about)).size).toBe(1);
  await keep('notice', await rig.histories());
});
