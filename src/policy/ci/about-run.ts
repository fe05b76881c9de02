// Why a workflow run is not worked on (CI-14): a person who names a run gets the reason, not a shrug. Pure.
import { branchMatcher, type CiRun, countsAsCi, verdictOf } from './ci-runs.ts';

export type RunAsked = Pick<CiRun, 'id' | 'status' | 'conclusion' | 'branch' | 'name'> & {
  readonly event: string;
  readonly fork: boolean;
};

export type ListedBranches = {
  readonly enabled: boolean;
  readonly branches: readonly string[];
  readonly pullRequests: readonly string[];
};

/** One sentence, with what would change it. @param run null: the repository has none of this id */
export function whyNoFinding(runId: number, run: RunAsked | null, listed: ListedBranches): string {
  if (run === null)
    return `the repository has no run ${runId}: it was deleted, or the id is of another repository`;
  const named = `run ${runId} of ${run.name}`;
  if (!listed.enabled) return `workflow runs are not watched here. Fix: set "ci.enabled: true"`;
  if (run.fork) return `${named} is of a fork: nothing can be pushed to it, so it is not touched`;
  if (!countsAsCi(run.event))
    return `${named} was started by "${run.event}", which anybody can cause: it says nothing about its branch`;
  if (run.branch.startsWith('untilgreen/')) return `${named} is of a branch of Untilgreen itself`;
  const isListed = branchMatcher(listed.branches)(run.branch);
  if (!isListed && !branchMatcher(listed.pullRequests)(run.branch))
    return `${named} is on "${run.branch}", which is off the list (${[...listed.branches, ...listed.pullRequests].join(', ')}): it is never touched. Fix: add it to "ci.branches" or "ci.pullRequests"`;
  if (run.status !== 'completed') return `${named} is ${run.status}: it has not failed`;
  const verdict = verdictOf(run);
  if (verdict === 'green') return `${named} ended with success: there is nothing to fix`;
  if (verdict === null) return `${named} ended "${run.conclusion ?? ''}", which is neither red nor green`;
  return isListed
    ? `${named} failed, but a newer run of its workflow on "${run.branch}" decides, and that one does not fail`
    : `${named} failed on "${run.branch}", which has no open pull request of this repository, or a newer run that does not fail`;
}
