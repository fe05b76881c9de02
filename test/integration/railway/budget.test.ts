// DEPLOY-5: the request budget of a token, in Postgres: shared by workers, kept over their restarts, with a part for incidents; and Railway's own 429.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRailwayProvider, requestsPerOverview } from '../../../src/integrations/railway/railway.ts';
import { readEveryMs } from '../../../src/policy/ops/request-budget.ts';
import { createPool } from '../../../src/store/database.ts';
import { createRequestBudget } from '../../../src/store/ops/request-budget.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startRailway } from '../../support/railway/railway.ts';
import { call, failureOf, mayWrite, startMs, startRig } from './rig.ts';

const hour = 3_600_000;
const limits = { perHour: 1_000, perSecond: 10 };
const token = 'a-token-that-nobody-may-see';
let database: TestDatabase;
let nowMs: number;
beforeEach(async () => {
  database = await createTestDatabase();
  nowMs = startMs;
});
afterEach(() => database.drop());

const budget = (pool = database.pool) => createRequestBudget(pool, { token, limits, now: () => nowMs });

async function takeAll(forIncident: boolean, everyMs: number, times: number): Promise<number> {
  const mine = budget();
  let granted = 0;
  for (let count = 0; count < times; count += 1) {
    if ((await mine.take({ forIncident })).granted) granted += 1;
    nowMs += everyMs;
  }
  return granted;
}

describe('DEPLOY-5 the budget of a token', () => {
  it('is kept over a restart, and keeps a part for incidents', async () => {
    expect(await takeAll(false, 200, 300)).toBeLessThan(160);
    const restarted = createPool(database.url);
    try {
      const again = await budget(restarted).take({ forIncident: false });
      expect(again).toMatchObject({ granted: false });
      expect(again).toHaveProperty('reason', expect.stringContaining('kept for incidents'));
      expect(await budget(restarted).take({ forIncident: true })).toEqual({ granted: true });
    } finally {
      await restarted.end();
    }
  });

  it('is shared: two workers at once get no more than one', async () => {
    const pools = [createPool(database.url), createPool(database.url)];
    try {
      const asks = Array.from({ length: 40 }, (_, index) =>
        budget(pools[index % 2]).take({ forIncident: true }),
      );
      const answers = await Promise.all(asks);
      // Half of a second's limit at once; the clock stands still.
      expect(answers.filter(({ granted }) => granted)).toHaveLength(5);
    } finally {
      await Promise.all(pools.map((pool) => pool.end()));
    }
  });

  it("goes by the database's clock when no other is given", async () => {
    const mine = createRequestBudget(database.pool, { token, limits });
    expect(await mine.take({ forIncident: false })).toEqual({ granted: true });
    const { rows } = await database.pool.query(
      'select abs(at_ms - extract(epoch from now()) * 1000) < 60000 as near from request_budgets',
    );
    expect(rows).toEqual([{ near: true }]);
  });

  it('holds a hash, never the token', async () => {
    await budget().take({ forIncident: false });
    const { rows } = await database.pool.query('select to_jsonb(b)::text as row from request_budgets b');
    expect(rows).toHaveLength(1);
    expect(rows[0].row).not.toContain(token);
    expect(rows[0].row).toMatch(/"token_hash": "[0-9a-f]{64}"/);
  });
});

describe('DEPLOY-5 with Railway', () => {
  it('remembers a 429 for the token: no other worker asks before Retry-After is over', async () => {
    const rig = await startRig([{ name: 'backend' }]);
    try {
      const first = rig.providerWith({ budget: budget() });
      const second = rig.providerWith({ budget: budget() });
      await first.overview(call);
      rig.asked();
      rig.railway.fail({ kind: 'limited', retryAfterS: 30 });
      expect(await failureOf(first.overview(call))).toMatchObject({ kind: 'limited', retryAfterMs: 30_000 });
      expect(rig.asked()).toEqual(['Overview']);
      nowMs += 10_000;
      const [one] = rig.railway.world.deploymentsOf('backend');
      const restart = second.restart({ id: one?.id ?? '', serviceId: one?.serviceId ?? '' }, mayWrite);
      expect(await failureOf(restart)).toMatchObject({ kind: 'limited', retryAfterMs: 20_000 });
      expect(rig.asked()).toEqual([]);
      nowMs += 20_000;
      await second.overview(call);
      expect(rig.asked()).toEqual(['ProjectToken', 'Overview']);
    } finally {
      await rig.railway.close();
    }
  });

  it('waits a moment where only the second is full', async () => {
    const rig = await startRig([{ name: 'backend' }]);
    try {
      const provider = rig.providerWith({
        budget: createRequestBudget(database.pool, { token, limits }),
      });
      await Promise.all(Array.from({ length: 10 }, () => provider.overview(call)));
      expect(rig.asked().filter((name) => name === 'Overview')).toHaveLength(10);
    } finally {
      await rig.railway.close();
    }
  });

  it('500 services every 5 min stay inside 1,000 requests an hour, with room for an incident, and without a 429', async () => {
    const railway = await startRailway({ now: () => nowMs, limit: limits });
    try {
      const services = Array.from({ length: 500 }, (_, index) => ({ name: `service-${index}` }));
      const shop = railway.world.addProject({ project: 'shop', services });
      const settings = railway.settings(shop);
      const mine = createRequestBudget(database.pool, {
        token: shop.projectToken,
        limits,
        now: () => nowMs,
      });
      const provider = createRailwayProvider(settings, { token: shop.projectToken, budget: mine });
      const { everyMs, slower } = readEveryMs({
        services: 500,
        requestsPerRead: requestsPerOverview(500),
        askedMs: 5 * 60_000,
        limits,
      });
      expect({ everyMs, slower }).toEqual({ everyMs: 5 * 60_000, slower: null });
      const endMs = startMs + 2 * hour;
      const one = railway.world.service('service-7').id;
      for (; nowMs < endMs; nowMs += everyMs) {
        expect((await provider.overview(call)).services).toHaveLength(500);
        const incident = { ...call, forIncident: true };
        await provider.logs({ serviceId: one, kind: 'deploy', limit: 50 }, incident);
      }
      const journal = railway.journal();
      expect(journal.filter(({ status }) => status === 429)).toEqual([]);
      const perHour = journal.filter(({ atMs }) => atMs >= startMs + hour).length;
      expect(perHour).toBeLessThanOrEqual(1_000);
      // An overview each time, and two requests for the logs of the newest deployment.
      expect(perHour).toBe(12 * 3);
    } finally {
      await railway.close();
    }
  });

  it('over the budget: not asked, with when there is room again', async () => {
    const rig = await startRig([{ name: 'backend' }]);
    try {
      const provider = rig.providerWith({ budget: budget() });
      await provider.overview(call);
      await takeAll(false, 200, 300);
      rig.asked();
      const failure = await failureOf(provider.overview(call));
      expect(failure.kind).toBe('limited');
      expect(failure.retryAfterMs).toBeGreaterThan(1_000);
      expect(failure.message).toContain('Railway overview: not asked, what everyday work may use');
      expect(rig.asked()).toEqual([]);
      await provider.overview({ ...call, forIncident: true });
      expect(rig.asked()).toEqual(['Overview']);
    } finally {
      await rig.railway.close();
    }
  });
});
