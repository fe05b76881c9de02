// A fix that something comes between: Temporal is lost before its pull request is written down, the job turns green, a person closes the
// pull request.
import { afterEach, expect } from 'vitest';
import type { RemediateResult } from '../../../src/contract/loop.ts';
import { createRig, minuteMs, type Rig, test, until, workspace } from '../rig.ts';

let rig: Rig;
afterEach(async () => rig.stop());

async function failing(ci: object): Promise<void> {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply('cut', { workspaces: [workspace({ databases: [] })] });
  Object.assign(rig.world.place('cut').ci, { jobs: ['build'], fixer: 'formatter', ...ci });
  await rig.startLoop('cut');
}

const waits = (what: RegExp): Promise<void> =>
  until(async () =>
    expect(await rig.findings('cut')).toMatchObject([
      { status: 'waiting', waitingFor: expect.stringMatching(what) },
    ]),
  );
const cycle = (): Promise<unknown> => rig.loop('cut').executeUpdate('cycleNow', { args: [{ by: 'ana' }] });

test('DUR-2, CI-8: a pull request, and an issue, that were opened and not written down are found again: no second one', async () => {
  rig = await createRig();
  await rig.startWorker();
  const workspaces = ['fixed', 'asked'].map((name) => workspace({ name, databases: [] }));
  await rig.apply('cut', { workspaces });
  Object.assign(rig.world.place('cut', 'fixed').ci, { jobs: ['build'], fixer: 'formatter' });
  Object.assign(rig.world.place('cut', 'asked').ci, { jobs: ['build'] });
  await rig.startLoop('cut');
  const statuses = async (): Promise<object> =>
    Object.fromEntries((await rig.findings('cut')).map((one) => [one.workspace, one.status]));
  await until(async () => expect(await statuses()).toEqual({ fixed: 'waiting', asked: 'escalated' }));
  const { rows } = await rig.database.pool.query(
    `select workspace, memory from findings order by workspace desc`,
  );
  await rig.database.pool.query(
    `update findings set status = 'working', memory = memory - array['pullRequest', 'fixedSha', 'tries', 'issue']`,
  );
  await rig.loseTemporal();
  await rig.startWorker();
  await rig.startLoop('cut');
  await until(async () => expect(await statuses()).toEqual({ fixed: 'waiting', asked: 'escalated' }));
  expect(rig.world.place('cut', 'fixed').ci.fixes).toBe(2);
  expect(rig.world.writes('openPullRequest')).toHaveLength(1);
  expect(rig.world.writes('openIssue')).toHaveLength(1);
  expect(rig.world.writes('commentOnIssue')).toEqual([]);
  const after = await rig.database.pool.query(
    `select workspace, memory, attempts from findings order by workspace desc`,
  );
  expect(after.rows).toMatchObject([
    { workspace: 'fixed', attempts: 1, memory: { pullRequest: 1, fixedSha: rows[0].memory.fixedSha } },
    { workspace: 'asked', memory: { issue: rows[1].memory.issue } },
  ]);
});

test('CI-10: what turns green while it is being fixed gets neither a branch nor a pull request', async () => {
  await failing({ whileFixing: () => Object.assign(rig.world.place('cut').ci, { jobs: [] }) });
  await until(async () => expect(await rig.findings('cut')).toMatchObject([{ status: 'resolved' }]));
  expect(rig.world.place('cut').ci.fixes).toBe(1);
  expect(rig.world.writes('pushBranch')).toEqual([]);
  expect(rig.world.writes('openPullRequest')).toEqual([]);
});

test('CI-8: red again right after its pull request was closed as not needed, it gets another one, not a person', async () => {
  await failing({});
  await waits(/merge pull request/);
  const { ci } = rig.world.place('cut');
  // The remedy sees a green run, the loop the red one that comes after it.
  ci.green = true;
  ci.runId = 2;
  await cycle();
  await until(() => expect(rig.world.writes('closePullRequest')).toHaveLength(1));
  ci.green = false;
  ci.headSha = 'e'.repeat(40);
  await rig.skip(6 * minuteMs);
  await waits(/merge pull request/);
  expect(rig.world.writes('openPullRequest')).toHaveLength(2);
  expect(rig.world.writes('openIssue')).toEqual([]);
});

test('CI-8, LOOP-11: a pull request that a person closed is a no, until a person orders another try', async () => {
  await failing({});
  await waits(/merge pull request/);
  const place = rig.world.place('cut');
  if (place.pull) place.pull.state = 'closed';
  place.ci.runId = 2;
  await cycle();
  await until(async () => expect(await rig.findings('cut')).toMatchObject([{ status: 'escalated' }]));
  await cycle();
  expect(rig.world.writes('openPullRequest')).toHaveLength(1);
  const [finding] = await rig.findings('cut');
  await rig.loop('cut').executeUpdate<RemediateResult, [object]>('remediate', {
    args: [{ by: 'ana', requestId: 'again', finding: finding?.fingerprint.slice(0, 8) }],
  });
  await waits(/merge pull request/);
  expect(rig.world.writes('openPullRequest')).toHaveLength(2);
});

test('DRIFT-3, LOOP-10: drift that ends while the tenant is paused: its pull request is closed after the pause', async () => {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply('cut', { workspaces: [workspace({ ci: false, drift: 'auto', databases: [] })] });
  const place = rig.world.place('cut');
  Object.assign(place, { drift: { planHash: 'plan-a', destroys: 0 }, exportsDrift: true });
  place.effects.mergePullRequest = 'refuse';
  await rig.startLoop('cut');
  await waits(/a person to merge drift pull request/);
  await rig.loop('cut').executeUpdate('pause', { args: [{ by: 'ana', reason: 'freeze' }] });
  place.drift = null;
  await cycle();
  await until(async () => expect(await rig.findings('cut')).toMatchObject([{ status: 'resolved' }]));
  await rig.skip(10 * minuteMs);
  expect(rig.world.writes('closePullRequest')).toEqual([]);
  await rig.loop('cut').executeUpdate('resume', { args: [{ by: 'ana', reason: 'over' }] });
  await until(() => expect(rig.world.writes('closePullRequest')).toHaveLength(1));
});
