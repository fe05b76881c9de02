// Drift (DRIFT-2): with an export, one rolling pull request, merged by a person or by autoMerge, then the plan must be clean or is applied;
// without one, approval → the same plan again → apply → verify. A plan that changed voids what was approved for the old one.
import { patched } from '@temporalio/workflow';
import type { DriftPolicy, DriftView } from '../../contract/activities.ts';
import type { DriftDetail } from '../../contract/finding.ts';
import type { RemedyInput, RemedyResult } from '../../contract/loop.ts';
import { whyClosed } from '../../policy/aftercare.ts';
import { driftBranch } from '../../policy/drift-branch.ts';
import { ciActivities, remedyActivities, workspaceActivities } from '../activities.ts';
import { noteActivity, type Remedy, refOf, remember, runEffect } from '../effects.ts';
import {
  askPeople,
  asRemedy,
  beginAttempt,
  closeOwnPull,
  endReason,
  endTry,
  escalate,
  failedEnd,
  forget,
  look,
  pushOwn,
  triesOf,
  voidQuestions,
  waitFor,
} from './remedy.ts';

type Place = { readonly tenant: string; readonly workspace: string; readonly environment: string };
type Step = { readonly next: 'again' } | { readonly next: 'end'; readonly result: RemedyResult };
const again: Step = { next: 'again' };
const changedWhileWaiting = 'the plan changed while waiting';

export async function driftRemedy(input: RemedyInput): Promise<RemedyResult> {
  return asRemedy(input, untilClean);
}

async function untilClean(remedy: Remedy): Promise<RemedyResult> {
  const { input } = remedy;
  const { environment } = input.finding.detail as DriftDetail;
  const place: Place = { tenant: input.tenant, workspace: input.finding.workspace, environment };
  const work = workspaceActivities(input.queues, environment);
  for (;;) {
    const seen = await look(remedy);
    if (remedy.steps >= seen.limits.plannerSteps)
      return escalate(remedy, `${remedy.steps} steps and ${environment} still drifts`);
    const policy = await work.driftPolicy(place);
    const plan = await work.planDrift(place);
    if (plan.state === 'clean') return closeOwn(remedy, policy, `${environment} is clean`);
    if (plan.state === 'failed') {
      await waitFor(remedy, `the plan of ${environment} cannot be read: ${plan.reason}`);
      continue;
    }
    remedy.steps += 1;
    const { voided } = await remedyActivities(input.queues).voidApprovals({
      ...refOf(input),
      requester: remedy.requester,
      keepPrecondition: plan.planHash,
      kinds: ['applyDrift'],
      reason: `the plan changed to ${plan.planHash.slice(0, 12)}`,
    });
    const approvedBefore = voided === 0;
    const merged = typeof seen.memory.mergedPlan === 'string' ? seen.memory.mergedPlan : null;
    const taken =
      policy.hasExport && merged === null
        ? await byPullRequest(remedy, place, policy, plan)
        : await byApply(remedy, place, plan, merged !== null && merged === plan.planHash && approvedBefore);
    if (taken.next === 'end') return taken.result;
  }
}

