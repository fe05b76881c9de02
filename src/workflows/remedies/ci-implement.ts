// A fix drafted by the model (CI-5b): reproduce → turns of the implementer, one tool call an activity → gate → the failing command, before and
// after, in fresh checkouts → a second model that may only say no (CI-6). Models propose; exit codes decide.
import { patched } from '@temporalio/workflow';
import type { CiDiagnosis, CiFixOutcome } from '../../contract/activities.ts';
import type { FixBounds, FixDraft, ImplementActivities, NoFix } from '../../contract/implement.ts';
import type { ModelCallAnswer, ModelPurpose } from '../../contract/model.ts';
import { fixRecordActivities, implementActivities, modelActivities } from '../activities.ts';
import { markWorking, type Remedy, refOf, remember } from '../effects.ts';
import { isRed } from './ci-propose.ts';
import { waitFor } from './remedy.ts';

/** The model cannot be asked now. `untilMs`: when to try again; null: only after a change of settings. */
export type Unavailable = Extract<ModelCallAnswer, { readonly result: 'unavailable' }>;

type Answered = Extract<ModelCallAnswer, { readonly result: 'answered' }>;
/** `draft` is how far it came, whatever its end. */
type Fix = {
  readonly remedy: Remedy;
  readonly diagnosis: CiDiagnosis;
  readonly attempt: number;
  draft: FixDraft | null;
};

/** How often the verifier is asked until it gives a verdict that can be read. */
const verdictTries = 3;
const greenMeanwhile = 'the job is green meanwhile';
const fullConversation = 'the conversation is as long as one may be';

/**
 * Drafts and verifies one fix. It writes nothing outside: a verified patch is evidence for the caller. A budget that is used up in the middle
 * is waited for here; one that is used up before the first answer is the caller's. What came of it is recorded.
 */
export async function implement(
  remedy: Remedy,
  diagnosis: CiDiagnosis,
  attempt: number,
): Promise<CiFixOutcome | Unavailable> {
  const fix: Fix = { remedy, diagnosis, attempt, draft: null };
  const outcome = await draftAndVerify(fix);
  const turns = fix.draft?.turns ?? 0;
  if (outcome.result === 'unavailable' && turns === 0) return outcome;
  await fixRecordActivities(remedy.input.queues).recordFix({
    ...refOf(remedy.input),
    attempt,
    headSha: diagnosis.headSha,
    result: outcome.result,
    reason:
      outcome.result === 'verified' ? 'the failing command passes twice with the change' : outcome.reason,
    report: outcome.result === 'unavailable' ? '' : outcome.report,
    ...(fix.draft?.tree.patch ? { draft: fix.draft.tree.patch } : {}),
    turns,
    tokens: fix.draft?.tokens ?? 0,
    nowMs: Date.now(),
    actor: remedy.input.actor,
  });
  return outcome;
}

async function draftAndVerify(fix: Fix): Promise<CiFixOutcome | Unavailable> {
  const { remedy, diagnosis, attempt } = fix;
  const request = { ...refOf(remedy.input), diagnosis, attempt };
  const opened = await implementActivities(remedy.input.queues, `reproduce, attempt ${attempt}`).openFix(
    request,
  );
  if (opened.result !== 'opened') return opened;
  let { draft } = opened;
  fix.draft = draft;
  while (!draft.ended) {
    const taken = await takeTurn(fix, draft, opened.bounds);
    if ('result' in taken) return taken;
    fix.draft = draft = taken;
  }
  return verify(fix, draft);
}

/** One answer of the implementer, and what it asked for. */
async function takeTurn(
  fix: Fix,
  before: FixDraft,
  bounds: FixBounds,
): Promise<FixDraft | NoFix | Unavailable> {
  if (before.turns >= bounds.turns) return failed(`${bounds.turns} turns, and the implementer did not end`);
  if (before.nonsense >= bounds.nonsense)
    return failed(`${before.nonsense} answers in a row without a tool call that could be run`);
  const answer = await ask(fix, 'implement', before.conversation, before);
  if (answer.result === 'unavailable') return answer;
  if (answer.result === 'failed') return failed(`the model could not be asked: ${answer.reason}`);
  const draft = { ...before, turns: before.turns + 1, tokens: before.tokens + answer.tokens };
  fix.draft = draft;
  if (answer.stopReason === 'refusal') return failed('the model refused to work on it');
  if (answer.toolCalls.length === 0 && answer.stopReason === 'end_turn') return { ...draft, ended: true };
  return runCalls(fix, draft, answer, bounds);
}

