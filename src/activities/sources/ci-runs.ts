// CI-1: reads workflow runs of a repository by polling, so that what a webhook lost is found. Everything is asked with the ETag of the last
// read: where nothing is new, nothing is taken from the rate limit. Reads only; what decides is in src/policy/ci/ci-runs.ts.
import type { WorkspaceConfig } from '../../contract/tenant-config.ts';
import type { GitHub } from '../../integrations/github/client.ts';
import { isNotFound } from '../../integrations/github/errors.ts';
import type { Place } from '../../integrations/github/read.ts';
import {
  isOwnHead,
  PullPage,
  RefPage,
  RepositoryShape,
  type Run,
  RunPage,
  RunShape,
} from '../../integrations/github/shapes.ts';
import {
  type CiRun,
  ciFindings,
  countsAsCi,
  type KnownRun,
  knownRun,
  type Lane,
  laneKey,
  verdictOf,
  watchedLanes,
} from '../../policy/ci/ci-runs.ts';
import { type Failing, openLanes, readFailing, readFiles } from './ci-jobs.ts';
import { type CiMemory, emptyCiMemory, parseCiMemory, trimmed } from './ci-memory.ts';
import { inTurn, route } from './ci-requests.ts';
import type { SourceContext, SourceDefinition, SourceReading } from './definition.ts';

export type CiRunsParts = { readonly github: (workspace: WorkspaceConfig) => Promise<GitHub> };

const maxPullPages = 5;
const maxRunPages = 10;
const mostPerPage = 100;
/** Runs that are read one by one in a sweep, because no page shows them any more. */
const maxReadById = 40;

export function createCiRunsSource(parts: CiRunsParts): SourceDefinition {
  return {
    kind: 'ciRuns',
    timeoutMs: () => 60_000,
    targets: (workspace) => (workspace.ci.enabled ? [undefined] : []),
    read: async (context) => readCiRuns(await parts.github(context.workspace), context),
  };
}

async function readCiRuns(github: GitHub, context: SourceContext): Promise<SourceReading> {
  const { repository, apiUrl } = context.workspace.github;
  const place: Place = { github, repository, signal: context.signal };
  const remembered = parseCiMemory(context.memory);
  const identity = `${apiUrl} ${repository}`;
  const before = remembered?.identity === identity ? remembered : emptyCiMemory(identity);

  const [defaultBranch, pulls, page] = await Promise.all([
    readDefaultBranch(place, before),
    readPulls(place, before, context.workspace),
    readRunPages(place, before, context.workspace.ci.runsPerSweep),
  ]);
  const runs = new Map(before.runs.map((run) => [run.id, run]));
  for (const run of page.fresh) runs.set(run.id, knownRun(runs.get(run.id), run));

  const watched = {
    branches: context.workspace.ci.branches,
    pullRequests: context.workspace.ci.pullRequests,
    defaultBranch: defaultBranch.branch,
    open: pulls.flatMap(({ items }) => items),
  };
  const lanesOf = (): readonly Lane[] => watchedLanes([...runs.values()], watched);
  const tags = await readAgainById(place, before, lanesOf(), new Set(page.ids), runs);
  await readEarlierAttempts(place, lanesOf(), runs);

  const open = openLanes(before, lanesOf());
  const branches = await readBranches(place, before, open, new Set(watched.open.map((p) => p.branch)));
  const files = await readFiles(place, before, open, branches);
  const isThere = (lane: Lane): boolean =>
    branches[lane.branch]?.exists !== false && files[laneKey(lane)]?.exists !== false;
  const lanes = lanesOf().filter(isThere);
  const read = await readFailing(place, before, lanes, context.nowMs);
  const findings = ciFindings(repository, read.failing);
  const memory: CiMemory = {
    ...before,
    defaultBranch,
    pulls,
    page: { etag: page.etag, ids: page.ids },
    runs: [...runs.values()],
    runTags: tags,
    ...read.memory,
    branches,
    files,
  };
  return {
    state: findings.length === 0 ? 'green' : 'red',
    reason: summary(read.failing, findings.length, page, pulls.length >= maxPullPages),
    findings,
    memory: trimmed(memory, lanesOf()),
  };
}