async function byPullRequest(
  remedy: Remedy,
  place: Place,
  policy: DriftPolicy,
  plan: DriftView,
): Promise<Step> {
  const { input } = remedy;
  const { environment } = place;
  const seen = await look(remedy);
  const known = typeof seen.memory.pullRequest === 'number' ? seen.memory.pullRequest : null;
  if (known !== null) {
    const pull = await ciActivities(input.queues, `#${known}`).readPullRequest({ ...place, number: known });
    if (pull.merged) {
      await remember(remedy, { mergedPlan: plan.planHash, pullRequest: null });
      return again;
    }
    if (pull.state === 'closed')
      return {
        next: 'end',
        // Whoever orders it again wants another one.
        result: await escalate(
          remedy,
          `the drift pull request #${known} was closed without being merged`,
          '',
          { pullRequest: null },
        ),
      };
  }
  const exported = await workspaceActivities(input.queues, `export ${environment}`).exportDrift(place);
  if (exported.result !== 'exported') {
    // Nothing to export is drift that only an apply can end.
    if (exported.result === 'noChange') return byApply(remedy, place, plan, false);
    const attempt = await beginAttempt(remedy, `${input.remedy}-export-${seen.attempts}`);
    if (attempt === null || attempt >= seen.limits.attempts)
      return { next: 'end', result: await escalate(remedy, `export of ${environment}: ${exported.reason}`) };
    await waitFor(remedy, `export of ${environment}: ${exported.reason}`, 10 * 60_000);
    return again;
  }
  const branch = driftBranch(place.workspace, environment);
  const { pushed, open } = await pushOwn(remedy, {
    repository: policy.repository,
    branch,
    baseSha: exported.baseSha,
    patchEvidence: exported.patchEvidence,
    treeSha: exported.treeSha,
    message: `chore(drift): export ${environment}\n`,
    step: `export-${exported.treeSha.slice(0, 12)}`,
  });
  if (pushed.status !== 'receipt') return { next: 'end', result: await refused(remedy, endReason(pushed)) };
  const headSha = String(pushed.result.commitSha ?? '');
  if (headSha === '') return { next: 'end', result: await refused(remedy, pushed.reason) };
  let number = known ?? open;
  const body = pullRequestBody(environment, plan, exported.planAfter, exported.files);
  if (number === null) {
    const opened = await runEffect(remedy, {
      kind: 'openPullRequest',
      target: `${policy.repository}@${branch}`,
      precondition: branch,
      step: 'drift-pull-request',
      input: {
        head: branch,
        base: policy.baseBranch,
        title: `Drift of ${environment}: export`,
        body,
        labels: ['untilgreen', 'drift'],
        draft: false,
      },
    });
    if (opened.status !== 'receipt' || typeof opened.result.number !== 'number') {
      return {
        next: 'end',
        result: await refused(remedy, opened.status === 'receipt' ? opened.reason : endReason(opened)),
      };
    }
    number = opened.result.number;
    await remember(remedy, { pullRequest: number });
  } else {
    if (known === null) await remember(remedy, { pullRequest: number });
    await showPlan(remedy, policy, { number, headSha }, body, [plan.planHash, exported.planAfter.planHash]);
  }
  if (policy.autoMerge && plan.destroys === 0) {
    const merge = await runEffect(remedy, {
      kind: 'mergePullRequest',
      target: `${policy.repository}#${number}`,
      precondition: headSha,
      step: `merge-${headSha.slice(0, 12)}`,
      input: { number, sha: headSha, reason: 'autoMerge', environment },
    });
    if (merge.status === 'receipt')
      await noteActivity(remedy, merge, `Merge drift pull request #${number} of \`${environment}\``);
    const failure = failedEnd(merge);
    if (failure === null) await remember(remedy, { mergedPlan: plan.planHash, pullRequest: null });
    else if (merge.status !== 'receipt') await waitFor(remedy, `the merge of #${number}: ${failure}`);
    return again;
  }
  return mergeApproved(remedy, place, policy, plan, { number, headSha });
}

/** The rolling pull request shows the plan of what it holds now (DRIFT-2). */
async function showPlan(
  remedy: Remedy,
  policy: DriftPolicy,
  pull: { readonly number: number; readonly headSha: string },
  body: string,
  plans: readonly string[],
): Promise<void> {
  await runEffect(
    remedy,
    {
      kind: 'updateIssue',
      target: `${policy.repository}#${pull.number}`,
      precondition: pull.headSha,
      step: `plan-${[pull.headSha, ...plans].map((hash) => hash.slice(0, 12)).join('-')}`,
      input: { number: pull.number, body },
    },
    async (hold) => ({ giveUp: hold.reason }),
  );
}

/** A person merges it on GitHub, or approves the merge of exactly this head: either counts. */
async function mergeApproved(
  remedy: Remedy,
  place: Place,
  policy: DriftPolicy,
  plan: DriftView,
  pull: { readonly number: number; readonly headSha: string },
): Promise<Step> {
  const { number, headSha } = pull;
  const work = workspaceActivities(remedy.input.queues, `plan ${place.environment} again`);
  const end = await runEffect(
    remedy,
    {
      kind: 'mergePullRequest',
      target: `${policy.repository}#${number}`,
      precondition: headSha,
      step: `merge-${headSha.slice(0, 12)}`,
      input: { number, sha: headSha, reason: 'approved', environment: place.environment },
    },
    askPeople(remedy, `merge of drift pull request #${number}`, async () => {
      const now = await ciActivities(remedy.input.queues, `#${number}`).readPullRequest({ ...place, number });
      if (now.state !== 'open' || now.headSha !== headSha)
        return `${changedWhileWaiting}: pull request #${number} is ${now.merged ? 'merged' : now.state}`;
      const drift = await work.planDrift(place);
      return drift.state === 'failed' || drift.planHash === plan.planHash
        ? null
        : `${changedWhileWaiting}: ${drift.summary || drift.state}`;
    }),
  );
  if (end.status === 'givenUp') {
    await voidQuestions(remedy, 'mergePullRequest', end.reason);
    return again;
  }
  if (end.status === 'receipt')
    await noteActivity(remedy, end, `Merge drift pull request #${number} of \`${place.environment}\``);
  const failure = failedEnd(end);
  if (failure === null || (end.status === 'receipt' && end.outcome === 'stale')) return again;
  // Not allowed to merge here (autonomy, rejected): a person does it on GitHub.
  await waitFor(remedy, `a person to merge drift pull request #${number} (${failure})`, 10 * 60_000);
  remedy.steps -= 1;
  return again;
}

