// MODEL-4: the arithmetic of the estimate, against schedules that can be counted by hand.
import { describe, expect, it } from 'vitest';
import { parseTenantFile } from '../../../../src/config/tenant-file.ts';
import type { TenantConfig } from '../../../../src/contract/tenant-config.ts';
import {
  type Assumed,
  type AssumptionName,
  assumptions,
  estimateCosts,
} from '../../../../src/policy/model/cost-estimate.ts';
import { readsPerDay } from '../../../../src/policy/model/cost-schedule.ts';
import { minimalFile } from '../../../support/tenant-files.ts';

function configOf(more: object = {}): TenantConfig {
  const parsed = parseTenantFile(JSON.stringify({ ...minimalFile, ...more }), { fileName: 'cost.yaml' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.config;
}

const assumed = (more: Partial<Assumed> = {}): Assumed => ({
  ...(Object.fromEntries(
    Object.entries(assumptions).map(([name, { value }]) => [name, value]),
  ) as unknown as { [Name in AssumptionName]: number }),
  ...more,
});

describe('reads in a day', () => {
  it('follow the windows of the week: 15 min in working hours, 30 min at night and on weekends', () => {
    // 5 days of 10 working hours: 40 reads by day, and 28 in 14 hours; 2 days of 48.
    const { reads, cycles, ciReads } = readsPerDay(configOf(), false);
    expect(ciReads * 7).toBeGreaterThanOrEqual(5 * (40 + 28) + 2 * 48 - 10);
    expect(ciReads * 7).toBeLessThanOrEqual(5 * (40 + 28) + 2 * 48 + 10);
    expect([reads, cycles]).toEqual([ciReads, ciReads]);
  });

  it('are one in five minutes while red; two sources that are due together are one cycle', () => {
    const drift = [
      { environment: 'a', preset: 'opentofu' },
      { environment: 'b', preset: 'opentofu' },
    ];
    const config = configOf({ workspaces: [{ name: 'shop', github: { repository: 'a/b' }, drift }] });
    expect(readsPerDay(config, true)).toEqual({
      reads: 3 * 288,
      ciReads: 288,
      cycles: 288,
      approvalReads: 720,
    });
  });

  it('are none of CI where it is off', () => {
    const config = configOf({
      workspaces: [{ name: 'shop', github: { repository: 'a/b' }, ci: { enabled: false } }],
    });
    expect(readsPerDay(config, false)).toMatchObject({ reads: 0, cycles: 0 });
  });
});

describe('an estimate', () => {
  it('of a quiet tenant is its cycles: sources due and two', () => {
    const quiet = assumed({ failures: 0, redHours: 0, approvalHours: 0 });
    const { expected, cycles } = estimateCosts(configOf(), quiet);
    const { reads } = readsPerDay(configOf(), false);
    expect(expected).toEqual({
      tokens: 0,
      usd: 0,
      temporalActions: Math.round(reads * 3),
      githubRequests: 0,
    });
    expect(cycles.expected).toBe(Math.round(reads));
  });

  it('counts tokens and money of triage, drafts and verdicts at their prices', () => {
    const given = assumed({
      failures: 10,
      triageShare: 1,
      fixShare: 1,
      triageTokens: 1_000,
      fixTokens: 10_000,
      verifyShare: 0.5,
      outputShare: 0.1,
      cachedShare: 0,
    });
    const { expected } = estimateCosts(configOf(), given);
    expect(expected.tokens).toBe(110_000);
    // Haiku for 10 k, Opus for 50 k, Sonnet for 50 k; a tenth is output, the rest is written to the cache.
    const usd =
      (10_000 * (0.1 * 0.5 + 0.9 * 0.125) + 50_000 * (0.1 * 20 + 0.9 * 5) + 50_000 * (0.1 * 10 + 0.9 * 2.5)) /
      1e6;
    expect(expected.usd).toBeCloseTo(usd, 4);
  });

  it('MODEL-4 MODEL-2: counts the operator of incidents where production is watched', () => {
    const given = assumed({
      failures: 0,
      incidents: 2,
      operatorTokens: 10_000,
      outputShare: 0,
      cachedShare: 0,
    });
    const services = { provider: { kind: 'command', status: 'true', logs: 'true', restart: 'true' } };
    const config = configOf({ workspaces: [{ name: 'shop', github: { repository: 'a/b' }, services }] });
    const { expected } = estimateCosts(config, given);
    expect(expected.tokens).toBe(20_000);
    expect(expected.usd).toBeCloseTo((20_000 * 2.5) / 1e6, 4);
  });

  it('never goes over the budget of the day, which is the worst case at the highest price', () => {
    const config = configOf({ model: { budgets: { tokensPerDay: 100_000 } } });
    const { expected, worst } = estimateCosts(config, assumed({ failures: 1_000 }));
    expect(expected.tokens).toBe(100_000);
    expect(worst).toMatchObject({ tokens: 100_000, usd: 2 });
    expect(expected.usd).toBeLessThan(2);
  });

  it('asks no model that is switched off', () => {
    const { expected, worst } = estimateCosts(configOf({ model: { enabled: false } }), assumed());
    expect([expected.tokens, expected.usd, worst.tokens, worst.usd]).toEqual([0, 0, 0, 0]);
  });

  it('is never better at worst than expected', () => {
    const { expected, worst } = estimateCosts(configOf(), assumed());
    for (const key of ['tokens', 'usd', 'temporalActions', 'githubRequests'] as const)
      expect(worst[key]).toBeGreaterThan(expected[key]);
  });
});
