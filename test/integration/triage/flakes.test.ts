// CI-2, CI-3: a failing job read once, and flakes by evidence: failed and passed on the same commit → watched, in the ledger with its rate, no fix.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FindingRef } from '../../../src/contract/activities.ts';
import { remember } from '../../../src/store/findings.ts';
import { dayMs, logOf, minuteMs, nodeTests, nowMs, type Scene, startScene } from './scene.ts';

let scene: Scene;
beforeEach(async () => {
  scene = await startScene();
  await scene.addTenant('acme');
});
afterEach(() => scene.stop());

const red = (...tests: readonly string[]) => [{ name: 'test', log: logOf(...nodeTests(tests, 20)) }];
const green = [{ name: 'test', log: 'ok\n', conclusion: 'success' as const }];

async function findingOf(job = 'test', atMs = nowMs): Promise<FindingRef> {
  const ref = (await scene.sweep('acme', atMs)).get(job);
  if (ref === undefined) throw new Error(`no finding of ${job}`);
  return ref;
}

describe('CI-5: a run is rerun once', () => {
  it('whichever of its failing jobs asked for it', async () => {
    await scene.run([
      { name: 'test', log: logOf(...nodeTests(['adds'], 20)) },
      { name: 'lint', log: logOf('eslint: 1 problem') },
    ]);
    const [test, lint] = [await findingOf('test'), await findingOf('lint')];
    expect(await scene.diagnose(test)).toMatchObject({ red: true, mayRerun: true });
    const { runId } = await scene.diagnose(lint);
    await scene.database.pool.query(
      `insert into effects (key, tenant, workspace, kind, target, precondition, requester, step, digest, risk, delivery, describe, actor, state, owner, fence, pause_epoch, lease_until, policy_ms, outcome)
       values ('k', 'acme', 'shop', 'rerunFailedJobs', $1, 'attempt 1', 'r', 'rerun', 'd', 'mutating', 'exactlyOnce', 'rerun', 'loop', 'done', 'o', 1, 0, now(), 1, 'applied')`,
      [`acme/shop/runs/${runId}`],
    );
    await scene.rerun(runId, 'failure');
    expect(await scene.diagnose(lint)).toMatchObject({ red: true, mayRerun: false });
    expect(await scene.diagnose(test)).toMatchObject({ red: true, mayRerun: false });
  });
});