async function byApply(
  remedy: Remedy,
  place: Place,
  plan: DriftView,
  approvedByMerge: boolean,
): Promise<Step> {
  const { environment } = place;
  const seen = await look(remedy);
  const tries = triesOf(seen);
  const attemptKey = `${remedy.input.remedy}-apply-${tries}`;
  const attempt = await beginAttempt(remedy, attemptKey);
  if (attempt === null)
    return {
      next: 'end',
      result: await escalate(remedy, `${seen.attempts} attempts are used and ${environment} still drifts`),
    };
  const end = await runEffect(
    remedy,
    {
      kind: 'applyDrift',
      target: environment,
      precondition: plan.planHash,
      step: `apply-${tries + 1}`,
      input: { environment, planHash: plan.planHash, destroys: plan.destroys, approvedByMerge },
      ...(plan.destroys > 0 ? { needsApproval: `the plan destroys ${plan.destroys}` } : {}),
    },
    askPeople(remedy, `apply to ${environment}: ${plan.summary}`, async () => {
      const now = await workspaceActivities(remedy.input.queues, `plan ${environment} again`).planDrift(
        place,
      );
      return now.planHash === plan.planHash || now.state === 'failed'
        ? null
        : `${changedWhileWaiting}: ${now.summary || now.state}`;
    }),
  );
  if (end.status === 'receipt')
    await noteActivity(remedy, end, `Apply the plan \`${plan.planHash.slice(0, 12)}\` to \`${environment}\``);
  const changed = end.status === 'givenUp' && end.reason.startsWith(changedWhileWaiting);
  if (changed || (end.status === 'receipt' && end.outcome === 'stale'))
    await forget(remedy, attemptKey, 'applyDrift', end.reason);
  await endTry(remedy, tries);
  if (changed || (end.status === 'receipt' && end.outcome === 'stale')) return again;
  const failure = failedEnd(end);
  if (failure === null) return again;
  if (end.status !== 'receipt' || attempt >= seen.limits.attempts)
    return { next: 'end', result: await escalate(remedy, failure) };
  await waitFor(remedy, `the next attempt: ${failure}`, 10 * 60_000);
  return again;
}

/** DRIFT-3: drift that ended closes its own pull request. */
async function closeOwn(remedy: Remedy, policy: DriftPolicy, summary: string): Promise<RemedyResult> {
  const seen = await look(remedy);
  const number = typeof seen.memory.pullRequest === 'number' ? seen.memory.pullRequest : null;
  if (number !== null) {
    const end = await closeOwnPull(remedy, policy.repository, number, whyClosed.drift);
    // One that is held is not forgotten: aftercare closes it.
    if (failedEnd(end) === null || !patched('close-held')) await remember(remedy, { pullRequest: null });
  }
  return { outcome: 'green', summary };
}

async function refused(remedy: Remedy, reason: string): Promise<RemedyResult> {
  return escalate(remedy, reason);
}

function pullRequestBody(
  environment: string,
  plan: DriftView,
  after: DriftView,
  files: readonly string[],
): string {
  return [
    `## Drift of \`${environment}\``,
    '',
    `Plan now (\`${plan.planHash.slice(0, 12)}\`): ${plan.summary}`,
    '',
    `Plan computed with this branch merged into its base: **${after.state}**. ${after.summary}`,
    '',
    `Files the export wrote: ${files.map((file) => `\`${file}\``).join(', ')}`,
  ].join('\n');
}
