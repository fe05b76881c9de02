// Opens, closes and merges pull requests. Opening is found again by branch and marker, merging by its state and the SHA it was planned on.
// The agent merges nothing by itself: a person approves each merge, but for drift where the tenant file says so (CI-8, DRIFT-2).
import * as z from 'zod';
import type { WorkspaceConfig } from '../../../contract/tenant-config.ts';
import { cleanBody, cleanTitle, closesNothing, hasMarker } from '../../../integrations/github/body-text.ts';
import { GitHubError } from '../../../integrations/github/errors.ts';
import {
  type Place,
  type PullRequestState,
  readBranchSha,
  readPullRequest,
  readPullRequestsFrom,
} from '../../../integrations/github/read.ts';
import { NothingShape, type PullListed, PullListedShape } from '../../../integrations/github/shapes.ts';
import { judgePullRequests } from '../../../policy/ci/ci-storm.ts';
import { driftBranch } from '../../../policy/drift-branch.ts';
import { countFixPullRequests, fixBranchPrefix } from '../../../store/ci/ci-storms.ts';
import {
  defineEffect,
  type EffectContext,
  type EffectDefinition,
  type EffectResult,
  NotWritten,
  Stale,
  type WriteContext,
} from '../definition.ts';
import {
  BranchName,
  beforeWrite,
  type GitHubEffectParts,
  IssueNumber,
  Labels,
  ownBranchPrefix,
  placeOf,
  reading,
  Sha,
  Text,
  write,
} from './parts.ts';

