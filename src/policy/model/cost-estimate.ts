// MODEL-4: what a tenant will use in a day, expected and at worst, from its settings and from assumptions that people can change. Pure arithmetic;
// nothing here is measured, and what limits in earnest is elsewhere (model-budget.ts, guard.ts).
import type { ModelPurpose } from '../../contract/model.ts';
import type { ModelPrice, TenantConfig } from '../../contract/tenant-config.ts';
import { readsPerDay } from './cost-schedule.ts';

export type Assumption = { readonly value: number; readonly meaning: string };

/** What cannot be read from the settings. Changed with `--assume name=value`. */
export const assumptions = {
  failures: { value: 3, meaning: 'CI findings that appear in a day' },
  redHours: { value: 2, meaning: 'hours of a day with something workable red' },
  approvalHours: { value: 1, meaning: 'hours of a day in which something waits for an approval' },
  triageShare: { value: 0.3, meaning: 'share of findings that rules do not classify' },
  fixShare: { value: 0.4, meaning: 'share of findings that a model drafts a fix for' },
  triageTokens: { value: 6_000, meaning: 'tokens of one triage' },
  fixTokens: { value: 45_000, meaning: 'tokens of the drafts and verdicts of one fix' },
  incidents: { value: 0.2, meaning: 'incidents of a day about which the model is asked' },
  operatorTokens: { value: 25_000, meaning: 'tokens of one incident' },
  verifyShare: { value: 0.2, meaning: 'share of the tokens of a fix that is for verdicts' },
  outputShare: { value: 0.1, meaning: 'share of tokens that is output' },
  cachedShare: { value: 0.6, meaning: 'share of input that is read from the prompt cache' },
  turns: {
    value: 12,
    meaning: "the model's answers in one fix; each is an action, and so is each of its tool calls",
  },
  actionsPerFinding: {
    value: 40,
    meaning: 'Temporal actions of one finding besides turns: looks, effects, timers, re-checks',
  },
  requestsPerFinding: { value: 25, meaning: 'GitHub requests of one finding that cost quota' },
  requestsPerSweep: {
    value: 0,
    meaning: 'GitHub requests of a sweep that cost quota; unchanged answers cost none',
  },
  worstFailures: { value: 40, meaning: 'at worst: CI findings that appear in a day' },
  worstRequestsPerSweep: {
    value: 60,
    meaning: 'at worst: GitHub requests of a sweep, with all pages and open runs',
  },
} as const satisfies { readonly [name: string]: Assumption };

export type AssumptionName = keyof typeof assumptions;
export type Assumed = { readonly [Name in AssumptionName]: number };

export type Figures = {
  /** Input and output of the model. */
  readonly tokens: number;
  readonly usd: number;
  /** Billable actions: activities, timers, signals, updates, starts. */
  readonly temporalActions: number;
  /** Requests that count against GitHub's limit. */
  readonly githubRequests: number;
};

export type Estimate = {
  readonly expected: Figures;
  readonly worst: Figures;
  readonly parts: readonly ({ readonly part: string } & {
    readonly expected: Figures;
    readonly worst: Figures;
  })[];
  /** Cycles in a day while green and while red, and all day red. */
  readonly cycles: { readonly expected: number; readonly worst: number };
};

const nothing: Figures = { tokens: 0, usd: 0, temporalActions: 0, githubRequests: 0 };
/** Of a cycle besides its sources: settling it, and the timer that wakes the next. */
const actionsPerCycle = 2;

