// The worker dies at each step of an incident: whoever takes over finds where it stood. A process of its own, killed at points of the door.
import { afterEach, expect } from 'vitest';
import { type Mortal, startInCrashLoop, startMortal } from './rig/mortal.ts';
import { minuteMs, type Night, skipUntil, startNight, test } from './rig/rig.ts';
import type { Kill } from './rig/worker-process.ts';

let night: Night | undefined;
let workers: Mortal | undefined;
afterEach(async () => {
  await workers?.stop();
  workers = undefined;
  await night?.stop();
});

/** In the order in which they come; what is done at the same moment dies with it. */
const kills: readonly Kill[] = [
  { kind: 'openIssue', step: 'issue', point: 'written' },
  { kind: 'sendAlert', step: 'told-1', point: 'claimed' },
  { kind: 'restartService', step: 'restart-1', point: 'written' },
  { kind: 'redeployService', step: 'redeploy-1', point: 'fenced' },
  { kind: 'restartService', step: 'restart-2', point: 'settled' },
  { kind: 'commentOnIssue', step: 'comment-ask', point: 'written' },
];

test('DUR-2 INC-2 INC-4 DEPLOY-3: killed at each step of an incident: one issue, at most two restarts, nobody is forgotten', async () => {
  night = await startNight({ cached: false, leaseMs: 2_000 });
  const { site } = night;
  workers = await startMortal(night, kills);
  await night.apply({
    tenant: {
      cadence: { perSource: { health: '4m', deployments: '4m' } },
      // A shorter night than in night.test.ts.
      limits: { cooldowns: { restartService: '10m' } },
    },
  });
  await startInCrashLoop(night);
  const issue = await skipUntil(night, 10 * minuteMs, async () => {
    workers?.check();
    const issues = await site.issues();
    expect(issues).toHaveLength(1);
    return issues[0]?.number ?? 0;
  });
  const detectedMs = site.pages[0]?.atMs ?? 0;
  await skipUntil(night, 40 * minuteMs, async () => {
    workers?.check();
    expect(workers?.killed).toEqual(kills);
    expect(await night?.client.approvals(night.tenant)).toHaveLength(1);
  });
  expect(await site.issues()).toHaveLength(1);
  const writes = site.railway.writes().map(({ operation }) => operation);
  expect(writes.filter((operation) => operation === 'Restart')).toHaveLength(2);
  expect(writes.filter((operation) => operation === 'Redeploy').length).toBeLessThanOrEqual(1);
  const told = site.pages.filter(({ title }) => /SEV1 in shop/.test(title) && /needs a person/.test(title));
  expect((told[0]?.atMs ?? Number.POSITIVE_INFINITY) - detectedMs).toBeLessThanOrEqual(10 * minuteMs);
  // At least once, and a repeat is known by its id.
  expect(new Set(site.pages.map(({ id }) => id)).size).toBe(1);
  const comments = (await site.comments(issue)).map(({ body }) => body);
  expect(comments.filter((body) => /SEV1 needs a person/.test(body))).toHaveLength(1);
  expect(new Set(comments).size).toBe(comments.length);
  const { rows } = await night.database.pool.query(
    'select opening, detected_ms as "detectedMs" from incidents where open',
  );
  expect(rows.filter(({ opening }) => opening === 1)).toHaveLength(rows.length);
});
