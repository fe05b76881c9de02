// Approvals over days, in skipped time (LOOP-13): reminder, six days of waiting, void when the plan moved, expiry, channels.
import { afterEach, expect } from 'vitest';
import { keep } from '../replay/histories.ts';
import { createRig, dayMs, hourMs, minuteMs, type Rig, test, until, workspace } from './rig.ts';

let rig: Rig;
afterEach(async () => rig.stop());

/** Days of minutes would take the test minutes. */
const slow = { cadence: { perSource: { approvals: '2h', drift: '2h', migrations: '2h' } } };

type Question = { hash: string; state: string; precondition: string; reason: string | null };

async function questions(tenant: string): Promise<readonly Question[]> {
  const { rows } = await rig.database.pool.query(
    'select hash, state, precondition, reason from approvals where tenant = $1 order by asked_ms, hash',
    [tenant],
  );
  return rows;
}

function alerts(pattern: RegExp): number {
  return rig.world.writes('sendAlert').filter((one) => pattern.test(String(one.input.title))).length;
}

async function askedOnce(tenant: string): Promise<Question> {
  return until(async () => {
    const asked = (await questions(tenant)).filter((one) => one.state === 'asked');
    expect(asked).toHaveLength(1);
    return asked[0] as Question;
  });
}

test('LOOP-13: six days of waiting, reminded after an hour, void when the plan moved, applied once', async () => {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply('patient', {
    ...slow,
    workspaces: [workspace({ ci: false, drift: 'approval', databases: [] })],
  });
  const place = rig.world.place('patient');
  place.drift = { planHash: 'plan-a', destroys: 1 };
  await rig.startLoop('patient', { rollAtEvents: 400 });
  const first = await askedOnce('patient');
  await until(() => expect(alerts(/Approval needed/)).toBe(1));
  // A look in between is no reason to remind.
  await rig.skip(10 * minuteMs);
  await rig.client.workflow
    .getHandle((await rig.view('patient')).openRemedies[0]?.workflowId ?? '')
    .signal('nudge');
  await rig.skip(20 * minuteMs);
  expect(alerts(/Still waiting/)).toBe(0);
  await rig.skip(hourMs);
  await until(() => expect(alerts(/Still waiting/)).toBe(1));

  await rig.skip(3 * dayMs);
  place.drift = { planHash: 'plan-b', destroys: 1 };
  await rig.skip(2 * hourMs);
  const second = await askedOnce('patient');
  expect(second.precondition).toBe('plan-b');
  expect((await questions('patient'))[0]).toMatchObject({
    hash: first.hash,
    state: 'void',
    reason: expect.stringMatching(/plan changed/),
  });
  // An answer to the old question is none.
  const late = await rig
    .loop('patient')
    .executeUpdate('decide', { args: [{ by: 'ana', hash: first.hash, decision: 'approve' }] });
  expect(late).toMatchObject({ result: 'over' });

  await rig.skip(6 * dayMs);
  expect(rig.world.writes('applyDrift')).toEqual([]);
  expect(await rig.findings('patient')).toMatchObject([{ status: 'waiting', attempts: 1 }]);
  // A destructive effect needs a verified channel.
  await rig
    .loop('patient')
    .executeUpdate('decide', { args: [{ by: 'ana', hash: second.hash, decision: 'approve' }] });
  await until(async () => expect((await rig.findings('patient'))[0]?.waitingFor).toMatch(/not enough here/));
  expect(rig.world.writes('applyDrift')).toEqual([]);
  place.comments.push({ hash: second.hash, decision: 'approve', by: 'maria' });
  await rig.skip(125 * minuteMs);
  await until(async () => expect((await rig.findings('patient'))[0]?.status).toBe('resolved'));
  expect(rig.world.writes('applyDrift')).toHaveLength(1);
  expect(alerts(/Approval needed/)).toBe(2);
});

test('LOOP-13: approved while the plan moves unseen: nothing is applied, and it is asked again', async () => {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply('unseen', {
    ...slow,
    workspaces: [workspace({ ci: false, drift: 'approval', databases: [] })],
  });
  const place = rig.world.place('unseen');
  place.drift = { planHash: 'plan-a', destroys: 1 };
  await rig.startLoop('unseen');
  const { hash } = await askedOnce('unseen');
  place.comments.push({ hash, decision: 'approve', by: 'maria' });
  place.drift = { planHash: 'plan-b', destroys: 1 };
  await rig.skip(125 * minuteMs);
  const second = await askedOnce('unseen');
  expect(second.precondition).toBe('plan-b');
  expect(rig.world.writes('applyDrift')).toEqual([]);
  // Back to the first plan: a new question, since the old answer is void.
  place.drift = { planHash: 'plan-a', destroys: 1 };
  await rig.skip(125 * minuteMs);
  const third = await askedOnce('unseen');
  expect(third).toMatchObject({ precondition: 'plan-a' });
  expect(third.hash).not.toBe(hash);
  expect((await rig.findings('unseen'))[0]?.status).toBe('waiting');
  await keep('approval', await rig.histories());
});

test('LOOP-13: unanswered for seven days it expires, and a person has the finding', async () => {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply('ignored', { ...slow, workspaces: [workspace({ ci: false, migrate: 'approval' })] });
  rig.world.place('ignored').pending.main = ['1.sql'];
  await rig.startLoop('ignored', { rollAtEvents: 400 });
  await askedOnce('ignored');
  const before = (await rig.cycles('ignored')).length;
  await rig.skip(6.9 * dayMs);
  expect((await rig.findings('ignored'))[0]?.status).toBe('waiting');
  // Waiting costs no cycles but those of the clock; a remedy that continues as new says once more that it waits.
  const cycles = (await rig.cycles('ignored')).slice(0, -before);
  expect(cycles.filter((cycle) => cycle.trigger === 'event').length).toBeLessThan(20);
  await rig.skip(0.2 * dayMs);
  await until(async () =>
    expect(await rig.findings('ignored')).toMatchObject([
      { status: 'escalated', waitingFor: expect.stringMatching(/expired/) },
    ]),
  );
  expect(rig.world.writes('applyMigrations')).toEqual([]);
  expect(rig.world.writes('openIssue')).toHaveLength(1);
});
