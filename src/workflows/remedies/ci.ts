// A failing job (CI-2 to CI-9): diagnose → triage → a fix by a fixer, else by the model → verified → pull request → merged by a person → the
// branch's own run is green. Flakes are watched, what no change of code can mend is a person's. The implementer never merges.
import { patched } from '@temporalio/workflow';
import type { CiDiagnosis } from '../../contract/activities.ts';
import type { LookResult, RemedyInput, RemedyResult } from '../../contract/loop.ts';
import type { CiTriage } from '../../contract/triage.ts';
import { whyClosed } from '../../policy/aftercare.ts';
import { waitsForStart } from '../../policy/ci/not-started.ts';
import {
  ciActivities,
  fixRecordActivities,
  remedyActivities,
  triageActivities,
  workspaceActivities,
} from '../activities.ts';
import { markWorking, noteActivity, type Remedy, refOf, remember, runEffect } from '../effects.ts';
import { implement } from './ci-implement.ts';
import { again, propose, type Step, toPerson } from './ci-propose.ts';
import {
  asRemedy,
  beginAttempt,
  closeOwnPull,
  endTry,
  escalate,
  failedEnd,
  look,
  pauseFor,
  type RemedyEnd,
  triesOf,
  waitFor,
} from './remedy.ts';

const runPollMs = 15_000;
const firstRunPollMs = 2_000;
/** Polls of one running run before the finding counts as waiting: three hours. */
const runPolls = 720;

export async function ciRemedy(input: RemedyInput): Promise<RemedyResult> {
  return asRemedy(input, untilGreen);
}

async function untilGreen(remedy: Remedy): Promise<RemedyEnd> {
  const { input } = remedy;
  const target = input.finding.target;
  for (;;) {
    const seen = await look(remedy);
    if (remedy.steps >= seen.limits.plannerSteps)
      return escalate(remedy, `${remedy.steps} steps and ${target} is still red`);
    const diagnosis = await ciActivities(input.queues, target).diagnoseCi(refOf(input));
    if (diagnosis.running) {
      await watchRun(remedy, diagnosis);
      continue;
    }
    const open = typeof seen.memory.pullRequest === 'number' ? seen.memory.pullRequest : null;
    if (!diagnosis.red) {
      await noteGreen(remedy, diagnosis);
      return closeOwn(remedy, diagnosis, open);
    }
    if (seen.memory.patchedSha === diagnosis.headSha) {
      await waitFor(
        remedy,
        diagnosis.mayPush
          ? `the run of the fixed commit${typeof seen.memory.notStarted === 'string' ? ', for which no CI has started' : ''}`
          : 'the author of the pull request to take the patch',
      );
      continue;
    }
    const taken =
      open === null
        ? await act(remedy, diagnosis, seen)
        : await watchPullRequest(remedy, diagnosis, open, seen.memory);
    if (taken.next === 'end') return taken.result;
  }
}

/** CI-8: one open pull request per fingerprint; until it is merged or closed nothing else is tried. */
async function watchPullRequest(
  remedy: Remedy,
  diagnosis: CiDiagnosis,
  number: number,
  { fixedSha = '', notStarted }: LookResult['memory'],
): Promise<Step> {
  const { input } = remedy;
  const pull = await ciActivities(input.queues, `#${number}`).readPullRequest({ ...refOf(input), number });
  if (pull.merged) {
    // The run that is red may be older than the merge: the branch's next run decides.
    if (diagnosis.headSha === fixedSha) {
      await waitFor(
        remedy,
        `the run of ${diagnosis.baseBranch} after pull request #${number} was merged`,
        5 * 60_000,
      );
      return again;
    }
    await remember(remedy, { pullRequest: null });
    return again;
  }
  if (pull.state === 'closed')
    // A person's no. Whoever orders it again wants another one, though.
    return toPerson(remedy, `pull request #${number} was closed without being merged`, '', {
      pullRequest: null,
    });
  await waitFor(remedy, await whoseTurn(remedy, number, notStarted === pull.headSha ? pull.headSha : null));
  return again;
}

/** @param notStarted the head of the pull request, when CI had not started for it (CI-8); it may have by now */
async function whoseTurn(remedy: Remedy, number: number, notStarted: string | null): Promise<string> {
  if (notStarted !== null) {
    const asked = { ...refOf(remedy.input), sha: notStarted, withinMs: 0 };
    const { started } = await ciActivities(remedy.input.queues, 'has CI started by now?').ciStarted(asked);
    if (!started) return waitsForStart(notStarted, number);
    await remember(remedy, { notStarted: null });
  }
  return `a person to merge pull request #${number}`;
}

