// The arithmetic of MODEL-3: how much a call may use at most, whether it fits into what is left, what it cost. Pure: the rows it judges by are
// read and written in one transaction by src/activities/model/reserve.ts.
import type { ModelPurpose } from '../../contract/model.ts';
import type { ModelPrice, ModelSettings } from '../../contract/tenant-config.ts';

/** What is counted together for one occurrence of a finding. */
export type BudgetGroup = 'triage' | 'fix' | 'operator';

export type TokenUsage = {
  readonly input: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  readonly output: number;
};

/** Tokens. `settled`: paid for; `pending`: reserved by calls that are not over. */
export type Spent = { readonly settled: number; readonly pending: number };

export type BudgetVerdict =
  | { readonly verdict: 'grant' }
  /** It fits if the calls that are under way use less than they may: ask again soon. */
  | { readonly verdict: 'wait'; readonly reason: string }
  | { readonly verdict: 'refuse'; readonly reason: string; readonly untilMs: number | null };

const dayMs = 86_400_000;
/** What the provider adds to a request: its own words around tools and turns. */
const overheadTokens = 1_500;

export function budgetGroup(purpose: ModelPurpose): BudgetGroup {
  return purpose === 'triage' || purpose === 'operator' ? purpose : 'fix';
}

/** `2026-11-21`, of UTC. */
export function utcDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

export function nextUtcMidnight(ms: number): number {
  return (Math.floor(ms / dayMs) + 1) * dayMs;
}

/**
 * The most tokens a request may have as input. A token is at least one byte; where the beginning was a call of its own, that one's usage is
 * known, and only what is new counts by its bytes.
 */
export function inputBound(request: {
  readonly bytes: number;
  readonly known?: { readonly tokens: number; readonly newBytes: number } | undefined;
}): number {
  const byBytes = request.bytes + overheadTokens;
  if (request.known === undefined) return byBytes;
  return Math.min(byBytes, request.known.tokens + request.known.newBytes + overheadTokens);
}

/** The most of a day that findings of pull requests use together: whoever opens many leaves the other half to main. */
function shareOfPulls(tokensPerDay: number): number {
  return Math.floor(tokensPerDay / 2);
}

/** Whether a call that uses up to `tokens` fits. The run's own limit is looked at first: no midnight helps there. */
export function judgeCall(ask: {
  readonly tokens: number;
  readonly group: BudgetGroup;
  readonly day: Spent;
  /** By findings of pull requests, for one of them; absent: the finding is of no pull request. */
  readonly dayOfPulls?: Spent | undefined;
  readonly run: Spent;
  readonly budgets: ModelSettings['budgets'];
  readonly nowMs: number;
}): BudgetVerdict {
  const { tokens, group, day, dayOfPulls, run, budgets, nowMs } = ask;
  const name = `${group}Tokens` as const;
  const ofRun = { field: `model.budgets.${name}`, limit: budgets[name], spent: run, ends: null };
  const ofDay = {
    field: 'model.budgets.tokensPerDay',
    limit: budgets.tokensPerDay,
    spent: day,
    ends: nextUtcMidnight(nowMs),
  };
  const ofPulls = dayOfPulls && {
    field: 'the share of pull requests in model.budgets.tokensPerDay',
    limit: shareOfPulls(budgets.tokensPerDay),
    spent: dayOfPulls,
    ends: ofDay.ends,
  };
  const all = [ofRun, ofDay, ...(ofPulls ? [ofPulls] : [])];
  for (const { field, limit, spent, ends } of all) {
    if (limit === 0) return { verdict: 'refuse', reason: `${field} is 0: no calls`, untilMs: null };
    if (tokens > limit) {
      const reason = `one call may need ${tokens} tokens, more than ${field} (${limit})`;
      return { verdict: 'refuse', reason, untilMs: null };
    }
    if (spent.settled + tokens > limit) {
      const reason = `the next call may need ${tokens} tokens, and ${spent.settled} of ${field} (${limit}) are used`;
      return { verdict: 'refuse', reason, untilMs: ends };
    }
  }
  for (const { field, limit, spent } of all) {
    if (spent.settled + spent.pending + tokens <= limit) continue;
    const reason = `calls under way hold ${spent.pending} tokens of ${field} (${limit})`;
    return { verdict: 'wait', reason };
  }
  return { verdict: 'grant' };
}

export function totalTokens({ input, cacheRead, cacheWrite, output }: TokenUsage): number {
  return input + cacheRead + cacheWrite + output;
}

/** Millionths of a US dollar, rounded up: a price per million tokens is the price of one token in these. */
export function costMicroUsd(usage: TokenUsage, price: ModelPrice): number {
  const exact =
    usage.input * price.input +
    usage.cacheRead * price.cacheRead +
    usage.cacheWrite * price.cacheWrite +
    usage.output * price.output;
  // Sums of decimal fractions end a hair above what they mean.
  return Math.ceil(Math.round(exact * 1_000) / 1_000);
}

/** What a call costs at most. */
export function costBound(
  bound: { readonly input: number; readonly output: number },
  price: ModelPrice,
): number {
  const dearest = price.cacheWrite > price.input ? 'cacheWrite' : 'input';
  const usage = { input: 0, cacheRead: 0, cacheWrite: 0, output: bound.output, [dearest]: bound.input };
  return costMicroUsd(usage, price);
}

/** Whether so much of the day is used that people are told. */
export function isMostlyUsed(settled: number, budgets: ModelSettings['budgets']): boolean {
  return budgets.tokensPerDay > 0 && settled * 100 >= budgets.tokensPerDay * budgets.warnAtPercent;
}
