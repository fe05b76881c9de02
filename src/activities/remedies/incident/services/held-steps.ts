// Steps of a ladder that the door did not let through: what it said is kept with the ladder, asked again when that may be over, and void when the
// service moved meanwhile (LOOP-13). A step that waits for a person stops nothing but itself.
import type { DoneEffect } from '../../../../contract/ops/activities.ts';
import type { LadderStep, RungKind } from '../../../../contract/ops/ladder.ts';
import type { Queryable } from '../../../../store/database.ts';
import { approvalState, voidApproval } from '../../../../store/ops/ladders.ts';
import type { Answered } from '../state.ts';

/** A hold without an end is asked for again after. */
const askAgainMs = 10 * 60_000;
/** A step whose question got no answer at all. */
const afterFailureMs = 60_000;

/** @param kind of the step that was asked for */
export function noteAnswer(
  answered: readonly Answered[],
  { step, precondition, atMs, answer }: DoneEffect,
  kind: RungKind,
): readonly Answered[] {
  const before = answered.find((one) => one.step === step && one.deploymentId === precondition);
  const others = answered.filter((one) => one !== before);
  if (answer.status === 'receipt') return others;
  const base = { kind, step, deploymentId: precondition, atMs, reason: answer.reason };
  if (answer.status === 'refused')
    return [...others, { ...base, outcome: 'refused', againMs: atMs, approval: null }];
  if (answer.status === 'failed')
    return [...others, { ...base, outcome: 'held', againMs: atMs + afterFailureMs, approval: null }];
  const { approval, untilMs } = answer;
  return [
    ...others,
    {
      ...base,
      outcome: 'held',
      againMs: approval?.expiresAtMs ?? untilMs ?? atMs + askAgainMs,
      approval: approval === undefined ? null : { ...approval, askedMs: before?.approval?.askedMs ?? atMs },
    },
  ];
}

export type HeldNow =
  /** `ask`: the door may say something else now. */
  | { readonly is: 'meant'; readonly ask: boolean }
  /** Not now, but perhaps again soon. */
  | { readonly is: 'paused' }
  | { readonly is: 'void'; readonly reason: string };

/**
 * How a held step stands after a new reading.
 * @param step what would be done if nothing were held
 */
export async function lookAtHeld(
  db: Queryable,
  held: Answered,
  step: LadderStep,
  now: { readonly tenant: string; readonly nowMs: number; readonly nudged: boolean },
): Promise<HeldNow> {
  if (step.do === 'wait') return { is: 'paused' };
  if (step.do !== held.kind || step.deploymentId !== held.deploymentId) {
    const reason =
      step.do === 'recovered' || step.do === 'person'
        ? step.reason
        : `the next step is ${step.do} of ${step.deploymentId} now`;
    if (held.approval !== null) await voidApproval(db, now.tenant, held.approval.hash, reason);
    return { is: 'void', reason };
  }
  if (now.nowMs >= held.againMs) return { is: 'meant', ask: true };
  if (held.approval === null) return { is: 'meant', ask: now.nudged };
  const approval = await approvalState(db, now.tenant, held.approval.hash);
  return { is: 'meant', ask: approval?.state !== 'asked' && (approval?.decidedMs ?? 0) >= held.atMs };
}
