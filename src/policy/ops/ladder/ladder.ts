// What to do next about a service that is down (DEPLOY-3, LOOP-8): restart, redeploy, roll back by approval, a person. Pure.
//
// The order, exactly: of the rungs that code may take alone (a restart, as often as the settings allow; one redeploy) the first that is left and
// not in cooldown. A rung in cooldown is skipped for the next one; when all that are left are in cooldown, the ladder waits for the first to
// end, if that is soon, and only then asks a person to roll back: nobody is woken to agree to more than what is needed. So a crash loop goes
// restart, redeploy (the restart is in cooldown), second restart, held rollback, person. The escalation's timers run beside it (INC-6).

import {
  type LadderState,
  type LadderStep,
  type Rung,
  type RungKind,
  rungKinds,
} from '../../../contract/ops/ladder.ts';
import type { LadderSettings } from '../../../contract/ops/settings.ts';
import { spanWords } from '../span-words.ts';
import { timeIn } from './health-spans.ts';

const minuteMs = 60_000;
/** Fixed: before a person has it, whatever the settings say. */
const maxRestarts = 2;
/** A cooldown that ends later than in so long is not waited for: its rung is skipped for good. */
const cooldownWaitMs = 30 * minuteMs;
/** A deployment that is on its way for longer hangs. */
const deployingMs = 20 * minuteMs;
/** A fault that neither ends nor lasts, so long after the last step, is a person's. */
const unsettledMs = 60 * minuteMs;
/** When what is waited for has no time of its own: read again after. */
const lookAgainMs = minuteMs;
/** A deployment that changes under each attempt is not chased for ever. */
const maxStale = 3;
const words = { restart: 'restart', redeploy: 'redeploy', rollBack: 'rollback' } as const;

type Limits = Pick<LadderSettings, 'enabled' | 'unhealthyForMs' | 'healthyForMs' | 'restarts'>;

/**
 * The next step, asked for after each reading. After `person` it is asked on, until `recovered`.
 * @param nowMs policy time
 */
export function nextStep(state: LadderState, settings: Limits, nowMs: number): LadderStep {
  const last = state.spans.at(-1);
  switch (last?.health) {
    case undefined:
      return wait(nowMs + lookAgainMs, 'it was not read yet');
    case 'gone':
      return person('gone', 'the platform does not know the service any more');
    case 'stopped':
      return person('stopped', 'somebody took it down, or it never ran: no fault to heal');
    case 'healthy':
      return whenHealthy(state, settings, nowMs);
    case 'unhealthy':
      return whenUnhealthy(state, settings, nowMs);
    case 'deploying':
      return whenUncertain(state, nowMs, 'a deployment is on its way', deployingMs);
    case 'unknown':
      return whenUncertain(state, nowMs, 'its state could not be read', unsettledMs);
  }
}

function whenHealthy(state: LadderState, settings: Limits, nowMs: number): LadderStep {
  if (state.failedBeside)
    return person('failedDeployment', 'the newest deployment failed, the one before it still serves');
  const { fromMs, toMs } = lastSpan(state, nowMs);
  if (toMs - fromMs >= settings.healthyForMs)
    return { do: 'recovered', reason: `healthy for ${spanWords(settings.healthyForMs)}` };
  return (
    unsettled(state, nowMs) ??
    wait(
      later(fromMs + settings.healthyForMs, nowMs, settings.healthyForMs),
      'it is up; to be seen whether it stays up',
    )
  );
}

function whenUncertain(state: LadderState, nowMs: number, what: string, boundMs: number): LadderStep {
  if (state.hold !== null) return wait(later(state.hold.untilMs, nowMs), state.hold.reason);
  const { fromMs, toMs } = lastSpan(state, nowMs);
  if (toMs - fromMs >= boundMs) return person('unsettled', `for ${spanWords(boundMs)}: ${what}`);
  return unsettled(state, nowMs) ?? wait(nowMs + lookAgainMs, what);
}

function whenUnhealthy(state: LadderState, settings: Limits, nowMs: number): LadderStep {
  if (!settings.enabled) return person('off', 'the ladder is switched off for it');
  if (state.hold !== null) return wait(later(state.hold.untilMs, nowMs), state.hold.reason);
  const held = state.rungs.findLast(({ outcome }) => outcome === 'held');
  if (held !== undefined) return wait(nowMs + lookAgainMs, `the ${words[held.kind]} is held: ${held.reason}`);
  // Each step needs its own five minutes: those after the last one say that it did not help.
  const done = state.rungs.findLast(isDone);
  const downMs = timeIn(state.spans, 'unhealthy', done?.atMs ?? Number.NEGATIVE_INFINITY);
  if (downMs >= settings.unhealthyForMs) return chooseRung(state, settings, nowMs, downMs);
  const needs = `a step needs ${spanWords(settings.unhealthyForMs)}`;
  const after = done === undefined ? '' : ` after the ${words[done.kind]}`;
  return (
    unsettled(state, nowMs) ??
    wait(
      later(lastSpan(state, nowMs).toMs + settings.unhealthyForMs - downMs, nowMs, settings.unhealthyForMs),
      `unhealthy for ${spanWords(downMs)}${after}; ${needs}`,
    )
  );
}

