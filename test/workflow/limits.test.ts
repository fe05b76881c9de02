// What limits a tenant, in skipped time: cooldown, caps, circuit breaker (LOOP-4, LOOP-7, LOOP-8).
import { afterEach, expect } from 'vitest';
import { createRig, hourMs, minuteMs, type Rig, test, until, workspace } from './rig.ts';

let rig: Rig;
afterEach(async () => rig.stop());

async function open(cached = true): Promise<void> {
  rig = await createRig({ cached });
  await rig.startWorker();
}

const oneDatabase = { workspaces: [workspace({ ci: false })] };

async function writtenAtMs(kind: string): Promise<number[]> {
  const { rows } = await rig.database.pool.query(
    `select policy_ms from effects where kind = $1 and state = 'done' order by policy_ms`,
    [kind],
  );
  return rows.map((row: { policy_ms: number }) => Number(row.policy_ms));
}

test('LOOP-8: a cooldown of 30 min holds across continue-as-new and a worker restart', async () => {
  await open(false);
  await rig.apply('cool', oneDatabase);
  const { pending } = rig.world.place('cool');
  pending.main = ['1.sql'];
  const first = await rig.startLoop('cool', { rollAtEvents: 30 });
  await until(async () => expect((await rig.findings('cool'))[0]?.status).toBe('resolved'));

  pending.main = ['2.sql'];
  await rig.skip(16 * minuteMs);
  await until(async () => expect((await rig.findings('cool'))[0]?.waitingFor).toMatch(/cooldown/));
  const [appliedMs = 0] = await writtenAtMs('applyMigrations');
  const held = (await rig.findings('cool'))[0];
  expect(held?.waitingUntilMs).toBe(appliedMs + 30 * minuteMs);
  await rig.stopWorker();
  await rig.startWorker();
  await rig.skip(10 * minuteMs);
  expect(rig.world.writes('applyMigrations')).toHaveLength(1);

  await rig.skip(20 * minuteMs);
  await until(async () => expect((await rig.findings('cool'))[0]?.status).toBe('resolved'));
  const times = await writtenAtMs('applyMigrations');
  expect(times).toHaveLength(2);
  expect((times[1] ?? 0) - appliedMs).toBeGreaterThanOrEqual(30 * minuteMs);
  expect((await rig.loop('cool').describe()).runId).not.toBe(first.firstExecutionRunId);
});

test('LOOP-4: at most 3 mutating effects in 5 minutes, 2 are kept for incidents', async () => {
  await open();
  const databases = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  await rig.apply('caps', { workspaces: [workspace({ ci: false, databases })] });
  for (const database of databases) rig.world.place('caps').pending[database] = ['1.sql'];
  await rig.startLoop('caps');
  await until(async () => {
    const held = (await rig.findings('caps')).filter((one) => one.waitingFor?.includes('the cap is 3'));
    expect(held).toHaveLength(4);
    expect(held.every((one) => (one.waitingUntilMs ?? 0) > 0)).toBe(true);
  });
  expect(rig.world.writes('applyMigrations')).toHaveLength(3);

  await rig.skip(20 * minuteMs);
  await until(() => expect(rig.world.writes('applyMigrations')).toHaveLength(7));
  const times = await writtenAtMs('applyMigrations');
  for (const at of times) {
    const inWindow = times.filter((other) => other > at - 5 * minuteMs && other <= at);
    expect(inWindow.length).toBeLessThanOrEqual(3);
  }
});

