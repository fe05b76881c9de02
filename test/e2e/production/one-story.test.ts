// A service crashes; the platform is read every minute, its health check every four: two sources see one fault, minutes apart, and people hear of one.
import { afterEach, expect } from 'vitest';
import { minuteMs, type Night, skipUntil, startNight, test } from './rig/rig.ts';

let night: Night | undefined;
afterEach(async () => night?.stop());

test('INC-2 INC-4: seen by the platform first and by a check later: one issue, one alert, one first word to a person', async () => {
  night = await startNight({ at: '02:55' });
  const { site, client, tenant } = night;
  await night.startWorker();
  await night.apply({ tenant: { cadence: { perSource: { health: '4m', deployments: '1m' } } } });
  await night.startLoop();
  await night.skip(2 * minuteMs);
  site.railway.world.push('backend', {
    commitSha: 'b'.repeat(40),
    behaviour: { startMs: 5_000, crashesAfterMs: 20_000 },
  });
  // Each has a finding; the record of the service was there first.
  const issue = await skipUntil(night, 8 * minuteMs, async () => {
    expect((await night?.findings())?.map(({ kind }) => kind).sort()).toEqual(['deployment', 'incident']);
    const [found] = await site.issues();
    expect(found?.title).toMatch(/^\[SEV1\] Production incident: backend, service backend$/);
    return found?.number ?? 0;
  });
  const { rows } = await night.database.pool.query(
    `select f.kind, i.open, i.issue from findings f join incidents i using (tenant, fingerprint, occurrence) order by i.detected_ms, f.kind`,
  );
  expect(rows).toContainEqual({ kind: 'incident', open: true, issue });
  expect(rows.map(({ kind }) => kind)).toContain('deployment');
  await skipUntil(night, 2 * minuteMs, async () =>
    expect((await night?.findings())?.find(({ kind }) => kind === 'deployment')).toMatchObject({
      status: 'waiting',
      waitingFor: expect.stringMatching(
        new RegExp(`^part of the incident [0-9a-f]{12} \\(issue #${issue}\\)$`),
      ),
    }),
  );
  // A restart and a redeployment, after which it is up for seconds, crashes again, and is still nobody else's story.
  await night.skip(12 * minuteMs);
  expect(site.railway.writes().map(({ operation }) => operation)).toEqual(['Restart', 'Redeploy']);
  expect(await site.issues()).toHaveLength(1);
  expect(site.pages.filter(({ title }) => /^needs a person/.test(title))).toHaveLength(1);

  site.railway.world.push('backend', { commitSha: 'c'.repeat(40) });
  await skipUntil(night, 25 * minuteMs, async () => {
    expect((await site.issues()).map(({ state }) => state)).toEqual(['closed']);
    expect((await night?.findings())?.every(({ status }) => status === 'resolved')).toBe(true);
  });
  expect(site.pages.filter(({ state }) => state === 'open')).toHaveLength(1);
  expect(site.pages.filter(({ state }) => state === 'resolved')).toHaveLength(1);
  expect(new Set(site.pages.map(({ id }) => id)).size).toBe(1);
  const comments = (await site.comments(issue)).map(({ body }) => body);
  expect(new Set(comments).size).toBe(comments.length);
  const { effects } = await client.history(tenant, { limit: 1_000 });
  expect(effects.filter(({ kind, state }) => kind === 'openIssue' && state === 'done')).toHaveLength(1);
});
