// Whether the platform itself is out (DEPLOY-3): then each service that is down is no fault of its own, and restarting them all would make it
// worse. Everything is held, and people get one note when it begins and one when it is over. Pure.
import type { ServiceHealth } from '../../../contract/ops/ladder.ts';

/** Fixed: fewer than so many services down at once are faults of their own. */
const minServices = 3;
/** An outage is over when its signs are gone for so long: no note for each turn. */
const clearAfterMs = 5 * 60_000;
const lookAgainMs = 60_000;
const namedServices = 10;

export type OutageState = {
  readonly sinceMs: number;
  readonly reason: string;
  /** Since when no sign of it is left; null: it goes on. */
  readonly clearSinceMs: number | null;
};

export type OutageFacts = {
  readonly provider: string;
  readonly services: readonly { readonly name: string; readonly health: ServiceHealth }[];
  /** Why the platform's own API could not be read, after its retries; null: it answered. */
  readonly apiFailure: string | null;
};

export type OutageVerdict = {
  /** Null: no outage. */
  readonly state: OutageState | null;
  readonly hold: { readonly reason: string; readonly untilMs: number } | null;
  /** Set in the one reading in which it began or ended: the note. */
  readonly note: { readonly kind: 'began' | 'ended'; readonly text: string } | null;
};

/** One reading more. */
export function judgeOutage(state: OutageState | null, facts: OutageFacts, nowMs: number): OutageVerdict {
  const reason = signOf(facts);
  if (reason !== null) {
    const next = { sinceMs: state?.sinceMs ?? nowMs, reason, clearSinceMs: null };
    const text = `Outage of ${facts.provider}: ${reason}. Nothing is restarted, redeployed or rolled back until it is over.`;
    return {
      state: next,
      hold: outageHold(next, nowMs),
      note: state === null ? { kind: 'began', text } : null,
    };
  }
  if (state === null) return { state: null, hold: null, note: null };
  const clearSinceMs = state.clearSinceMs ?? nowMs;
  if (nowMs - clearSinceMs < clearAfterMs) {
    const next = { ...state, clearSinceMs };
    return { state: next, hold: outageHold(next, nowMs), note: null };
  }
  const minutes = Math.round((clearSinceMs - state.sinceMs) / 60_000);
  const text = `The outage of ${facts.provider} is over after ${minutes} min (${state.reason}). What is still down is worked on again.`;
  return { state: null, hold: null, note: { kind: 'ended', text } };
}

function signOf({ services, apiFailure }: OutageFacts): string | null {
  if (apiFailure !== null) return `its API fails: ${apiFailure}`;
  // What was taken down on purpose is no service that could be up.
  const meant = services.filter(({ health }) => health !== 'stopped' && health !== 'gone');
  const down = meant.filter(({ health }) => health === 'unhealthy').map(({ name }) => name);
  if (down.length < minServices || 2 * down.length <= meant.length) return null;
  const names = [...down].sort().slice(0, namedServices).join(', ');
  const more = down.length > namedServices ? ` and ${down.length - namedServices} more` : '';
  return `${down.length} of ${meant.length} services are unhealthy (${names}${more})`;
}

/** What an outage holds. */
export function outageHold(
  state: OutageState,
  nowMs: number,
): { readonly reason: string; readonly untilMs: number } {
  const untilMs = state.clearSinceMs === null ? nowMs + lookAgainMs : state.clearSinceMs + clearAfterMs;
  return { reason: `held for an outage of the platform: ${state.reason}`, untilMs };
}