describe('CI-2: what a failing job is', () => {
  it('has a class with a confidence and evidence lines of the log, redacted', async () => {
    const token = scene.rig.token;
    await scene.run([
      {
        name: 'test',
        log: logOf(...nodeTests(['adds'], 20), `AssertionError: token ${token} was not accepted`),
      },
    ]);
    const ref = await findingOf();
    const triage = await scene.triage(ref);
    expect(triage).toMatchObject({ next: 'fix', class: 'regression', untilMs: null });
    expect(triage.confidence).toBeGreaterThan(0.7);
    expect(triage.report).toContain('## Class: regression');
    expect(triage.report).toMatch(/\n\d+: .*AssertionError/);
    expect(triage.report).toContain('adds');
    const evidence = await scene.database.pool.query(`select body from evidence where kind = 'log'`);
    expect(evidence.rows).toHaveLength(1);
    expect(`${triage.report}${triage.why}${JSON.stringify(evidence.rows)}`).not.toContain(token);
    expect(await scene.memory(ref)).toMatchObject({ triage: { class: 'regression', next: 'fix' } });
  });

  it('costs one reading: asked again it asks GitHub for no log and no jobs of its own', async () => {
    await scene.run(green);
    await scene.commit();
    await scene.run(red('adds'));
    const ref = await findingOf();
    const before = await scene.rig.forge.journal.mark();
    const first = await scene.triage(ref);
    const reading = (await scene.rig.forge.journal.counted({ after: before })).map(({ path }) => path);
    expect(reading.filter((path) => path.endsWith('/logs'))).toHaveLength(2);
    // Those of the red run once, for diagnosis and triage; and those of the last green one.
    expect(reading.filter((path) => path.includes('/jobs?'))).toHaveLength(2);
    const mark = await scene.rig.forge.journal.mark();
    expect(await scene.triage(ref, nowMs + minuteMs)).toEqual(first);
    const asked = (await scene.rig.forge.journal.counted({ after: mark })).map(({ path }) => path);
    expect(asked.filter((path) => path.includes('/logs'))).toEqual([]);
    // The diagnosis itself reads runs and jobs once; the limit reads the open pull requests.
    expect(asked.filter((path) => path.includes('/jobs'))).toHaveLength(1);
  });

  it('finds the last green run behind pages of runs of other workflows, and says where it looked no further', async () => {
    await scene.run(green);
    for (let count = 0; count < 3; count += 1) await scene.run(red('adds'), { sha: await scene.commit() });
    const others = (count: number) =>
      Promise.all(
        Array.from({ length: count }, () =>
          scene.rig.forge.actions.createRun({
            owner: 'acme',
            repo: 'shop',
            workflow: '.github/workflows/other.yml',
            conclusion: 'success',
            jobs: [],
          }),
        ),
      );
    const ref = await findingOf();
    await others(120);
    const mark = await scene.rig.forge.journal.mark();
    const triage = await scene.triage(ref);
    expect(triage.report).not.toContain('Only the newest');
    const asked = (await scene.rig.forge.journal.counted({ after: mark })).map(({ path }) => path);
    // Of the green run's log what is the same in both is no cause.
    expect(asked.filter((path) => path.endsWith('/logs'))).toHaveLength(2);
    const { rows } = await scene.database.pool.query('select red_commits, runs_cut from ci_failures');
    expect(rows).toEqual([{ red_commits: 3, runs_cut: null }]);

    await scene.run(red('adds'), { sha: await scene.commit() });
    const next = await findingOf();
    await others(400);
    const later = await scene.triage(next);
    expect(later.report).toContain('Only the newest 500 runs of the branch were read');
  }, 120_000);

  it('asks the model, where there is one, only for what the rules leave unknown', async () => {
    await scene.run([{ name: 'test', log: 'it stopped\n' }]);
    const ref = await findingOf();
    let asked = 0;
    const classify = async () => {
      asked += 1;
      return { class: 'infra' as const, confidence: 0.6 };
    };
    expect(await scene.triage(ref, nowMs, { classify })).toMatchObject({ next: 'rerun', class: 'infra' });
    await scene.commit();
    await scene.run(red('adds'));
    expect(await scene.triage(await findingOf(), nowMs, { classify })).toMatchObject({ class: 'regression' });
    expect(asked).toBe(1);
  });

  it('unknown is rerun once, then given to a fix', async () => {
    await scene.run([{ name: 'test', log: 'it stopped\n' }]);
    const ref = await findingOf();
    expect(await scene.triage(ref)).toMatchObject({ next: 'rerun', class: 'unknown' });
    await remember(scene.database.pool, ref, { rerunUsed: true });
    expect(await scene.triage(ref)).toMatchObject({ next: 'fix', class: 'unknown' });
  });

  it('CI-13: a run that failed without a job is one of the workflow file, for a person or where a fix is allowed', async () => {
    await scene.run([{ name: 'test', log: 'ok\n', conclusion: 'success' }]);
    await scene.rig.forge.actions.createRun({ owner: 'acme', repo: 'shop', conclusion: 'failure', jobs: [] });
    const ref = await findingOf('(no job)');
    expect(await scene.triage(ref)).toMatchObject({ next: 'person', class: 'config' });
    await scene.addTenant('acme', { fixWorkflows: true });
    expect(await scene.triage(ref)).toMatchObject({ next: 'fix', class: 'config' });
  });
});