export function estimateCosts(config: TenantConfig, assumed: Assumed): Estimate {
  const redShare = Math.min(24, assumed.redHours) / 24;
  const waitShare = Math.min(24, assumed.approvalHours) / 24;
  const [green, red] = [readsPerDay(config, false), readsPerDay(config, true)];
  const mixed = (key: 'reads' | 'cycles' | 'ciReads'): number =>
    green[key] * (1 - redShare) + red[key] * redShare;
  const loop = {
    part: 'reading sources',
    expected: {
      ...nothing,
      temporalActions: mixed('reads') + mixed('cycles') * actionsPerCycle,
      githubRequests: mixed('ciReads') * assumed.requestsPerSweep,
    },
    worst: {
      ...nothing,
      temporalActions: red.reads + red.cycles * actionsPerCycle,
      githubRequests: red.ciReads * assumed.worstRequestsPerSweep,
    },
  };
  // Each look for approvals is a source and, at worst, a cycle of its own.
  const approvals = {
    part: 'looking for approvals',
    expected: { ...nothing, temporalActions: red.approvalReads * waitShare * (1 + actionsPerCycle) },
    worst: {
      ...nothing,
      temporalActions: red.approvalReads * (1 + actionsPerCycle),
      githubRequests: red.approvalReads,
    },
  };
  const model = modelCosts(config, assumed);
  const perFinding = assumed.actionsPerFinding;
  const fixes = config.model.enabled ? assumed.fixShare : 0;
  const findings = {
    part: 'working on findings',
    expected: {
      ...nothing,
      temporalActions: assumed.failures * (perFinding + fixes * 2 * assumed.turns),
      githubRequests: assumed.failures * assumed.requestsPerFinding,
    },
    worst: {
      ...nothing,
      temporalActions:
        assumed.worstFailures *
        config.limits.attempts *
        (perFinding + (config.model.enabled ? 2 * assumed.turns : 0)),
      githubRequests: assumed.worstFailures * config.limits.attempts * assumed.requestsPerFinding,
    },
  };
  const parts = [loop, approvals, findings, model];
  return {
    expected: sum(parts.map(({ expected }) => expected)),
    worst: sum(parts.map(({ worst }) => worst)),
    parts: parts.map(({ part, expected, worst }) => ({
      part,
      expected: rounded(expected),
      worst: rounded(worst),
    })),
    cycles: { expected: Math.round(mixed('cycles')), worst: Math.round(red.cycles + red.approvalReads) },
  };
}

function modelCosts(config: TenantConfig, assumed: Assumed): Estimate['parts'][number] {
  const { enabled, models, prices, budgets } = config.model;
  const part = 'asking the model';
  if (!enabled) return { part, expected: nothing, worst: nothing };
  const priceOf = (purpose: ModelPurpose): ModelPrice =>
    prices[models[purpose]] ?? { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  const usd = (tokens: number, purpose: ModelPurpose): number => {
    const price = priceOf(purpose);
    const output = tokens * assumed.outputShare;
    const read = (tokens - output) * assumed.cachedShare;
    // What is not read from the cache was written to it.
    const fresh = (tokens - output - read) * Math.max(price.input, price.cacheWrite);
    return (output * price.output + read * price.cacheRead + fresh) / 1_000_000;
  };
  const triage =
    assumed.failures * assumed.triageShare * Math.min(assumed.triageTokens, budgets.triageTokens);
  const fix = assumed.failures * assumed.fixShare * Math.min(assumed.fixTokens, budgets.fixTokens);
  const watched = config.workspaces.some(({ services, health }) => services || health);
  const incidents = watched ? assumed.incidents : 0;
  const operator = incidents * Math.min(assumed.operatorTokens, budgets.operatorTokens);
  const asked = triage + fix + operator;
  // The day's budget is a limit, expected or not.
  const share = asked > budgets.tokensPerDay ? budgets.tokensPerDay / asked : 1;
  const verify = fix * assumed.verifyShare;
  const dearest = Math.max(
    ...(['triage', 'implement', 'verify', 'operator'] as const).flatMap((purpose) =>
      Object.values(priceOf(purpose)),
    ),
  );
  return {
    part,
    expected: {
      ...nothing,
      tokens: asked * share,
      usd:
        (usd(triage, 'triage') +
          usd(fix - verify, 'implement') +
          usd(verify, 'verify') +
          usd(operator, 'operator')) *
        share,
      temporalActions: assumed.failures * assumed.triageShare,
    },
    worst: {
      ...nothing,
      tokens: budgets.tokensPerDay,
      // All of it at the highest price there is.
      usd: (budgets.tokensPerDay * dearest) / 1_000_000,
      temporalActions: assumed.worstFailures,
    },
  };
}

function sum(all: readonly Figures[]): Figures {
  const of = (key: keyof Figures): number => all.reduce((total, figures) => total + figures[key], 0);
  return rounded({
    tokens: of('tokens'),
    usd: of('usd'),
    temporalActions: of('temporalActions'),
    githubRequests: of('githubRequests'),
  });
}

function rounded(figures: Figures): Figures {
  return {
    tokens: Math.round(figures.tokens),
    usd: Math.round(figures.usd * 10_000) / 10_000,
    temporalActions: Math.round(figures.temporalActions),
    githubRequests: Math.round(figures.githubRequests),
  };
}