const OpenPullRequest = z.strictObject({
  head: BranchName,
  /** People name it: anything that git takes. */
  base: z
    .string()
    .min(1)
    .max(250)
    .regex(/^[^\s~^:?*[\\]+$/, 'is not a branch name'),
  title: Text.min(1),
  body: Text,
  labels: Labels.default([]),
  draft: z.boolean().default(true),
});
type OpenPullRequest = z.output<typeof OpenPullRequest>;

const ClosePullRequest = z.strictObject({
  number: IssueNumber,
  /** Deletes the head branch too, where it is one of the agent and still at the pull request's commit. */
  deleteBranch: z.boolean().default(false),
});
type ClosePullRequest = z.output<typeof ClosePullRequest>;

const MergePullRequest = z.strictObject({
  number: IssueNumber,
  /** The head that was looked at: GitHub merges nothing else. */
  sha: Sha,
  reason: z.enum(['approved', 'autoMerge']),
  /** For `autoMerge`: the environment whose drift it writes down. */
  environment: z.string().max(200).optional(),
  method: z.enum(['merge', 'squash']).default('merge'),
});
type MergePullRequest = z.output<typeof MergePullRequest>;

export function pullRequestEffects(parts: GitHubEffectParts): readonly EffectDefinition[] {
  return [openPullRequest(parts), closePullRequest(parts), mergePullRequest(parts)];
}

function openPullRequest(parts: GitHubEffectParts): EffectDefinition {
  return defineEffect<OpenPullRequest>({
    kind: 'openPullRequest',
    schema: OpenPullRequest as z.ZodType<OpenPullRequest>,
    delivery: 'exactlyOnce',
    autonomy: () => 'propose',
    risk: () => 'proposing',
    describe: (input) =>
      `open ${input.draft ? 'draft ' : ''}pull request "${cleanTitle(input.title, parts.redactor)}" from ${input.head} into ${input.base}`,
    forbidden: (input) =>
      input.head.startsWith(ownBranchPrefix)
        ? null
        : `head "${input.head}" is not a branch of the agent (${ownBranchPrefix}…)`,
    // CI-12. Those of drift have no limit of their own: there is one per environment.
    cap: async (tx, request, { input, workspace }) => {
      if (!input.head.startsWith(fixBranchPrefix)) return null;
      const { repository } = workspace.github;
      const counts = await countFixPullRequests(
        tx,
        request.tenant,
        { repository, target: request.target },
        request.nowMs,
      );
      return judgePullRequests(counts, workspace.ci.limits, request.nowMs);
    },
    // Without its labels it is not finished: then `apply` finds it and adds them.
    probe: (context, input) =>
      reading(async () => {
        const found = await findPullRequest(await placeOf(parts, context), context.marker, input);
        return found !== null && lacks(found, input.labels).length === 0 ? pullResult(found) : null;
      }),
    apply: async (context, input) => {
      const place = await placeOf(parts, context);
      const before = await beforeWrite(() => findPullRequest(place, context.marker, input));
      const pull =
        before ??
        (await write(place, context, {
          method: 'POST',
          path: '/pulls',
          params: {
            head: input.head,
            base: input.base,
            title: closesNothing(cleanTitle(input.title, parts.redactor)),
            body: cleanBody(closesNothing(input.body), parts.redactor, [context.marker]),
            draft: input.draft,
          },
          schema: PullListedShape,
        }));
      const labels = lacks(pull, input.labels);
      if (labels.length === 0) return pullResult(pull);
      return { ...pullResult(pull), ...(await addLabels(place, context, pull.number, labels)) };
    },
  });
}

/** The pull request is there, whatever becomes of its labels: only what leaves it open goes on as an error. */
async function addLabels(
  place: Place,
  context: WriteContext,
  number: number,
  labels: readonly string[],
): Promise<EffectResult> {
  try {
    await write(place, context, {
      method: 'POST',
      path: '/issues/{issue_number}/labels',
      params: { issue_number: number, labels },
      schema: NothingShape,
    });
    return {};
  } catch (error) {
    if (error instanceof NotWritten && error.permanent) return { labelsMissing: [...labels] };
    if (error instanceof NotWritten)
      throw new Error(`labels of #${number}: ${error.message}`, { cause: error });
    throw error;
  }
}

function closePullRequest(parts: GitHubEffectParts): EffectDefinition {
  /** Null when there is no branch to delete, or none that may be. */
  const branchToDelete = async (
    place: Place,
    input: ClosePullRequest,
    pull: PullRequestState,
  ): Promise<string | null> => {
    if (!input.deleteBranch || !pull.ownHead || !pull.headRef.startsWith(ownBranchPrefix)) return null;
    return (await readBranchSha(place, pull.headRef)) === pull.headSha ? pull.headRef : null;
  };
  const resultOf = (pull: PullRequestState): EffectResult => ({ number: pull.number, url: pull.url });

  return defineEffect<ClosePullRequest>({
    kind: 'closePullRequest',
    schema: ClosePullRequest as z.ZodType<ClosePullRequest>,
    delivery: 'exactlyOnce',
    autonomy: () => 'propose',
    risk: () => 'proposing',
    describe: (input) =>
      `close pull request #${input.number}${input.deleteBranch ? ' and delete its branch' : ''}`,
    probe: (context, input) =>
      reading(async () => {
        const place = await placeOf(parts, context);
        const pull = await readPullRequest(place, input.number);
        if (pull?.state !== 'closed') return null;
        return (await branchToDelete(place, input, pull)) === null ? resultOf(pull) : null;
      }),
    precondition: (context, input) =>
      reading(async () => {
        const place = await placeOf(parts, context);
        const pull = await readPullRequest(place, input.number);
        if (pull === null) return `there is no pull request #${input.number}`;
        return null;
      }),
    apply: async (context, input) => {
      const place = await placeOf(parts, context);
      const pull = await beforeWrite(() => readPullRequest(place, input.number));
      if (pull === null) throw new Stale(`there is no pull request #${input.number}`);
      const account = await beforeWrite(() => place.github.account(place.signal));
      if (pull.author !== account.login)
        throw new NotWritten(`pull request #${input.number} is not one of this agent`, { permanent: true });
      if (pull.state === 'open') {
        await write(place, context, {
          method: 'PATCH',
          path: '/pulls/{pull_number}',
          params: { pull_number: input.number, state: 'closed' },
          schema: NothingShape,
        });
      }
      const branch = await beforeWrite(() => branchToDelete(place, input, pull));
      if (branch !== null) await deleteBranch(place, context, branch);
      return resultOf(pull);
    },
  });
}

async function deleteBranch(place: Place, context: WriteContext, branch: string): Promise<void> {
  try {
    await write(place, context, {
      method: 'DELETE',
      path: '/git/refs/{ref}',
      params: { ref: `heads/${branch}` },
      schema: NothingShape,
    });
  } catch (error) {
    const gone =
      error instanceof NotWritten &&
      error.cause instanceof GitHubError &&
      (error.cause.status === 422 || error.cause.status === 404);
    if (!gone) throw error;
  }
}

function mergePullRequest(parts: GitHubEffectParts): EffectDefinition {
  return defineEffect<MergePullRequest>({
    kind: 'mergePullRequest',
    schema: MergePullRequest as z.ZodType<MergePullRequest>,
    delivery: 'exactlyOnce',
    autonomy: () => 'act',
    risk: () => 'mutating',
    describe: (input) => `merge pull request #${input.number} at ${input.sha.slice(0, 12)}`,
    needsApproval: (input, workspace) =>
      mergesByItself(input, workspace) ? undefined : 'a person decides about each merge',
    probe: (context, input) =>
      reading(async () => {
        const pull = await readPullRequest(await placeOf(parts, context), input.number);
        return pull?.merged === true && pull.headSha === input.sha ? mergeResult(pull) : null;
      }),
    precondition: (context, input) => reading(() => mergeProblem(parts, context, input)),
    apply: async (context, input) => {
      const place = await placeOf(parts, context);
      try {
        const merged = await write(place, context, {
          method: 'PUT',
          path: '/pulls/{pull_number}/merge',
          params: { pull_number: input.number, sha: input.sha, merge_method: input.method },
          schema: z.object({ sha: z.string(), merged: z.boolean() }),
        });
        return { number: input.number, headSha: input.sha, mergeCommitSha: merged.sha };
      } catch (error) {
        const moved =
          error instanceof NotWritten && error.cause instanceof GitHubError && error.cause.status === 409;
        throw moved ? new Stale(error.message) : error;
      }
    },
  });
}

function mergesByItself(input: MergePullRequest, workspace: WorkspaceConfig): boolean {
  if (input.reason !== 'autoMerge' || input.environment === undefined) return false;
  return workspace.drift.some((drift) => drift.environment === input.environment && drift.autoMerge);
}

async function mergeProblem(
  parts: GitHubEffectParts,
  context: EffectContext,
  input: MergePullRequest,
): Promise<string | null> {
  const place = await placeOf(parts, context);
  const pull = await readPullRequest(place, input.number);
  if (pull === null) return `there is no pull request #${input.number}`;
  if (pull.merged) return `#${input.number} was merged at ${pull.headSha}, planned on ${input.sha}`;
  if (pull.state !== 'open') return `#${input.number} is closed`;
  if (pull.headSha !== input.sha) return `#${input.number} is at ${pull.headSha}, planned on ${input.sha}`;
  if (!mergesByItself(input, context.workspace)) return null;
  // DRIFT-2 lets this environment's own pull request through, nothing else that the agent, or anybody, wrote.
  const account = await place.github.account(place.signal);
  const wanted = driftBranch(context.workspace.name, input.environment ?? '');
  return pull.ownHead && pull.headRef === wanted && pull.author === account.login
    ? null
    : `#${input.number} is not this agent's drift pull request of ${input.environment}: it is not merged without a person`;
}

async function findPullRequest(
  place: Place,
  marker: string,
  input: OpenPullRequest,
): Promise<PullListed | null> {
  const marked = (await readPullRequestsFrom(place, input.head, input.base)).filter((pull) =>
    hasMarker(pull.body, marker),
  );
  if (marked.length === 0) return null;
  const account = await place.github.account(place.signal);
  return marked.find((pull) => pull.user?.id === account.id) ?? null;
}

function lacks(pull: PullListed, labels: readonly string[]): readonly string[] {
  const has = new Set(pull.labels.map((label) => label.name.toLowerCase()));
  return labels.filter((label) => !has.has(label.toLowerCase()));
}

function pullResult(pull: PullListed): EffectResult {
  return { number: pull.number, url: pull.html_url, headSha: pull.head.sha };
}

function mergeResult(pull: PullRequestState): EffectResult {
  return { number: pull.number, headSha: pull.headSha, mergeCommitSha: pull.mergeCommitSha };
}