function chooseRung(state: LadderState, settings: Limits, nowMs: number, downMs: number): LadderStep {
  const left = rungKinds.filter((kind) => isLeft(kind, state, settings));
  const alone = left.filter((kind) => kind !== 'rollBack');
  for (const kinds of [alone, left.filter((kind) => kind === 'rollBack')]) {
    const free = kinds.find((kind) => cooldownEnd(kind, state) <= nowMs);
    if (free !== undefined) return take(free, state, downMs);
    const [first] = [...kinds].sort((a, b) => cooldownEnd(a, state) - cooldownEnd(b, state));
    if (first !== undefined && cooldownEnd(first, state) <= nowMs + cooldownWaitMs)
      return wait(
        cooldownEnd(first, state),
        `${words[first]} is in cooldown, and nothing else may be done alone`,
      );
  }
  const tried = state.rungs.filter(isDone).map(({ kind }) => words[kind]);
  return person(
    'used',
    tried.length === 0 ? 'there is nothing that could be tried' : `still unhealthy after ${tried.join(', ')}`,
  );
}

function take(kind: RungKind, state: LadderState, downMs: number): LadderStep {
  const reason = `unhealthy for ${spanWords(downMs)}`;
  const current = state.deployment?.id ?? '';
  if (kind !== 'rollBack') return { do: kind, deploymentId: current, reason };
  return {
    do: kind,
    deploymentId: state.rollBackTo ?? '',
    reason: `${reason}, and nothing milder is left`,
    needsApproval: 'a rollback changes which version runs',
  };
}

/** Whether it is offered, makes sense, and was not used up. */
function isLeft(kind: RungKind, state: LadderState, settings: Limits): boolean {
  const mine = state.rungs.filter((rung) => rung.kind === kind);
  if (mine.some(({ outcome }) => outcome === 'refused')) return false;
  if (mine.filter(({ outcome }) => outcome === 'stale').length >= maxStale) return false;
  const used = mine.filter(isDone).length;
  switch (kind) {
    case 'restart':
      return state.deployment?.ran === true && used < Math.min(maxRestarts, settings.restarts);
    case 'redeploy':
      return state.can.redeploy && state.deployment !== null && used < 1;
    case 'rollBack':
      return state.can.rollBack && state.rollBackTo !== null && used < 1;
  }
}

/** A person, when for an hour after the last step it came and went, and was never one or the other for long enough. */
function unsettled(state: LadderState, nowMs: number): LadderStep | null {
  const sinceMs = Math.max(state.spans[0]?.fromMs ?? nowMs, state.rungs.findLast(isDone)?.atMs ?? 0);
  const spans = state.spans.filter(({ toMs }) => toMs >= sinceMs);
  if (nowMs - sinceMs < unsettledMs || spans.length < 3) return null;
  return person(
    'unsettled',
    `for ${spanWords(nowMs - sinceMs)} it has been neither up nor down for long enough`,
  );
}

function isDone({ outcome }: Rung): boolean {
  return outcome === 'applied' || outcome === 'alreadyApplied' || outcome === 'unknown';
}

function cooldownEnd(kind: RungKind, state: LadderState): number {
  return state.cooldownUntilMs[kind] ?? 0;
}

function lastSpan(state: LadderState, nowMs: number): { readonly fromMs: number; readonly toMs: number } {
  return state.spans.at(-1) ?? { fromMs: nowMs, toMs: nowMs };
}

function wait(untilMs: number, reason: string): LadderStep {
  return { do: 'wait', untilMs, reason };
}

function person(why: Extract<LadderStep, { do: 'person' }>['why'], reason: string): LadderStep {
  return { do: 'person', why, reason };
}

/** Never a time that is over: what was to be seen by then was not read. Where times are short, it is soon. */
function later(atMs: number, nowMs: number, spanMs = lookAgainMs): number {
  return atMs > nowMs ? atMs : nowMs + Math.min(lookAgainMs, spanMs);
}
