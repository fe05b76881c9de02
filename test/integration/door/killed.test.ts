// DUR-2, DUR-5: SIGKILL of a worker with an effect of every kind at the same point of the door, then a second process that goes on: against
// the class that each kind declares, as the outside itself counts it.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EffectDefinition } from '../../../src/activities/effects/definition.ts';
import { createDoor, type DoorPoint } from '../../../src/activities/effects/door.ts';
import { createEffectDefinitions } from '../../../src/activities/index.ts';
import { createServices } from '../../../src/activities/services.ts';
import { createSecretResolver } from '../../../src/config/secrets.ts';
import { effectKinds } from '../../../src/contract/effect.ts';
import { createRedactor } from '../../../src/logs/redact/redact-values.ts';
import { effectKey } from '../../../src/store/claims.ts';
import { allKinds, classes } from './kinds.ts';
import { openWorld, type World } from './world.ts';

const times = { leaseMs: 10_000, writeMs: 8_000, settleMs: 2_000 };

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.stop());

// Two at a time, so that a small machine stays calm.
const rounds: readonly (readonly { readonly point: DoorPoint; readonly alerts: number }[])[] = [
  [
    { point: 'claimed', alerts: 1 },
    { point: 'written', alerts: 2 },
  ],
  [
    { point: 'fenced', alerts: 1 },
    { point: 'settled', alerts: 1 },
  ],
];
for (const points of rounds) {
  describe.concurrent('SIGKILL with an effect of every kind', () => {
    it.each(points)(
      '$point: each by its class: exactly once, at most once, alerts at least once with one id',
      ({ point, alerts }) => killedAt(point, alerts),
      180_000,
    );
  });
}

async function killedAt(point: DoorPoint, alerts: number): Promise<void> {
  const cases = await allKinds(world, point);
  const requests = cases.map(({ request }) => request);
  const first = world.run({ requests, ask: 'untilEnded', times, stop: { point, signal: 'SIGKILL' } });
  const end = await first.ended;
  // The answers say why it did not come so far.
  if (end !== 'SIGKILL') expect([...(await first.ends).values()]).toEqual([]);
  const before = new Map<string, unknown>();
  for (const one of cases) before.set(one.kind, await one.landed());
  for (const one of cases) {
    const counts = Object.values(before.get(one.kind) as Record<string, number>);
    const written = point === 'written' || point === 'settled';
    expect([one.kind, counts]).toEqual([one.kind, counts.map(() => (written ? 1 : 0))]);
  }

  const second = world.run({ requests, ask: 'untilEnded', times });
  const ends = await second.ends;
  for (const { kind, delivery, landed } of cases) {
    const parts = await landed();
    if (kind === 'sendAlert') {
      expect(parts.ids).toBe(1);
      expect(parts.alerts).toBeGreaterThanOrEqual(alerts);
    } else {
      // At most once: what was not seen to end is not done again, whether it had landed or not.
      const lost = delivery === 'atMostOnce' && point === 'fenced';
      const times = Object.fromEntries(Object.keys(parts).map((name) => [name, lost ? 0 : 1]));
      expect([kind, parts]).toEqual([kind, times]);
    }
    const unsure = delivery === 'atMostOnce' && (point === 'fenced' || point === 'written');
    expect([kind, ends.get(kind)]).toMatchObject([
      kind,
      { answer: { status: 'receipt', outcome: unsure ? 'unknown' : expect.stringMatching(/pplied$/) } },
    ]);
  }
  // Nothing is left open, and the receipt is the same for whoever asks again.
  const { rows } = await world.database.pool.query('select kind, state from effects where key = any($1)', [
    requests.map(effectKey),
  ]);
  expect(rows).toHaveLength(effectKinds.length);
  expect(rows.filter(({ state }) => state !== 'done')).toEqual([]);
}

it('declares a class for every kind that there is (DUR-5)', () => {
  const definitions = definitionsOf(world);
  expect(definitions.map(({ kind }) => kind).sort()).toEqual([...effectKinds].sort());
  for (const { kind, delivery, probe } of definitions) {
    expect([kind, delivery]).toEqual([kind, classes[kind] ?? 'exactlyOnce']);
    // Exactly once is only to be had with a way to find out; a label of a code agent is one, an event is not.
    if (kind !== 'startCodeAgent')
      expect([kind, probe !== undefined]).toEqual([kind, delivery === 'exactlyOnce']);
  }
});

it('declares what autonomy each needs (LOOP-12)', () => {
  const needs = (level: string) =>
    definitionsOf(world)
      .filter(({ autonomy }) => autonomy({ branch: 'untilgreen/x' }) === level)
      .map(({ kind }) => kind)
      .sort();
  expect(needs('observe')).toEqual(['sendAlert']);
  expect(needs('act')).toEqual([
    'addDatabase',
    'applyDrift',
    'applyMigrations',
    'cleanUp',
    'createService',
    'mergePullRequest',
    'redeployService',
    'removeDeployment',
    'rerunFailedJobs',
    'restartService',
    'rollBackService',
    'setVariable',
    'updateService',
  ]);
});

it('writes nothing of any kind in a dry run (LOOP-12)', async () => {
  const cases = await allKinds(world, 'dry');
  const { pool } = world.database;
  const door = createDoor({
    pool,
    redactor: createRedactor(),
    definitions: definitionsOf(world),
    dryRun: true,
  });
  for (const { kind, request, landed } of cases) {
    expect(await door.run(request, AbortSignal.timeout(30_000))).toMatchObject({
      status: 'refused',
      reason: expect.stringContaining('dry run: would '),
    });
    expect([kind, Object.values(await landed()).filter((count) => count > 0)]).toEqual([kind, []]);
  }
  const { rows } = await pool.query(`select key from effects where tenant like 'dry-%'`);
  expect(rows).toEqual([]);
});

function definitionsOf({ database, directory, secrets }: World): readonly EffectDefinition[] {
  const redactor = createRedactor();
  const services = createServices({
    pool: database.pool,
    redactor,
    secrets: createSecretResolver({ env: secrets, redactor }),
    cacheDir: join(directory, 'cache'),
  });
  return createEffectDefinitions(services, () => {});
}
