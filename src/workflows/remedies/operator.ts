// The operator model of an incident (MODEL-2): it gets the state as one message, and proposes; code judges each proposal, and the one door does what is
// left. Bounded in answers, calls and time; it stops nothing and nobody waits for it. What it says changes nothing.
import { ActivityFailure, isCancellation, log, proxyActivities } from '@temporalio/workflow';
import type { EffectAnswer, EffectRequest } from '../../contract/effect.ts';
import type { ModelCallAnswer } from '../../contract/model.ts';
import type { DueEffect } from '../../contract/ops/activities.ts';
import type { OperatorActivities, OperatorOutcome, OperatorRef } from '../../contract/ops/operator.ts';
import { questionActivities, urgentEffects } from '../activities.ts';
import { type Remedy, refOf } from '../effects.ts';

/** No call of the model is begun after so long. */
const withinMs = 5 * 60_000;
const callsPerAnswer = 6;

type Answered = Extract<ModelCallAnswer, { readonly result: 'answered' }>;
type End = Pick<OperatorOutcome, 'outcome' | 'reason'>;

/**
 * Asks about one state of an incident. Never throws but for a cancellation: what fails is an outcome.
 * @param state hash of what makes it the same state; the same one is asked about once
 */
export async function consultOperator(remedy: Remedy, state: string): Promise<OperatorOutcome> {
  const asking: Asking = { remedy, state, steps: 0, tokens: 0 };
  let end: End;
  try {
    const opened = await stepsOf(remedy).openOperator(refNow(asking));
    if (opened.result === 'none')
      return { outcome: opened.outcome, reason: opened.reason, steps: 0, tokens: 0 };
    end = await converse(asking, opened.conversation, opened.steps);
  } catch (error) {
    end = failed(error);
  }
  const { steps, tokens } = asking;
  const outcome: OperatorOutcome = { ...end, steps, tokens };
  try {
    await stepsOf(remedy).closeOperator({ ...refNow(asking), ...end, steps });
  } catch (error) {
    failed(error);
  }
  return outcome;
}

type Asking = {
  readonly remedy: Remedy;
  readonly state: string;
  steps: number;
  tokens: number;
};

/** Answer by answer, until it has nothing more to propose or may give no more. */
async function converse(asking: Asking, opened: string, most: number): Promise<End> {
  const untilMs = Date.now() + withinMs;
  let conversation = opened;
  while (asking.steps < most) {
    if (Date.now() >= untilMs) return { outcome: 'used', reason: `${withinMs / 60_000} min are over` };
    const answer = await ask(asking, conversation);
    if (answer.result !== 'answered') return { outcome: 'unavailable', reason: answer.reason };
    asking.steps += 1;
    asking.tokens += answer.tokens;
    if (answer.stopReason === 'refusal') return { outcome: 'ended', reason: 'the model refused' };
    if (answer.toolCalls.length === 0)
      return answer.stopReason === 'end_turn'
        ? { outcome: 'ended', reason: 'it has nothing more to propose' }
        : { outcome: 'nonsense', reason: 'an answer was cut off' };
    const next = await takeCalls(asking, answer);
    if (next === null) return { outcome: 'nonsense', reason: 'more than can be read' };
    conversation = next;
  }
  return { outcome: 'used', reason: `${most} answers are used` };
}

/** Judges the calls of one answer, one after the other. Null: there is no room for so much. */
async function takeCalls(asking: Asking, answer: Answered): Promise<string | null> {
  const { remedy } = asking;
  let { conversation } = answer;
  // Each refusal is a step of its own: so many are no answer.
  if (answer.toolCalls.length > 4 * callsPerAnswer) return null;
  for (const [index, call] of answer.toolCalls.entries()) {
    const refuse =
      index < callsPerAnswer ? {} : { refuse: `at most ${callsPerAnswer} calls of one answer are looked at` };
    const of = { ...refNow(asking), conversation, call };
    let step = await stepsOf(remedy).judgeOperatorCall({ ...of, ...refuse });
    if (step.result === 'effect') {
      const { effect } = step;
      const done = await askDoor(remedy, effect);
      step = await stepsOf(remedy).tellOperator({ ...of, nowMs: Date.now(), effect, answer: done });
    }
    if (step.result !== 'told') return null;
    ({ conversation } = step);
  }
  return conversation;
}

/** Busy for a minute is as good as away: nobody waits for it. */
async function ask({ remedy, steps }: Asking, conversation: string): Promise<ModelCallAnswer> {
  const { queues } = remedy.input;
  return questionActivities(queues, `operator, answer ${steps + 1}`).callModel({
    ...refOf(remedy.input),
    purpose: 'operator',
    conversation,
    nowMs: Date.now(),
  });
}

/** As for any effect; a hold is not waited for. */
async function askDoor(
  { input }: Remedy,
  { name: _, ...plan }: DueEffect,
): Promise<EffectAnswer | { readonly status: 'failed'; readonly reason: string }> {
  const request: EffectRequest = { ...plan, ...refOf(input), nowMs: Date.now(), actor: 'model' };
  try {
    const summary = `model: ${plan.target} · ${plan.step}`.slice(0, 180);
    return await urgentEffects(input.queues, summary)[`effect.${plan.kind}`](request);
  } catch (error) {
    return { status: 'failed', reason: failed(error).reason };
  }
}

function refNow({ remedy, state }: Asking): OperatorRef {
  return { ...refOf(remedy.input), state, nowMs: Date.now() };
}

function failed(error: unknown): End {
  if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
  const reason = (error.cause?.message ?? error.message).slice(0, 500);
  log.warn('a step of the operator model failed', { reason });
  return { outcome: 'unavailable', reason };
}

/** Postgres, and a platform that may hang for seconds. */
function stepsOf({ input }: Remedy): OperatorActivities {
  return proxyActivities<OperatorActivities>({
    taskQueue: input.queues.io,
    startToCloseTimeout: 60_000,
    scheduleToCloseTimeout: 2 * 60_000,
    heartbeatTimeout: 15_000,
    retry: { initialInterval: 500, backoffCoefficient: 2, maximumInterval: 10_000 },
  });
}
