// CI-8: whether CI started for a commit, as the forge says it.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Scene, startScene } from './scene.ts';

let scene: Scene;
beforeEach(async () => {
  scene = await startScene();
  await scene.addTenant('shop');
});
afterEach(() => scene.stop());

const asked = (sha: string, withinMs = 0) =>
  scene.ciStarted({ tenant: 'shop', workspace: 'shop', sha, withinMs });

it('CI-8: it has when the commit has a run, whatever became of it', async () => {
  const sha = await scene.commit();
  expect(await asked(sha)).toEqual({ started: false });
  await scene.run([{ name: 'test', log: '' }], { sha });
  expect(await asked(sha)).toEqual({ started: true });
});

it('CI-8: a run that comes a moment later is waited for', async () => {
  const sha = await scene.commit();
  const [answer] = await Promise.all([asked(sha, 30_000), scene.run([{ name: 'test', log: '' }], { sha })]);
  expect(answer).toEqual({ started: true });
});