/** Runs the tool calls of one answer, one after the other. */
async function runCalls(
  fix: Fix,
  before: FixDraft,
  answer: Answered,
  bounds: FixBounds,
): Promise<FixDraft | NoFix> {
  const { remedy } = fix;
  const ref = refOf(remedy.input);
  const { fixCase } = before;
  let { conversation } = answer;
  let { tree } = before;
  let useful = false;
  // Each refusal is a step of its own: so many are no answer.
  if (answer.toolCalls.length > 4 * bounds.callsPerTurn)
    return failed(`${answer.toolCalls.length} tool calls in one answer`);
  for (const [index, call] of answer.toolCalls.entries()) {
    const refuse =
      index < bounds.callsPerTurn
        ? {}
        : { refuse: `at most ${bounds.callsPerTurn} tool calls in one answer are run` };
    const summary = `turn ${before.turns}: ${call.name.slice(0, 60)}`;
    const step = await implementActivities(remedy.input.queues, summary).runTool({
      ...ref,
      ...refuse,
      fixCase,
      tree,
      conversation,
      call,
    });
    ({ conversation, tree } = step);
    fix.draft = { ...before, conversation, tree };
    if (step.result === 'full') return failed(fullConversation);
    if (step.result === 'finished') return { ...before, conversation, tree, ended: true };
    useful ||= step.result === 'ran';
  }
  if (answer.toolCalls.length === 0) {
    const text = 'The answer was cut off before it held a tool call. Make one smaller step, or call finish.';
    const told = await fixRecordActivities(remedy.input.queues).tellModel({ ...ref, conversation, text });
    if (told.full) return failed(fullConversation);
    ({ conversation } = told);
  }
  return { ...before, conversation, tree, nonsense: useful ? 0 : before.nonsense + 1 };
}

/** The gate, the sandbox, then the verifier. Without a verifier a person decides. */
async function verify(fix: Fix, draft: FixDraft): Promise<CiFixOutcome> {
  const { remedy, attempt } = fix;
  const step = { ...refOf(remedy.input), fixCase: draft.fixCase, tree: draft.tree };
  const checked = await implementActivities(remedy.input.queues, `verify attempt ${attempt}`).checkFix(step);
  if (checked.result !== 'passed') return checked;
  let { conversation } = checked;
  const { check } = checked;
  for (let asked = 0; asked < verdictTries; asked += 1) {
    const answer = await ask(fix, 'verify', conversation, draft);
    if (answer.result === 'failed' && answer.reason === greenMeanwhile) return failed(greenMeanwhile);
    if (answer.result !== 'answered')
      return personDecides(fix, { ...step, conversation, check }, answer.reason);
    fix.draft = { ...draft, tokens: (fix.draft?.tokens ?? 0) + answer.tokens };
    const verdict = await fixRecordActivities(remedy.input.queues).readVerdict({
      ...step,
      conversation: answer.conversation,
      check,
    });
    if (verdict.result !== 'again') return verdict;
    ({ conversation } = verdict);
  }
  return personDecides(fix, { ...step, conversation, check }, 'it gave no verdict that could be read');
}

async function personDecides(
  fix: Fix,
  step: Omit<Parameters<ImplementActivities['readVerdict']>[0], 'absent'>,
  absent: string,
): Promise<CiFixOutcome> {
  const verdict = await fixRecordActivities(fix.remedy.input.queues).readVerdict({ ...step, absent });
  if (verdict.result === 'again') return failed(absent);
  return verdict.result === 'verified' ? verdict : { ...verdict, unseen: true };
}

/** A budget that comes back is waited for once work has begun: the draft is put aside, and goes on from there. */
async function ask(
  fix: Fix,
  purpose: ModelPurpose,
  conversation: string,
  draft: FixDraft,
): Promise<ModelCallAnswer> {
  const { remedy, diagnosis, attempt } = fix;
  for (let waits = 0; ; waits += 1) {
    const summary = `${purpose}, attempt ${attempt}, turn ${draft.turns + 1}`;
    // A nudge from here on is about something that this question may not have seen.
    remedy.nudged = false;
    const answer = await modelActivities(remedy.input.queues, summary).callModel({
      ...refOf(remedy.input),
      purpose,
      conversation,
      nowMs: Date.now(),
    });
    if (answer.result !== 'unavailable') {
      if (waits > 0) await markWorking(remedy, summary);
      return answer;
    }
    if (answer.untilMs === null || (draft.turns === 0 && purpose === 'implement')) return answer;
    // Once: a nudge in between asks again, and finds the same.
    if (waits === 0)
      await remember(remedy, { fixDraft: JSON.stringify({ headSha: diagnosis.headSha, attempt, draft }) });
    await waitFor(remedy, `the model: ${answer.reason}`, Math.max(1, answer.untilMs - Date.now()));
    // A night is long: no more of the budget for what is green in the morning (CI-10).
    if (patched('still-red') && !(await isRed(remedy))) return { result: 'failed', reason: greenMeanwhile };
  }
}

function failed(reason: string): NoFix {
  return { result: 'failed', reason, report: '' };
}
