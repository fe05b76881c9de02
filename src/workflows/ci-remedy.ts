// A failing job (CI-5 to CI-9, fixers only): diagnose → fix in the sandbox → verified → pull request → merged by a person → the branch's own
// run is green. Where no fixer fits: rerun the failed jobs once, then a person. The implementer never merges.
import type { CiDiagnosis } from '../contract/activities.ts';
import type { CiDetail } from '../contract/finding.ts';
import type { LookResult, RemedyInput, RemedyResult } from '../contract/loop.ts';
import { commitTitle } from '../policy/commit-title.ts';
import { ciActivities, remedyActivities, workspaceActivities } from './activities.ts';
import { markWorking, noteActivity, type Remedy, refOf, remember, runEffect } from './effects.ts';
import {
  asRemedy,
  beginAttempt,
  closeOwnPull,
  endReason,
  escalate,
  failedEnd,
  look,
  pauseFor,
  pushCommit,
  pushOwn,
  triesOf,
  waitFor,
} from './remedy.ts';

const runPollMs = 15_000;
const firstRunPollMs = 2_000;
/** Polls of one running run before the finding counts as waiting: three hours. */
const runPolls = 720;

type Step = { readonly next: 'again' } | { readonly next: 'end'; readonly result: RemedyResult };
const again: Step = { next: 'again' };

export async function ciRemedy(input: RemedyInput): Promise<RemedyResult> {
  return asRemedy(input, untilGreen);
}

async function untilGreen(remedy: Remedy): Promise<RemedyResult> {
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
    if (!diagnosis.red) return closeOwn(remedy, diagnosis, open);
    if (seen.memory.patchedSha === diagnosis.headSha) {
      await waitFor(
        remedy,
        diagnosis.mayPush
          ? 'the run of the fixed commit'
          : 'the author of the pull request to take the patch',
      );
      continue;
    }
    const taken =
      open === null
        ? await act(remedy, diagnosis, seen)
        : await watchPullRequest(remedy, diagnosis, open, String(seen.memory.fixedSha ?? ''));
    if (taken.next === 'end') return taken.result;
  }
}

/** CI-8: one open pull request per fingerprint; until it is merged or closed nothing else is tried. */
async function watchPullRequest(
  remedy: Remedy,
  diagnosis: CiDiagnosis,
  number: number,
  fixedSha: string,
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
    return {
      next: 'end',
      result: await escalate(remedy, `pull request #${number} was closed without being merged`),
    };
  await waitFor(remedy, `a person to merge pull request #${number}`);
  return again;
}

async function act(remedy: Remedy, diagnosis: CiDiagnosis, seen: LookResult): Promise<Step> {
  remedy.steps += 1;
  if (diagnosis.fixer !== null) return fix(remedy, diagnosis, diagnosis.fixer, seen);
  const rerun = await rerunOnce(remedy, diagnosis);
  return rerun ?? { next: 'end', result: await escalate(remedy, diagnosis.why) };
}

async function fix(remedy: Remedy, diagnosis: CiDiagnosis, fixer: string, seen: LookResult): Promise<Step> {
  const { input } = remedy;
  const tries = triesOf(seen);
  const attemptKey = `${input.remedy}-${diagnosis.headSha.slice(0, 12)}-${tries}`;
  const attempt = await beginAttempt(remedy, attemptKey);
  if (attempt === null)
    return {
      next: 'end',
      result: await escalate(remedy, `${seen.attempts} of ${seen.limits.attempts} attempts are used`),
    };
  const outcome = await workspaceActivities(input.queues, `${fixer}, attempt ${attempt}`).fixCi({
    ...refOf(input),
    fixer,
    diagnosis,
    attempt,
  });
  if (outcome.result === 'verified') return propose(remedy, diagnosis, outcome, tries);
  if (outcome.result === 'cannotReproduce') {
    await remedyActivities(input.queues).giveBackAttempt({ ...refOf(input), attemptKey });
    const rerun = await rerunOnce(remedy, diagnosis);
    return (
      rerun ?? {
        next: 'end',
        result: await escalate(remedy, `cannot reproduce: ${outcome.reason}`, outcome.report),
      }
    );
  }
  // A fixer gives the same result on the same commit: trying it again would only burn the attempts.
  return {
    next: 'end',
    result: await escalate(remedy, `${fixer}: ${outcome.result}: ${outcome.reason}`, outcome.report),
  };
}