async function readDefaultBranch(place: Place, before: CiMemory): Promise<CiMemory['defaultBranch']> {
  const answer = await place.github.conditionalGet(
    { ...route(place, ''), schema: RepositoryShape },
    before.defaultBranch,
  );
  if (answer.status === 'notModified') return before.defaultBranch;
  return { etag: answer.etag, branch: answer.data.default_branch };
}

/** Branches of open pull requests in this repository; forks are left out: nothing can be pushed to them. */
async function readPulls(
  place: Place,
  before: CiMemory,
  workspace: WorkspaceConfig,
): Promise<CiMemory['pulls']> {
  if (workspace.ci.pullRequests.length === 0) return [];
  const pages: CiMemory['pulls'][number][] = [];
  for (let page = 1; page <= maxPullPages; page += 1) {
    const known = before.pulls[page - 1];
    const answer = await place.github.conditionalGet(
      { ...route(place, '/pulls', { state: 'open', per_page: 100, page }), schema: PullPage },
      { etag: known?.etag ?? null },
    );
    const read =
      answer.status === 'notModified'
        ? known
        : {
            etag: answer.etag,
            more: answer.more,
            items: answer.data
              .filter(isOwnHead)
              .map((pull) => ({ number: pull.number, branch: pull.head.ref })),
          };
    if (read === undefined) break;
    pages.push(read);
    if (!read.more) break;
  }
  return pages;
}

type RunPages = {
  readonly etag: string | null;
  readonly ids: number[];
  readonly fresh: readonly CiRun[];
  /** There were more new runs than are read. */
  readonly cut: boolean;
};

/**
 * The newest runs: the first page by its ETag; when it is new, full pages back to the newest run of the last sweep, which may be a weekend ago, and
 * to at least `runsPerSweep`. The first sweep of all knows no run: it reads a full page, so that a main behind the runs of pull requests is seen.
 */
async function readRunPages(place: Place, before: CiMemory, runsPerSweep: number): Promise<RunPages> {
  const perPage = Math.min(mostPerPage, runsPerSweep);
  const pageOf = (page: number, size: number) => ({
    ...route(place, '/actions/runs', { per_page: size, page, exclude_pull_requests: true }),
    schema: RunPage,
  });
  const first = await place.github.conditionalGet(pageOf(1, perPage), { etag: before.page.etag });
  if (first.status === 'notModified') return { ...before.page, fresh: [], cut: false };
  const newest = Math.max(0, ...before.page.ids);
  const read: Run[] = [...first.data.workflow_runs];
  let { more } = first;
  const isFirst = newest === 0;
  const atLeast = isFirst ? Math.max(runsPerSweep, mostPerPage) : runsPerSweep;
  const reachedBack = (): boolean => isFirst || read.some((run) => run.id <= newest);
  for (let page = perPage < mostPerPage ? 1 : 2; page <= maxRunPages && more; page += 1) {
    if (reachedBack() && read.length >= atLeast) break;
    const next = await place.github.conditionalGet(pageOf(page, mostPerPage), { etag: null });
    if (next.status === 'notModified') break;
    read.push(...next.data.workflow_runs);
    more = next.more;
  }
  return {
    etag: first.etag,
    // Only the first page is known to be unchanged when its ETag is.
    ids: first.data.workflow_runs.map((run) => run.id),
    fresh: read.flatMap(usable),
    cut: more && !reachedBack(),
  };
}

/** Runs of this repository's own branches and files, started by somebody who may write to it. */
function usable(run: Run): readonly CiRun[] {
  if (run.branch === null || run.fork || !countsAsCi(run.event)) return [];
  const { id, attempt, status, conclusion, branch, sha, path, name, url } = run;
  return [{ id, attempt, status, conclusion, branch, sha, path, name, url }];
}

