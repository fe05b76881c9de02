// Sources that hang, throw or are slow, and cycles whose parts fail (LOOP-2, LOOP-4, LOOP-6).
import { afterEach, expect } from 'vitest';
import type { Observation } from '../../src/contract/finding.ts';
import { createRig, hourMs, minuteMs, type Rig, test, until, workspace } from './rig.ts';

let rig: Rig;
afterEach(async () => rig.stop());

test('LOOP-2: a source that hangs or throws is unknown, and the others are read', async () => {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply('sick', { workspaces: [workspace({ drift: 'approval', databases: ['a', 'b'] })] });
  const place = rig.world.place('sick');
  place.pending.b = ['1.sql'];
  place.drift = { planHash: 'plan-a', destroys: 1 };
  await rig.startLoop('sick');
  await until(async () =>
    expect((await rig.findings('sick')).map((one) => one.status).sort()).toEqual(['resolved', 'waiting']),
  );

  place.sources['drift:production'] = 'hang';
  place.sources['migrations:a'] = 'throw';
  place.drift = null;
  const before = (await rig.cycles('sick'))[0]?.cycle ?? 0;
  await rig.skip(16 * minuteMs);
  const cycle = await until(async () => {
    const full = (await rig.cycles('sick')).find(
      (one) => one.cycle > before && one.observations.length === 4,
    );
    expect(full?.state).toBe('completed');
    return full;
  });
  const read = (cycle?.observations ?? []) as unknown as readonly Observation[];
  const said = new Map(read.map((one) => [`${one.source}:${one.target ?? ''}`, one]));
  expect(said.get('ciRuns:')).toMatchObject({ state: 'green' });
  expect(said.get('migrations:b')).toMatchObject({ state: 'green' });
  expect(said.get('drift:production')).toMatchObject({ state: 'unknown', reason: 'no answer within 1 s' });
  expect(said.get('migrations:a')).toMatchObject({ state: 'unknown', reason: 'migrations:a broke' });
  expect(cycle?.summary).toMatch(/2 not readable/);
  // Unknown resolves nothing.
  expect((await rig.findings('sick')).find((one) => one.kind === 'drift')?.status).toBe('waiting');
});

test('LOOP-1: an event does not move the times of what it does not read', async () => {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply('events', { cadence: { perSource: { ciRuns: '1h', migrations: '1h' } } });
  const { reads } = rig.world.place('events');
  await rig.startLoop('events');
  await until(async () => expect((await rig.view('events')).phase).toBe('sleeping'));
  const due = (await rig.view('events')).nextCycleAtMs;
  for (let event = 2; event < 6; event += 1) {
    await rig.loop('events').signal('wake', { reason: 'webhook', sources: ['shop/ciRuns', 'shop/nothing'] });
    await until(() => expect(reads.ciRuns).toBe(event));
  }
  await until(async () =>
    expect(await rig.view('events')).toMatchObject({ phase: 'sleeping', nextCycleAtMs: due }),
  );
  expect(reads['migrations:main']).toBe(1);
  await rig.skip(hourMs);
  await until(() => expect(reads['migrations:main']).toBe(2));
});

test('LOOP-9: a remedy that was ended by hand is replaced, and does nothing twice', async () => {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply('stolen', { workspaces: [workspace({ ci: false, migrate: 'approval' })] });
  const place = rig.world.place('stolen');
  place.pending.main = ['1.sql'];
  await rig.startLoop('stolen');
  await until(async () => expect((await rig.findings('stolen'))[0]?.waitingFor).toMatch(/approval/));
  const remedy = (await rig.view('stolen')).openRemedies[0]?.workflowId ?? '';
  await rig.client.workflow.getHandle(remedy).terminate('by hand');
  await rig.skip(3 * hourMs);
  expect((await rig.client.workflow.getHandle(remedy).describe()).status.name).toBe('RUNNING');
  const { rows } = await rig.database.pool.query('select hash, state from approvals');
  expect(rows).toHaveLength(1); // the same question
  place.comments.push({ hash: rows[0].hash, decision: 'approve', by: 'maria' });
  await rig.skip(10 * minuteMs);
  await until(async () =>
    expect((await rig.findings('stolen'))[0]).toMatchObject({ status: 'resolved', attempts: 1 }),
  );
  expect(rig.world.writes('applyMigrations')).toHaveLength(1);
  expect(
    rig.world
      .writes('sendAlert')
      .map((one) => one.input.title)
      .filter((title) => /needed/.test(String(title))),
  ).toHaveLength(1);
});

test('LOOP-4: a remedy that says green while its source says red is not started over and over', async () => {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply('odd', { cadence: { red: '5m' }, workspaces: [workspace({ databases: [] })] });
  const { ci } = rig.world.place('odd');
  ci.jobs = ['build'];
  ci.green = true;
  await rig.startLoop('odd');
  await rig.skip(30 * minuteMs);
  const [finding] = await rig.findings('odd');
  expect(finding?.remedies).toBeGreaterThan(1);
  expect(finding?.remedies).toBeLessThan(10);
  expect((await rig.cycles('odd')).length).toBeLessThan(20);
});
