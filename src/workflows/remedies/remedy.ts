// What every remedy has in common: its handlers, its wait, its end by a person, and the promise that an error of ours still ends in a report.
import {
  ActivityFailure,
  condition,
  defineSignal,
  isCancellation,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { MemoryPatch } from '../../contract/activities.ts';
import type { EffectKind } from '../../contract/effect.ts';
import type { LookResult, RemedyInput, RemedyResult } from '../../contract/loop.ts';
import { signals } from '../../contract/names.ts';
import { ciActivities, remedyActivities } from '../activities.ts';
import {
  activityIssue,
  type EffectEnd,
  markWorking,
  type OnHold,
  type Remedy,
  refOf,
  remember,
  rollIfLong,
  runEffect,
  safetyNetMs,
  show,
  showWaiting,
} from '../effects.ts';
import { escapeText } from '../loop/details.ts';
import { reportTo } from './report.ts';

export const nudgeSignal = defineSignal(signals.nudge);

/** Fixed, so that every worker makes the same commit. */
const author = { name: 'untilgreen', email: 'untilgreen@users.noreply.github.com' } as const;

const maxFailures = 3;
const retryMs = 15 * 60_000;

/** `remember`: what the next remedy of the finding has to know. */
export type RemedyEnd = RemedyResult & { readonly remember?: MemoryPatch };

/** There is nothing left to work on. */
class Gone extends Error {}

/** Runs a remedy to its end and reports it, whatever the end is. */
export async function asRemedy(
  input: RemedyInput,
  work: (remedy: Remedy) => Promise<RemedyEnd>,
): Promise<RemedyResult> {
  const remedy: Remedy = {
    input,
    requester: `${workflowInfo().workflowId}#${input.remedy}`,
    nudged: false,
    steps: input.steps ?? 0,
    told: input.told ?? 'working',
  };
  setHandler(
    nudgeSignal,
    () => {
      remedy.nudged = true;
    },
    {
      description:
        'Looks again at the finding now: after an approval, a resume, or a change outside. Takes nothing.',
    },
  );
  setCurrentDetails(`Started by ${escapeText(input.actor)}`);
  const { remember: patch, ...result } = await withRetries(remedy, work);
  // Still red after "green" is a new remedy's work: never a finding that nobody is on.
  if (result.outcome !== 'escalated')
    await remedyActivities(input.queues).setStatus({
      ...refOf(input),
      nowMs: Date.now(),
      actor: input.actor,
      status: 'open',
      ...(patch === undefined ? {} : { remember: patch }),
    });
  setCurrentDetails(`${result.outcome}: ${escapeText(result.summary)}`.slice(0, 2_000));
  show(result.outcome);
  await reportTo(input, 'done');
  return result;
}

/** What fails for good outside of every activity's own retries is tried again later, then handed to a person; it is never lost. */
async function withRetries(remedy: Remedy, work: (remedy: Remedy) => Promise<RemedyEnd>): Promise<RemedyEnd> {
  for (let failed = 1; ; failed += 1) {
    try {
      return await work(remedy);
    } catch (error) {
      if (error instanceof Gone) return { outcome: 'gone', summary: error.message };
      if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
      const reason = `a step failed: ${error.cause?.message ?? error.message}`.slice(0, 500);
      if (failed >= maxFailures) return escalate(remedy, reason);
      await waitFor(remedy, `the next try, ${reason}`, retryMs);
    }
  }
}

/** Reads the finding as it is now. A nudge that comes from here on is about something this look may not have seen. */
export async function look(remedy: Remedy): Promise<LookResult> {
  remedy.nudged = false;
  const seen = await remedyActivities(remedy.input.queues).look(refOf(remedy.input));
  if (seen.gone) throw new Gone('its workspace is not in the settings any more');
  return seen;
}

/** Waits for a nudge since the last look, or for the time to look again; shown with what it waits for; `watched`: on purpose not acted on (CI-3). */
export async function waitFor(
  remedy: Remedy,
  waitingFor: string,
  ms = safetyNetMs,
  status: 'waiting' | 'watched' = 'waiting',
): Promise<void> {
  await showWaiting(remedy, waitingFor, undefined, false, status);
  await condition(() => remedy.nudged, ms, { summary: waitingFor.slice(0, 180) });
  await rollIfLong(remedy);
}

/** A short pause inside the work, e.g. between two looks at a running run. */
export async function pauseFor(remedy: Remedy, ms: number, what: string): Promise<void> {
  remedy.nudged = false;
  await condition(() => remedy.nudged, ms, { summary: what });
  await rollIfLong(remedy);
}

/** CI-9: one issue per occurrence with all attempts and the last one's report, an alert, and the finding is a person's. */
export async function escalate(
  remedy: Remedy,
  reason: string,
  lastAttempt = '',
  patch: MemoryPatch = {},
): Promise<RemedyResult> {
  const { input } = remedy;
  const records = remedyActivities(input.queues);
  const report = await records.escalationReport({
    ...refOf(input),
    reason,
    ...(lastAttempt === '' ? {} : { report: lastAttempt }),
    requester: remedy.requester,
    nowMs: Date.now(),
  });
  const known = (await look(remedy)).memory.issue;
  const issue = typeof known === 'number' ? known : null;
  const number = report.issue ?? (await tellInIssue(remedy, report, issue));
  await records.setStatus({
    ...refOf(input),
    nowMs: Date.now(),
    actor: input.actor,
    status: 'escalated',
    waitingFor: `a person: ${reason}`,
    remember: { ...patch, ...(number === null ? {} : { issue: number }) },
  });
  await alertPerson(
    remedy,
    'escalation',
    report.title,
    `${reason}${number === null ? '' : ` (issue #${number})`}`,
  );
  return { outcome: 'escalated', summary: reason };
}

/** In the finding's issue, or in one that is opened for it; null: it could not be. */
async function tellInIssue(
  remedy: Remedy,
  report: { readonly title: string; readonly body: string },
  issue: number | null,
): Promise<number | null> {
  const { finding } = remedy.input;
  const opened = await runEffect(
    remedy,
    {
      ...(issue === null
        ? {
            kind: 'openIssue',
            input: { title: report.title, body: report.body, labels: ['untilgreen', 'needs-person'] },
          }
        : { kind: 'commentOnIssue', input: { number: issue, body: report.body } }),
      target: `${finding.workspace}/${finding.kind}`,
      precondition: finding.fingerprint,
      step: 'escalation-issue',
    },
    // A paused tenant's escalation must not wait: the alert below needs no permission.
    async (hold) => ({ giveUp: hold.reason }),
  );
  return opened.status === 'receipt' && typeof opened.result.number === 'number'
    ? opened.result.number
    : issue;
}

export async function alertPerson(
  remedy: Remedy,
  step: string,
  title: string,
  body: string,
): Promise<EffectEnd> {
  const { finding } = remedy.input;
  return runEffect(remedy, {
    kind: 'sendAlert',
    target: finding.fingerprint.slice(0, 12),
    precondition: finding.fingerprint,
    step: `alert-${step}`,
    input: { severity: finding.severity, title: title.slice(0, 200), body: body.slice(0, 2_000) },
  });
}

/**
 * Tells people once what has to be approved, where they can answer, and reminds them once (LOOP-13). Before each further wait the evidence is
 * read again: `changed` says why the question is not the same any more, which ends the wait.
 */
export function askPeople(remedy: Remedy, subject: string, changed: () => Promise<string | null>): OnHold {
  let told = 0;
  return async (hold, waits) => {
    const reason = waits === 0 ? null : await changed();
    if (reason !== null) return { giveUp: reason };
    if (!hold.approval) return undefined;
    const { hash, expiresAtMs } = hold.approval;
    const expires = new Date(expiresAtMs).toISOString().slice(0, 16);
    if (told === 0) {
      told = 1;
      const issue = await activityIssue(remedy);
      if (issue) {
        const body = `**${subject}** waits for approval: ${hold.reason}.\n\nTo approve exactly this, comment \`/approve ${hash}\`; to reject, \`/reject ${hash} reason\`. It expires on ${expires} UTC; a change of what it is bound to voids it.`;
        await runEffect(
          remedy,
          {
            kind: 'commentOnIssue',
            target: `${issue.repository}#${issue.number}`,
            precondition: hash,
            step: `ask-${hash}`,
            input: { number: issue.number, body },
          },
          async (held) => ({ giveUp: held.reason }),
        );
      }
      const where = issue ? ` or comment "/approve ${hash}" on ${issue.repository}#${issue.number}` : '';
      await alertPerson(
        remedy,
        `ask-${hash}`,
        `Approval needed: ${subject}`,
        `${hold.reason}. "untilgreen approve ${hash}"${where}. Expires ${expires} UTC.`,
      );
    } else if (told === 1 && hold.untilMs === expiresAtMs) {
      // The door's next wake is the expiry: the time to remind has come.
      told = 2;
      await alertPerson(
        remedy,
        `remind-${hash}`,
        `Still waiting for approval: ${subject}`,
        `${hold.reason}. Hash ${hash}, expires ${expires} UTC.`,
      );
    }
    return undefined;
  };
}

/** Counts an attempt before it is made; null when all are used. */
export async function beginAttempt(remedy: Remedy, attemptKey: string): Promise<number | null> {
  await markWorking(remedy, `attempt ${attemptKey}`);
  const { attempt } = await remedyActivities(remedy.input.queues).beginAttempt({
    ...refOf(remedy.input),
    attemptKey,
    kind: remedy.input.finding.kind,
  });
  return attempt;
}

/**
 * How many tries of this finding have ended, from the store: part of the keys of attempts and effects, so that a remedy that begins anew
 * asks for the same thing again, and its next try for another (DUR-2).
 */
export function triesOf(seen: LookResult): number {
  return typeof seen.memory.tries === 'number' ? seen.memory.tries : 0;
}

export async function endTry(remedy: Remedy, tries: number): Promise<void> {
  await remember(remedy, { tries: tries + 1 });
}

/** What was asked for changed before anybody answered: no attempt was made, and an answer that comes now is void. */
export async function forget(
  remedy: Remedy,
  attemptKey: string,
  kind: EffectKind,
  reason: string,
): Promise<void> {
  const { input } = remedy;
  await remedyActivities(input.queues).giveBackAttempt({ ...refOf(input), attemptKey });
  await voidQuestions(remedy, kind, reason);
}

/** Every open question of this remedy about this kind of effect is void (LOOP-13). */
export async function voidQuestions(remedy: Remedy, kind: EffectKind, reason: string): Promise<void> {
  const { input, requester } = remedy;
  await remedyActivities(input.queues).voidApprovals({
    ...refOf(input),
    requester,
    keepPrecondition: '',
    kinds: [kind],
    reason,
  });
}

export function endReason(end: Exclude<EffectEnd, { status: 'receipt' }>): string {
  return end.status === 'refused' ? `${end.guard}: ${end.reason}` : end.reason;
}

/** A mutating effect's end that is not success: its own words for people. */
export function failedEnd(end: EffectEnd): string | null {
  if (end.status !== 'receipt') return endReason(end);
  return end.outcome === 'applied' || end.outcome === 'alreadyApplied' || end.outcome === 'unknown'
    ? null
    : `${end.outcome}: ${end.reason}`;
}

export type Push = {
  readonly repository: string;
  readonly branch: string;
  /** A person's, whose branch it is. */
  readonly pullRequest?: number;
  readonly baseSha: string;
  readonly patchEvidence: string;
  readonly treeSha: string;
  readonly message: string;
  readonly step: string;
};

/**
 * Pushes to a branch of ours, over what we pushed there before; a commit of somebody else on it is never overwritten (PR-3). With the open pull
 * request of the branch, when there is one.
 */
export async function pushOwn(
  remedy: Remedy,
  push: Push,
): Promise<{ readonly pushed: EffectEnd; readonly open: number | null }> {
  const { input } = remedy;
  const before = await ciActivities(input.queues, push.branch).ownBranch({
    ...refOf(input),
    branch: push.branch,
  });
  const open = before.pullRequest ?? null;
  if (!before.ours)
    return { pushed: { status: 'failed', reason: `somebody else pushed to ${push.branch}` }, open };
  return { pushed: await pushCommit(remedy, before.sha, push), open };
}

/** @param headSha where the branch is; null: there is none yet */
export async function pushCommit(remedy: Remedy, headSha: string | null, push: Push): Promise<EffectEnd> {
  const { repository, step, treeSha, ...content } = push;
  return runEffect(remedy, {
    kind: 'pushBranch',
    target: `${repository}@${push.branch}`,
    precondition: `${push.baseSha}:${treeSha}:${headSha ?? 'absent'}`,
    step,
    input: {
      ...content,
      expectedOldSha: headSha,
      author,
      dateIso: new Date(remedy.input.finding.firstSeenMs).toISOString(),
    },
  });
}

const once: OnHold = async (hold) => ({ giveUp: hold.reason });

/** Says why, and closes a pull request of ours with its branch. What is held is not waited for, unless `onHold` does. */
export async function closeOwnPull(
  remedy: Remedy,
  repository: string,
  number: number,
  why: string,
  onHold: OnHold = once,
): Promise<EffectEnd> {
  const place = { target: `${repository}#${number}`, precondition: 'not needed' };
  await runEffect(
    remedy,
    { ...place, kind: 'commentOnIssue', step: `why-closed-${number}`, input: { number, body: why } },
    onHold,
  );
  return runEffect(
    remedy,
    { ...place, kind: 'closePullRequest', step: `close-${number}`, input: { number, deleteBranch: true } },
    onHold,
  );
}
