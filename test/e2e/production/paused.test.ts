// The loop is paused, then ended, while production is down: nothing is done to it, people are told all the same, and the watchdog tells of the loop.
import { afterEach, expect } from 'vitest';
import { createAlertEffects } from '../../../src/activities/effects/alert.ts';
import { createDoor } from '../../../src/activities/effects/door.ts';
import { createServices } from '../../../src/activities/services.ts';
import { createSecretResolver } from '../../../src/config/secrets.ts';
import { tenantWorkflowId } from '../../../src/contract/names.ts';
import { createRedactor } from '../../../src/logs/redact/redact-values.ts';
import { lookAtLoops, type Watched } from '../../../src/watchdog/look.ts';
import { minuteMs, type Night, skipUntil, startNight, test, until } from './rig/rig.ts';

let night: Night | undefined;
afterEach(async () => night?.stop());

test('INC-6 INC-4: of a paused tenant, and of one whose loop was terminated, the alert and the words to people go out, and the watchdog says so', async () => {
  night = await startNight();
  const { site, tenant, client, clock } = night;
  await night.startWorker();
  await night.apply({ incidents: { escalation: { remindSev1: '10m' } } });
  await night.startLoop();
  await until(async () => expect((await client.history(tenant)).cycles.length).toBeGreaterThan(0));
  await client.pause({ tenant }, { by: 'ana', reason: 'release freeze' });
  site.production.fail({ kind: 'status', status: 503, side: 'backend', path: '/health' });
  const issue = await skipUntil(night, 6 * minuteMs, async () => {
    const issues = await site.issues();
    expect(issues).toHaveLength(1);
    expect(site.pages).toHaveLength(1);
    return issues[0]?.number ?? 0;
  });
  const detectedMs = site.pages[0]?.atMs ?? 0;
  expect(site.pages[0]).toMatchObject({ severity: 'critical', title: 'SEV1 in shop: backend' });
  // The ladder is held by the pause, and nobody but the ladder.
  await skipUntil(night, 12 * minuteMs, async () => {
    const { events } = await client.history(tenant, { limit: 1_000 });
    expect(events.map(({ reason }) => reason).join('\n')).toMatch(/is held: paused.*release freeze/);
  });
  expect(await watch(night)).toMatchObject([{ state: 'well', told: null }]);

  await night.temporal.workflow.getHandle(tenantWorkflowId(tenant)).terminate('somebody ended it');
  expect(await watch(night)).toMatchObject([{ state: 'ended', told: 'open', problem: null }]);
  expect(site.pages.at(-1)).toMatchObject({
    severity: 'critical',
    title: `The loop of ${tenant} stands still`,
  });
  const endedMs = clock.nowMs;
  await night.skip(25 * minuteMs);
  const told = site.pages.filter(
    ({ title }) => /SEV1 in shop/.test(title) && /person|acknowledged/.test(title),
  );
  expect((told[0]?.atMs ?? 0) - detectedMs).toBeLessThanOrEqual(10 * minuteMs);
  expect(told.filter(({ atMs }) => atMs > endedMs)).toHaveLength(2);
  expect((await site.comments(issue)).some(({ body }) => body.includes('@maria'))).toBe(true);
  expect(site.railway.writes()).toEqual([]);
  // Once an hour, not with every look.
  const before = site.pages.length;
  expect(await watch(night)).toMatchObject([{ state: 'ended', told: null }]);
  expect(site.pages).toHaveLength(before);

  // The loop is there again: the watchdog says that too, the incident is the same.
  await night.startLoop();
  await skipUntil(night, 6 * minuteMs, async () => {
    const { cycles } = await client.history(tenant);
    expect(cycles.some(({ finishedAt }) => Date.parse(finishedAt ?? '') > clock.nowMs - 6 * minuteMs)).toBe(
      true,
    );
  });
  expect(await watch(night)).toMatchObject([{ state: 'well', told: 'resolved' }]);
  expect(await site.issues()).toHaveLength(1);
});

/** As a cron beside all workers looks. */
async function watch({ site, database, temporal, clock, worker }: Night): Promise<readonly Watched[] | null> {
  const redactor = createRedactor();
  const { pool } = database;
  const secrets = createSecretResolver({ env: { ...site.env }, redactor });
  const services = createServices({ pool, redactor, secrets, cacheDir: worker.cacheDir });
  return lookAtLoops({
    pool,
    door: createDoor({ pool, redactor, definitions: createAlertEffects(services, () => {}) }),
    client: temporal,
    nowMs: clock.nowMs,
    signal: AbortSignal.timeout(60_000),
  });
}