test('LOOP-7: opens after three failed scheduled cycles, alerts once, one probe after an hour, closes', async () => {
  await open();
  const databases = ['a', 'b'];
  await rig.apply('fuse', {
    // No cycle ends near the hour of the probe: it would be good, and close the breaker.
    cadence: { night: '7m', workingHours: { every: '7m' } },
    workspaces: [workspace({ databases })],
  });
  const place = rig.world.place('fuse');
  const keys = ['ciRuns', 'migrations:a', 'migrations:b'];
  await rig.startLoop('fuse');
  await until(async () => expect((await rig.cycles('fuse'))[0]?.outcome).toBe('green'));
  for (const key of keys) place.sources[key] = 'throw';
  await rig.skip(10 * minuteMs);
  // Event-driven reads do not count.
  await until(async () => expect((await breaker('fuse')).breaker_failures).toBeGreaterThan(0));
  const counted = await breaker('fuse');
  for (let event = 0; event < 4; event += 1) {
    const before = (await rig.cycles('fuse')).length;
    await rig.loop('fuse').signal('wake', { reason: 'webhook', sources: ['shop/ciRuns'] });
    await until(async () => expect((await rig.cycles('fuse')).length).toBeGreaterThan(before));
  }
  await until(async () => expect((await rig.cycles('fuse'))[0]?.state).toBe('failed'));
  expect(await breaker('fuse')).toMatchObject(counted);
  await rig.skip(20 * minuteMs);
  await until(async () => expect(await breaker('fuse')).toMatchObject({ breaker_state: 'open' }));
  const openedMs = (await breaker('fuse')).breaker_since_ms;
  await until(() => expect(alertsOfBreaker('fuse')).toBe(1));

  // The world is readable again, with work to do: held until the probe.
  for (const key of keys) place.sources[key] = undefined;
  for (const database of databases) place.pending[database] = ['1.sql'];
  await rig.skip(20 * minuteMs);
  await until(async () => {
    const held = (await rig.findings('fuse')).filter((one) =>
      one.waitingFor?.includes('circuit breaker open'),
    );
    expect(held).toHaveLength(2);
    expect(held[0]?.waitingUntilMs).toBe(openedMs + hourMs);
  });
  expect(rig.world.writes('applyMigrations')).toEqual([]);
  place.effects.applyMigrations = 'hang'; // the probe takes its time: nothing else passes meanwhile
  await rig.skip(openedMs + hourMs - (await rig.nowMs()) + 1_000);
  await until(async () => {
    const waiting = (await rig.findings('fuse')).map((one) => one.waitingFor ?? '');
    expect(waiting.filter((one) => one.includes('its one probe is under way'))).toHaveLength(1);
  });
  place.effects.applyMigrations = undefined;
  await rig.skip(3 * hourMs);
  await until(() => expect(rig.world.writes('applyMigrations')).toHaveLength(2), 60_000);
  await until(async () =>
    expect(await breaker('fuse')).toMatchObject({ breaker_state: 'closed', breaker_failures: 0 }),
  );
  expect(alertsOfBreaker('fuse')).toBe(1);
});

test('LOOP-7: an alert that could not be sent is sent by a later cycle, across a roll', async () => {
  await open();
  await rig.apply('mute', oneDatabase);
  const place = rig.world.place('mute');
  place.sources['migrations:main'] = 'throw';
  place.effects.sendAlert = 'doubt';
  await rig.startLoop('mute', { rollAtEvents: 30 });
  await rig.skip(50 * minuteMs);
  await until(async () => expect(await breaker('mute')).toMatchObject({ breaker_state: 'open' }));
  expect(alertsOfBreaker('mute')).toBe(0);
  place.effects.sendAlert = undefined;
  await rig.skip(hourMs);
  await until(() => expect(alertsOfBreaker('mute')).toBe(1));
});

test('LOOP-7: cycles without a record count, and the loop goes on when the store is back', async () => {
  await open();
  await rig.apply('away', oneDatabase);
  await rig.startLoop('away');
  await until(async () => expect(await rig.cycles('away')).toHaveLength(1));
  await rig.database.pool.query('alter table cycles rename to cycles_gone');
  await rig.skip(hourMs);
  await rig.database.pool.query('alter table cycles_gone rename to cycles');
  await rig.skip(20 * minuteMs);
  await until(async () => expect(await breaker('away')).toMatchObject({ breaker_state: 'open' }));
  await until(() => expect(alertsOfBreaker('away')).toBe(1));
  expect((await rig.cycles('away')).every((cycle) => cycle.state !== 'running')).toBe(true); // LOOP-6
});

function alertsOfBreaker(tenant: string): number {
  return rig.world
    .writes('sendAlert', tenant)
    .filter((one) => String(one.input.title).startsWith('Circuit breaker')).length;
}

async function breaker(
  tenant: string,
): Promise<{ breaker_state: string; breaker_failures: number; breaker_since_ms: number }> {
  const { rows } = await rig.database.pool.query('select * from guards where tenant = $1', [tenant]);
  const { breaker_state, breaker_failures, breaker_since_ms } = rows[0];
  return { breaker_state, breaker_failures, breaker_since_ms: Number(breaker_since_ms) };
}
