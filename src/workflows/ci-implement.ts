// A fix drafted by the model (CI-5b): reproduce → turns of the implementer, one tool call an activity → gate → the failing command, before and
// after, in fresh checkouts → a second model that may only say no (CI-6). Models propose; exit codes decide.
import { proxyActivities } from '@temporalio/workflow';
import type { CiDiagnosis, CiFixOutcome } from '../contract/activities.ts';
import type { FixBounds, FixDraft, ImplementActivities, NoFix } from '../contract/implement.ts';
import type { ModelActivities, ModelCallAnswer, ModelPurpose } from '../contract/model.ts';
import { markWorking, type Remedy, refOf, remember } from './effects.ts';
import { waitFor } from './remedy.ts';

/** The model cannot be asked now. `untilMs`: when to try again; null: only after a change of settings. */
export type Unavailable = Extract<ModelCallAnswer, { readonly result: 'unavailable' }>;

type Answered = Extract<ModelCallAnswer, { readonly result: 'answered' }>;
type Drafted = { readonly result: 'drafted'; readonly draft: FixDraft };
type Fix = { readonly remedy: Remedy; readonly diagnosis: CiDiagnosis; readonly attempt: number };

/** How often the verifier is asked until it gives a verdict that can be read. */
const verdictTries = 3;

/**
 * Drafts and verifies one fix. It writes nothing outside: a verified patch is evidence for the caller. A budget that is used up in the middle
 * is waited for here; one that is used up before the first answer is the caller's.
 */
export async function implement(
  remedy: Remedy,
  diagnosis: CiDiagnosis,
  attempt: number,
): Promise<CiFixOutcome | Unavailable> {
  const fix: Fix = { remedy, diagnosis, attempt };
  const { input } = remedy;
  const opened = await workspaceSteps(remedy, `reproduce, attempt ${attempt}`).openFix({
    ...refOf(input),
    diagnosis,
    attempt,
  });
  if (opened.result !== 'opened') return recorded(fix, opened);
  const drafted = await draftFix(fix, opened.draft, opened.bounds);
  if (drafted.result === 'unavailable') return drafted;
  if (drafted.result !== 'drafted') return recorded(fix, drafted, drafted.draft);
  return recorded(fix, await verify(fix, drafted.draft), drafted.draft);
}

/** Turns of the implementer until it ends, or a bound does. */
async function draftFix(
  fix: Fix,
  from: FixDraft,
  bounds: FixBounds,
): Promise<Drafted | (NoFix & { readonly draft: FixDraft }) | Unavailable> {
  let draft = from;
  const failed = (reason: string): NoFix & { readonly draft: FixDraft } => ({
    result: 'failed',
    reason,
    report: '',
    draft,
  });
  for (;;) {
    if (draft.turns >= bounds.turns) return failed(`${bounds.turns} turns and the implementer did not end`);
    if (draft.tokens >= bounds.tokens)
      return failed(`${draft.tokens} tokens used, at most ${bounds.tokens} for one fix`);
    const answer = await ask(fix, 'implement', draft.conversation, draft);
    if (answer.result === 'unavailable') return answer;
    if (answer.result === 'failed') return failed(`the model could not be asked: ${answer.reason}`);
    draft = { ...draft, turns: draft.turns + 1, tokens: draft.tokens + answer.tokens };
    if (answer.stopReason === 'refusal') return failed('the model refused to work on it');
    if (answer.toolCalls.length === 0 && answer.stopReason === 'end_turn')
      return { result: 'drafted', draft };
    const taken = await takeTurn(fix, draft, answer, bounds);
    draft = taken.draft;
    if (taken.finished) return { result: 'drafted', draft };
    if (draft.nonsense >= bounds.nonsense)
      return failed(`${draft.nonsense} answers in a row without a tool call that could be run`);
  }
}

/** Runs the tool calls of one answer, one after the other. */
async function takeTurn(
  fix: Fix,
  before: FixDraft,
  answer: Answered,
  bounds: FixBounds,
): Promise<{ readonly draft: FixDraft; readonly finished: boolean }> {
  const ref = refOf(fix.remedy.input);
  let { conversation } = answer;
  let { tree } = before;
  let useful = false;
  for (const [index, call] of answer.toolCalls.entries()) {
    const over = index >= bounds.callsPerTurn;
    const step = await workspaceSteps(fix.remedy, `turn ${before.turns}: ${call.name.slice(0, 60)}`).runTool({
      ...ref,
      fixCase: before.fixCase,
      tree,
      conversation,
      call,
      ...(over ? { refuse: `at most ${bounds.callsPerTurn} tool calls in one answer` } : {}),
    });
    ({ conversation, tree } = step);
    if (step.result === 'finished') return { draft: { ...before, conversation, tree }, finished: true };
    useful ||= step.result === 'ran';
  }
  if (answer.toolCalls.length === 0) {
    const text = 'The answer was cut off before it held a tool call. Make one smaller step, or call finish.';
    ({ conversation } = await storeSteps(fix.remedy).tellModel({ ...ref, conversation, text }));
  }
  return {
    draft: { ...before, conversation, tree, nonsense: useful ? 0 : before.nonsense + 1 },
    finished: false,
  };
}

