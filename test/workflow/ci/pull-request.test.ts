// CI-8 on a failing pull request of a person: at `act` a commit and a comment, else a comment with the patch; never a second pull request.
import { afterEach, expect } from 'vitest';
import { createRig, type Rig, test, until, workspace } from '../rig.ts';

let rig: Rig;
afterEach(async () => rig.stop());

async function failingPull(mayPush: boolean): Promise<void> {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply('theirs', { workspaces: [workspace({ databases: [] })] });
  const { ci } = rig.world.place('theirs');
  Object.assign(ci, { jobs: ['build'], fixer: 'formatter', pullRequest: 7, mayPush });
  await rig.startLoop('theirs');
}

test('CI-8: at act the fix is pushed to the branch, with a comment that names the commit', async () => {
  await failingPull(true);
  await until(async () =>
    expect((await rig.findings('theirs'))[0]?.waitingFor).toMatch(/run of the fixed commit/),
  );
  expect(rig.world.writes('pushBranch')).toMatchObject([
    { input: { branch: 'main', pullRequest: 7, expectedOldSha: rig.world.place('theirs').ci.headSha } },
  ]);
  const [comment] = rig.world.writes('commentOnIssue');
  expect(comment?.input).toMatchObject({
    number: 7,
    body: expect.stringMatching(/^Commit [0-9a-f]{40} on this branch/),
  });
  expect(rig.world.writes('openPullRequest')).toEqual([]);
  // The author's next run is green: nothing of theirs is closed.
  Object.assign(rig.world.place('theirs').ci, { jobs: [], headSha: 'e'.repeat(40) });
  await rig.loop('theirs').executeUpdate('cycleNow', { args: [{ by: 'ana' }] });
  await until(async () => expect((await rig.findings('theirs'))[0]?.status).toBe('resolved'));
  expect(rig.world.writes('closePullRequest')).toEqual([]);
});

test('CI-8: where it may not push, or the push is refused, the comment brings the patch', async () => {
  await failingPull(false);
  await until(async () =>
    expect((await rig.findings('theirs'))[0]?.waitingFor).toMatch(/author of the pull request/),
  );
  expect(rig.world.writes('pushBranch')).toEqual([]);
  expect(rig.world.writes('commentOnIssue')).toMatchObject([
    { input: { number: 7, body: expect.stringContaining('## Take it') } },
  ]);
  await rig.stop();

  rig = await createRig();
  await rig.startWorker();
  await rig.apply('theirs', { workspaces: [workspace({ databases: [] })] });
  const place = rig.world.place('theirs');
  place.effects.pushBranch = 'refuse';
  Object.assign(place.ci, { jobs: ['build'], fixer: 'formatter', pullRequest: 7, mayPush: true });
  await rig.startLoop('theirs');
  await until(() =>
    expect(rig.world.writes('commentOnIssue')).toMatchObject([
      { input: { number: 7, body: expect.stringContaining('## Take it') } },
    ]),
  );
});
