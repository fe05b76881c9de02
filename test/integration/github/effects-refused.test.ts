// DUR-1, SEC-1, LOOP-13: what effects on GitHub do where things changed, may not be written, or were forged.
import { describe, expect, it } from 'vitest';
import { TryAgain } from '../../../src/activities/effects/door-failure.ts';
import type { EffectRequest } from '../../../src/contract/effect.ts';
import { readBranchSha, readPullRequest } from '../../../src/integrations/github/read.ts';
import { effectKey } from '../../../src/store/claims.ts';
import { effectScene, thrown } from './effect-scene.ts';
import { at, effect, patchOf } from './rig.ts';

const scene = effectScene();
const { approve, driftPull, landed, later, openIssue, pullRequest, pushed, pushInput, send } = scene;

it('gives a rate limit its time, and keeps nothing reserved meanwhile', async () => {
  const request = effect('openIssue', { title: 'limited', body: '' }, later());
  await scene.rig.forge.faults.add({
    kind: 'secondaryLimit',
    match: { method: 'POST', pathPattern: '/issues$' },
    retryAfterSeconds: 9,
    status: 403,
  });
  expect(await thrown(scene.door.run(request))).toMatchObject({ name: 'TryAgain', delayMs: 9_000 });
  await scene.rig.forge.faults.add({
    kind: 'secondaryLimit',
    match: { method: 'GET', pathPattern: '/issues\\?' },
    retryAfterSeconds: 8,
  });
  expect(await thrown(scene.door.run(request))).toMatchObject({ name: 'TryAgain', delayMs: 8_000 });
  expect(await scene.door.run(request)).toMatchObject({ outcome: 'applied' });
});

describe('markers', () => {
  it('of strangers prove nothing', async () => {
    const stranger = (await scene.rig.forge.createUser({ login: 'mallory', permission: 'write' })).token;
    const requests = [
      effect('openIssue', { title: 'real', body: 'x' }, later()),
      effect('commentOnIssue', { number: await openIssue(), body: 'real' }, later()),
    ] as const;
    for (const request of requests) {
      const forged = `<!-- untilgreen:${effectKey(request).slice(0, 24)} -->`;
      if (request.kind === 'openIssue')
        await send(stranger, 'POST /repos/{owner}/{repo}/issues', { title: 'real', body: forged });
      else {
        const { number } = request.input as { number: number };
        await send(stranger, 'POST /repos/{owner}/{repo}/issues/{number}/comments', { number, body: forged });
      }
      const mark = await scene.rig.forge.journal.mark();
      expect(await scene.door.run(request)).toMatchObject({ outcome: 'applied', reason: 'written' });
      expect(await scene.rig.forge.journal.writes({ after: mark, actor: 'untilgreen-agent' })).toHaveLength(
        1,
      );
    }
  });

  it('in text of others are taken out, with mentions and secrets', async () => {
    const wanted = effect('openIssue', { title: 'later', body: 'later' }, later());
    const forged = `<!-- untilgreen:${effectKey(wanted).slice(0, 24)} -->`;
    await scene.door.run(
      effect(
        'openIssue',
        { title: `x ${scene.rig.token}`, body: `log says ${forged} @team ${scene.rig.token}` },
        later(),
      ),
    );
    const [write] = (await scene.rig.forge.journal.writes({ kind: 'issueOpened' })).slice(-1);
    expect(write?.title).toBe('x [secret:TOKEN]');
    expect(write?.body).not.toContain(scene.rig.token);
    expect(write?.body).toContain('@&#8203;team');
    expect(await scene.door.run(wanted)).toMatchObject({ outcome: 'applied', reason: 'written' });
  });

  it('of a lost database still keep an effect from being written again', async () => {
    const request = effect('openIssue', { title: 'kept', body: '' }, later());
    await scene.door.run(request);
    await scene.door.database.pool.query('delete from effects where key = $1', [effectKey(request)]);
    expect(await scene.door.run(request)).toMatchObject({ outcome: 'alreadyApplied' });
    const update = effect('updateIssue', { number: 1, body: 'rewritten' }, later());
    const first = await scene.door.run(effect('openIssue', { title: 'first', body: 'a' }, later()));
    const number = first.status === 'receipt' ? Number(first.result.number) : 0;
    await scene.door.run({ ...update, input: { number, body: 'rewritten' } });
    const body = (await scene.rig.forge.journal.writes({ kind: 'issueUpdated' })).at(-1)?.body ?? '';
    expect(body.match(/<!-- untilgreen:/g)).toHaveLength(2);
    expect(body.startsWith('rewritten\n')).toBe(true);
  });
});

