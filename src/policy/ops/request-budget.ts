// How many requests may be sent with one token (DEPLOY-5): three buckets that fill up evenly, one for everyday work, one kept for incidents, one for the
// second. What a bucket holds and what flows in during its time are together no more than its limit, so no hour and no second, wherever it
// begins, has more. Pure: the row is read and written under a lock by src/store/ops/request-budget.ts.

export type RequestLimits = { readonly perHour: number; readonly perSecond: number };

/** The budget of one token, whoever else asks with it. */
export type RequestBudget = {
  /** Takes one request out of it. */
  readonly take: (ask: {
    readonly forIncident: boolean;
  }) => Promise<
    | { readonly granted: true }
    | { readonly granted: false; readonly retryAfterMs: number; readonly reason: string }
  >;
  /** The platform itself said no: nobody asks with this token for so long. */
  readonly pause: (forMs: number) => Promise<void>;
};

/** What is in the buckets at `atMs`. */
export type BudgetState = {
  readonly everyday: number;
  readonly incidents: number;
  readonly second: number;
  readonly atMs: number;
  /** The platform said no until then. */
  readonly pausedUntilMs: number;
};

export type BudgetVerdict =
  | { readonly granted: true; readonly state: BudgetState }
  | {
      readonly granted: false;
      readonly state: BudgetState;
      readonly retryAfterMs: number;
      readonly reason: string;
    };

const hourMs = 3_600_000;
const secondMs = 1_000;
const incidentShare = 0.3;

type Bucket = {
  /** Most it holds. */
  readonly size: number;
  readonly perMs: number;
};
type Buckets = {
  readonly everyday: Bucket;
  readonly incidents: Bucket;
  readonly second: Bucket;
};

/** `atOnce`: which part of the limit may be used at once; the rest flows in. */
function bucket(limit: number, atOnce: number, windowMs: number): Bucket {
  const size = Math.max(1, Math.floor(limit * atOnce));
  // A limit of one: the next flows in while a whole window passes.
  return { size, perMs: Math.max(limit - size, 1) / windowMs };
}

function bucketsOf({ perHour, perSecond }: RequestLimits): Buckets {
  const kept = Math.floor(perHour * incidentShare);
  return {
    everyday: bucket(perHour - kept, 0.2, hourMs),
    incidents: bucket(kept, 0.5, hourMs),
    second: bucket(perSecond, 0.5, secondMs),
  };
}

/** Of a token that nothing was sent with in the last hour. */
export function fullBudget(limits: RequestLimits, nowMs: number): BudgetState {
  const { everyday, incidents, second } = bucketsOf(limits);
  return {
    everyday: everyday.size,
    incidents: incidents.size,
    second: second.size,
    atMs: nowMs,
    pausedUntilMs: 0,
  };
}

/** One request. An incident takes what is kept for it first, and then what everyday work has left. */
export function takeRequest(
  state: BudgetState,
  ask: { readonly limits: RequestLimits; readonly forIncident: boolean; readonly nowMs: number },
): BudgetVerdict {
  const buckets = bucketsOf(ask.limits);
  const now = flowedIn(state, buckets, ask.nowMs);
  const waitFor = (name: keyof Buckets): number => Math.max(0, (1 - now[name]) / buckets[name].perMs);
  const from = ask.forIncident && waitFor('incidents') <= waitFor('everyday') ? 'incidents' : 'everyday';
  const { perHour, perSecond } = ask.limits;
  const waits = [
    { ms: now.pausedUntilMs - ask.nowMs, reason: 'the platform asked to wait (429)' },
    {
      ms: waitFor(from),
      reason: ask.forIncident
        ? `the budget of ${perHour} requests an hour is used up`
        : `what everyday work may use of ${perHour} requests an hour is used up, the rest is kept for incidents`,
    },
    { ms: waitFor('second'), reason: `the budget of ${perSecond} requests a second is used up` },
  ];
  const longest = waits.reduce((a, b) => (b.ms > a.ms ? b : a));
  if (longest.ms > 0)
    return { granted: false, state: now, retryAfterMs: Math.ceil(longest.ms), reason: longest.reason };
  return { granted: true, state: { ...now, [from]: now[from] - 1, second: now.second - 1 } };
}

export function pauseRequests(state: BudgetState, untilMs: number): BudgetState {
  return { ...state, pausedUntilMs: Math.max(state.pausedUntilMs, untilMs) };
}

/** A clock that goes back fills nothing. */
function flowedIn(state: BudgetState, buckets: Buckets, nowMs: number): BudgetState {
  const passedMs = Math.max(0, nowMs - state.atMs);
  const fill = (name: keyof Buckets): number =>
    Math.min(buckets[name].size, state[name] + passedMs * buckets[name].perMs);
  return {
    everyday: fill('everyday'),
    incidents: fill('incidents'),
    second: fill('second'),
    atMs: Math.max(state.atMs, nowMs),
    pausedUntilMs: state.pausedUntilMs,
  };
}

export type Cadence = {
  readonly everyMs: number;
  /** For people, when it is read less often than asked; null otherwise. */
  readonly slower: string | null;
};

/** How often services can be read for ever without using up what is for everyday work. */
export function readEveryMs(ask: {
  readonly services: number;
  readonly requestsPerRead: number;
  readonly askedMs: number;
  readonly limits: RequestLimits;
}): Cadence {
  const { everyday } = bucketsOf(ask.limits);
  const perHour = Math.floor(everyday.perMs * hourMs);
  const leastMs = Math.ceil(ask.requestsPerRead / everyday.perMs);
  if (leastMs <= ask.askedMs) return { everyMs: ask.askedMs, slower: null };
  return {
    everyMs: leastMs,
    slower: `${ask.services} services are read every ${spell(leastMs)} instead of every ${spell(ask.askedMs)}: one read takes ${ask.requestsPerRead} requests, and ${perHour} of the ${ask.limits.perHour} requests an hour are for everyday work. Watch fewer services, or raise services.provider.requestsPerHour to what the account allows.`,
  };
}

function spell(ms: number): string {
  if (ms < 60_000) return `${Math.ceil(ms / 1_000)} s`;
  return `${Math.ceil(ms / 60_000)} min`;
}
