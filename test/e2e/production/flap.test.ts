// A check that fails at every other reading: one incident, few words, nothing done to what runs.
import { afterEach, expect } from 'vitest';
import { minuteMs, type Night, skipUntil, startNight, test, until } from './rig/rig.ts';

let night: Night | undefined;
afterEach(async () => night?.stop());

test('INC-1 INC-2 LOOP-8: a check that comes and goes every cycle is one incident with its counts, and no storm of effects', async () => {
  night = await startNight();
  const { site, tenant, client, clock } = night;
  await night.startWorker();
  await night.apply();
  await night.startLoop();
  await until(async () => expect((await client.history(tenant)).cycles.length).toBeGreaterThan(0));
  const readings = (): number =>
    site.production.requests('backend').filter(({ path }) => path === '/health').length;
  // An hour in which each reading says the other thing.
  const endMs = clock.nowMs + 60 * minuteMs;
  for (let turn = 0; clock.nowMs < endMs; turn += 1) {
    await site.production.heal();
    if (turn % 2 === 0)
      site.production.fail({ kind: 'status', status: 500, side: 'backend', path: '/health' });
    const before = readings();
    await skipUntil(night, 5 * minuteMs, () => expect(readings()).toBeGreaterThan(before));
  }
  await site.production.heal();
  const issue = await skipUntil(night, 30 * minuteMs, async () => {
    const issues = await site.issues();
    expect(issues).toHaveLength(1);
    expect(issues[0]?.state).toBe('closed');
    return issues[0]?.number ?? 0;
  });
  expect(site.railway.writes()).toEqual([]);
  const { rows } = await night.database.pool.query('select opening from incidents');
  expect(rows).toEqual([{ opening: 1 }]);
  const body = (await site.comments(issue)).map((one) => one.body).join('\n');
  expect(body).toMatch(/backend failed ([5-9]|1[0-9]) times/);
  // Opened, told to a person and reminded, called once for what does not settle, resolved: by the clock, not by the flaps.
  expect(site.pages.length).toBeLessThanOrEqual(9);
  const { effects } = await client.history(tenant, { limit: 1_000 });
  expect(effects.length).toBeLessThanOrEqual(25);
});
