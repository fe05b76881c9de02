// CI-8: after the push it is seen whether CI started for that commit.
import { afterEach, expect } from 'vitest';
import { remedyWorkflowId } from '../../../src/contract/names.ts';
import { keep } from '../../replay/histories.ts';
import { createRig, minuteMs, type Rig, test, until, workspace } from '../rig.ts';

let rig: Rig;
afterEach(async () => rig.stop());

test('CI-8: a pull request whose CI does not start says so once, and the finding waits for it until it has', async () => {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply('still', { workspaces: [workspace({ databases: [] })] });
  const { ci } = rig.world.place('still');
  Object.assign(ci, { jobs: ['build'], fixer: 'formatter', silent: true });
  await rig.startLoop('still');
  await until(() => expect(rig.world.writes('openPullRequest')).toHaveLength(1));
  // An outage of GitHub is not told at once.
  expect(rig.world.writes('commentOnIssue')).toEqual([]);
  await rig.skip(6 * minuteMs);
  const waitsFor = async () => (await rig.findings('still'))[0]?.waitingFor;

  await until(async () => expect(await waitsFor()).toMatch(/^a person to start CI for [0-9a-f]{12} of pull/));
  const [comment, ...more] = rig.world.writes('commentOnIssue');
  expect(comment?.input.body).toMatch(/^No workflow run has started for [0-9a-f]{40}/);
  expect(comment?.input.body).toContain(ci.pushedSha);
  await rig.loop('still').executeUpdate('cycleNow', { args: [{ by: 'ana' }] });
  expect(more).toEqual([]);

  ci.silent = false;
  const [finding] = await rig.findings('still');
  if (finding === undefined) throw new Error('no finding');
  await rig.client.workflow.getHandle(remedyWorkflowId(finding)).signal('nudge');
  await until(async () => expect(await waitsFor()).toMatch(/^a person to merge pull request #\d+$/));
  expect(rig.world.writes('commentOnIssue')).toHaveLength(1);
  await keep('ci-not-started', await rig.histories());
});

test('CI-8: nothing is said where CI starts', async () => {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply('starts', { workspaces: [workspace({ databases: [] })] });
  Object.assign(rig.world.place('starts').ci, { jobs: ['build'], fixer: 'formatter' });
  await rig.startLoop('starts');
  await until(async () =>
    expect((await rig.findings('starts'))[0]?.waitingFor).toMatch(/^a person to merge pull request/),
  );
  expect(rig.world.writes('commentOnIssue')).toEqual([]);
});
