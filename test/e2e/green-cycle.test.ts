// What a green cycle costs (LOOP-5): its due sources and at most two more Temporal actions, by the server's own count; nothing of GitHub's
// rate limit; no effect. On a Temporal server of its own, so that nobody else is counted.
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { expect, test } from 'vitest';
import { searchAttributes } from '../../src/contract/names.ts';
import { freePort } from '../../src/embedded/machine/ports.ts';
import { startTemporal } from '../../src/embedded/temporal.ts';
import { ensureTemporalBinary } from '../../src/embedded/temporal-binary.ts';
import { createTestDatabase } from '../support/database.ts';
import { actionsOf } from '../support/temporal/temporal-actions.ts';
import { createWorld, whole } from './rig.ts';

const sources = 3;

test('LOOP-5: a green cycle takes at most its sources and 2 actions, and no counted GitHub request', {
  timeout: 300_000,
}, async ({ onTestFinished }) => {
  const temporal = await startTemporal({
    binary: await ensureTemporalBinary({ progress: () => {} }),
    port: await freePort(),
    httpPort: await freePort(),
    metricsPort: await freePort(),
    searchAttributes: Object.fromEntries(Object.values(searchAttributes).map((name) => [name, 'Keyword'])),
  });
  onTestFinished(() => temporal.stop());
  const { address, metricsUrl = '' } = temporal;
  const connection = await Connection.connect({ address });
  const nativeConnection = await NativeConnection.connect({ address });
  onTestFinished(async () => {
    await connection.close();
    await nativeConnection.close();
  });
  const world = await createWorld(
    whole,
    {},
    {
      temporal: {
        address,
        namespace: 'default',
        metricsUrl,
        client: new Client({ connection, namespace: 'default' }),
        nativeConnection,
        close: async () => {},
      },
      createDatabase: createTestDatabase,
    },
  );
  onTestFinished(world.stop);
  await world.startWorker();
  await world.startLoop();
  await world.until('green and quiet', async () => {
    const findings = await world.findings();
    return (await world.cycle()) > 2 && findings.every(({ status }) => status === 'resolved');
  });
  await world.cycles(3);

  const mark = await world.forge.journal.mark();
  const effects = (await world.effects()).length;
  // Counted between two cycles: what one that has just begun took is no other's.
  const ended = async (): Promise<number | null> => {
    const { rows } = await world.own.pool.query(
      'select cycle, state from cycles order by cycle desc limit 1',
    );
    return rows[0]?.state === 'running' ? null : Number(rows[0]?.cycle);
  };
  const count = () =>
    world.until('a moment between two cycles', async () => {
      const before = await ended();
      const sum = await actionsOf(metricsUrl);
      return before !== null && before === (await ended()) && { cycle: before, sum };
    });
  const { cycle, sum: actions } = await count();
  await world.cycles(5);
  const { cycle: cycleAfter, sum: actionsAfter } = await count();

  const perCycle = (actionsAfter - actions) / (cycleAfter - cycle);
  expect(cycleAfter - cycle).toBeGreaterThanOrEqual(5);
  expect(perCycle).toBeGreaterThan(sources);
  expect(perCycle).toBeLessThanOrEqual(sources + 2 + 1 / (cycleAfter - cycle));
  expect(await world.forge.journal.counted({ after: mark })).toEqual([]);
  expect((await world.forge.journal.requests({ after: mark })).length).toBeGreaterThan(0);
  expect(await world.effects()).toHaveLength(effects);
});
