// From workflow runs and their jobs to findings (CI-1): which run decides for a branch and a workflow, and what fails in it.
// Pure: plain data in, plain data out. What GitHub says is data; names are cleaned before they go anywhere.
import picomatch from 'picomatch';
import type { ObservedFinding } from '../../contract/finding.ts';

/** A run as of its latest attempt. */
export type CiRun = {
  readonly id: number;
  readonly attempt: number;
  readonly status: string;
  readonly conclusion: string | null;
  readonly branch: string;
  readonly sha: string;
  readonly path: string;
  readonly name: string;
  readonly url: string;
};

/** With its last attempt that said anything: a rerun under way, or one that was cancelled, does not take that back. */
export type KnownRun = CiRun & {
  readonly verdict: { readonly attempt: number; readonly red: boolean } | null;
};

export type FailedJob = {
  readonly id: number;
  readonly name: string;
  readonly step: string | null;
  readonly stepNumber: number | null;
  readonly url: string;
};

export type WatchedBranches = {
  readonly branches: readonly string[];
  readonly pullRequests: readonly string[];
  readonly defaultBranch: string;
  /** Open pull requests whose head is in this repository. */
  readonly open: readonly { readonly number: number; readonly branch: string }[];
};

/** A workflow on a branch that is watched. */
export type Lane = {
  readonly branch: string;
  readonly path: string;
  readonly critical: boolean;
  readonly pullRequest: number | undefined;
  /** The newest run that said anything; null when none did. */
  readonly deciding: KnownRun | null;
  /** The deciding one and those before it that said anything, newest first. */
  readonly history: readonly KnownRun[];
  /** A newer run, or a newer attempt of the deciding one, that is not over. */
  readonly running: KnownRun | null;
};

export const ciRuleVersion = 1;
/** Stands for the job where none ran: the workflow file is not valid, or no runner took it. */
export const noJob = '(no job)';
const ownPrefix = 'untilgreen/';

/** Anybody can start these on the default branch: a stranger's comment must not turn it red. `dynamic` (Dependabot's) is fixed by no commit. */
const outsiderEvents: readonly string[] = [
  'dynamic',
  'discussion',
  'discussion_comment',
  'fork',
  'issue_comment',
  'issues',
  'pull_request_review',
  'pull_request_review_comment',
  'pull_request_target',
  'watch',
];

/** Whether a run of this event says anything about its branch. */
export function countsAsCi(event: string): boolean {
  return !outsiderEvents.includes(event);
}

/** `red`, `green`, or null for what says nothing: under way, cancelled, skipped, waiting for a person. */
export function verdictOf(run: Pick<CiRun, 'status' | 'conclusion'>): 'red' | 'green' | null {
  if (run.status !== 'completed') return null;
  switch (run.conclusion) {
    case 'failure':
    case 'timed_out':
    case 'startup_failure':
      return 'red';
    case 'success':
      return 'green';
    default:
      return null;
  }
}

/** What is known of a run after it was read again. An answer that is older than what is known changes nothing. */
export function knownRun(before: KnownRun | undefined, read: CiRun): KnownRun {
  if (before !== undefined && read.attempt < before.attempt) return before;
  const verdict = verdictOf(read);
  if (verdict === null) return { ...read, verdict: before?.verdict ?? null };
  return { ...read, verdict: { attempt: read.attempt, red: verdict === 'red' } };
}

/** By workflow and branch, over branches on the list only; branches of the agent itself never count. */
export function watchedLanes(runs: readonly KnownRun[], watched: WatchedBranches): readonly Lane[] {
  const isListed = branchMatcher(watched.branches);
  const isPull = branchMatcher(watched.pullRequests);
  const pulls = new Map<string, number>();
  for (const pull of watched.open) {
    if (isPull(pull.branch) && !pulls.has(pull.branch)) pulls.set(pull.branch, pull.number);
  }
  const lanes = new Map<string, KnownRun[]>();
  for (const run of runs) {
    if (run.branch.startsWith(ownPrefix)) continue;
    if (!isListed(run.branch) && !pulls.has(run.branch)) continue;
    const key = laneKey(run);
    lanes.set(key, [...(lanes.get(key) ?? []), run]);
  }
  return [...lanes.values()].flatMap((unsorted) => {
    const [newest, ...older] = unsorted.sort((a, b) => b.id - a.id);
    if (newest === undefined) return [];
    const history = [newest, ...older].filter((run) => run.verdict !== null);
    const deciding = history[0] ?? null;
    const critical = isReleaseBranch(newest.branch, watched.defaultBranch);
    const running = [newest, ...older].find(
      (run) => run.status !== 'completed' && run.id >= (deciding?.id ?? 0),
    );
    return [
      {
        branch: newest.branch,
        path: newest.path,
        critical,
        pullRequest: critical ? undefined : pulls.get(newest.branch),
        deciding,
        history,
        running: running ?? null,
      },
    ];
  });
}

