// Remedies in turns: ask what is due, start it, wait. What is under way when the next turn is taken goes on beside it; its answer is part of a
// later question. A turn that cannot be taken is taken again: such a remedy never ends by an error.
import { ActivityFailure, condition, isCancellation, log, setCurrentDetails } from '@temporalio/workflow';
import type { EffectRequest } from '../../contract/effect.ts';
import type { RemedyResult } from '../../contract/loop.ts';
import type { DoneEffect, DueEffect, IncidentQuestion, IncidentTurn } from '../../contract/ops/activities.ts';
import { urgentEffects } from '../activities.ts';
import { type Remedy, refOf, rollIfLong, show } from '../effects.ts';
import { escapeText } from '../loop/details.ts';
import { consultOperator } from './operator.ts';
import { reportTo } from './report.ts';

export type TakeTurn = (question: IncidentQuestion) => Promise<IncidentTurn>;

const afterFailureMs = 30_000;
/** The longest sleep, in case a nudge was lost. */
const lookAgainMs = 61 * 60_000;

export async function untilTurnsEnd(remedy: Remedy, takeTurn: TakeTurn): Promise<RemedyResult> {
  const { input } = remedy;
  const beside: Beside = { underWay: new Set(), done: [] };
  for (;;) {
    const { nudged } = remedy;
    remedy.nudged = false;
    const done = beside.done.splice(0);
    const turn = await turnOrNull(takeTurn, {
      ...refOf(input),
      nowMs: Date.now(),
      actor: input.actor,
      done,
      nudged,
    });
    if (turn === null) {
      // What came of effects is said again.
      beside.done.unshift(...done);
      remedy.nudged ||= nudged;
      await condition(() => false, afterFailureMs, { summary: 'until the turn is taken again' });
      continue;
    }
    if (turn.end) return turn.end;
    for (const effect of turn.due) startBeside(remedy, beside, effect);
    if (turn.operator !== undefined) consultBeside(remedy, beside, turn.operator);
    await tell(remedy, turn);
    const waitMs = Math.max(1, Math.min(turn.wakeAtMs - Date.now(), lookAgainMs));
    await condition(() => remedy.nudged || beside.done.length > 0, waitMs, {
      summary: turn.waitingFor.slice(0, 180) || 'until something may be due',
    });
    // Answers that are not told yet would be asked for again: nothing is lost, but it is cheaper now.
    if (beside.underWay.size === 0 && beside.done.length === 0) await rollIfLong(remedy);
  }
}

/** Null: the store could not be asked. */
async function turnOrNull(takeTurn: TakeTurn, question: IncidentQuestion): Promise<IncidentTurn | null> {
  try {
    return await takeTurn(question);
  } catch (error) {
    if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
    log.error('a turn of an incident could not be taken', { error: String(error.cause ?? error) });
    return null;
  }
}

type Beside = { readonly underWay: Set<string>; readonly done: DoneEffect[] };

/** One of a name at a time; the loop wakes when it has an answer. */
function startBeside(remedy: Remedy, beside: Beside, effect: DueEffect): void {
  const { name } = effect;
  if (beside.underWay.has(name) || beside.done.some((one) => one.name === name)) return;
  beside.underWay.add(name);
  void ask(remedy, effect).then((done) => {
    beside.underWay.delete(name);
    beside.done.push(done);
  });
}

/**
 * One at a time, and nobody waits for it; when it said something, the loop looks again. No run from before there was an operator has a turn with
 * a state for it: what is replayed asks for nothing new.
 */
function consultBeside(remedy: Remedy, beside: Beside, state: string): void {
  const name = 'operator';
  if (beside.underWay.has(name)) return;
  beside.underWay.add(name);
  void consultOperator(remedy, state).then(
    ({ steps }) => {
      beside.underWay.delete(name);
      if (steps > 0) remedy.nudged = true;
    },
    (error: unknown) => {
      beside.underWay.delete(name);
      log.warn('the operator model was not asked to its end', { error: String(error) });
    },
  );
}

/** Never rejects: what has no answer within its bounds is asked for again by a later turn. */
async function ask({ input }: Remedy, { name, ...plan }: DueEffect): Promise<DoneEffect> {
  const atMs = Date.now();
  const { step, precondition } = plan;
  const request: EffectRequest = { ...plan, ...refOf(input), nowMs: atMs, actor: input.actor };
  try {
    const summary = `${plan.target} · ${step}`.slice(0, 180);
    const answer = await urgentEffects(input.queues, summary)[`effect.${plan.kind}`](request);
    return { name, step, precondition, atMs, answer };
  } catch (error) {
    const cause = error instanceof ActivityFailure ? (error.cause ?? error) : error;
    const reason = cause instanceof Error ? cause.message.slice(0, 500) : 'no answer';
    log.warn('effect without an end', { kind: plan.kind, reason });
    return { name, step, precondition, atMs, answer: { status: 'failed', reason } };
  }
}

/** Shows it, and lets the loop know when it may go on to what comes after, or has to read comments. */
async function tell(remedy: Remedy, turn: IncidentTurn): Promise<void> {
  setCurrentDetails(`${turn.status}: ${escapeText(turn.waitingFor)}`.slice(0, 2_000));
  show(turn.status);
  const news = turn.watchComments ? 'approval' : turn.status === 'working' ? 'working' : 'waiting';
  if (remedy.told === news) return;
  remedy.told = news;
  if (news !== 'working') await reportTo(remedy.input, 'waiting', turn.watchComments);
}
