// DEPLOY-5: 500 services, read every five minutes for an hour while all of them are deployed anew, stay inside 1,000 requests an hour; and with less of a
// budget it is read less often, and says so.
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createDeploymentsSource } from '../../../src/activities/sources/ops/deployments.ts';
import { createRailwayProvider } from '../../../src/integrations/railway/railway.ts';
import { createRequestBudget } from '../../../src/store/ops/request-budget.ts';
import type { ProjectRow } from '../../support/railway/world.ts';
import { minute, type OpsRig, startMs, startOpsRig } from './rig.ts';

let rig: OpsRig;
beforeAll(async () => {
  rig = await startOpsRig();
});
afterAll(() => rig.stop());
beforeEach(() => {
  rig.clock.nowMs = startMs;
});

const names = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `${prefix}-${n}`);

/** The source over a budget on the test's clock: a request in the second that it is asked in waits for no real time. */
function sourceOf(shop: ProjectRow, perHour: number) {
  const settings = rig.railway.settings(shop);
  let asked = 0;
  const budget = createRequestBudget(rig.database.pool, {
    token: shop.projectToken,
    limits: { perHour, perSecond: 10 },
    now: () => {
      asked += 1;
      return rig.clock.nowMs + asked * 250;
    },
  });
  const provider = createRailwayProvider(settings, { token: shop.projectToken, budget });
  return createDeploymentsSource({ provider: async () => provider });
}

it('500 services that all move stay inside 1,000 requests an hour, and no event is lost', async () => {
  const all = names('many', 500);
  const { shop, yaml } = rig.project(
    'many',
    all.map((name) => ({ name, commitSha: 'a1' })),
  );
  await rig.tenant('many', yaml);
  const source = sourceOf(shop, 1_000);
  const first = rig.railway.journal().length;
  await rig.read('many', 'deployments', source);
  rig.clock.nowMs += minute;
  for (const name of all) rig.railway.world.push(name, { commitSha: 'b2' });
  const reasons: string[] = [];
  for (let cycle = 0; cycle < 13; cycle += 1) {
    rig.clock.nowMs += 5 * minute;
    const { state, reason } = await rig.read('many', 'deployments', source);
    expect([state, reason]).toEqual(['green', expect.stringContaining('500 services: 500 healthy')]);
    reasons.push(reason);
  }
  expect(reasons[0]).toContain('460 moved and are looked at in the next reading');
  expect(reasons[12]).not.toContain('moved and are looked at');
  const asked = rig.railway.journal().slice(first);
  const hours = asked.map(
    ({ atMs }) => asked.filter((one) => one.atMs >= atMs && one.atMs < atMs + 60 * minute).length,
  );
  expect(Math.max(...hours)).toBeLessThanOrEqual(1_000);
  const told = await rig.events('many', 'deployment.created');
  expect(new Set(told.map(({ subject }) => subject)).size).toBe(500);
  expect(told).toHaveLength(500);
}, 120_000);

it('with a small budget it is read less often, says how old the last reading is, and never takes that for a reading', async () => {
  const { shop, yaml } = rig.project('poor', [{ name: 'poor-backend', commitSha: 'a1' }]);
  await rig.tenant('poor', yaml.replace('kind: railway,', 'kind: railway, requestsPerHour: 15,'));
  const source = sourceOf(shop, 15);
  expect(await rig.read('poor', 'deployments', source)).toMatchObject({ state: 'green' });
  const asked = rig.railway.journal().length;
  rig.railway.world.say('poor-backend', 'CRASHED', { stopped: true });
  rig.clock.nowMs += 5 * minute;
  expect(await rig.read('poor', 'deployments', source)).toMatchObject({
    state: 'green',
    reason: expect.stringMatching(
      /^not read now, the last reading is 5 min old: 1 services are read every 7 min instead of every 5 min/,
    ),
  });
  expect(rig.railway.journal().length).toBe(asked);
  rig.clock.nowMs += 10 * minute;
  expect(await rig.read('poor', 'deployments', source)).toMatchObject({ state: 'red' });
});

it('when the platform says to wait, the last reading is shown with its age, for a quarter of an hour', async () => {
  const { shop, yaml } = rig.project('waiting', [{ name: 'waiting-backend', commitSha: 'a1' }]);
  await rig.tenant('waiting', yaml);
  const source = sourceOf(shop, 1_000);
  await rig.read('waiting', 'deployments', source);
  rig.railway.fail({ kind: 'limited', retryAfterS: 3_600 });
  rig.clock.nowMs += 5 * minute;
  expect(await rig.read('waiting', 'deployments', source)).toMatchObject({
    state: 'green',
    reason: expect.stringMatching(/^not read now, the last reading is 5 min old: .*429/),
  });
  const asked = rig.railway.journal().length;
  rig.clock.nowMs += 15 * minute;
  expect(await rig.read('waiting', 'deployments', source)).toMatchObject({
    state: 'unknown',
    findings: [],
    reason: expect.stringContaining('the last reading is 20 min old'),
  });
  expect(rig.railway.journal().length).toBe(asked);
});