describe('CI-3: failed and passed on the same commit', () => {
  it('is a flake when another run of the commit passed before: rerun once, then watched, never fixed', async () => {
    const sha = await scene.commit();
    await scene.run(green, { sha });
    const run = await scene.run(red('adds'), { sha });
    const ref = await findingOf();
    const triage = await scene.triage(ref);
    expect(triage).toMatchObject({ next: 'rerun', class: 'flake', confidence: 0.99 });
    expect(triage.why).toMatch(
      new RegExp(`^flake: test failed in run ${run} and passed in run \\d+, on the same commit$`),
    );
    await remember(scene.database.pool, ref, { rerunUsed: true });
    expect(await scene.triage(ref)).toMatchObject({ next: 'watch', class: 'flake' });
  });

  it.each(['pull_request', 'workflow_dispatch'])(
    'is none when the other run was a %s: it tested more than the commit',
    async (event) => {
      const sha = await scene.commit();
      await scene.run(green, { sha, event });
      await scene.run(red('adds'), { sha, event });
      expect(await scene.triage(await findingOf())).toMatchObject({ next: 'fix', class: 'regression' });
    },
  );

  it('is none when another commit passed, or another job', async () => {
    await scene.run(green);
    const sha = await scene.commit();
    await scene.run([{ name: 'lint', log: 'ok\n', conclusion: 'success' }, ...red('adds')], { sha });
    expect(await scene.triage(await findingOf())).toMatchObject({ next: 'fix', class: 'regression' });
  });

  it('goes into the ledger when its rerun is green, with the first failure; a later commit that is green proves nothing', async () => {
    const first = await scene.run(red('adds'));
    const ref = await findingOf();
    await scene.rerun(first, 'success');
    const note = await scene.noteGreen(ref);
    expect(note).toMatchObject({ flake: true, quarantine: null });
    expect(note.why).toContain(`passed in attempt 2 of run ${first}`);
    expect(await ledger()).toEqual([
      { test: 'adds', runs: 1, line: expect.stringContaining('AssertionError') },
    ]);

    await scene.sweep('acme');
    await scene.commit();
    await scene.run(red('subtracts'));
    const next = await findingOf();
    await scene.commit();
    await scene.run(green);
    expect(await scene.noteGreen(next)).toMatchObject({ flake: false, quarantine: null });
    expect((await ledger()).map(({ test }) => test)).toEqual(['adds']);
  });

  it('counts a run once, however often it is told', async () => {
    const run = await scene.run(red('adds'));
    const ref = await findingOf();
    await scene.rerun(run, 'success');
    await scene.noteGreen(ref);
    await scene.noteGreen(ref);
    expect(await ledger()).toMatchObject([{ test: 'adds', runs: 1 }]);
  });
});

describe('CI-3: what runs of pull requests show never counts for main', () => {
  const branch = 'feature/a';

  it('a test that a pull request made flaky is a regression on main; one that is flaky on main is so in a pull request, too', async () => {
    await scene.openPull(branch);
    for (let count = 0; count < 2; count += 1) await flakyRun('adds', nowMs + count, branch);
    expect(await ledger()).toEqual([expect.objectContaining({ test: 'adds', runs: 2 })]);
    await scene.run(red('adds'), { sha: await scene.commit() });
    expect(await scene.triage(await findingOf())).toMatchObject({ next: 'fix', class: 'regression' });
    await scene.run(green, { sha: await scene.commit() });
    await scene.sweep('acme');

    await flakyRun('subtracts', nowMs);
    await scene.run(red('subtracts'), { sha: await scene.commit(branch), branch });
    expect(await scene.triage(await findingOf())).toMatchObject({ next: 'rerun', class: 'flake' });
  });

  it('its runs neither thin out the rate of main nor lead to it', async () => {
    await scene.openPull(branch);
    await flakyRun('adds', nowMs);
    await flakyRun('adds', nowMs + 1);
    for (let count = 0; count < 2; count += 1)
      expect((await flakyRun('adds', nowMs + 2 + count, branch)).quarantine).toBeNull();
    const third = await flakyRun('adds', nowMs + 10);
    expect(third.quarantine).toMatchObject({ test: 'adds', rate: 1 });
    expect(third.quarantine?.body).toContain('in 3 of 3 runs');
  });
});

describe('CI-3: a rate that rises while its issue is open', () => {
  it('brings the issue up to date, once per step; what a person closed stays closed', async () => {
    for (let count = 0; count < 17; count += 1) await scene.run(green);
    for (let count = 0; count < 2; count += 1) await flakyRun('adds', nowMs + count);
    const opened = await flakyRun('adds', nowMs + 3);
    expect(opened.quarantine).toMatchObject({ rate: 3 / 20 });
    expect(opened.quarantine).not.toHaveProperty('issue');
    const number = await scene.openQuarantine(opened);
    // 4 of 21: people know.
    expect((await flakyRun('adds', nowMs + 4)).quarantine).toBeNull();
    // 5 of 22: half as much again.
    const risen = await flakyRun('adds', nowMs + 5);
    expect(risen.quarantine).toMatchObject({ issue: number, rate: 5 / 22 });
    expect(risen.quarantine?.body).toContain('in 5 of 22 runs');
    expect(await scene.noteGreen(risen.ref, nowMs + 6)).toMatchObject({ quarantine: risen.quarantine });
    expect((await flakyRun('adds', nowMs + 7)).quarantine).toBeNull();
    await scene.closeIssue(number);
    for (let count = 0; count < 6; count += 1)
      expect((await flakyRun('adds', nowMs + 8 + count)).quarantine).toBeNull();
  });
});

