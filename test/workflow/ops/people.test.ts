// Who is told of an incident, and when (INC-1, INC-4, INC-6): by severity, until somebody has it; whatever the tenant's loop is doing.
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

async function begin(tenant: string, level: 'sev1' | 'sev2' | 'sev3'): Promise<void> {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply(tenant, { workspaces: [opsWorkspace()] });
  rig.world.place(tenant).production.failing = { backend: { level, services: [] } };
  await rig.startLoop(tenant, { rollAtEvents: 1_000 });
  await until(() => expect(rig.world.writes('openIssue', tenant)).toHaveLength(1));
}

async function toldAfter(tenant: string): Promise<readonly number[]> {
  const { detectedMs } = await incidentOf(rig, tenant);
  const told = (await timelineOf(rig, tenant)).filter(({ kind }) => kind === 'told');
  return told.map(({ atMs }) => minutesAfter(detectedMs, atMs));
}

test('INC-4: SEV1 is alerted at once, told to a person within 10 min, and again until acknowledged', async () => {
  await begin('one', 'sev1');
  await until(() => expect(alerts(rig, /^SEV1 in shop: backend/)).toHaveLength(1));
  expect(alerts(rig, /SEV1/)[0]?.input).toMatchObject({ severity: 'critical', state: 'open' });
  await rig.skip(70 * minuteMs);
  const told = await toldAfter('one');
  expect(told[0]).toBeLessThanOrEqual(10);
  expect(told).toHaveLength(3);
  // The issue mentions whom the settings name.
  const mentions = rig.world.writes('commentOnIssue').filter(({ input }) => Array.isArray(input.mention));
  expect(mentions).toHaveLength(3);
  expect(mentions[0]?.input).toMatchObject({ mention: ['@acme/oncall'], incident: true });
  const { fingerprint } = await incidentOf(rig, 'one');
  const ack = await rig
    .loop('one')
    .executeUpdate('acknowledge', { args: [{ by: 'ana', incident: fingerprint.slice(0, 12) }] });
  expect(ack).toMatchObject({ result: 'acknowledged' });
  await rig.skip(3 * hourMs);
  expect(await toldAfter('one')).toHaveLength(3);
  expect((await timelineOf(rig, 'one')).find(({ kind }) => kind === 'acknowledged')?.text).toBe(
    'Acknowledged by ana',
  );
  const { rows } = await rig.database.pool.query(
    `select actor, action from audit where tenant = 'one' and action = 'incident.acknowledged' and actor <> 'incident'`,
  );
  expect(rows).toEqual([{ actor: 'ana', action: 'incident.acknowledged' }]);
  await keep('incident-acknowledged', await rig.histories());
});

test('INC-6: paused, then terminated: the alert, the issue and the words to people go out all the same', async () => {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply('paused', { workspaces: [opsWorkspace()] });
  const { production } = rig.world.place('paused');
  await rig.startLoop('paused');
  await until(async () => expect((await rig.view('paused')).phase).toBe('sleeping'));
  await rig.loop('paused').executeUpdate('pause', { args: [{ by: 'ana', reason: 'freeze' }] });
  production.services.backend = crashLoop();
  production.failing = { backend: { level: 'sev1', services: ['backend'] } };
  await rig.loop('paused').executeUpdate('cycleNow', { args: [{ by: 'ana' }] });
  await until(() => {
    expect(rig.world.writes('openIssue')).toHaveLength(1);
    expect(alerts(rig, /^SEV1/)).toHaveLength(1);
  });
  await rig.loop('paused').terminate('somebody ended it');
  await rig.skip(40 * minuteMs);
  expect((await toldAfter('paused'))[0]).toBeLessThanOrEqual(10);
  expect(await ladderOf(rig, 'paused')).toEqual([]);
  expect(
    (await timelineOf(rig, 'paused')).some(({ text }) => /Restart of backend is held: paused/.test(text)),
  ).toBe(true);
  // Nobody reads the checks any more: it is never taken for recovered.
  production.failing = {};
  await rig.skip(20 * minuteMs);
  expect((await incidentOf(rig, 'paused')).open).toBe(true);
  await keep('incident-paused', await rig.histories());
});