/** What to do about it is decided from its log, the flake ledger, and what fails elsewhere (CI-2 to CI-4, CI-12). */
async function act(remedy: Remedy, diagnosis: CiDiagnosis, seen: LookResult): Promise<Step> {
  remedy.steps += 1;
  const { input } = remedy;
  if (!patched('triage'))
    return diagnosis.fixer === null
      ? ((await rerunOnce(remedy, diagnosis)) ?? toPerson(remedy, diagnosis.why))
      : fix(remedy, diagnosis, diagnosis.fixer, seen);
  const triage = await triageActivities(input.queues, input.finding.target).triageCi({
    ...refOf(input),
    diagnosis,
    nowMs: Date.now(),
  });
  switch (triage.next) {
    case 'fix': {
      const { fixerFailed, fixerWhy } = seen.memory;
      if (diagnosis.fixer === null) return fixByModel(remedy, diagnosis, seen, triage, null);
      if (fixerFailed === diagnosis.headSha)
        return fixByModel(remedy, diagnosis, seen, triage, String(fixerWhy));
      return fix(remedy, diagnosis, diagnosis.fixer, seen);
    }
    case 'rerun':
      return (await rerunOnce(remedy, diagnosis)) ?? toPerson(remedy, triage.why, triage.report);
    case 'person':
      return toPerson(remedy, triage.why, triage.report);
    case 'watch':
      return pass(remedy, () => waitFor(remedy, triage.why, undefined, 'watched'));
    case 'wait': {
      const ms = triage.untilMs === null ? undefined : Math.max(1, triage.untilMs - Date.now());
      return pass(remedy, () => waitFor(remedy, triage.why, ms));
    }
  }
}

/** Waiting is no step (LOOP-4). */
async function pass(remedy: Remedy, wait: () => Promise<void>): Promise<Step> {
  remedy.steps -= 1;
  await wait();
  return again;
}

/** Green on the very SHA on which it failed: into the flake ledger; a flake too frequent gets one issue (CI-3). */
async function noteGreen(remedy: Remedy, diagnosis: CiDiagnosis): Promise<void> {
  if (!patched('triage')) return;
  const { input } = remedy;
  const { quarantine } = await triageActivities(input.queues, 'a flake?').noteGreen({
    ...refOf(input),
    diagnosis,
    nowMs: Date.now(),
  });
  if (quarantine === null) return;
  const { test, title, body, issue } = quarantine;
  const step = `quarantine-${input.finding.fingerprint.slice(0, 12)}-${diagnosis.runId}`;
  await runEffect(
    { ...remedy, requester: `quarantine/${input.finding.workspace}` },
    issue !== undefined && patched('quarantine-again')
      ? {
          kind: 'updateIssue',
          target: `${diagnosis.repository}#${issue}`,
          precondition: test,
          step,
          input: { number: issue, title, body },
        }
      : {
          kind: 'openIssue',
          target: `${diagnosis.repository}/flakes`,
          precondition: test,
          step,
          input: { title, body, labels: ['untilgreen', 'flake'] },
        },
    async (hold) => ({ giveUp: hold.reason }),
  );
}

/** CI-5b, CI-9: each attempt is counted before it is made, and the next one knows why the last one failed. `fixerWhy`: what came of a fixer on this commit. */
async function fixByModel(
  remedy: Remedy,
  diagnosis: CiDiagnosis,
  seen: LookResult,
  triage: CiTriage,
  fixerWhy: string | null,
): Promise<Step> {
  const { input } = remedy;
  const tries = triesOf(seen);
  const attemptKey = `${input.remedy}-${diagnosis.headSha.slice(0, 12)}-${tries}`;
  const attempt = await beginAttempt(remedy, attemptKey);
  if (attempt === null)
    return toPerson(remedy, `${seen.attempts} of ${seen.limits.attempts} attempts are used`, triage.report);
  const outcome = await implement(remedy, diagnosis, attempt);
  if (outcome.result === 'verified') return propose(remedy, diagnosis, outcome, tries);
  if (outcome.result === 'gated' && outcome.unseen === true && patched('unseen'))
    return toPerson(remedy, outcome.reason, `${triage.report}\n\n${outcome.report}`);
  if (outcome.result !== 'cannotReproduce' && outcome.result !== 'unavailable') {
    await endTry(remedy, tries);
    return again;
  }
  await remedyActivities(input.queues).giveBackAttempt({ ...refOf(input), attemptKey });
  if (outcome.result === 'unavailable' && outcome.untilMs !== null) {
    const ms = Math.max(1, outcome.untilMs - Date.now());
    return pass(remedy, () => waitFor(remedy, `the model: ${outcome.reason}`, ms));
  }
  const [reason, report] =
    outcome.result === 'unavailable'
      ? [`${fixerWhy ?? `${triage.why}; ${diagnosis.why}`}; no model: ${outcome.reason}`, triage.report]
      : [`cannot reproduce: ${outcome.reason}`, `${triage.report}\n\n${outcome.report}`];
  // Where a fixer ran, the failure is one that comes again: a rerun would say nothing new.
  const comesAgain = fixerWhy !== null && outcome.result === 'unavailable';
  return (comesAgain ? null : await rerunOnce(remedy, diagnosis)) ?? toPerson(remedy, reason, report);
}