/** The gate, the sandbox, then the verifier. Without a verifier a person decides. */
async function verify(fix: Fix, draft: FixDraft): Promise<CiFixOutcome> {
  const { remedy, attempt } = fix;
  const step = { ...refOf(remedy.input), fixCase: draft.fixCase, tree: draft.tree };
  const checked = await workspaceSteps(remedy, `verify attempt ${attempt}`).checkFix(step);
  if (checked.result !== 'passed') return checked;
  let { conversation } = checked;
  const { check } = checked;
  for (let asked = 0; asked < verdictTries; asked += 1) {
    const answer = await ask(fix, 'verify', conversation, draft);
    if (answer.result !== 'answered')
      return personDecides(fix, { ...step, conversation, check }, answer.reason);
    const verdict = await storeSteps(remedy).readVerdict({
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
  const verdict = await storeSteps(fix.remedy).readVerdict({ ...step, absent });
  return verdict.result === 'again' ? { result: 'failed', reason: absent, report: '' } : verdict;
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
    const answer = await modelSteps(remedy, summary).callModel({
      ...refOf(remedy.input),
      purpose,
      conversation,
    });
    if (answer.result !== 'unavailable') {
      if (waits > 0) await markWorking(remedy, summary);
      return answer;
    }
    if (answer.untilMs === null || (draft.turns === 0 && purpose === 'implement')) return answer;
    await remember(remedy, { fixDraft: JSON.stringify({ headSha: diagnosis.headSha, attempt, draft }) });
    await waitFor(remedy, `the model: ${answer.reason}`, Math.max(1, answer.untilMs - Date.now()));
  }
}

async function recorded<Outcome extends CiFixOutcome>(
  { remedy, diagnosis, attempt }: Fix,
  outcome: Outcome,
  draft?: FixDraft,
): Promise<Outcome> {
  await storeSteps(remedy).recordFix({
    ...refOf(remedy.input),
    attempt,
    headSha: diagnosis.headSha,
    result: outcome.result,
    reason: outcome.result === 'verified' ? 'the failing command passes twice' : outcome.reason,
    turns: draft?.turns ?? 0,
    tokens: draft?.tokens ?? 0,
    nowMs: Date.now(),
    actor: remedy.input.actor,
  });
  return outcome;
}

/** Worktree and sandbox: minutes each, on any worker; a step that a dead worker left is taken again from the same values. */
function workspaceSteps(
  { input }: Remedy,
  summary: string,
): Pick<ImplementActivities, 'openFix' | 'runTool' | 'checkFix'> {
  return proxyActivities<ImplementActivities>({
    taskQueue: input.queues.workspace,
    startToCloseTimeout: 60 * 60_000,
    scheduleToCloseTimeout: 4 * 60 * 60_000,
    heartbeatTimeout: 20_000,
    retry: { initialInterval: 2_000, backoffCoefficient: 2, maximumInterval: 60_000, maximumAttempts: 20 },
    summary,
  });
}

/** Postgres only: quick, and worth waiting for as long as the database is away. */
function storeSteps({ input }: Remedy): Pick<ImplementActivities, 'tellModel' | 'readVerdict' | 'recordFix'> {
  return proxyActivities<ImplementActivities>({
    taskQueue: input.queues.io,
    startToCloseTimeout: 45_000,
    scheduleToCloseTimeout: 30 * 60_000,
    retry: { initialInterval: 200, backoffCoefficient: 2, maximumInterval: 10_000 },
  });
}

/** One call: minutes; a provider that is away is asked again for half a day before the remedy is told. */
function modelSteps({ input }: Remedy, summary: string): ModelActivities {
  return proxyActivities<ModelActivities>({
    taskQueue: input.queues.io,
    startToCloseTimeout: 15 * 60_000,
    scheduleToCloseTimeout: 12 * 60 * 60_000,
    heartbeatTimeout: 30_000,
    retry: { initialInterval: 2_000, backoffCoefficient: 2, maximumInterval: 300_000 },
    summary,
  });
}
