// Whether a finding that could be fixed is fixed now (CI-12): one at a time in a storm, and so many pull requests per repository. The door
// counts pull requests once more, where no two can pass at once.
import type { FindingRef } from '../../../contract/activities.ts';
import type { CiDetail } from '../../../contract/finding.ts';
import type { WorkspaceConfig } from '../../../contract/tenant-config.ts';
import { type Place, readOpenPullRequests } from '../../../integrations/github/read.ts';
import { judgePullRequests, judgeStorm } from '../../../policy/ci/ci-storm.ts';
import {
  countFixPullRequests,
  fixBranchPrefix,
  holdStorm,
  lastProvedMs,
  lockStorm,
  openFailures,
} from '../../../store/ci/ci-storms.ts';
import { type Pool, transaction } from '../../../store/database.ts';

export type FixQuestion = {
  readonly ref: FindingRef;
  readonly detail: CiDetail;
  readonly workspace: WorkspaceConfig;
  readonly place: Place;
  readonly nowMs: number;
};

export type HeldBack = { readonly why: string; readonly untilMs: number };

/** Null: it may. */
export async function mayFix(pool: Pool, question: FixQuestion): Promise<HeldBack | null> {
  return (await heldByStorm(pool, question)) ?? (await heldByLimits(pool, question));
}

async function heldByStorm(pool: Pool, question: FixQuestion): Promise<HeldBack | null> {
  const { ref, detail, workspace, nowMs } = question;
  const { repository } = detail;
  // Who opens a pull request with many failing jobs does not hold up the branches that are watched.
  const ofPulls = detail.pullRequest !== undefined;
  const storm = ofPulls ? `${repository} pull requests` : repository;
  return transaction(pool, async (tx) => {
    const holder = await lockStorm(tx, ref.tenant, storm, nowMs);
    const verdict = judgeStorm(
      {
        repository,
        open: await openFailures(tx, ref.tenant, { repository, ofPulls }, ref.fingerprint),
        fingerprint: ref.fingerprint,
        holder,
        provedMs: await lastProvedMs(tx, ref.tenant, repository),
        threshold: workspace.ci.storm.findings,
      },
      nowMs,
    );
    if (!verdict.storm) return null;
    if (!verdict.mine) return { why: verdict.why, untilMs: nowMs + verdict.lookAgainMs };
    await holdStorm(tx, ref.tenant, storm, ref.fingerprint, nowMs);
    return null;
  });
}

/** A fix of a person's pull request is a comment or a commit on it: it opens none. */
async function heldByLimits(pool: Pool, question: FixQuestion): Promise<HeldBack | null> {
  const { ref, detail, workspace, place, nowMs } = question;
  if (detail.pullRequest !== undefined) return null;
  const own = `${fixBranchPrefix}${ref.fingerprint.slice(0, 12)}-${ref.occurrence}`;
  const counted = await countFixPullRequests(
    pool,
    ref.tenant,
    { repository: detail.repository, target: `${detail.repository}@${own}` },
    nowMs,
  );
  // A branch of that name may be anybody's.
  const account = await place.github.account(place.signal);
  const pulls = (await readOpenPullRequests(place)).filter(
    ({ head, user }) => user?.id === account.id && head.ref.startsWith(fixBranchPrefix) && head.ref !== own,
  );
  const open = Math.max(counted.open, pulls.length);
  const held = judgePullRequests({ ...counted, open }, workspace.ci.limits, nowMs);
  return held === null ? null : { why: `limit: ${held.reason}`, untilMs: held.untilMs };
}