async function fix(remedy: Remedy, diagnosis: CiDiagnosis, fixer: string, seen: LookResult): Promise<Step> {
  const { input } = remedy;
  const tries = triesOf(seen);
  const attemptKey = `${input.remedy}-${diagnosis.headSha.slice(0, 12)}-${tries}`;
  const attempt = await beginAttempt(remedy, attemptKey);
  if (attempt === null)
    return toPerson(remedy, `${seen.attempts} of ${seen.limits.attempts} attempts are used`);
  const outcome = await workspaceActivities(input.queues, `${fixer}, attempt ${attempt}`).fixCi({
    ...refOf(input),
    fixer,
    diagnosis,
    attempt,
  });
  if (outcome.result === 'verified') return propose(remedy, diagnosis, outcome, tries);
  if (outcome.result === 'cannotReproduce') {
    await remedyActivities(input.queues).giveBackAttempt({ ...refOf(input), attemptKey });
    return (
      (await rerunOnce(remedy, diagnosis)) ??
      toPerson(remedy, `cannot reproduce: ${outcome.reason}`, outcome.report)
    );
  }
  const why = `${fixer}: ${outcome.result}: ${outcome.reason}`;
  if (outcome.result === 'gated' || !patched('model-after-fixer'))
    return toPerson(remedy, why, outcome.report);
  // A fixer gives the same result on the same commit: what it cannot mend there is the model's to try (CI-5).
  const { headSha } = diagnosis;
  await fixRecordActivities(input.queues).recordFix({
    ...refOf(input),
    attempt,
    headSha,
    result: outcome.result,
    reason: why,
    report: outcome.report,
    turns: 0,
    tokens: 0,
    nowMs: Date.now(),
    actor: input.actor,
  });
  await remember(remedy, { fixerFailed: headSha, fixerWhy: why, tries: tries + 1 });
  return again;
}

/** Null when it may not be rerun (again). */
async function rerunOnce(remedy: Remedy, diagnosis: CiDiagnosis): Promise<Step | null> {
  if (!diagnosis.mayRerun) return null;
  const target = `${diagnosis.repository}/runs/${diagnosis.runId}`;
  const end = await runEffect(
    remedy,
    {
      kind: 'rerunFailedJobs',
      target,
      precondition: `attempt ${diagnosis.runAttempt}`,
      step: 'rerun',
      input: { runId: diagnosis.runId, runAttempt: diagnosis.runAttempt },
    },
    async (hold) =>
      ['pause', 'cap', 'breaker', 'targetLock'].includes(hold.guard) ? undefined : { giveUp: hold.reason },
  );
  if (end.status === 'receipt')
    await noteActivity(remedy, end, `Rerun the failed jobs of run ${diagnosis.runId}`);
  const rerun = end.status === 'receipt' && (end.outcome === 'applied' || end.outcome === 'alreadyApplied');
  await remember(remedy, {
    rerunUsed: true,
    ...(rerun ? { rerunOf: `${diagnosis.runId}#${diagnosis.runAttempt}` } : {}),
  });
  return failedEnd(end) === null || (end.status === 'receipt' && end.outcome === 'stale') ? again : null;
}

async function watchRun(remedy: Remedy, diagnosis: CiDiagnosis): Promise<void> {
  await markWorking(remedy, `run ${diagnosis.runId} is running`);
  for (let poll = 0; poll < runPolls; poll += 1) {
    await pauseFor(
      remedy,
      Math.min(runPollMs, firstRunPollMs * 2 ** Math.min(poll, 5)),
      `run ${diagnosis.runId} is running`,
    );
    const now = await ciActivities(remedy.input.queues, 'is the run complete?').diagnoseCi(
      refOf(remedy.input),
    );
    if (!now.running) return;
  }
  await waitFor(remedy, `run ${diagnosis.runId}, which does not end`);
}

/** CI-10: what turned green closes what was opened for it. */
async function closeOwn(
  remedy: Remedy,
  diagnosis: CiDiagnosis,
  pullRequest: number | null,
): Promise<RemedyEnd> {
  const green = { outcome: 'green', summary: diagnosis.why } as const;
  if (pullRequest !== null) {
    const pull = await ciActivities(remedy.input.queues, `#${pullRequest}`).readPullRequest({
      ...refOf(remedy.input),
      number: pullRequest,
    });
    // Red again in a moment, it must not look like one that a person closed. One that is held stays known: aftercare closes it.
    const isClosed =
      pull.state === 'open'
        ? failedEnd(await closeOwnPull(remedy, diagnosis.repository, pullRequest, whyClosed.ci)) === null
        : !pull.merged;
    if (isClosed) return { ...green, remember: { pullRequest: null } };
  }
  return green;
}
