// Checks that come and go, workers and servers that die, two findings about one service (INC-2, DEPLOY-3, DUR-2, LOOP-8).
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

test('INC-2: a check that comes and goes every cycle is one incident with its counts, and no storm', async () => {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply('flap', { workspaces: [opsWorkspace()] });
  const { production } = rig.world.place('flap');
  production.services.backend = { deployments: [{ id: 'd1', status: 'running' }], log: [], heals: {} };
  await rig.startLoop('flap');
  await until(async () => expect((await rig.view('flap')).phase).toBe('sleeping'));
  for (let turn = 0; turn < 8; turn += 1) {
    production.failing = turn % 2 === 0 ? { backend: { level: 'sev2', services: ['backend'] } } : {};
    await rig.skip(5 * minuteMs);
  }
  await until(async () => expect((await incidentOf(rig, 'flap')).opening).toBe(1));
  expect(rig.world.writes('openIssue')).toHaveLength(1);
  expect(await ladderOf(rig, 'flap')).toEqual([]);
  production.failing = {};
  await rig.skip(25 * minuteMs);
  await until(() => expect(rig.world.writes('closeIssue')).toHaveLength(1));
  expect(String(rig.world.writes('closeIssue')[0]?.input.comment)).toMatch(/backend failed [34] times/);
  // One alert that was opened, at most told to one person, and resolved.
  expect(rig.world.writes('sendAlert').length).toBeLessThanOrEqual(3);
  // Back within the day: the same issue, opened again.
  production.failing = { backend: { level: 'sev2', services: [] } };
  await rig.skip(6 * minuteMs);
  await until(() => expect(rig.world.writes('updateIssue').at(-1)?.input).toMatchObject({ reopen: true }));
  expect(rig.world.writes('openIssue')).toHaveLength(1);
});

test('DEPLOY-3: an incident and a deployment of the same service share one ladder', async () => {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply('shared', { workspaces: [opsWorkspace()] });
  const { production } = rig.world.place('shared');
  production.services.backend = crashLoop();
  await rig.startLoop('shared', { rollAtEvents: 1_500 });
  // The deployment is first: it has its remedy when the checks begin to fail.
  await until(async () => expect((await incidentOf(rig, 'shared', 'deployment')).open).toBe(true));
  production.failing = { backend: { level: 'sev1', services: ['backend'] } };
  await rig.skip(80 * minuteMs);
  expect((await incidentOf(rig, 'shared')).open).toBe(true);
  expect((await ladderOf(rig, 'shared')).map(({ kind }) => kind)).toEqual([
    'restartService',
    'redeployService',
    'restartService',
  ]);
  const { rows } = await rig.database.pool.query(`select state from approvals`);
  expect(rows).toEqual([{ state: 'asked' }]);
});

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
  await rig.skip(65 * minuteMs);
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

test('DEPLOY-3 INC-2: a failed deployment beside one that serves is told, with what points to code, and starts the code agent', async () => {
  rig = await createRig();
  await rig.startWorker();
  const incidents = { codeAgent: { kind: 'dispatch', eventType: 'incident' } };
  await rig.apply('built', { workspaces: [opsWorkspace({ incidents })] });
  const { production } = rig.world.place('built');
  const nowMs = await rig.nowMs();
  production.services.backend = {
    deployments: [
      { id: 'd1', status: 'running', commitSha: 'a'.repeat(40), createdAtMs: nowMs - hourMs },
      { id: 'd2', status: 'failed', commitSha: 'b'.repeat(40), createdAtMs: nowMs },
    ],
    live: 'd1',
    log: ['npm ci', 'error TS2304: Cannot find name "shop"'],
    heals: {},
  };
  await rig.startLoop('built');
  await until(() => expect(rig.world.writes('openIssue')).toHaveLength(1));
  await until(() => expect(alerts(rig, /^SEV3/)).toHaveLength(1));
  await until(() => expect(rig.world.writes('startCodeAgent')).toHaveLength(1));
  expect(rig.world.writes('startCodeAgent')[0]?.input).toMatchObject({
    kind: 'dispatch',
    eventType: 'incident',
    repository: 'acme/shop',
    base: 'main',
    evidence: expect.stringContaining('TS2304'),
  });
  await rig.skip(2 * hourMs);
  expect(await ladderOf(rig, 'built')).toEqual([]);
  expect(rig.world.writes('sendAlert')).toHaveLength(1);
  production.services.backend.deployments.push({ id: 'd3', status: 'running', createdAtMs: nowMs + hourMs });
  production.services.backend.live = 'd3';
  await rig.skip(20 * minuteMs);
  await until(() => expect(rig.world.writes('closeIssue')).toHaveLength(1));
  expect(rig.world.writes('sendAlert').at(-1)?.input).toMatchObject({ state: 'resolved' });
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

test('INC-2 INC-5: nobody can log in: stale sessions are cleared once', async () => {
  rig = await createRig();
  await rig.startWorker();
  const checks = [
    {
      kind: 'database',
      name: 'db',
      url: 'env:SHOP_DATABASE_URL',
      services: [],
    },
  ];
  const devopsApi = { url: 'https://shop.example.com', secret: 'env:DEVOPS_API_SECRET' };
  await rig.apply('stale', { workspaces: [opsWorkspace({ checks, incidents: { devopsApi } })] });
  rig.world.place('stale').production.failing = { db: { level: 'sev1', services: [] } };
  await rig.startLoop('stale');
  await until(() => expect(rig.world.writes('openIssue')).toHaveLength(1));
  expect(rig.world.writes('cleanUp')).toEqual([]);
  await rig.skip(30 * minuteMs);
  expect(rig.world.writes('cleanUp')).toHaveLength(1);
  expect(rig.world.writes('cleanUp')[0]?.input).toEqual({ what: 'staleSessions' });
  expect(
    (await timelineOf(rig, 'stale')).some(({ text }) => /Cleared stale sessions \(3 removed\)/.test(text)),
  ).toBe(true);
});
