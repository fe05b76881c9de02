// A rollback that waits for a person (LOOP-13): it is bound to the service as it was; what changes meanwhile voids the question.
import { afterEach, expect } from 'vitest';
import { createRig, minuteMs, type Rig, test, until } from '../rig.ts';
import { alerts, crashLoop, incidentOf, ladderOf, opsWorkspace, timelineOf } from './ops-rig.ts';

let rig: Rig;
afterEach(async () => rig.stop());

type Question = { hash: string; state: string; reason: string | null };

async function questions(): Promise<readonly Question[]> {
  const { rows } = await rig.database.pool.query(
    'select hash, state, reason from approvals order by asked_ms',
  );
  return rows;
}

async function untilHeld(tenant: string): Promise<string> {
  rig = await createRig();
  await rig.startWorker();
  // Without restarts the ladder is at the rollback soon.
  const services = { ladder: { restarts: 0 } };
  await rig.apply(tenant, { workspaces: [opsWorkspace({ services })] });
  const { production } = rig.world.place(tenant);
  production.services.backend = crashLoop();
  production.failing = { backend: { level: 'sev1', services: ['backend'] } };
  await rig.startLoop(tenant, { rollAtEvents: 1_500 });
  await until(() => expect(rig.world.writes('openIssue')).toHaveLength(1));
  await rig.skip(45 * minuteMs);
  const [asked] = await until(async () => {
    const all = await questions();
    expect(all.map(({ state }) => state)).toEqual(['asked']);
    return all;
  });
  return asked?.hash ?? '';
}

test('LOOP-13: what it was bound to is gone: the question is void, and an answer that comes now does nothing', async () => {
  const hash = await untilHeld('void');
  // SEV1: reminded after 15 min.
  await rig.skip(20 * minuteMs);
  await until(() => expect(alerts(rig, /Still waiting for approval/)).toHaveLength(1));
  const place = rig.world.place('void');
  place.production.services.backend?.deployments.push({ id: 'd9', status: 'running' });
  place.production.failing = {};
  await rig.skip(25 * minuteMs);
  await until(async () => expect((await incidentOf(rig, 'void')).open).toBe(false));
  expect(await questions()).toMatchObject([{ hash, state: 'void' }]);
  const late = await rig
    .loop('void')
    .executeUpdate('decide', { args: [{ by: 'ana', hash, decision: 'approve' }] });
  expect(late).toMatchObject({ result: 'over' });
  expect((await ladderOf(rig, 'void')).map(({ kind }) => kind)).toEqual(['redeployService']);
});

test('LOOP-13: rejected: it is not asked again, and a person has it', async () => {
  const hash = await untilHeld('no');
  rig.world.place('no').comments.push({ hash, decision: 'reject', by: 'maria' });
  await rig.skip(20 * minuteMs);
  await until(async () =>
    expect((await timelineOf(rig, 'no')).map(({ text }) => text)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/Rollback of backend is refused: rejected by maria/),
        expect.stringMatching(/backend needs a person: still unhealthy after redeploy/),
      ]),
    ),
  );
  expect(await questions()).toMatchObject([{ hash, state: 'rejected' }]);
  expect((await ladderOf(rig, 'no')).map(({ kind }) => kind)).toEqual(['redeployService']);
  expect((await rig.findings('no')).find(({ kind }) => kind === 'incident')).toMatchObject({
    status: 'waiting',
    waitingFor: expect.stringMatching(/^a person: SEV1/),
  });
});
