// INC-2 DUR-2: an incident whose worker is killed after any turn and after any effect: one issue, at most two restarts, one open alert, nobody is
// forgotten, and it ends. Deaths are drawn from seeds; each run is a night of an hour and a half.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Pool } from '../../../src/store/database.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { crashLoop } from '../../workflow/ops/scene.ts';
import { type Dies, type Incidents, startIncidents } from './incident-turns.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const pool = (): Pool => database.pool as unknown as Pool;

/** A simple generator: the same seed dies at the same places. */
function deaths(seed: number, share: number): Dies {
  let state = seed * 2_654_435_761 + 1;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648 < share;
  };
}

/** @param seen what is seen: both at once, or the service minutes before the check, and what each began goes on as one (INC-2) */
async function night(tenant: string, dies: Dies, seen: 'atOnce' | 'serviceFirst'): Promise<Incidents> {
  const incidents = await startIncidents(pool(), tenant);
  const { production } = incidents.world.place(tenant);
  production.services.backend = crashLoop();
  if (seen === 'serviceFirst') await incidents.run(4, dies);
  production.failing = { backend: { level: 'sev1', services: ['backend'] } };
  await incidents.run(70, dies);
  production.services.backend.deployments.push({ id: 'd9', status: 'running' });
  production.failing = {};
  await incidents.run(40, dies);
  return incidents;
}

async function steps(tenant: string): Promise<readonly string[]> {
  const { rows } = await pool().query(
    `select kind from effects where tenant = $1 and kind = any('{restartService,redeployService,rollBackService}') and state = 'done' order by policy_ms`,
    [tenant],
  );
  return rows.map(({ kind }: { kind: string }) => kind);
}

it.each([
  ['nobody dies', 'atOnce', 0, 0],
  ['nobody dies, the service is seen first', 'serviceFirst', 7, 0],
  ...[1, 2, 3, 4, 5, 6].map((seed): [string, 'atOnce', number, number] => [
    `one in three dies, seed ${seed}`,
    'atOnce',
    seed,
    0.33,
  ]),
  ...[8, 9, 10, 11, 12, 13].map((seed): [string, 'serviceFirst', number, number] => [
    `one in three dies, the service is seen first, seed ${seed}`,
    'serviceFirst',
    seed,
    0.33,
  ]),
] as const)('INC-2 DUR-2: %s', async (_name, seen, seed, share) => {
  const tenant = `night-${seed}`;
  const { world } = await night(tenant, deaths(seed, share), seen);
  expect(await steps(tenant)).toEqual(['restartService', 'redeployService', 'restartService']);
  const asked = world.place(tenant).production.asked.filter((one) => /^(restart|redeploy)/.test(one));
  expect(asked).toEqual(['restart id-backend', 'redeploy id-backend', 'restart id-backend']);
  expect(world.writes('openIssue')).toHaveLength(1);
  expect(world.writes('closeIssue')).toHaveLength(1);
  const alerts = world.writes('sendAlert');
  expect(alerts.filter(({ input }) => input.state === 'open')).toHaveLength(1);
  expect(alerts.filter(({ input }) => input.state === 'resolved')).toHaveLength(1);
  const { rows } = await pool().query(
    `select open, e.at_ms - i.detected_ms as "afterMs" from incidents i join incident_events e using (tenant, fingerprint, occurrence)
     where tenant = $1 and e.key = 'told-1'`,
    [tenant],
  );
  expect(rows.length).toBeGreaterThan(0);
  for (const row of rows) expect(row).toMatchObject({ open: false });
  expect(Math.min(...rows.map(({ afterMs }) => afterMs))).toBeLessThanOrEqual(10 * 60_000);
  // One alert from its beginning to its end, and one first word to a person.
  expect(new Set(alerts.map(({ input }) => input.about)).size).toBe(1);
  expect(alerts.filter(({ input }) => /^needs a person/.test(String(input.title)))).toHaveLength(1);
  // Every comment once: its marker is its key.
  const comments = world.writes('commentOnIssue').map(({ marker }) => marker);
  expect(new Set(comments).size).toBe(comments.length);
  const approvals = await pool().query('select state from approvals where tenant = $1', [tenant]);
  expect(approvals.rows).toEqual([{ state: 'void' }]);
});