describe('CI-3: the ledger', () => {
  it('a test of it that fails alone is rerun once, then watched; with another one beside it, or on three commits in a row, it is fixed', async () => {
    await flakyRun('adds', nowMs);
    await scene.commit();
    await scene.run(green);
    await scene.commit();
    await scene.run(red('adds', 'subtracts'));
    expect(await scene.triage(await findingOf())).toMatchObject({ next: 'fix', class: 'regression' });
    await scene.commit();
    await scene.run(green);
    await scene.sweep('acme');
    await scene.commit();
    await scene.run(red('adds'));
    const ref = await findingOf();
    await remember(scene.database.pool, ref, { rerunUsed: false });
    expect(await scene.triage(ref)).toMatchObject({ next: 'rerun', class: 'flake' });
    await remember(scene.database.pool, ref, { rerunUsed: true });
    const watched = await scene.triage(ref);
    expect(watched).toMatchObject({ next: 'watch', class: 'flake' });
    expect(watched.why).toBe('flake: test fails in adds only, which is in the flake ledger');
    for (let more = 0; more < 2; more += 1) {
      await scene.commit();
      await scene.run(red('adds'));
    }
    expect(await scene.triage(await findingOf())).toMatchObject({ next: 'fix', class: 'regression' });
  });

  it('is left after 7 clean days', async () => {
    await flakyRun('adds', nowMs);
    await scene.commit();
    await scene.run(red('adds'));
    const ref = await findingOf();
    expect(await scene.triage(ref, nowMs + 7 * dayMs - 1)).toMatchObject({ class: 'flake' });
    expect(await scene.triage(ref, nowMs + 7 * dayMs)).toMatchObject({ next: 'fix', class: 'regression' });
  });

  it('proposes quarantine in one issue, over the rate and from the third flaky run on', async () => {
    expect(await flakyRun('adds', nowMs)).toMatchObject({ flake: true, quarantine: null });
    expect(await flakyRun('adds', nowMs + minuteMs)).toMatchObject({ quarantine: null });
    const third = await flakyRun('adds', nowMs + 2 * minuteMs);
    expect(third.quarantine).toMatchObject({ test: 'adds', rate: 1, title: 'Flaky: adds' });
    expect(third.quarantine?.body).toContain('in 3 of 3 runs (100.0 %)');
    expect(third.quarantine?.body).toContain('The agent skips or changes no test by itself');
    expect(third.quarantine?.body.match(/^- 2026/gm)).toHaveLength(3);
    expect((await flakyRun('adds', nowMs + 3 * minuteMs)).quarantine).toBeNull();
  });

  it('proposes nothing under the rate', async () => {
    await scene.addTenant('acme', { flakes: { quarantineRate: 0.5, quarantineFailures: 3 } });
    for (let count = 0; count < 6; count += 1) await scene.run(green);
    for (let count = 0; count < 3; count += 1)
      expect((await flakyRun('adds', nowMs + count)).quarantine).toBeNull();
    const { rows } = await scene.database.pool.query('select count(*) as runs from ci_runs_seen');
    expect(rows[0]?.runs).toBe(9);
  });

  it('asks again for the same run: the same proposal', async () => {
    await flakyRun('adds', nowMs);
    await flakyRun('adds', nowMs);
    const run = await scene.run(red('adds'), { sha: await scene.commit() });
    const ref = await findingOf();
    await scene.rerun(run, 'success');
    const once = await scene.noteGreen(ref);
    expect(once.quarantine).not.toBeNull();
    expect(await scene.noteGreen(ref, nowMs + minuteMs)).toEqual(once);
  });
});

/** A run that fails in one test and passes when it is run again. */
async function flakyRun(test: string, atMs: number, branch = 'main') {
  const run = await scene.run(red(test), { sha: await scene.commit(branch), branch });
  const ref = await findingOf('test', atMs);
  await scene.rerun(run, 'success');
  const note = await scene.noteGreen(ref, atMs);
  await scene.sweep('acme', atMs);
  return { ...note, ref };
}

async function ledger() {
  const { rows } = await scene.database.pool.query(
    'select test, count(*) as runs, min(line) as line from ci_flakes group by test order by test',
  );
  return rows;
}
