// How workflows ask the one door for an effect, wait out its holds, and show what they wait for. The door decides; nothing here does.
import {
  ActivityFailure,
  condition,
  continueAsNew,
  log,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { MemoryPatch } from '../contract/activities.ts';
import type {
  EffectAnswer,
  EffectKind,
  EffectRequest,
  Hold,
  Json,
  Receipt,
  Refusal,
} from '../contract/effect.ts';
import type { RemedyInput, RemedyResult } from '../contract/loop.ts';
import { alertActivities, effectActivities, remedyActivities } from './activities.ts';
import { escapeText } from './loop/details.ts';
import type { Loop } from './loop/loop.ts';
import { reportTo } from './remedies/report.ts';
import { statusAttribute } from './visibility.ts';

/** A hold without an end is looked at again so often, in case a nudge was lost; not when cycles are due, which nudge. */
export const safetyNetMs = 61 * 60_000;
const defaultRollAtEvents = 2_000;

export type Remedy = {
  readonly input: RemedyInput;
  /** Workflow id and number of the remedy: part of every key, so that an adopted remedy finds its receipts. */
  readonly requester: string;
  nudged: boolean;
  /** Steps taken, over all its runs (LOOP-4). A wait for somebody is none. */
  steps: number;
  /** What the loop was told last: once is enough until it works again. */
  told: NonNullable<RemedyInput['told']>;
};

export type Plan = {
  readonly kind: EffectKind;
  readonly target: string;
  readonly precondition: string;
  readonly step: string;
  readonly input: Json;
  readonly needsApproval?: string;
};

/** What a held effect's owner wants to do about it, e.g. to tell a person; `giveUp` ends the wait with a reason. */
export type OnHold = (hold: Hold, waits: number) => Promise<{ readonly giveUp: string } | undefined>;

export type EffectEnd =
  | Receipt
  | Refusal
  | { readonly status: 'givenUp'; readonly reason: string }
  | { readonly status: 'failed'; readonly reason: string };

/** Asks until there is an end. A hold waits on a durable timer, or until nudged; `onHold` runs before each wait. */
export async function runEffect(remedy: Remedy, plan: Plan, onHold?: OnHold): Promise<EffectEnd> {
  for (let waits = 0; ; waits += 1) {
    remedy.nudged = false;
    let answer: EffectAnswer;
    try {
      answer = await askDoor(remedy, plan);
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      const reason = error.cause?.message ?? error.message;
      log.warn('effect without an end', { kind: plan.kind, reason });
      return { status: 'failed', reason };
    }
    if (answer.status !== 'hold') {
      if (waits > 0) await markWorking(remedy);
      return answer;
    }
    const ended = await onHold?.(answer, waits);
    if (ended) return { status: 'givenUp', reason: ended.giveUp };
    await waitOut(remedy, plan, answer);
  }
}

async function askDoor(remedy: Remedy, plan: Plan): Promise<EffectAnswer> {
  const { tenant, queues, finding, actor } = remedy.input;
  const request: EffectRequest = {
    ...plan,
    tenant,
    workspace: finding.workspace,
    requester: remedy.requester,
    fingerprint: finding.fingerprint,
    occurrence: finding.occurrence,
    nowMs: Date.now(),
    actor,
  };
  return effectActivities(queues, plan.kind, `${plan.target} · ${plan.step}`.slice(0, 180))[
    `effect.${plan.kind}`
  ](request);
}

async function waitOut(remedy: Remedy, plan: Plan, hold: Hold): Promise<void> {
  const waitingFor = hold.approval
    ? `${plan.kind}: ${hold.reason} (/approve ${hold.approval.hash})`
    : `${plan.kind}: ${hold.reason}`;
  await showWaiting(remedy, waitingFor, hold.untilMs, hold.approval !== undefined);
  await condition(() => remedy.nudged, holdMs(hold), { summary: waitingFor.slice(0, 180) });
  // The step it stands in is taken again from its beginning.
  await rollIfLong(remedy, Math.max(0, remedy.steps - 1));
}

/** How long it is waited until the door is asked again, when nobody nudges. */
export function holdMs({ untilMs }: Hold): number {
  return Math.max(1, Math.min(untilMs === undefined ? safetyNetMs : untilMs - Date.now(), safetyNetMs));
}

/**
 * A long wait must not outgrow a history: the remedy goes on in a new run, from what is in the store. It asks for the same effects by the
 * same keys, so it finds its receipts and its open questions there.
 */
export async function rollIfLong(remedy: Remedy, steps = remedy.steps): Promise<void> {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  const { rollAtEvents = defaultRollAtEvents } = remedy.input;
  if (!continueAsNewSuggested && historyLength < rollAtEvents) return;
  await continueAsNew<(input: RemedyInput) => Promise<RemedyResult>>({
    ...remedy.input,
    steps,
    told: remedy.told,
  });
}

/** Records what the remedy waits for, shows it, and lets the loop go on to what comes after. */
export async function showWaiting(
  remedy: Remedy,
  waitingFor: string,
  untilMs: number | undefined,
  watchApprovals: boolean,
  status: 'waiting' | 'watched' = 'waiting',
): Promise<void> {
  const { input } = remedy;
  await remedyActivities(input.queues).setStatus({
    ...refOf(input),
    nowMs: Date.now(),
    actor: input.actor,
    status,
    waitingFor,
    ...(untilMs === undefined ? {} : { waitingUntilMs: untilMs }),
  });
  setCurrentDetails(
    `${status === 'watched' ? 'Watched' : 'Waiting'}: ${escapeText(waitingFor)}${untilMs === undefined ? '' : ` until ${new Date(untilMs).toISOString()}`}`,
  );
  show(status);
  const news = watchApprovals ? 'approval' : 'waiting';
  if (remedy.told === news || remedy.told === 'approval') return;
  remedy.told = news;
  await reportTo(input, 'waiting', watchApprovals);
}

export async function markWorking(remedy: Remedy, doing = 'working'): Promise<void> {
  const { input } = remedy;
  await remedyActivities(input.queues).setStatus({
    ...refOf(input),
    nowMs: Date.now(),
    actor: input.actor,
    status: 'working',
  });
  remedy.told = 'working';
  setCurrentDetails(escapeText(doing));
  show('working');
}

/** Keeps what the next step, the next remedy, or this one after a loss, has to know. */
export async function remember(remedy: Remedy, patch: MemoryPatch): Promise<void> {
  const { input } = remedy;
  await remedyActivities(input.queues).setStatus({
    ...refOf(input),
    nowMs: Date.now(),
    actor: input.actor,
    status: 'working',
    remember: patch,
  });
  remedy.told = 'working';
}

export function show(status: string): void {
  const changed = statusAttribute(status);
  if (changed) upsertSearchAttributes(changed);
}

export function refOf(input: RemedyInput): {
  tenant: string;
  workspace: string;
  fingerprint: string;
  occurrence: number;
} {
  const { workspace, fingerprint, occurrence } = input.finding;
  return { tenant: input.tenant, workspace, fingerprint, occurrence };
}

/** The workspace's rolling activity issue, opened when there is none yet; null where it is switched off or may not be opened now. */
export async function activityIssue(
  remedy: Remedy,
): Promise<{ readonly repository: string; readonly number: number } | null> {
  const { input } = remedy;
  const { workspace } = input.finding;
  const place = await remedyActivities(input.queues).activityIssue({ tenant: input.tenant, workspace });
  if (!place.enabled) return null;
  if (place.issue !== null) return { repository: place.repository, number: place.issue };
  const { requester, plan } = openingOfActivityIssue(place.repository, workspace);
  const opened = await runEffect({ ...remedy, requester }, plan, async (hold) => ({ giveUp: hold.reason }));
  if (opened.status !== 'receipt' || typeof opened.result.number !== 'number') return null;
  return { repository: place.repository, number: opened.result.number };
}

/** One per workspace, whoever opens it: each asks for the same effect. */
export function openingOfActivityIssue(
  repository: string,
  workspace: string,
): { readonly requester: string; readonly plan: Plan } {
  return {
    requester: `activity/${workspace}`,
    plan: {
      kind: 'openIssue',
      target: `${repository}#activity`,
      precondition: 'none',
      step: 'activity-issue',
      input: {
        title: `Untilgreen activity: ${workspace}`,
        body: 'Every mutating effect of Untilgreen in this workspace, one comment each, with its receipt.',
        labels: ['untilgreen'],
      },
    },
  };
}

/** SEE-5: each mutating effect is also one line with its receipt in the workspace's rolling activity issue. `line` says what was asked for. */
export async function noteActivity(remedy: Remedy, receipt: Receipt, line: string): Promise<void> {
  if (receipt.risk !== 'mutating' && receipt.risk !== 'destructive') return;
  const issue = await activityIssue(remedy);
  if (!issue) return;
  const done = receipt.outcome === 'applied' || receipt.outcome === 'alreadyApplied';
  const why = done ? '' : ` (${receipt.reason.slice(0, 300)})`;
  await runEffect(
    remedy,
    {
      kind: 'commentOnIssue',
      target: `${issue.repository}#${issue.number}`,
      precondition: receipt.key,
      step: `activity-${receipt.key.slice(0, 12)}`,
      input: {
        number: issue.number,
        body: `${line}\n\n\`${receipt.kind}\` ${receipt.outcome}${why}, receipt \`${receipt.key.slice(0, 16)}\``,
      },
    },
    async (hold) => ({ giveUp: hold.reason }),
  );
}

/** INC-6: passes pause and breaker, and never fails or holds up the cycle. True when somebody was told. */
export async function alertBreaker(
  loop: Loop,
  opened: { readonly cycle: number; readonly reason: string },
): Promise<boolean> {
  return tell(loop, {
    about: 'breaker',
    cycle: opened.cycle,
    severity: 'critical',
    title: `Circuit breaker of ${loop.state.tenant} opened`,
    body: `No mutating effect until it closes. Last reason: ${opened.reason}. It lets one probe through after its waiting time.`,
  });
}

/** CI-11: a digest that cannot be sent is not sent later: the next one says it all again. */
export async function sendDigest(loop: Loop, digest: string): Promise<void> {
  const { tenant, cycle } = loop.state;
  await tell(loop, {
    about: 'digest',
    cycle,
    severity: 'info',
    title: `Failing CI of ${tenant}`,
    body: digest,
  });
}

type Word = {
  readonly about: string;
  readonly cycle: number;
  readonly severity: 'critical' | 'warning' | 'info';
  readonly title: string;
  readonly body: string;
};

/** The loop's own word to people: an alert, once per subject and cycle. */
async function tell(loop: Loop, word: Word): Promise<boolean> {
  const { tenant, queues } = loop.state;
  try {
    const answer = await alertActivities(queues, word.title)['effect.sendAlert']({
      tenant,
      workspace: loop.state.schedule[0]?.workspace ?? '',
      kind: 'sendAlert',
      target: word.about,
      precondition: `cycle ${word.cycle}`,
      requester: workflowInfo().workflowId,
      step: word.about,
      input: { severity: word.severity, title: word.title, body: word.body.slice(0, 3_900) },
      nowMs: Date.now(),
      actor: 'loop',
    });
    // A receipt is an end: asking again would only show the same one.
    return answer.status === 'receipt';
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    log.error('people could not be told', { about: word.about, reason: String(error.cause) });
    return false;
  }
}
