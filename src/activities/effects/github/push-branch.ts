// Puts a verified patch as a commit on a branch of the agent, or at `act` on the branch of a person's failing pull request (CI-8), under
// git's own condition: the branch is where it was when it was planned.
// The commit depends on nothing but the input, so that a second attempt makes the same SHA and finds the first one's push by it.
import * as z from 'zod';
import type { WorkspaceConfig } from '../../../contract/tenant-config.ts';
import { GitError } from '../../../integrations/git/git-command.ts';
import { ensureMirror, type Mirror } from '../../../integrations/git/mirror.ts';
import { commitValue, pushCommit, remoteBranchSha } from '../../../integrations/git/push.ts';
import { isInBranch, readDefaultBranch, readPullRequest } from '../../../integrations/github/read.ts';
import { branchMatcher } from '../../../policy/ci/ci-runs.ts';
import {
  defineEffect,
  type EffectContext,
  type EffectDefinition,
  type EffectResult,
  NotWritten,
  Stale,
} from '../definition.ts';
import {
  BranchName,
  type GitHubEffectParts,
  IssueNumber,
  ownBranchPrefix,
  placeOf,
  reading,
  Sha,
} from './parts.ts';

const PushBranch = z.strictObject({
  branch: BranchName,
  /** A person's pull request whose branch this is; absent: the branch is one of the agent. */
  pullRequest: IssueNumber.optional(),
  baseSha: Sha,
  /** Where the branch is now; null: there is none. */
  expectedOldSha: Sha.nullable(),
  /** Evidence: the patch against `baseSha`, as `git diff --binary` writes it. */
  patchEvidence: z.string().regex(/^[0-9a-f]{64}$/),
  message: z.string().min(1).max(10_000),
  author: z.strictObject({
    name: z.string().min(1).max(100),
    email: z.string().min(3).max(200),
  }),
  /** Of the commit; from workflow state, so that every worker makes the same one. */
  dateIso: z.iso.datetime({ offset: true }),
});
type PushBranch = z.output<typeof PushBranch>;

const pushTimeoutMs = 15_000;
const askTimeoutMs = 15_000;

export function pushBranchEffect(parts: GitHubEffectParts): EffectDefinition {
  return defineEffect<PushBranch>({
    kind: 'pushBranch',
    schema: PushBranch,
    delivery: 'exactlyOnce',
    autonomy: (input) => (isOwn(input) ? 'propose' : 'act'),
    risk: (input) => (isOwn(input) ? 'proposing' : 'mutating'),
    describe: (input) =>
      `push a commit to ${input.branch}${isOwn(input) ? '' : ` of pull request #${input.pullRequest}`}`,
    forbidden: (input, workspace) => (isOwn(input) ? null : whyNotTheirs(input, workspace)),
    // Makes the mirror and the commit, which may take longer than a write may.
    probe: async (context, input) => {
      const now = await headOf(parts, context, input.branch);
      const made = await commitOf(parts, context, input);
      // A commit that cannot be made was never pushed; the write says why.
      if (now === null || made === null) return null;
      const there =
        now === made.commitSha ||
        (now !== input.expectedOldSha &&
          (await reading(async () =>
            isInBranch(await placeOf(parts, context), made.commitSha, input.branch),
          )));
      return there ? resultOf(input, made) : null;
    },
    precondition: async (context, input) => {
      const now = await headOf(parts, context, input.branch);
      if (now === input.expectedOldSha) return isOwn(input) ? null : whyNotTheirHead(parts, context, input);
      return `branch ${input.branch} is at ${now ?? 'no commit'}, planned on ${input.expectedOldSha ?? 'no branch'}`;
    },
    apply: async (context, input) => {
      const remote = await parts.gitRemote(context.workspace);
      let made: Made;
      try {
        made = await makeCommit(parts, context, input);
      } catch (error) {
        throw certainlyNot(error);
      }
      context.assertMayWrite();
      const pushed = await pushCommit({
        mirror: made.mirror,
        remoteUrl: remote.url,
        token: remote.token,
        branch: input.branch,
        commitSha: made.commitSha,
        expectedOldSha: input.expectedOldSha,
        timeoutMs: pushTimeoutMs,
        signal: context.signal,
      }).catch((error: unknown) => {
        // Only these two come before anything is written.
        if (error instanceof GitError && (error.kind === 'denied' || error.kind === 'notFound'))
          throw new NotWritten(error.message, { permanent: true, cause: error });
        throw error;
      });
      if (pushed.outcome !== 'rejected') return resultOf(input, made);
      if (pushed.remoteSha !== input.expectedOldSha)
        throw new Stale(`branch ${input.branch} is at ${pushed.remoteSha ?? 'no commit'} now`);
      throw new NotWritten(`GitHub refused the push to ${input.branch}: ${pushed.reason ?? 'no reason'}`, {
        permanent: true,
      });
    },
  });
}

