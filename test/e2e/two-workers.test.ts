// Deaths in the middle (DUR-1, DUR-2): of a worker between a write and its receipt, of Temporal, of Postgres. It goes on to green, and every
// effect is there exactly once, by the journal of the forge and the tables of the database, not by the agent's word.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { approveAndMergeVerified, type Maintainer } from '../../demo/forge/maintainer.ts';
import type { JournalWrite } from '../../demo/forge/operations.ts';
import { breakageOf } from '../../demo/shop/shop.ts';
import type { EffectKind } from '../../src/contract/effect.ts';
import { remedyWorkflowId } from '../../src/contract/names.ts';
import { type Killable, startOwnServers } from './own-servers.ts';
import { createWorld, type World } from './rig.ts';

const agent = 'untilgreen-agent';
/** Shorter than in production, so that a claim of a dead worker is free in a moment. */
const times = { leaseMs: 6_000, writeMs: 4_000, settleMs: 2_000 } as const;

function maintainerOf(world: World): Maintainer {
  return approveAndMergeVerified({
    url: world.forge.url,
    token: world.maintainerToken,
    owner: 'acme',
    repo: 'shop',
    label: 'verified',
    evidenceHeading: 'Evidence',
  });
}

/** Resolved as the sources see it, and every remedy at its end: one whose worker died may have its receipt and its words still to come. */
const green = (world: World): Promise<unknown> =>
  world.until(
    'green',
    async () => {
      const findings = await world.findings();
      if (findings.length < 4 || findings.some(({ status }) => status !== 'resolved')) return false;
      const remedies = findings.map((finding) => remedyWorkflowId({ ...finding, tenant: world.tenant }));
      const { workflow } = world.temporal.client;
      const ends = await Promise.all(remedies.map((id) => workflow.getHandle(id).describe()));
      return ends.every(({ status }) => status.name === 'COMPLETED');
    },
    400_000,
  );

function twice(writes: readonly JournalWrite[], name: (write: JournalWrite) => string): readonly string[] {
  const names = writes.map(name);
  return names.filter((one, index) => names.indexOf(one) !== index);
}

/** Every effect of a run from red to green, once. */
async function expectOnce(world: World): Promise<void> {
  const { journal } = world.forge;
  const of = (kind: JournalWrite['kind']): Promise<JournalWrite[]> => journal.writes({ kind, actor: agent });
  const pulls = await of('pullCreated');
  expect(pulls).toHaveLength(3);
  expect(new Set(pulls.map(({ marker }) => marker)).size).toBe(3);
  expect((await of('pullMerged')).length).toBe(1); // the drift's own
  expect(twice(await of('refUpdated'), ({ ref, newSha }) => `${ref} ${newSha}`)).toEqual([]);
  expect(twice(await of('issueOpened'), ({ title }) => String(title))).toEqual([]);
  const comments = await of('commentCreated');
  expect(comments.length).toBeGreaterThan(0);
  expect(comments.every(({ marker }) => marker !== undefined)).toBe(true);
  expect(twice(comments, ({ marker }) => String(marker))).toEqual([]);
  expect(await of('runRerun')).toEqual([]);
  const { rows } = await world.shop.pool.query('select version from schema_migrations order by version');
  expect(rows).toHaveLength(4);
  const applied = (await world.effects()).filter(
    ({ kind, outcome }) => kind === 'applyMigrations' && outcome !== 'stale',
  );
  expect(applied).toHaveLength(1);
  expect((await world.effects()).filter(({ state }) => state !== 'done' && state !== 'freed')).toEqual([]);
  for (const { attempts } of await world.findings()) expect(attempts).toBeLessThanOrEqual(1);
  expect(await journal.unexpected()).toEqual([]);
}

const kinds: readonly EffectKind[] = ['pushBranch', 'openPullRequest', 'mergePullRequest', 'applyMigrations'];

test('DUR-2: a worker killed between write and receipt, beside one that lives, doubles nothing', {
  timeout: 500_000,
}, async ({ onTestFinished }) => {
  const world = await createWorld(breakageOf(0));
  onTestFinished(world.stop);
  const maintainer = maintainerOf(world);
  onTestFinished(() => maintainer.stop());
  let done = false;
  // One after the other: each is killed at its own kind of effect, and the next takes its place.
  const killed: string[] = [];
  const dying = (async () => {
    for (const kind of kinds) {
      const marker = join(world.dataDir, `killed-${kind}`);
      const worker = await world.startWorkerProcess({ doorTimes: times, killOnce: { kind, marker } });
      await Promise.race([worker.ended, world.until('green', async () => done, 400_000).catch(() => {})]);
      if (!existsSync(marker)) return worker.stop();
      killed.push(kind);
    }
    const last = await world.startWorkerProcess({ doorTimes: times });
    await world.until('green', async () => done, 400_000).catch(() => {});
    await last.stop();
  })();
  // The first one is alone until it was killed, so that at least one is; the others share the work with one that lives.
  await world.startLoop();
  await world.until('the first one was killed', async () => killed.length > 0, 200_000);
  await world.startWorker({ door: { times } });
  await green(world).finally(() => {
    done = true;
  });
  await dying;
  await expectOnce(world);
  expect(killed.length, 'at least one was killed').toBeGreaterThan(0);
});

test('DUR-2: Temporal and Postgres killed and started again on the same data: it goes on, nothing is doubled', {
  timeout: 500_000,
}, async ({ onTestFinished }) => {
  const servers: Killable = await startOwnServers();
  onTestFinished(() => servers.stop());
  const world = await createWorld(breakageOf(0), {}, servers);
  onTestFinished(world.stop);
  await world.startWorker({ door: { times } });
  await world.startLoop();
  await world.until('something is worked on', async () =>
    (await world.findings()).some(({ status }) => status === 'working'),
  );
  await servers.killTemporal();
  await world.until(
    'it goes on after Temporal',
    async () => (await world.effects('openPullRequest')).length > 0,
  );
  await servers.killPostgres();
  const maintainer = maintainerOf(world);
  onTestFinished(() => maintainer.stop());
  await world.until(
    'it goes on after Postgres',
    async () => (await world.findings()).some(({ status }) => status === 'resolved'),
    400_000,
  );
  await Promise.all([servers.killTemporal(), servers.killPostgres()]);
  await green(world);
  await expectOnce(world);
});