async function propose(
  remedy: Remedy,
  diagnosis: CiDiagnosis,
  verified: { readonly patchEvidence: string; readonly treeSha: string; readonly report: string },
  tries: number,
): Promise<Step> {
  const { input } = remedy;
  const detail = input.finding.detail as CiDetail;
  if (detail.pullRequest !== undefined) return giveTo(remedy, detail.pullRequest, verified, diagnosis, tries);
  const branch = `untilgreen/ci-${input.finding.fingerprint.slice(0, 12)}-${input.finding.occurrence}`;
  const pushed = await pushOwn(remedy, {
    repository: diagnosis.repository,
    branch,
    baseSha: diagnosis.headSha,
    patchEvidence: verified.patchEvidence,
    treeSha: verified.treeSha,
    message: `${commitTitle(detail.job)}\n`,
    step: `fix-${tries + 1}`,
  });
  if (pushed.status !== 'receipt' || typeof pushed.result.commitSha !== 'string') {
    return {
      next: 'end',
      result: await escalate(remedy, pushed.status === 'receipt' ? pushed.reason : endReason(pushed)),
    };
  }
  const opened = await runEffect(remedy, {
    kind: 'openPullRequest',
    target: `${diagnosis.repository}@${branch}`,
    precondition: branch,
    step: `pull-request-${tries + 1}`,
    input: {
      head: branch,
      base: diagnosis.baseBranch,
      title: `Fix ${detail.workflowName}: ${detail.job}`.slice(0, 200),
      body: verified.report,
      labels: ['untilgreen', 'verified'],
      draft: true,
    },
  });
  if (opened.status !== 'receipt' || typeof opened.result.number !== 'number') {
    return {
      next: 'end',
      result: await escalate(remedy, opened.status === 'receipt' ? opened.reason : endReason(opened)),
    };
  }
  await remember(remedy, {
    pullRequest: opened.result.number,
    fixedSha: diagnosis.headSha,
    tries: tries + 1,
  });
  await ciActivities(input.queues, 'did CI start?').ciStarted({
    ...refOf(input),
    sha: pushed.result.commitSha,
  });
  return again;
}

/** CI-8: to a person's pull request: at `act` a commit on its branch and a comment that says so, else a comment with the patch. */
async function giveTo(
  remedy: Remedy,
  number: number,
  verified: { readonly patchEvidence: string; readonly report: string; readonly treeSha: string },
  diagnosis: CiDiagnosis,
  tries: number,
): Promise<Step> {
  const commit = diagnosis.mayPush ? await pushTheirs(remedy, number, verified, diagnosis, tries) : null;
  const body =
    commit === null
      ? (
          await ciActivities(remedy.input.queues, `#${number}`).patchComment({
            tenant: remedy.input.tenant,
            patchEvidence: verified.patchEvidence,
            report: verified.report,
          })
        ).body
      : `Commit ${commit} on this branch fixes the failing job.\n\n${verified.report}`;
  await runEffect(remedy, {
    kind: 'commentOnIssue',
    target: `${diagnosis.repository}#${number}`,
    precondition: diagnosis.headSha,
    step: `patch-${verified.treeSha.slice(0, 12)}`,
    input: { number, body },
  });
  await remember(remedy, { patchedSha: diagnosis.headSha, tries: tries + 1 });
  if (commit !== null)
    await ciActivities(remedy.input.queues, 'did CI start?').ciStarted({
      ...refOf(remedy.input),
      sha: commit,
    });
  return again;
}

/** The new head of the branch; null when it could not be pushed: then the comment brings the patch. */
async function pushTheirs(
  remedy: Remedy,
  number: number,
  verified: { readonly patchEvidence: string; readonly treeSha: string },
  diagnosis: CiDiagnosis,
  tries: number,
): Promise<string | null> {
  const { job } = remedy.input.finding.detail as CiDetail;
  const end = await pushCommit(remedy, diagnosis.headSha, {
    repository: diagnosis.repository,
    branch: diagnosis.baseBranch,
    pullRequest: number,
    baseSha: diagnosis.headSha,
    patchEvidence: verified.patchEvidence,
    treeSha: verified.treeSha,
    message: `${commitTitle(job)}\n`,
    step: `fix-${tries + 1}`,
  });
  return end.status === 'receipt' && typeof end.result.commitSha === 'string' ? end.result.commitSha : null;
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
  await remember(remedy, { rerunUsed: true });
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
): Promise<RemedyResult> {
  if (pullRequest !== null) {
    const pull = await ciActivities(remedy.input.queues, `#${pullRequest}`).readPullRequest({
      ...refOf(remedy.input),
      number: pullRequest,
    });
    if (pull.state === 'open')
      await closeOwnPull(
        remedy,
        diagnosis.repository,
        pullRequest,
        'The failure is gone; this fix is not needed any more.',
      );
  }
  return { outcome: 'green', summary: diagnosis.why };
}
