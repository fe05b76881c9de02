// After a finding is green (CI-10): closes what was opened for it, then checks a fix of ours again after 10 min, 1 h, 24 h and 48 h. It looks at
// what is stored before each step, never moves the finding, and asks the door like everybody: what is held is asked again when that may be over.
import {
  ActivityFailure,
  condition,
  isCancellation,
  log,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';
import type { CareNote, CareResult, CareView } from '../contract/aftercare.ts';
import type { RemedyInput } from '../contract/loop.ts';
import { remedyWorkflowId } from '../contract/names.ts';
import {
  checksOf,
  isRepeat,
  repeatWindowMs,
  spanOf,
  whyClosed,
  whyIssueClosed,
} from '../policy/aftercare.ts';
import { careActivities, ciActivities } from './activities.ts';
import {
  type EffectEnd,
  type OnHold,
  type Remedy,
  refOf,
  rollIfLong,
  runEffect,
  safetyNetMs,
} from './effects.ts';
import { escapeText } from './loop/details.ts';
import { closeOwnPull, nudgeSignal } from './remedies/remedy.ts';
import { reportTo } from './remedies/report.ts';

/** A run that is under way when a check is due is looked at again so often. */
const runningMs = 5 * 60_000;
const afterFailureMs = 15 * 60_000;

/** What a part of the work says: when it wants to be called again; null: it has nothing left. */
type Again = number | null;

export async function aftercare(input: RemedyInput): Promise<CareResult> {
  let nudged = false;
  setHandler(
    nudgeSignal,
    () => {
      nudged = true;
    },
    { description: 'Looks again now: after a resume, or when the finding moved. Takes nothing.' },
  );
  for (;;) {
    nudged = false;
    const step = await turnOrRetry(input);
    if ('outcome' in step) {
      setCurrentDetails(`${step.outcome}: ${escapeText(step.summary)}`);
      return step;
    }
    const waitMs = Math.max(1, step.againAtMs - Date.now());
    await condition(() => nudged, waitMs, { summary: step.waitsFor.slice(0, 180) });
    await rollIfLong(remedyOf(input, input.finding.remedies));
  }
}

type Turn = CareResult | { readonly againAtMs: number; readonly waitsFor: string };

async function turnOrRetry(input: RemedyInput): Promise<Turn> {
  try {
    return await turn(input);
  } catch (error) {
    if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
    log.warn('a step of aftercare failed', { error: String(error.cause ?? error) });
    return { againAtMs: Date.now() + afterFailureMs, waitsFor: 'the next try after a failed step' };
  }
}

async function turn(input: RemedyInput): Promise<Turn> {
  const care = careActivities(input.queues);
  const seen = await care.readCare(refOf(input));
  if (seen === null)
    return { outcome: 'gone', summary: 'the finding or its workspace is not there any more' };
  if (seen.status !== 'resolved' || seen.resolvedMs === null)
    return { outcome: 'gone', summary: 'the finding came back: its remedy is on it' };
  const pull = await tidyPull(input, seen);
  const issue = await tidyIssue(input, seen);
  const { fixedBy } = pull;
  const soak = await check(input, seen, seen.resolvedMs, fixedBy);
  const next = [pull.again, issue, soak.again].filter((at) => at !== null);
  if (next.length > 0) {
    const waitsFor = soak.again === null ? 'what holds the closing' : `the next check of ${fixedBy}`;
    setCurrentDetails(`Waiting for ${escapeText(waitsFor)}`);
    return { againAtMs: Math.min(...next), waitsFor };
  }
  const checksMs = fixedBy === '' ? [] : seen.soakAfterMs;
  const held =
    checksMs.length > 0
      ? `${fixedBy} was checked until ${spanOf(Math.max(...checksMs))} after it was green`
      : 'nothing is left open';
  const summary = soak.fails ?? held;
  await note(input, { about: 'end', resolvedMs: seen.resolvedMs, checksMs, reason: summary });
  return { outcome: 'done', summary };
}

/** A pull request of ours is closed, unless it was merged: then it is the fix. */
async function tidyPull(
  input: RemedyInput,
  seen: CareView,
): Promise<{ readonly again: Again; readonly fixedBy: string }> {
  const number = seen.pullRequest;
  if (number === null) return { again: null, fixedBy: seen.fixedBy };
  const { tenant, finding } = input;
  const pull = await ciActivities(input.queues, `#${number}`).readPullRequest({
    tenant,
    workspace: finding.workspace,
    number,
  });
  const about = { about: 'pullRequest', number } as const;
  if (pull.merged || pull.state === 'closed') {
    await note(input, { ...about, end: pull.merged ? 'merged' : 'closed', reason: 'it was closed already' });
    return { again: null, fixedBy: pull.merged ? `pull request #${number}` : seen.fixedBy };
  }
  const held = heldUntil();
  const remedy = remedyOf(input, seen.remedies);
  const end = await closeOwnPull(remedy, seen.repository, number, whyClosed[finding.kind], held.onHold);
  return { again: await noteEnd(input, about, end, held), fixedBy: seen.fixedBy };
}

/** One that a person closed is left as it is, without another word: the door finds it closed. */
async function tidyIssue(input: RemedyInput, seen: CareView): Promise<Again> {
  const number = seen.issue;
  if (number === null) return null;
  const held = heldUntil();
  const end = await runEffect(
    remedyOf(input, seen.remedies),
    {
      kind: 'closeIssue',
      target: `${seen.repository}#${number}`,
      precondition: 'not needed',
      step: `close-issue-${number}`,
      input: { number, comment: whyIssueClosed(input.finding.kind) },
    },
    held.onHold,
  );
  return noteEnd(input, { about: 'issue', number }, end, held);
}

type Held = { readonly onHold: OnHold; readonly untilMs: () => number };

/** Takes a hold's end, and does not wait for it here: the checks of the fix go on meanwhile. */
function heldUntil(): Held {
  let untilMs: number | undefined;
  return {
    onHold: async (hold) => {
      untilMs = hold.untilMs;
      return { giveUp: hold.reason };
    },
    untilMs: () => Math.min(untilMs ?? Number.POSITIVE_INFINITY, Date.now() + safetyNetMs),
  };
}

async function noteEnd(
  input: RemedyInput,
  about: { readonly about: 'pullRequest' | 'issue'; readonly number: number },
  end: EffectEnd,
  held: Held,
): Promise<Again> {
  if (end.status === 'givenUp') return held.untilMs();
  // Not allowed now, or nobody knows: asked again. What is refused for good stays open, and the trail says why.
  if (end.status === 'failed' || (end.status === 'refused' && end.guard === 'tenant'))
    return Date.now() + safetyNetMs;
  if (end.status === 'receipt' && end.outcome === 'unknown') return Date.now() + safetyNetMs;
  const closed = end.status === 'receipt' && (end.outcome === 'applied' || end.outcome === 'alreadyApplied');
  await note(input, { ...about, end: closed ? 'closed' : 'left', reason: end.reason });
  return null;
}

/** `fails`: the job is red, in words; no more checks are made then. */
type Checked = { readonly again: Again; readonly fails?: string };

/** Reads the job's newest run when a check is due. A fix that did not hold is checked no more: the loop is told to look at the job. */
async function check(
  input: RemedyInput,
  seen: CareView,
  resolvedMs: number,
  fixedBy: string,
): Promise<Checked> {
  if (fixedBy === '') return { again: null };
  const { due, nextAtMs } = checksOf(seen.soakAfterMs, seen.passedMs, resolvedMs, Date.now());
  if (due.length === 0) return { again: nextAtMs };
  const checks = due.map(spanOf).join(', ');
  const now = await ciActivities(input.queues, `check after ${checks}`).diagnoseCi(refOf(input));
  if (now.running) return { again: Date.now() + runningMs };
  if (!now.red) {
    await note(input, {
      about: 'passed',
      resolvedMs,
      checksMs: due,
      reason: `${fixedBy} after ${checks}: ${now.why}`,
    });
    return { again: nextAtMs };
  }
  if (!isRepeat(resolvedMs, Date.now()))
    return {
      again: null,
      fails: `the job fails in run ${now.runId}, more than ${spanOf(repeatWindowMs)} after ${fixedBy}: not a repeat failure, and the fix is not proved`,
    };
  const reason = `the job fails again within 48 h of ${fixedBy}: run ${now.runId}`;
  await note(input, { about: 'repeat', resolvedMs, reason });
  await reportTo(input, 'waiting');
  return { again: null, fails: reason };
}

function note(input: RemedyInput, what: CareNote): Promise<void> {
  return careActivities(input.queues).noteCare({ ...refOf(input), nowMs: Date.now(), note: what });
}

/** Asks in the name of the finding's last remedy: what that one closed already is the same effect. */
function remedyOf(input: RemedyInput, remedies: number): Remedy {
  const { tenant, finding } = input;
  const { kind, fingerprint, occurrence } = finding;
  return {
    input,
    requester: `${remedyWorkflowId({ tenant, kind, fingerprint, occurrence })}#${Math.max(1, remedies)}`,
    nudged: false,
    steps: 0,
    told: 'working',
  };
}
