// INC-6: the watchdog tells people that a loop stands still, whatever stands still: its workflow, its code, its workers, Temporal itself.

import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import { afterEach, expect } from 'vitest';
import { createDoor } from '../../../src/activities/effects/door.ts';
import { createRedactor } from '../../../src/logs/redact/redact-values.ts';
import type { Pool } from '../../../src/store/database.ts';
import { lookAtLoops, type Watched } from '../../../src/watchdog/look.ts';
import { createRig, devServer, hourMs, minuteMs, type Rig, test, until } from '../rig.ts';
import { opsWorkspace } from './ops-rig.ts';

let rig: Rig;
afterEach(async () => rig.stop());

async function look(
  options: { readonly away?: boolean; readonly laterMs?: number } = {},
): Promise<readonly Watched[] | null> {
  const pool = rig.database.pool as unknown as Pool;
  const door = createDoor({ pool, definitions: rig.world.definitions, redactor: createRedactor() });
  return lookAtLoops({
    pool,
    door,
    client: options.away ? null : rig.client,
    nowMs: (await rig.nowMs()) + (options.laterMs ?? 0),
    signal: AbortSignal.timeout(30_000),
  });
}

const told = () => rig.world.writes('sendAlert').map(({ input }) => `${input.state}: ${input.title}`);

test('INC-6: a terminated loop is told once, by however many watch, and again after an hour; then that it works again', async () => {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply('ended', { workspaces: [opsWorkspace()] });
  await rig.apply('drained', { enabled: false, workspaces: [opsWorkspace()] });
  await rig.startLoop('ended');
  await until(async () => expect((await rig.cycles('ended'))[0]?.state).toBe('completed'));
  expect(await look()).toMatchObject([{ tenant: 'ended', state: 'well', told: null }]);
  await rig.loop('ended').terminate('somebody ended it');
  const looks = await Promise.all([look(), look(), look()]);
  expect(looks.flatMap((one) => one ?? []).filter((one) => one.told !== null)).toHaveLength(1);
  expect(await look({ laterMs: 30 * minuteMs })).toMatchObject([{ state: 'ended', told: null }]);
  expect(told()).toEqual(['open: The loop of ended stands still']);
  expect(await look({ laterMs: hourMs + minuteMs })).toMatchObject([{ told: 'update' }]);
  await rig.startLoop('ended');
  await until(async () => expect((await rig.cycles('ended')).length).toBeGreaterThan(1));
  await until(async () => expect((await look())?.[0]?.state).toBe('well'));
  expect(told().at(-1)).toBe('resolved: The loop of ended works again');
  expect(new Set(rig.world.writes('sendAlert').map(({ input }) => input.about)).size).toBe(1);
});

test('INC-6: no cycle for 15 min is told, also when Temporal does not answer', async () => {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply('silent', { workspaces: [opsWorkspace()] });
  await rig.startLoop('silent');
  await until(async () => expect((await rig.cycles('silent'))[0]?.state).toBe('completed'));
  expect(await look({ laterMs: 14 * minuteMs })).toMatchObject([{ state: 'well' }]);
  expect(await look({ laterMs: 16 * minuteMs, away: true })).toMatchObject([
    { state: 'silent', told: 'open', reason: expect.stringMatching(/Temporal does not answer/) },
  ]);
  expect(await look({ laterMs: 17 * minuteMs })).toMatchObject([{ state: 'silent', told: null }]);
});

test('INC-6: a loop whose code is broken is told', async () => {
  rig = await createRig({ openServer: devServer });
  await rig.apply('watchdog-broken', { workspaces: [opsWorkspace()] });
  await rig.startLoop('watchdog-broken');
  // A release that forgot the loop.
  const { connection, close } = await rig.connect();
  const worker = await Worker.create({
    connection,
    namespace: 'default',
    taskQueue: rig.queues.workflows,
    workflowsPath: fileURLToPath(new URL('../../bench/empty-workflows.ts', import.meta.url)),
  });
  const ended = worker.run();
  try {
    await until(
      async () => expect(await look()).toMatchObject([{ state: 'failing', told: 'open' }]),
      120_000,
    );
  } finally {
    worker.shutdown();
    await ended;
    await close();
  }
  expect(String(rig.world.writes('sendAlert')[0]?.input.body)).toMatch(
    /workflow tasks keep failing: tenant\/watchdog-broken/,
  );
});