/** Names a lane among those of its repository. */
export function laneKey({ branch, path }: Pick<Lane, 'branch' | 'path'>): string {
  return JSON.stringify([branch, path]);
}

/** Whether the last attempt that said anything failed. */
export function isRed(run: KnownRun): boolean {
  return run.verdict?.red === true;
}

/** A job that fails, and the run that says so. */
export type LaneFailure = { readonly job: FailedJob; readonly run: KnownRun };

/** One finding per failing job; one without a step where a run failed and no job did. */
export function ciFindings(
  repository: string,
  failing: readonly { readonly lane: Lane; readonly failures: readonly LaneFailure[] }[],
): readonly ObservedFinding[] {
  const findings = new Map<string, ObservedFinding>();
  for (const { lane, failures } of failing) {
    for (const { job, run } of failures) {
      const finding = findingOf(repository, lane, run, job);
      const key = `${finding.target}\n${finding.signature}`;
      if (!findings.has(key)) findings.set(key, finding);
    }
  }
  return [...findings.values()];
}

function findingOf(repository: string, lane: Lane, run: KnownRun, job: FailedJob): ObservedFinding {
  const jobName = shown(job.name);
  const step = job.step === null ? null : shown(job.step);
  const where = `${shown(run.name)} / ${jobName}`;
  const what = step === null ? (job.name === noJob ? 'did not start a job' : 'fails') : `fails in "${step}"`;
  return {
    kind: 'ci',
    target: `${repository}@${lane.branch}:${lane.path}:${stableName(job.name)}`,
    signature: `${stableName(job.name)} / ${job.step === null ? '' : stableName(job.step)}`,
    ruleVersion: ciRuleVersion,
    severity: lane.critical ? 'critical' : 'warning',
    title: `${where} ${what} on ${shown(lane.branch)}`,
    detail: {
      kind: 'ci',
      repository,
      branch: lane.branch,
      ...(lane.pullRequest === undefined ? {} : { pullRequest: lane.pullRequest }),
      runId: run.id,
      runAttempt: run.verdict?.attempt ?? run.attempt,
      headSha: run.sha,
      workflowPath: lane.path,
      workflowName: shown(run.name),
      job: job.name,
      jobId: job.id,
      step: job.step,
      stepNumber: job.stepNumber,
      url: job.url,
    },
  };
}

/**
 * A name without what differs from run to run: SHAs, times, numbers of builds and issues. Versions and the places of a matrix stay,
 * since they tell jobs apart: `test (3.12, 2)` is not `test (3.11, 1)`.
 */
export function stableName(name: string): string {
  return shown(name)
    .replace(/\b\d{4}-\d\d-\d\d(?:[T ]\d\d:?\d\d(?::?\d\d(?:\.\d+)?)?Z?)?/g, '<time>')
    .replace(/\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,64}\b/gi, '<sha>')
    .replace(/#\d+/g, '#<n>')
    .replace(/(?<![\d.])\d{5,}(?![\d.])/g, '<n>');
}

/** Third-party text on one line, without what is not seen, at most 120 characters. */
function shown(text: string): string {
  const line = text
    .replace(/\s+/g, ' ')
    .replace(/[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cc}]/gu, '')
    .trim();
  return line.length > 120 ? `${line.slice(0, 119).toWellFormed()}…` : line;
}

/** The default branch and those that releases are made from. */
function isReleaseBranch(branch: string, defaultBranch: string): boolean {
  return branch === defaultBranch || /^(?:main|master|releases?[/-].+)$/.test(branch);
}

/** Whether a branch is on a list of globs (CI-1); an empty list names none. */
export function branchMatcher(globs: readonly string[]): (branch: string) => boolean {
  if (globs.length === 0) return () => false;
  const matches = picomatch([...globs], { dot: true });
  return (branch) => matches(branch);
}
