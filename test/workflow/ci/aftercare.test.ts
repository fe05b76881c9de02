// What comes after a finding is green (CI-10): a fix is checked again after 10 min, 1 h, 24 h and 48 h, what was opened is closed, once, and
// neither a pause nor the loss of the Temporal database loses any of it (DUR-2).
import { afterEach, expect } from 'vitest';
import { keep } from '../../replay/histories.ts';
import { createRig, dayMs, hourMs, minuteMs, type Rig, test, until, workspace } from '../rig.ts';

let rig: Rig;
afterEach(async () => rig.stop());

type Line = { readonly action: string; readonly reason: string; readonly at: number };

/** Oldest first, of the one finding there is. */
async function trail(...actions: readonly string[]): Promise<readonly Line[]> {
  const { rows } = await rig.database.pool.query(
    `select a.action, a.reason, ((a.at_ms - (select max(resolved_ms) from findings)) / 60000)::int as at
     from audit a where action = any($1) order by id`,
    [actions],
  );
  return rows;
}

async function memory(): Promise<Record<string, unknown>> {
  const { rows } = await rig.database.pool.query('select memory from findings');
  return rows[0].memory;
}

async function status(tenant: string): Promise<string | undefined> {
  return (await rig.findings(tenant))[0]?.status;
}

/** Red, fixed by a fixer, merged by a person, green. */
async function fixed(tenant: string, everyMs = 15 * minuteMs): Promise<void> {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply(tenant, {
    workspaces: [workspace({ databases: [] })],
    cadence: { perSource: { ciRuns: `${everyMs / minuteMs}m` } },
  });
  const place = rig.world.place(tenant);
  Object.assign(place.ci, { jobs: ['build'], fixer: 'formatter' });
  await rig.startLoop(tenant);
  await until(async () => {
    expect(place.pull).not.toBeNull();
    expect(await status(tenant)).toBe('waiting');
  });
  Object.assign(place.pull ?? {}, { merged: true, state: 'closed' });
  Object.assign(place.ci, { jobs: [], runId: 2, headSha: 'b'.repeat(40) });
  await rig.loop(tenant).executeUpdate('cycleNow', { args: [{ by: 'ana' }] });
  await until(async () => {
    expect(await status(tenant)).toBe('resolved');
    expect(await memory()).toMatchObject({ fixedBy: 'pull request #2' });
  });
}

/** Red, nobody can fix it, a person has it. */
async function escalated(tenant: string): Promise<void> {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply(tenant, { workspaces: [workspace({ databases: [] })] });
  rig.world.place(tenant).ci.jobs = ['test'];
  await rig.startLoop(tenant);
  await until(async () => expect(await status(tenant)).toBe('escalated'));
  expect(rig.world.writes('openIssue')).toHaveLength(1);
}

test('CI-10: a merged fix is checked after 10 min, 1 h, 24 h and 48 h, then it is proved', async () => {
  await fixed('soaked', 5 * hourMs);
  await rig.skip(2 * hourMs);
  await until(async () => expect((await trail('soak.passed')).map(({ at }) => at)).toEqual([10, 60]));
  expect(await memory()).toMatchObject({ soak: { state: 'running', passedMs: [10 * minuteMs, hourMs] } });
  await rig.skip(47 * hourMs);
  await until(async () =>
    expect((await trail('soak.passed', 'aftercare.done')).map(({ action, at }) => [action, at])).toEqual([
      ['soak.passed', 10],
      ['soak.passed', 60],
      ['soak.passed', 24 * 60],
      ['soak.passed', 48 * 60],
      ['aftercare.done', 48 * 60],
    ]),
  );
  expect(await memory()).toMatchObject({ soak: { state: 'proved' } });
  expect(await status('soaked')).toBe('resolved');
  // The merged pull request is the fix: it is neither commented on nor closed.
  expect(rig.world.writes('commentOnIssue')).toEqual([]);
  expect(rig.world.writes('closePullRequest')).toEqual([]);
  await keep('soak', await rig.histories());
});

