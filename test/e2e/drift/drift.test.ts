// Drift with people in it (DRIFT-2, DRIFT-3): the rolling pull request, merges by hand and by approval, drift that ends by itself, destroys.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { approval, asked, decide, start } from '../people/approving.ts';
import { type Change, createWorld, type World, whole } from '../rig.ts';

const drifted = { ...whole, drift: 'export' } as const;
const byHand: Change = { ci: null, database: null, drift: { autoMerge: false, policy: 'approval' } };
const withoutExport: Change = { ci: null, database: null };

const setReal = (world: World, content: object): Promise<void> =>
  writeFile(join(world.environments, 'production.json'), `${JSON.stringify(content, null, 2)}\n`);
const real = async (world: World): Promise<unknown> =>
  JSON.parse(await readFile(join(world.environments, 'production.json'), 'utf8'));
const wanted = async (world: World, ref = 'main'): Promise<unknown> =>
  JSON.parse(
    (await world.forge.readFile({
      owner: 'acme',
      repo: 'shop',
      ref,
      path: 'environments/production.json',
    })) ?? '{}',
  );

type Pull = {
  readonly number: number;
  readonly body: string;
  readonly state: string;
  readonly merged: boolean;
  readonly head: { readonly sha: string; readonly ref: string };
};
async function pull(world: World): Promise<Pull> {
  return world.until('a drift pull request', async () => {
    const [one] = await world.maria.request<Pull[]>('GET', '/pulls?state=open');
    return one && (await world.maria.request<Pull>('GET', `/pulls/${one.number}`));
  });
}
const pulls = (world: World): Promise<Pull[]> => world.maria.request('GET', '/pulls?state=all');
const resolved = (world: World): Promise<unknown> =>
  world.until('the drift is resolved', async () => (await world.finding('drift'))?.status === 'resolved');

test.concurrent('DRIFT-2: one rolling pull request with its plan; merged by hand it is done', {
  timeout: 500_000,
}, async ({ onTestFinished }) => {
  const world = await createWorld(drifted, byHand);
  onTestFinished(world.stop);
  await start(world);
  const first = await pull(world);
  expect(first.body).toContain('Drift of `production`');
  expect(first.body).toContain('**clean**');
  const question = await asked(world);

  // The environment moves on: the same pull request gets another commit and shows the new plan; the old approval is void.
  await setReal(world, { region: 'eu-central', replicas: 5 });
  const second = await world.until('the pull request rolls on', async () => {
    const now = await world.maria.request<Pull>('GET', `/pulls/${first.number}`);
    return now.head.sha !== first.head.sha && now;
  });
  expect(await wanted(world, second.head.sha)).toEqual({ region: 'eu-central', replicas: 5 });
  const plan = (body: string): string => /Plan now \(`([0-9a-f]+)`\)/.exec(body)?.[1] ?? '';
  await world.until('the body shows the new plan', async () => {
    const now = await world.maria.request<Pull>('GET', `/pulls/${first.number}`);
    return plan(now.body) !== plan(first.body);
  });
  await asked(world, question.hash);
  expect((await approval(world, question.hash)).state).toBe('void');

  await world.maria.request('PUT', `/pulls/${first.number}/merge`, { sha: second.head.sha });
  await resolved(world);
  expect(await wanted(world)).toEqual({ region: 'eu-central', replicas: 5 });
  expect(await pulls(world)).toHaveLength(1);
  expect(await world.effects('applyDrift')).toEqual([]);
  expect((await world.effects('mergePullRequest')).filter(({ outcome }) => outcome === 'applied')).toEqual(
    [],
  );
});

test.concurrent('DRIFT-2: an approval of exactly that head merges it', { timeout: 500_000 }, async ({
  onTestFinished,
}) => {
  const world = await createWorld(drifted, byHand);
  onTestFinished(world.stop);
  await start(world);
  const question = await asked(world);
  const open = await pull(world);
  await world.maria.comment(question.issue, `/approve ${question.hash}`);
  await resolved(world);
  const merges = await world.forge.journal.writes({ kind: 'pullMerged' });
  expect(merges.map(({ actor, number }) => ({ actor, number }))).toEqual([
    { actor: 'untilgreen-agent', number: open.number },
  ]);
  expect(await wanted(world)).toEqual(await real(world));
});

test.concurrent('DRIFT-3: drift that ends by itself closes its pull request', { timeout: 500_000 }, async ({
  onTestFinished,
}) => {
  const world = await createWorld(drifted, byHand);
  onTestFinished(world.stop);
  await start(world);
  const open = await pull(world);
  const question = await asked(world);
  await setReal(world, { region: 'eu-central', replicas: 2 });
  await world.until('the pull request is closed', async () => {
    const now = await world.maria.request<Pull>('GET', `/pulls/${open.number}`);
    return now.state === 'closed' && !now.merged;
  });
  await resolved(world);
  expect((await approval(world, question.hash)).state).toBe('void');
  // A later drift starts afresh.
  await setReal(world, { region: 'eu-central', replicas: 7 });
  const next = await pull(world);
  expect(next.number).not.toBe(open.number);
});

test.concurrent('DRIFT-3: a destroy needs approval over a verified channel, whatever the policy', {
  timeout: 500_000,
}, async ({ onTestFinished }) => {
  const world = await createWorld(
    { ...whole, drift: 'apply' },
    { ...withoutExport, drift: { policy: 'auto' }, tenant: { approvals: { channels: { cli: true } } } },
  );
  onTestFinished(world.stop);
  const manual = { region: 'eu-central', replicas: 2, bucket: 'made by hand' };
  await setReal(world, manual);
  await start(world);
  const question = await asked(world);
  await decide(world, { by: 'ana', hash: question.hash, decision: 'approve', channel: 'cli' });
  await world.until('the CLI is not enough', async () =>
    (await world.finding('drift'))?.waitingFor?.includes('not enough here'),
  );
  expect(await real(world)).toEqual(manual);
  await world.maria.comment(question.issue, `/approve ${question.hash}`);
  await resolved(world);
  expect(await real(world)).toEqual(await wanted(world));
  expect((await world.effects('applyDrift')).filter(({ outcome }) => outcome === 'applied')).toHaveLength(1);
});

test.concurrent('DRIFT-2: without export: approved is the plan that was shown, not another one', {
  timeout: 500_000,
}, async ({ onTestFinished }) => {
  const world = await createWorld(
    { ...whole, drift: 'apply' },
    { ...withoutExport, drift: { policy: 'approval' } },
  );
  onTestFinished(world.stop);
  await start(world);
  const first = await asked(world);
  await setReal(world, { region: 'us-east', replicas: 3 });
  const second = await asked(world, first.hash);
  expect((await approval(world, first.hash)).state).toBe('void');
  await world.maria.comment(first.issue, `/approve ${first.hash}`);
  await world.cycles(2);
  expect(await real(world)).toEqual({ region: 'us-east', replicas: 3 });
  await world.maria.comment(second.issue, `/approve ${second.hash}`);
  await resolved(world);
  expect(await real(world)).toEqual(await wanted(world));
  expect((await world.effects('applyDrift')).filter(({ outcome }) => outcome === 'applied')).toHaveLength(1);
});