describe('what has changed or may not be', () => {
  const head = '0'.repeat(40);
  it.each<[string, () => Promise<EffectRequest>, object]>([
    [
      'no such issue',
      async () => effect('commentOnIssue', { number: 9_999, body: 'x' }),
      { outcome: 'stale' },
    ],
    ['no such issue to close', async () => effect('closeIssue', { number: 9_999 }), { outcome: 'stale' }],
    [
      'an issue that is closed',
      async () => {
        const number = await openIssue();
        await send(scene.rig.token, 'PATCH /repos/{owner}/{repo}/issues/{number}', {
          number,
          state: 'closed',
        });
        return effect('closeIssue', { number, comment: 'x' });
      },
      { outcome: 'alreadyApplied' },
    ],
    [
      'an issue of somebody else',
      async () => {
        const token = (await scene.rig.forge.createUser({ login: 'other', permission: 'write' })).token;
        const { number } = await send(token, 'POST /repos/{owner}/{repo}/issues', { title: 'theirs' });
        return effect('updateIssue', { number: number ?? 0, body: 'x' });
      },
      { outcome: 'refused' },
    ],
    [
      'a pull request without commits (422)',
      async () => {
        await send(scene.rig.token, 'POST /repos/{owner}/{repo}/git/refs', {
          ref: 'refs/heads/untilgreen/same',
          sha: await readBranchSha(scene.rig.place, 'main'),
        });
        return effect('openPullRequest', { head: 'untilgreen/same', base: 'main', title: 'x', body: '' });
      },
      { outcome: 'refused', reason: expect.stringContaining('No commits between') },
    ],
    [
      'a pull request from a branch of a person',
      async () => effect('openPullRequest', { head: 'feature/x', base: 'main', title: 'x', body: '' }),
      { status: 'refused', guard: 'allowlist' },
    ],
    [
      'a push to a branch of a person',
      async () => effect('pushBranch', await pushInput({ branch: 'main' })),
      { status: 'refused', guard: 'allowlist' },
    ],
    [
      'a push to a branch that is there',
      async () => {
        const { branch } = await pushed();
        return effect('pushBranch', await pushInput({ branch }));
      },
      { outcome: 'stale' },
    ],
    [
      'a push to a branch that moved on',
      async () => {
        const { branch } = await pushed();
        return effect('pushBranch', await pushInput({ branch, expectedOldSha: head }));
      },
      { outcome: 'stale' },
    ],
    [
      'a patch that does not apply',
      async () =>
        effect(
          'pushBranch',
          await pushInput({ patchEvidence: await scene.door.savePatch(patchOf('a.txt', 'other\n', 'x\n')) }),
        ),
      { outcome: 'refused' },
    ],
    [
      'a patch that is gone',
      async () => effect('pushBranch', await pushInput({ patchEvidence: 'f'.repeat(64) })),
      { outcome: 'refused' },
    ],
    [
      'a base that is gone',
      async () => effect('pushBranch', await pushInput({ baseSha: head })),
      { outcome: 'refused' },
    ],
    [
      'a run at another attempt',
      async () => {
        const run = await scene.rig.forge.actions.createRun({
          ...at,
          conclusion: 'failure',
          jobs: [{ name: 't', conclusion: 'failure' }],
        });
        return effect('rerunFailedJobs', { runId: run.id, runAttempt: 3 });
      },
      { outcome: 'stale' },
    ],
    [
      'a run that was run again',
      async () => {
        const run = await scene.rig.forge.actions.createRun({
          ...at,
          conclusion: 'failure',
          jobs: [{ name: 't', conclusion: 'failure' }],
        });
        await send(scene.rig.token, 'POST /repos/{owner}/{repo}/actions/runs/{id}/rerun-failed-jobs', {
          id: run.id,
        });
        return effect('rerunFailedJobs', { runId: run.id, runAttempt: 1 });
      },
      { outcome: 'alreadyApplied' },
    ],
    [
      'a run that is not over',
      async () => {
        const run = await scene.rig.forge.actions.createRun({ ...at, status: 'in_progress' });
        return effect('rerunFailedJobs', { runId: run.id, runAttempt: 1 });
      },
      { outcome: 'stale' },
    ],
    [
      'a run without failed jobs (403)',
      async () => {
        const run = await scene.rig.forge.actions.createRun({ ...at, conclusion: 'failure', jobs: [] });
        return effect('rerunFailedJobs', { runId: run.id, runAttempt: 1 });
      },
      { outcome: 'refused', reason: expect.stringContaining('403') },
    ],
    [
      'a merge at another head',
      async () => {
        const { number } = await driftPull();
        return effect('mergePullRequest', {
          number,
          sha: head,
          reason: 'autoMerge',
          environment: 'production',
        });
      },
      { outcome: 'stale' },
    ],
    [
      'a merge of a draft (405)',
      async () => {
        const { number, sha } = await driftPull(true);
        return effect('mergePullRequest', { number, sha, reason: 'autoMerge', environment: 'production' });
      },
      { outcome: 'refused', reason: expect.stringContaining('405') },
    ],
    [
      'a fix of the agent, merged as if it were drift',
      async () => {
        const { number, sha } = await pullRequest('untilgreen/ci-');
        return effect('mergePullRequest', { number, sha, reason: 'autoMerge', environment: 'production' });
      },
      { outcome: 'stale', reason: expect.stringContaining('not merged without a person') },
    ],
    [
      'drift of another environment, merged as if it were this one',
      async () => {
        const { number, sha } = await pullRequest('untilgreen/drift-shop-staging-');
        return effect('mergePullRequest', { number, sha, reason: 'autoMerge', environment: 'production' });
      },
      { outcome: 'stale', reason: expect.stringContaining('not merged without a person') },
    ],
    [
      'drift of an environment without autoMerge',
      async () => {
        const { number, sha } = await driftPull();
        return effect('mergePullRequest', { number, sha, reason: 'autoMerge', environment: 'staging' });
      },
      { status: 'hold', guard: 'approval' },
    ],
  ])('%s', async (_name, make, expected) => {
    const request = await make();
    const mark = await scene.rig.forge.journal.mark();
    expect(await scene.door.run({ ...request, ...later() })).toMatchObject(expected);
    expect(await scene.rig.forge.journal.writes({ after: mark })).toEqual([]);
  });

  it('merges what a person approved, at the head that was approved only', async () => {
    const { number, sha, branch } = await pullRequest();
    const request = effect('mergePullRequest', { number, sha, reason: 'approved' }, later());
    expect(await scene.door.run(request)).toMatchObject({ status: 'hold', guard: 'approval' });
    await scene.rig.forge.commitFiles({ ...at, branch, files: { more: 'x' }, message: 'more' });
    await approve(request);
    expect(await scene.door.run(request)).toMatchObject({ outcome: 'stale' });
    const { headSha } = (await readPullRequest(scene.rig.place, number)) ?? { headSha: '' };
    const again = effect('mergePullRequest', { number, sha: headSha, reason: 'approved' }, later());
    await scene.door.run(again);
    await approve(again);
    expect(await scene.door.run(again)).toMatchObject({ outcome: 'applied' });
    expect(await readPullRequest(scene.rig.place, number)).toMatchObject({ merged: true, headSha });
  });

  it('deletes its own branch with its pull request, but not one with commits of others', async () => {
    const kept = await pullRequest();
    const gone = await pullRequest();
    await scene.door.run(effect('closePullRequest', { number: gone.number, deleteBranch: true }, later()));
    expect(await readBranchSha(scene.rig.place, gone.branch)).toBeNull();
    const theirs = await pullRequest('feature/theirs-');
    await scene.door.run(effect('closePullRequest', { number: theirs.number, deleteBranch: true }, later()));
    expect(await readBranchSha(scene.rig.place, theirs.branch)).toBe(theirs.sha);
    await scene.door.run(effect('closePullRequest', { number: kept.number }, later()));
    expect(await readBranchSha(scene.rig.place, kept.branch)).toBe(kept.sha);
  });

  it('adds the labels that a crash left out, to the one pull request', async () => {
    const { branch } = await pushed();
    const request = effect(
      'openPullRequest',
      { head: branch, base: 'main', title: 'x', body: '', labels: ['a', 'b'] },
      later(),
    );
    const mark = await scene.rig.forge.journal.mark();
    await scene.rig.forge.faults.add({ kind: 'reset', match: { method: 'POST', pathPattern: '/labels$' } });
    expect(await thrown(scene.door.run(request))).toBeInstanceOf(TryAgain);
    expect(await scene.door.finish(request)).toMatchObject({ outcome: 'applied' });
    expect(await landed('pullCreated', mark)).toBe(1);
    expect(await landed('labelsAdded', mark)).toBe(1);
  });

  it('writes the comment of a closed issue once, whatever happens between', async () => {
    const number = await openIssue();
    const request = effect('closeIssue', { number, comment: 'bye' }, later());
    const mark = await scene.rig.forge.journal.mark();
    await scene.rig.forge.faults.add({ kind: 'reset', match: { method: 'PATCH' } });
    expect(await thrown(scene.door.run(request))).toBeInstanceOf(TryAgain);
    expect(await scene.door.finish(request)).toMatchObject({ outcome: 'applied' });
    expect(await landed('commentCreated', mark)).toBe(1);
  });

  it('makes the same commit again, and finds it under commits that came after', async () => {
    const request = effect('pushBranch', await pushInput(), later());
    const receipt = await scene.door.run(request);
    const { branch, commitSha } = receipt.status === 'receipt' ? receipt.result : {};
    await scene.rig.forge.commitFiles({
      ...at,
      branch: String(branch),
      files: { c: 'by a person' },
      message: 'more',
    });
    await scene.door.database.pool.query('delete from effects where key = $1', [effectKey(request)]);
    expect(await scene.door.run(request)).toMatchObject({ outcome: 'alreadyApplied', result: { commitSha } });
  });
});

