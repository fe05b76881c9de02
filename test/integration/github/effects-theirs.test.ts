// CI-8 on a person's pull request: at `act` a commit on its branch, and on nothing else of theirs.
import { expect, it } from 'vitest';
import type { EffectRequest, Json } from '../../../src/contract/effect.ts';
import { readBranchSha } from '../../../src/integrations/github/read.ts';
import { effectScene } from './effect-scene.ts';
import { at, effect } from './rig.ts';

const scene = effectScene();
const { later, pullRequest, pushed, pushInput, send } = scene;

type Pull = { readonly number: number; readonly sha: string; readonly branch: string };

async function pushTo(pull: Pull, more: { [name: string]: Json } = {}): Promise<EffectRequest> {
  const { branch, sha, number } = pull;
  const input = await pushInput({ branch, pullRequest: number, baseSha: sha, expectedOldSha: sha, ...more });
  return effect('pushBranch', input, later());
}

it('CI-8: a fix goes on the branch of the pull request, once', async () => {
  const pull = await pullRequest('feature/mine-');
  const request = await pushTo(pull);
  const answer = await scene.door.run(request);
  expect(answer).toMatchObject({ outcome: 'applied', result: { branch: pull.branch } });
  const head = await readBranchSha(scene.rig.place, pull.branch);
  expect(answer).toMatchObject({ result: { commitSha: head } });
  const mark = await scene.rig.forge.journal.mark();
  expect(await scene.door.run(request)).toMatchObject({ outcome: 'applied' });
  expect(await scene.rig.forge.journal.writes({ after: mark })).toEqual([]);
});

it.each<[string, () => Promise<EffectRequest>, object]>([
  [
    'a branch that is watched itself',
    async () => pushTo({ ...(await pullRequest('feature/x-')), branch: 'main' }),
    { status: 'refused', reason: expect.stringContaining('ci.branches') },
  ],
  [
    'a branch off the list',
    async () => pushTo(await pullRequest('other/x-')),
    { status: 'refused', reason: expect.stringContaining('not on the list ci.pullRequests') },
  ],
  [
    'a branch without a pull request',
    async () => {
      const { branch, sha } = await pushed('feature/alone-');
      return effect('pushBranch', await pushInput({ branch, baseSha: sha, expectedOldSha: sha }), later());
    },
    { status: 'refused', reason: expect.stringContaining('not one of the agent') },
  ],
  [
    'the branch of another pull request',
    async () =>
      pushTo(await pullRequest('feature/a-'), { pullRequest: (await pullRequest('feature/b-')).number }),
    { outcome: 'stale', reason: expect.stringContaining('is not the branch of pull request') },
  ],
  [
    'a pull request that was closed',
    async () => {
      const pull = await pullRequest('feature/c-');
      await send(scene.rig.token, 'PATCH /repos/{owner}/{repo}/pulls/{number}', {
        number: pull.number,
        state: 'closed',
      });
      return pushTo(pull);
    },
    { outcome: 'stale', reason: expect.stringContaining('not open any more') },
  ],
  [
    'a head that moved',
    async () => {
      const pull = await pullRequest('feature/d-');
      await scene.rig.forge.commitFiles({
        ...at,
        branch: pull.branch,
        files: { more: 'x' },
        message: 'more',
      });
      return pushTo(pull);
    },
    { outcome: 'stale', reason: expect.stringContaining('planned on') },
  ],
  [
    'a commit that is not made on the head',
    async () => {
      const pull = await pullRequest('feature/e-');
      return pushTo(pull, { baseSha: (await readBranchSha(scene.rig.place, 'main')) ?? '' });
    },
    { status: 'refused', reason: expect.stringContaining('not made on the head') },
  ],
])('CI-8: never %s', async (_name, make, expected) => {
  const request = await make();
  const mark = await scene.rig.forge.journal.mark();
  expect(await scene.door.run(request)).toMatchObject(expected);
  expect(await scene.rig.forge.journal.writes({ after: mark, actor: 'untilgreen-agent' })).toEqual([]);
});
