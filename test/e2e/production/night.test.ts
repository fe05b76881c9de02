// A crash loop in the middle of the night, with everything real but the time: the alert and the issue at detection, the ladder to a rollback that
// a person approves in a comment, the words to people beside it, and what is left of it in `history` and on the platform.
import { afterEach, expect } from 'vitest';
import { minuteMs, type Night, skipUntil, startNight, test, until } from './rig/rig.ts';

let night: Night | undefined;
afterEach(async () => night?.stop());

const afterMinutes = (fromMs: number, atMs: number): number => Math.round((atMs - fromMs) / minuteMs);

test('DEPLOY-3 INC-2 INC-4 LOOP-8 LOOP-13 SEE-5: restart, redeploy, second restart, held rollback, approved, green', async () => {
  night = await startNight({ at: '02:55' });
  const { site, clock, tenant, client } = night;
  await night.startWorker();
  // Read in the same cycle, so that one incident has both the check and the service.
  await night.apply({ tenant: { cadence: { perSource: { health: '4m', deployments: '4m' } } } });
  await night.startLoop();
  await until(async () => expect((await client.history(tenant)).cycles.length).toBeGreaterThan(0));
  await night.skip(5 * minuteMs);
  const [before] = site.railway.world.deploymentsOf('backend');
  site.railway.world.push('backend', {
    commitSha: 'b'.repeat(40),
    behaviour: { startMs: 5_000, crashesAfterMs: 20_000, crashLines: ['fatal: out of connections'] },
  });
  const crashMs = clock.nowMs + 25_000;

  // Detection: at most one cycle, and at once both the alert and the issue.
  const issue = await skipUntil(night, 6 * minuteMs, async () => {
    const [found] = await site.issues();
    expect(found?.title).toMatch(/^\[SEV1\] Production incident: backend/);
    expect(site.pages).not.toHaveLength(0);
    return found?.number ?? 0;
  });
  const [alert] = site.pages;
  expect(alert).toMatchObject({ severity: 'critical', state: 'open', signed: true });
  const detectedMs = alert?.atMs ?? 0;
  expect(detectedMs - crashMs).toBeLessThanOrEqual(5 * minuteMs);

  const approval = await skipUntil(night, 55 * minuteMs, async () => {
    const [asked] = await client.approvals(tenant);
    expect(asked).toMatchObject({ kind: 'rollBackService' });
    return asked;
  });
  const ladder = site.railway.writes();
  expect(ladder.map(({ operation }) => operation)).toEqual(['Restart', 'Redeploy', 'Restart']);
  const [first, redeploy, second] = ladder.map(({ atMs }) => afterMinutes(detectedMs, atMs));
  expect(first).toBeGreaterThanOrEqual(5);
  expect(redeploy).toBeGreaterThanOrEqual((first ?? 0) + 5);
  expect(second).toBeGreaterThanOrEqual((first ?? 0) + 30);
  expect(second).toBeLessThan((first ?? 0) + 36);
  // Beside it: a person within ten minutes, and again.
  const told = site.pages.filter(({ title }) => /needs a person|not acknowledged/.test(title));
  expect(afterMinutes(detectedMs, told[0]?.atMs ?? 0)).toBeLessThanOrEqual(10);
  expect(told.length).toBeGreaterThanOrEqual(2);

  const hash = approval?.hash ?? '';
  await skipUntil(night, minuteMs, async () =>
    expect((await site.comments(issue)).map(({ body }) => body)).toContainEqual(
      expect.stringContaining(`/approve ${hash}`),
    ),
  );
  // By somebody who may not write it is a comment like any other.
  await site.eve.comment(issue, `/approve ${hash}`);
  await night.skip(5 * minuteMs);
  expect(site.railway.writes()).toHaveLength(3);
  await site.maria.comment(issue, `/approve ${hash}`);
  // Three changes in this hour, which is its cap: what a person has just approved does not wait for it (GUARD-1).
  const approvedMs = clock.nowMs;
  await skipUntil(night, 10 * minuteMs, () => expect(site.railway.writes()).toHaveLength(4));
  const [oldest] = site.railway.writes();
  expect(site.railway.writes()[3]?.atMs).toBeLessThan((oldest?.atMs ?? 0) + 60 * minuteMs);
  expect((site.railway.writes()[3]?.atMs ?? 0) - approvedMs).toBeLessThan(6 * minuteMs);
  expect(site.railway.writes()[3]).toMatchObject({ operation: 'RollBack', variables: { id: before?.id } });

  await skipUntil(night, 25 * minuteMs, async () => {
    expect((await site.issues()).find(({ number }) => number === issue)?.state).toBe('closed');
    expect((await night?.findings())?.every(({ status }) => status === 'resolved')).toBe(true);
  });
  expect(site.railway.writes()).toHaveLength(4);
  expect(site.pages.at(-1)).toMatchObject({ state: 'resolved' });
  expect(new Set(site.pages.map(({ id }) => id)).size).toBe(1);
  const summary = (await site.comments(issue)).at(-1)?.body ?? '';
  expect(summary).toMatch(
    /## Resolved[\s\S]*Restart of backend: applied[\s\S]*Redeployment of backend: applied[\s\S]*Restart of backend: applied[\s\S]*Rollback of backend: applied/,
  );
  await inHistory(night, issue);
});

/** SEE-5: each write of each server is an effect with its receipt, each turn of the night an event, in what the client reads. */
async function inHistory({ site, client, tenant }: Night, issue: number): Promise<void> {
  const { effects, events } = await client.history(tenant, { limit: 1_000 });
  const done = (kind: string): typeof effects =>
    effects.filter((one) => one.kind === kind && one.state === 'done');
  const onServices = ['restartService', 'redeployService', 'rollBackService'].flatMap(done);
  expect(onServices.map(({ outcome }) => outcome)).toEqual(['applied', 'applied', 'applied', 'applied']);
  expect(done('openIssue')).toHaveLength((await site.issues()).length);
  expect(done('closeIssue')).toHaveLength(1);
  expect(done('sendAlert')).toHaveLength(site.pages.length);
  const actions = events.map(({ action }) => action);
  for (const action of [
    'incident.detected',
    'incident.severity',
    'incident.action',
    'incident.held',
    'incident.told',
    'incident.recovered',
    'severity.changed',
    'severity.over',
    'deployment.created',
    'deployment.crashed',
  ])
    expect(actions).toContain(action);
  for (const row of site.railway.world.deploymentsOf('backend').slice(0, -1))
    expect(events.map(({ detail }) => detail.deploymentId)).toContain(row.id);
  expect(events.map(({ actor }) => actor)).toContain('maria');
  // Each change of what runs is a line with its receipt on the issue.
  const comments = (await site.comments(issue)).map(({ body }) => body).join('\n');
  for (const { key } of onServices) expect(comments).toContain(key.slice(0, 16));
}