it.each([
  ['openIssue', { title: '', body: '' }],
  ['openIssue', { title: 'x', body: 'x', extra: 1 }],
  ['pushBranch', { branch: 'untilgreen/../main' }],
  ['commentOnIssue', { number: 0, body: 'x' }],
  ['mergePullRequest', { number: 1, sha: 'abc', reason: 'approved' }],
  ['rerunFailedJobs', { runId: 1 }],
] as const)('%s refuses input that does not fit: %o', async (kind, input) => {
  await expect(scene.door.run(effect(kind, input))).rejects.toMatchObject({
    name: 'BadRequest',
    type: 'Effect.InputInvalid',
  });
});

// INC-6: what wakes a person passes a pause.
it('lets the issue of an incident through a pause, and nothing else', async () => {
  await scene.door.database.pool.query(
    `insert into pauses (tenant, scope, reason, raised_by) values ('acme', 'tenant', 'test', 'test')`,
  );
  expect(await scene.door.run(effect('openIssue', { title: 'x', body: '' }, later()))).toMatchObject({
    status: 'hold',
    guard: 'pause',
  });
  const opened = await scene.door.run(effect('openIssue', { title: 'x', body: '', incident: true }, later()));
  expect(opened).toMatchObject({ outcome: 'applied', risk: 'safe' });
  await scene.door.database.pool.query(`update pauses set lifted_at = now()`);
});
