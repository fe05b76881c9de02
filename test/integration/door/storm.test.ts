// DUR-2, LOOP-10: many effects, two workers that are killed again and again at any line, answers that say nothing, and a pause in the middle:
// every effect is written once, and none outside the pause's list while it is paused.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { effectKey } from '../../../src/store/claims.ts';
import { liftPause, raisePause } from '../../../src/store/pauses.ts';
import { type DoorProcess, startDoorProcess } from './door-child.ts';
import { type DoorScene, idOf, nowMs, openScene, thing, times } from './scripted.ts';

let scene: DoorScene;
let directory: string;
const running: DoorProcess[] = [];
beforeAll(async () => {
  scene = await openScene();
  directory = await mkdtemp(join(tmpdir(), 'untilgreen-storm-'));
});
afterAll(async () => {
  for (const { child } of running) child.kill('SIGKILL');
  await Promise.all(running.map(({ ended }) => ended));
  await scene.stop();
  await rm(directory, { recursive: true, force: true });
});

const total = 400;
const kills = 10;

it('is survived: every effect once, the pause kept', async () => {
  const tenant = await scene.tenant();
  const requests = Array.from({ length: total }, () => thing(tenant, { risk: 'proposing' }));
  const keyOf = new Map(requests.map((request) => [idOf(request), effectKey(request)]));
  for (const [index, request] of requests.entries()) {
    if (index % 13 === 3) scene.remote.faults.set(idOf(request), { kind: 'after', status: 502 });
    if (index % 13 === 8) scene.remote.faults.set(idOf(request), { kind: 'late', delayMs: 500 });
    if (index % 31 === 5) scene.remote.faults.set(idOf(request), { kind: 'instead', status: 502 });
  }
  const start = (order: typeof requests): DoorProcess => {
    const job = { requests: order, times, ask: 'untilEnded', runners: 8 } as const;
    const env = { databaseUrl: scene.database.url, cacheDir: directory, scriptedUrl: scene.remote.url };
    const started = startDoorProcess({ ...job, ...env }, {});
    running.push(started);
    return started;
  };
  const written = () => scene.remote.landed.length;
  const moved = async (from: number): Promise<void> => {
    const until = Date.now() + 8_000;
    while (written() < from + 12 && written() < total && Date.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 10));
  };
  const worker = async (order: typeof requests): Promise<void> => {
    for (let kill = 0; kill < kills / 2; kill += 1) {
      const one = start(order);
      await moved(written());
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 100));
      one.child.kill('SIGKILL');
      await one.ended;
    }
  };
  await Promise.all([worker(requests), worker([...requests].reverse())]);

  const last = [start(requests), start([...requests].reverse())];
  await moved(written());
  const { started } = await raisePause(scene.pool, {
    tenant,
    scope: 'tenant',
    scopeValue: null,
    reason: 'stop',
    by: 'maria',
    untilMs: null,
    nowMs,
  });
  const mark = { arrived: scene.remote.arrived.length, landed: scene.remote.landed.length };
  const listed = new Set(started.map(({ key }) => key));
  for (const one of last) await one.ends;
  const outside = [...scene.remote.arrived.slice(mark.arrived), ...scene.remote.landed.slice(mark.landed)];
  expect(outside.filter((id) => !listed.has(keyOf.get(id) ?? ''))).toEqual([]);
  expect(written()).toBeLessThan(total);

  await liftPause(scene.pool, { tenant, scope: 'tenant', scopeValue: null, reason: '', by: 'maria', nowMs });
  const ends = [...(await start(requests).ends).values()];
  expect(ends).toHaveLength(total);
  for (const end of ends)
    expect(end).toMatchObject({ answer: { status: 'receipt', outcome: expect.stringMatching(/pplied$/) } });
  const counts = requests.map((request) => [idOf(request), scene.remote.count(idOf(request))]);
  expect(counts.filter(([, count]) => count !== 1)).toEqual([]);
  expect(running.filter(({ child }) => child.signalCode === 'SIGKILL')).toHaveLength(kills);
}, 120_000);