function isOwn(input: PushBranch): boolean {
  return input.branch.startsWith(ownBranchPrefix);
}

/** A person's branch: only of a pull request on the list, only on top of what was verified, never a branch that is watched itself. */
function whyNotTheirs(input: PushBranch, workspace: WorkspaceConfig): string | null {
  const { branch, pullRequest, baseSha, expectedOldSha } = input;
  const { branches, pullRequests } = workspace.ci;
  if (pullRequest === undefined)
    return `branch "${branch}" is not one of the agent: it writes only below ${ownBranchPrefix}`;
  if (branchMatcher(branches)(branch))
    return `branch "${branch}" is on the list ci.branches: it is fixed by pull request only`;
  if (!branchMatcher(pullRequests)(branch)) return `branch "${branch}" is not on the list ci.pullRequests`;
  if (baseSha !== expectedOldSha) return `the commit for "${branch}" is not made on the head that it goes on`;
  return null;
}

async function whyNotTheirHead(
  parts: GitHubEffectParts,
  context: EffectContext,
  input: PushBranch,
): Promise<string | null> {
  const place = await placeOf(parts, context);
  const number = input.pullRequest ?? 0;
  const [pull, defaultBranch] = await reading(() =>
    Promise.all([readPullRequest(place, number), readDefaultBranch(place)]),
  );
  if (pull === null || pull.state !== 'open') return `pull request #${number} is not open any more`;
  if (!pull.ownHead || pull.headRef !== input.branch || pull.headRef === defaultBranch)
    return `${input.branch} is not the branch of pull request #${number}`;
  return pull.headSha === input.expectedOldSha
    ? null
    : `pull request #${number} is at ${pull.headSha}, planned on ${input.expectedOldSha}`;
}

type Made = { readonly mirror: Mirror; readonly commitSha: string; readonly treeSha: string };

/** Null for a patch that is gone or cannot be applied: then there is nothing to find. */
async function commitOf(
  parts: GitHubEffectParts,
  context: EffectContext,
  input: PushBranch,
): Promise<Made | null> {
  try {
    return await makeCommit(parts, context, input);
  } catch (error) {
    const never = error instanceof GitError && (error.kind === 'failed' || error.kind === 'notFound');
    if (never || error instanceof NotWritten) return null;
    throw error;
  }
}

async function makeCommit(
  parts: GitHubEffectParts,
  context: EffectContext,
  input: PushBranch,
): Promise<Made> {
  const patch = await parts.loadEvidence(context.request.tenant, input.patchEvidence);
  if (patch === undefined)
    throw new NotWritten(`the patch ${input.patchEvidence.slice(0, 12)} is not kept any more`, {
      permanent: true,
    });
  const remote = await parts.gitRemote(context.workspace);
  const mirror = await ensureMirror({
    cacheDir: parts.cacheDir,
    url: remote.url,
    token: remote.token,
    sha: input.baseSha,
    signal: context.signal,
  });
  const commit = await commitValue({
    mirror,
    baseSha: input.baseSha,
    patch,
    message: parts.redactor.redact(input.message),
    author: input.author,
    dateIso: input.dateIso,
  });
  return { mirror, ...commit };
}

/** Before the push nothing was written: what may work later is tried again. */
function certainlyNot(error: unknown): NotWritten {
  if (error instanceof NotWritten) return error;
  const later = error instanceof GitError && ['unreachable', 'timedOut', 'aborted'].includes(error.kind);
  const message = error instanceof Error ? error.message : String(error);
  return new NotWritten(message, { permanent: !later, cause: error });
}

async function headOf(
  parts: GitHubEffectParts,
  context: EffectContext,
  branch: string,
): Promise<string | null> {
  const remote = await parts.gitRemote(context.workspace);
  return remoteBranchSha({
    remoteUrl: remote.url,
    token: remote.token,
    branch,
    timeoutMs: askTimeoutMs,
    signal: context.signal,
  });
}

function resultOf(input: PushBranch, made: Made): EffectResult {
  return { branch: input.branch, commitSha: made.commitSha, treeSha: made.treeSha };
}