/** Runs under way, red ones, those in which something failed last, and those of release branches: a rerun of an old one shows on no page. */
async function readAgainById(
  place: Place,
  before: CiMemory,
  lanes: readonly Lane[],
  onPage: ReadonlySet<number>,
  runs: Map<number, KnownRun>,
): Promise<CiMemory['runTags']> {
  const rank = (lane: Lane): number =>
    lane.running !== null ? 0 : openLanes(before, [lane]).length > 0 ? 1 : lane.critical ? 2 : 3;
  const wanted = [...lanes]
    .sort((a, b) => rank(a) - rank(b))
    .filter((lane) => rank(lane) < 3)
    .flatMap((lane) => [
      ...[lane.running, lane.deciding].flatMap((run) => run?.id ?? []),
      ...(before.lanes[laneKey(lane)]?.failures.map(({ run }) => run.id) ?? []),
    ])
    .filter((id) => !onPage.has(id));
  const tags: CiMemory['runTags'] = {};
  await inTurn([...new Set(wanted)].slice(0, maxReadById), async (id) => {
    const etag = before.runTags[String(id)] ?? null;
    try {
      const answer = await place.github.conditionalGet(
        { ...route(place, '/actions/runs/{run_id}', { run_id: id }), schema: RunShape },
        { etag },
      );
      tags[String(id)] = answer.status === 'ok' ? answer.etag : etag;
      if (answer.status === 'ok')
        for (const run of usable(answer.data)) runs.set(id, knownRun(runs.get(id), run));
    } catch (error) {
      if (!isNotFound(error)) throw error;
      runs.delete(id);
    }
  });
  return tags;
}

/** A run first seen in the middle of its rerun: what its attempt before said still counts. */
async function readEarlierAttempts(
  place: Place,
  lanes: readonly Lane[],
  runs: Map<number, KnownRun>,
): Promise<void> {
  const unknown = lanes.flatMap(({ running }) =>
    running !== null && running.attempt > 1 && running.verdict === null ? [running] : [],
  );
  await inTurn(unknown.slice(0, maxReadById), async (run) => {
    const attempt = run.attempt - 1;
    const path = '/actions/runs/{run_id}/attempts/{attempt_number}';
    const earlier = await place.github.readOrNull({
      ...route(place, path, { run_id: run.id, attempt_number: attempt }),
      schema: RunShape,
    });
    const verdict = earlier === null ? null : verdictOf(earlier);
    if (verdict !== null) runs.set(run.id, { ...run, verdict: { attempt, red: verdict === 'red' } });
  });
}

/** Whether the branches of lanes are still there; a pull request's is, as long as it is open. */
async function readBranches(
  place: Place,
  before: CiMemory,
  open: readonly Lane[],
  ofPulls: ReadonlySet<string>,
): Promise<CiMemory['branches']> {
  const branches: CiMemory['branches'] = {};
  await inTurn(
    [...new Set(open.map(({ branch }) => branch))].filter((branch) => !ofPulls.has(branch)),
    async (branch) => {
      const known = before.branches[branch];
      const answer = await place.github.conditionalGet(
        { ...route(place, '/git/matching-refs/{ref}', { ref: `heads/${branch}` }), schema: RefPage },
        { etag: known?.etag ?? null },
      );
      if (answer.status === 'notModified') {
        if (known !== undefined) branches[branch] = known;
        return;
      }
      const found = answer.data.find(({ ref }) => ref === `refs/heads/${branch}`);
      branches[branch] = { etag: answer.etag, exists: found !== undefined, sha: found?.object.sha ?? '' };
    },
  );
  return branches;
}

function summary(failing: readonly Failing[], findings: number, page: RunPages, pullsCut: boolean): string {
  const fresh = page.fresh.length;
  const running = failing.filter(({ lane }) => lane.running !== null && lane.deciding !== null);
  const newer = running
    .slice(0, 3)
    .map(({ lane }) => `${lane.path.split('/').at(-1)} on ${lane.branch}`)
    .join(', ');
  const silent = failing.flatMap(({ failures }) => failures.filter((one) => one.silentSinceMs !== null));
  return [
    `${failing.length} workflows on watched branches, ${fresh === 0 ? 'no new runs' : `${fresh} runs read`}`,
    findings === 0 ? 'no failing job' : `${findings} failing ${findings === 1 ? 'job' : 'jobs'}`,
    ...(silent.length === 0 ? [] : [`${silent.length} of them not run again since`]),
    ...(newer === '' ? [] : [`newer run under way: ${newer}${running.length > 3 ? ', …' : ''}`]),
    ...(page.cut ? [`only the newest ${maxRunPages * mostPerPage} new runs were read`] : []),
    ...(pullsCut ? [`only the newest ${maxPullPages * 100} open pull requests were read`] : []),
  ].join('; ');
}
