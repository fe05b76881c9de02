// DUR-1, DUR-5: every effect on GitHub through the real door, on a real Postgres and a real forge: once, found again, never twice.
import { describe, expect, it } from 'vitest';
import { TryAgain } from '../../../src/activities/effects/door-failure.ts';
import type { EffectRequest } from '../../../src/contract/effect.ts';
import { effectScene, thrown, type WriteKind } from './effect-scene.ts';
import { at, effect } from './rig.ts';

const scene = effectScene();
const { driftPull, landed, later, openIssue, pullRequest, pushed, pushInput } = scene;

type Case = {
  readonly name: string;
  readonly write: WriteKind;
  /** The one request that writes, for faults. */
  readonly fault: { readonly method: string; readonly pathPattern: string };
  /** Of two writes: after the first one the probe says "not done", and a second attempt does the rest. */
  readonly parts?: true;
  readonly make: () => Promise<EffectRequest>;
  readonly result: object;
};

const cases: readonly Case[] = [
  {
    name: 'openIssue',
    write: 'issueOpened',
    fault: { method: 'POST', pathPattern: '/issues$' },
    make: async () =>
      effect('openIssue', { title: 'Broken', body: 'See @bob', labels: ['untilgreen'] }, later()),
    result: { number: expect.any(Number), url: expect.stringContaining('/issues/') },
  },
  {
    name: 'updateIssue',
    write: 'issueUpdated',
    fault: { method: 'PATCH', pathPattern: '/issues/\\d+$' },
    make: async () =>
      effect(
        'updateIssue',
        { number: await openIssue('old'), title: 'New', body: 'new', addLabels: ['x'] },
        later(),
      ),
    result: { number: expect.any(Number) },
  },
  {
    name: 'closeIssue',
    write: 'issueUpdated',
    fault: { method: 'PATCH', pathPattern: '/issues/\\d+$' },
    make: async () => effect('closeIssue', { number: await openIssue(), comment: 'green again' }, later()),
    result: { number: expect.any(Number) },
  },
  {
    name: 'commentOnIssue',
    write: 'commentCreated',
    fault: { method: 'POST', pathPattern: '/comments$' },
    make: async () => effect('commentOnIssue', { number: await openIssue(), body: 'hello' }, later()),
    result: { commentId: expect.any(Number) },
  },
  {
    name: 'pushBranch',
    write: 'refUpdated',
    fault: { method: 'POST', pathPattern: 'git-receive-pack' },
    make: async () => effect('pushBranch', await pushInput(), later()),
    result: { commitSha: expect.stringMatching(/^[0-9a-f]{40}$/) },
  },
  {
    name: 'openPullRequest',
    write: 'pullCreated',
    parts: true,
    fault: { method: 'POST', pathPattern: '/pulls$' },
    make: async () =>
      effect(
        'openPullRequest',
        { head: (await pushed()).branch, base: 'main', title: 'Fix', body: 'b', labels: ['untilgreen'] },
        later(),
      ),
    result: { number: expect.any(Number), headSha: expect.stringMatching(/^[0-9a-f]{40}$/) },
  },
  {
    name: 'closePullRequest',
    write: 'pullUpdated',
    parts: true,
    fault: { method: 'PATCH', pathPattern: '/pulls/\\d+$' },
    make: async () =>
      effect('closePullRequest', { number: (await pullRequest()).number, deleteBranch: true }, later()),
    result: { number: expect.any(Number) },
  },
  {
    name: 'mergePullRequest',
    write: 'pullMerged',
    fault: { method: 'PUT', pathPattern: '/merge$' },
    make: async () => {
      const { number, sha } = await driftPull();
      return effect(
        'mergePullRequest',
        { number, sha, reason: 'autoMerge', environment: 'production' },
        later(),
      );
    },
    result: { mergeCommitSha: expect.stringMatching(/^[0-9a-f]{40}$/) },
  },
  {
    name: 'rerunFailedJobs',
    write: 'runRerun',
    fault: { method: 'POST', pathPattern: '/rerun-failed-jobs$' },
    make: async () => {
      const run = await scene.rig.forge.actions.createRun({
        ...at,
        conclusion: 'failure',
        jobs: [{ name: 'test', conclusion: 'failure' }],
      });
      return effect('rerunFailedJobs', { runId: run.id, runAttempt: 1 }, later());
    },
    result: { runAttempt: 2 },
  },
];

describe.each(cases)('$name', ({ write, fault, make, result, parts }) => {
  const reason = parts ? 'written' : expect.stringContaining('probe');

  it('is written once, and answered with its receipt from then on', async () => {
    const request = await make();
    const mark = await scene.rig.forge.journal.mark();
    const receipt = await scene.door.run(request);
    expect(receipt).toMatchObject({ status: 'receipt', outcome: 'applied', result });
    const requests = await scene.rig.forge.journal.mark();
    expect(await scene.door.run(request)).toEqual(receipt);
    expect(await scene.rig.forge.journal.mark()).toBe(requests);
    expect(await landed(write, mark)).toBe(1);
  });

  it('is found by its probe after a crash right behind the write', async () => {
    const request = await make();
    const mark = await scene.rig.forge.journal.mark();
    const atPoint = (point: string): void => {
      if (point === 'written') throw new Error('crashed');
    };
    expect(await thrown(scene.door.run(request, { atPoint }))).toBeInstanceOf(TryAgain);
    expect(await scene.door.finish(request)).toMatchObject({
      outcome: 'applied',
      reason: expect.stringContaining('probe'),
      result,
    });
    expect(await landed(write, mark)).toBe(1);
  });

  it.each(['badGatewayAfter', 'resetAfter'] as const)('is not written twice after %s', async (kind) => {
    const request = await make();
    const mark = await scene.rig.forge.journal.mark();
    await scene.rig.forge.faults.add({ kind, match: fault });
    const first = await thrown(scene.door.run(request));
    // git's transport asks once more by itself when a connection that it kept is reset, and hears that it is done.
    if (write !== 'refUpdated' || kind !== 'resetAfter') {
      expect(first).toBeInstanceOf(TryAgain);
      expect(await scene.door.finish(request)).toMatchObject({ reason });
    }
    expect(await scene.door.run(request)).toMatchObject({ outcome: 'applied', result });
    expect(await landed(write, mark)).toBe(1);
  });

  it('is not written twice when it lands after its 502', async () => {
    const request = await make();
    const mark = await scene.rig.forge.journal.mark();
    await scene.rig.forge.faults.add({ kind: 'badGatewayLate', match: fault, delayMs: 700 });
    expect(await thrown(scene.door.run(request))).toBeInstanceOf(TryAgain);
    expect(await scene.door.finish(request)).toMatchObject({
      outcome: 'applied',
      reason,
    });
    expect(await landed(write, mark)).toBe(1);
  });

  it('is written after a 502 that did nothing, and after a rate limit', async () => {
    const request = await make();
    const mark = await scene.rig.forge.journal.mark();
    await scene.rig.forge.faults.add({ kind: 'badGateway', match: fault });
    expect(await thrown(scene.door.run(request))).toBeInstanceOf(TryAgain);
    await scene.rig.forge.faults.add({ kind: 'secondaryLimit', match: fault, retryAfterSeconds: 1 });
    expect(await scene.door.finish(request)).toMatchObject({ outcome: 'applied', result });
    expect(await landed(write, mark)).toBe(1);
  });
});
