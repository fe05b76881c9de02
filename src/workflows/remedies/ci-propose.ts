// What becomes of a verified fix (CI-8): one draft pull request per finding, or, on a person's pull request, a commit or a comment with the patch.
import { patched } from '@temporalio/workflow';
import type { CiDiagnosis, CiFixOutcome, MemoryPatch } from '../../contract/activities.ts';
import type { CiDetail } from '../../contract/finding.ts';
import type { RemedyResult } from '../../contract/loop.ts';
import { commitTitle } from '../../policy/ci/commit-title.ts';
import { ciDidNotStart } from '../../policy/ci/not-started.ts';
import { ciActivities } from '../activities.ts';
import { type Remedy, refOf, remember, runEffect } from '../effects.ts';
import { endReason, escalate, pauseFor, pushCommit, pushOwn } from './remedy.ts';

/** GitHub takes seconds; an outage of it minutes. */
const ciStartMs = 60_000;
const ciOutageMs = 5 * 60_000;

export type Step = { readonly next: 'again' } | { readonly next: 'end'; readonly result: RemedyResult };
export const again: Step = { next: 'again' };

type Verified = Extract<CiFixOutcome, { readonly result: 'verified' }>;

export async function toPerson(
  remedy: Remedy,
  reason: string,
  report = '',
  patch: MemoryPatch = {},
): Promise<Step> {
  return { next: 'end', result: await escalate(remedy, reason, report, patch) };
}

export async function propose(
  remedy: Remedy,
  diagnosis: CiDiagnosis,
  verified: Verified,
  tries: number,
): Promise<Step> {
  const { input } = remedy;
  const detail = input.finding.detail as CiDetail;
  // A fix takes minutes, or a night where it waits for a budget: what is green meanwhile needs none (CI-10).
  if (patched('still-red') && !(await isRed(remedy))) return again;
  if (detail.pullRequest !== undefined) return giveTo(remedy, detail.pullRequest, verified, diagnosis, tries);
  const branch = `untilgreen/ci-${input.finding.fingerprint.slice(0, 12)}-${input.finding.occurrence}`;
  const { pushed, open } = await pushOwn(remedy, {
    repository: diagnosis.repository,
    branch,
    baseSha: diagnosis.headSha,
    patchEvidence: verified.patchEvidence,
    treeSha: verified.treeSha,
    message: `${commitTitle(detail.job)}\n`,
    step: `fix-${tries + 1}`,
  });
  if (pushed.status !== 'receipt' || typeof pushed.result.commitSha !== 'string') {
    return toPerson(remedy, pushed.status === 'receipt' ? pushed.reason : endReason(pushed));
  }
  const number = open ?? (await openPull(remedy, diagnosis, verified, { branch, tries }));
  if (typeof number !== 'number') return toPerson(remedy, number.reason);
  await remember(remedy, {
    pullRequest: number,
    fixedSha: diagnosis.headSha,
    tries: tries + 1,
    notStarted: null,
  });
  await seeCiStart(remedy, diagnosis.repository, number, pushed.result.commitSha);
  return again;
}

/** Its number, or why there is none. */
async function openPull(
  remedy: Remedy,
  diagnosis: CiDiagnosis,
  verified: Verified,
  { branch, tries }: { readonly branch: string; readonly tries: number },
): Promise<number | { readonly reason: string }> {
  const detail = remedy.input.finding.detail as CiDetail;
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
  if (opened.status === 'receipt' && typeof opened.result.number === 'number') return opened.result.number;
  return { reason: opened.status === 'receipt' ? opened.reason : endReason(opened) };
}

export async function isRed({ input }: Remedy): Promise<boolean> {
  return (await ciActivities(input.queues, 'still red?').diagnoseCi(refOf(input))).red;
}

/** CI-8: a commit for which no run starts proves nothing to whoever has to merge it: its pull request says so, and what to do. */
async function seeCiStart(remedy: Remedy, repository: string, number: number, sha: string): Promise<void> {
  const { input } = remedy;
  const ask = (withinMs: number): Promise<{ readonly started: boolean }> =>
    ciActivities(input.queues, 'did CI start?').ciStarted({ ...refOf(input), sha, withinMs });
  if ((await ask(ciStartMs)).started || !patched('ci-not-started')) return;
  await pauseFor(remedy, ciOutageMs, 'until CI starts');
  if ((await ask(0)).started) return;
  await runEffect(
    remedy,
    {
      kind: 'commentOnIssue',
      target: `${repository}#${number}`,
      precondition: sha,
      step: `ci-not-started-${sha.slice(0, 12)}`,
      input: { number, body: ciDidNotStart(sha) },
    },
    async (hold) => ({ giveUp: hold.reason }),
  );
  await remember(remedy, { notStarted: sha });
}

/** CI-8: to a person's pull request: at `act` a commit on its branch and a comment that says so, else a comment with the patch. */
async function giveTo(
  remedy: Remedy,
  number: number,
  verified: Verified,
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
  await remember(remedy, { patchedSha: diagnosis.headSha, tries: tries + 1, notStarted: null });
  if (commit !== null) await seeCiStart(remedy, diagnosis.repository, number, commit);
  return again;
}

/** The new head of the branch; null when it could not be pushed: then the comment brings the patch. */
async function pushTheirs(
  remedy: Remedy,
  number: number,
  verified: Verified,
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