test('CI-10: the same job failing again within 48 h is a repeat failure, which keeps its counter and gets a remedy', async () => {
  await fixed('again');
  const place = rig.world.place('again');
  place.pull = null;
  await rig.skip(30 * minuteMs);
  place.ci = { ...place.ci, jobs: ['build'], runId: 3, headSha: 'c'.repeat(40) };
  await rig.skip(20 * minuteMs);
  await until(() => expect(rig.world.writes('openPullRequest')).toHaveLength(2));
  expect(await trail('finding.repeatFailure')).toHaveLength(1);
  expect((await rig.findings('again'))[0]).toMatchObject({ occurrence: 1, attempts: 2 });
  expect(await memory()).toMatchObject({ repeats: 1 });
  // The checks of the fix that did not hold are over.
  await rig.skip(2 * hourMs);
  expect((await trail('soak.passed')).map(({ reason }) => reason)).toHaveLength(1);
});

test('CI-10: a check sees the failure before the loop does; it is one repeat failure all the same', async () => {
  await fixed('unseen');
  const place = rig.world.place('unseen');
  place.pull = null;
  place.sources.ciRuns = 'throw';
  place.ci = { ...place.ci, jobs: ['build'], runId: 3, headSha: 'c'.repeat(40) };
  await rig.skip(12 * minuteMs);
  await until(async () => expect(await trail('finding.repeatFailure')).toHaveLength(1));
  expect((await trail('finding.repeatFailure'))[0]?.reason).toMatch(/within 48 h of pull request #2: run 3/);
  expect(await status('unseen')).toBe('resolved');
  place.sources.ciRuns = undefined;
  await rig.skip(20 * minuteMs);
  await until(() => expect(rig.world.writes('openPullRequest')).toHaveLength(2));
  expect(await memory()).toMatchObject({ repeats: 1 });
  expect(await trail('finding.repeatFailure')).toHaveLength(1);
});

test('CI-10: a check that is made days late and finds the job red: no repeat failure, and never proved', async () => {
  await fixed('late', 5 * hourMs);
  await rig.skip(2 * hourMs);
  await until(async () => expect(await trail('soak.passed')).toHaveLength(2));
  const place = rig.world.place('late');
  place.sources.ciRuns = 'throw';
  place.ci = { ...place.ci, jobs: ['build'], runId: 3, headSha: 'c'.repeat(40) };
  // As after a stop of days: it was green three days earlier than the clock says.
  await rig.database.pool.query(
    `update findings set resolved_ms = resolved_ms - $1, memory = jsonb_set(memory, '{soak,resolvedMs}', to_jsonb(resolved_ms - $1))`,
    [3 * dayMs],
  );
  await rig.skip(24 * hourMs);
  await until(async () => expect(await trail('aftercare.done')).toHaveLength(1));
  expect(await memory()).toMatchObject({ soak: { state: 'unproved', passedMs: [10 * minuteMs, hourMs] } });
  expect((await trail('aftercare.done'))[0]?.reason).toBe(
    'the job fails in run 3, more than 48h after pull request #2: not a repeat failure, and the fix is not proved',
  );
  expect(await trail('finding.repeatFailure')).toEqual([]);
});

test('CI-10, DUR-2: the checks outlive the Temporal database: what is due is made, what was made is not made again', async () => {
  await fixed('lost', 5 * hourMs);
  await rig.skip(2 * hourMs);
  await until(async () => expect(await trail('soak.passed')).toHaveLength(2));
  await rig.loseTemporal();
  await rig.startWorker();
  await rig.startLoop('lost');
  await rig.skip(3 * dayMs);
  await until(async () => {
    expect(await trail('aftercare.done')).toHaveLength(1);
    expect(await memory()).toMatchObject({
      soak: { state: 'proved', passedMs: [10 * minuteMs, hourMs, 24 * hourMs, 48 * hourMs] },
    });
  });
  expect((await trail('soak.passed')).length).toBeLessThanOrEqual(4);
});

test('CI-10: an escalated finding that turns green closes its issue, once, with a word', async () => {
  await escalated('tidy');
  rig.world.place('tidy').ci.jobs = [];
  await rig.loop('tidy').executeUpdate('cycleNow', { args: [{ by: 'ana' }] });
  await until(() => expect(rig.world.writes('closeIssue')).toHaveLength(1));
  const { input } = rig.world.writes('closeIssue')[0] ?? { input: {} };
  expect(input).toMatchObject({ number: 1, comment: expect.stringMatching(/^The failure is gone/) });
  await rig.skip(3 * hourMs);
  expect(rig.world.writes('closeIssue')).toHaveLength(1);
  expect(await status('tidy')).toBe('resolved');
  expect(await memory()).toMatchObject({ issue: null, closedIssue: 1, aftercare: 'nothing is left open' });
  // Back within the week: a new issue says so, since the old one is closed.
  rig.world.place('tidy').ci.jobs = ['test'];
  await rig.skip(20 * minuteMs);
  await until(() => expect(rig.world.writes('openIssue')).toHaveLength(2));
  await keep('tidy', await rig.histories());
});

test('CI-10: an open pull request of ours, left by a remedy that ended, is closed too', async () => {
  await escalated('pulled');
  const place = rig.world.place('pulled');
  place.pull = { number: 5, state: 'open', merged: false };
  await rig.database.pool.query(`update findings set memory = memory || '{"pullRequest": 5}'`);
  place.ci.jobs = [];
  await rig.loop('pulled').executeUpdate('cycleNow', { args: [{ by: 'ana' }] });
  await until(() => expect(rig.world.writes('closePullRequest')).toHaveLength(1));
  expect(rig.world.writes('commentOnIssue')).toMatchObject([
    { input: { number: 5, body: expect.stringMatching(/not needed any more/) } },
  ]);
  await until(async () => expect(await memory()).toMatchObject({ pullRequest: null, fixedBy: '' }));
  expect(await trail('soak.passed')).toEqual([]);
});

test('CI-10, LOOP-10, DUR-2: a pause holds the closing, also over the loss of the Temporal database; then it is done once', async () => {
  await escalated('held');
  await rig.loop('held').executeUpdate('pause', { args: [{ by: 'ana', reason: 'freeze' }] });
  rig.world.place('held').ci.jobs = [];
  await rig.loop('held').executeUpdate('cycleNow', { args: [{ by: 'ana' }] });
  await until(async () => expect(await trail('effect.held')).not.toHaveLength(0));
  await rig.skip(2 * hourMs);
  expect(rig.world.writes('closeIssue')).toEqual([]);
  expect(await status('held')).toBe('resolved');
  await rig.loseTemporal();
  await rig.startWorker();
  await rig.startLoop('held');
  await until(async () => expect((await rig.view('held')).phase).toBe('sleeping'));
  expect(rig.world.writes('closeIssue')).toEqual([]);
  await rig.loop('held').executeUpdate('resume', { args: [{ by: 'ana', reason: 'over' }] });
  await until(() => expect(rig.world.writes('closeIssue')).toHaveLength(1));
  await until(async () => expect(await trail('aftercare.done')).toHaveLength(1));
});

test('CI-10, LOOP-12: where closing is not allowed, the issue stays, the trail says why, and nobody asks for ever', async () => {
  await escalated('observe');
  await rig.apply('observe', {
    workspaces: [workspace({ databases: [] })],
    autonomy: { default: 'act', effects: { closeIssue: 'observe' } },
  });
  rig.world.place('observe').ci.jobs = [];
  await rig.loop('observe').executeUpdate('cycleNow', { args: [{ by: 'ana' }] });
  await until(async () =>
    expect((await trail('aftercare.left'))[0]?.reason).toMatch(/closeIssue needs autonomy "propose"/),
  );
  await rig.skip(4 * hourMs);
  expect(await trail('aftercare.left')).toHaveLength(1);
  expect(await trail('effect.refused')).toHaveLength(1);
  expect(rig.world.writes('closeIssue')).toEqual([]);
});
