// What all effects on GitHub share: their clients, one write through the fence, and how GitHub's errors say whether it was written (DUR-1).
import * as z from 'zod';
import type { WorkspaceConfig } from '../../../contract/tenant-config.ts';
import type { GitRemote } from '../../../integrations/git/git-command.ts';
import type { Call, GitHub } from '../../../integrations/github/client.ts';
import { GitHubError } from '../../../integrations/github/errors.ts';
import { ownerAndName, type Place } from '../../../integrations/github/read.ts';
import type { Redactor } from '../../../logs/redact/redact-values.ts';
import { type EffectContext, LeaseOver, NotWritten, type WriteContext } from '../definition.ts';

export type GitHubEffectParts = {
  readonly github: (workspace: WorkspaceConfig) => Promise<GitHub>;
  /** What git pushes to, with its token. */
  readonly gitRemote: (workspace: WorkspaceConfig) => Promise<GitRemote>;
  /** Where mirrors of repositories are kept. */
  readonly cacheDir: string;
  readonly redactor: Pick<Redactor, 'redact' | 'spans'>;
  /** The text behind a hash, undefined when its retention is over. */
  readonly loadEvidence: (tenant: string, sha256: string) => Promise<string | undefined>;
};

/** Branches of the agent; it writes no other. */
export const ownBranchPrefix = 'untilgreen/';

export const Sha = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, 'is not a full commit SHA');
export const IssueNumber = z.int().min(1);
export const Text = z.string().max(1_000_000);
export const Labels = z
  .array(
    z
      .string()
      .min(1)
      .max(50)
      .regex(/^[^,\n]+$/),
  )
  .max(20);
/** A name that git and a URL take as it is. */
export const BranchName = z
  .string()
  .max(200)
  .regex(
    /^(?!.*(?:\.\.|\/\/|@\{|\.lock(?:\/|$)|\/\.))[A-Za-z0-9][A-Za-z0-9._/-]*[A-Za-z0-9_-]$/,
    'is not a branch name',
  );

export async function placeOf(parts: GitHubEffectParts, context: EffectContext): Promise<Place> {
  const github = await parts.github(context.workspace);
  return { github, repository: context.workspace.github.repository, signal: context.signal };
}

/** Reads for a probe or a precondition; a rate limit says when to come back. */
export async function reading<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof GitHubError && error.retryAfterMs !== undefined)
      throw notWritten(error, error.retryAfterMs);
    throw error;
  }
}

/** A read inside `apply`, before anything is written. */
export async function beforeWrite<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof GitHubError)) throw error;
    const permanent = isPermanent(error);
    throw new NotWritten(error.message, { permanent, ...delay(error), cause: error });
  }
}

/**
 * One request that writes, right behind the fence.
 * @throws NotWritten when GitHub certainly did nothing; anything else leaves it in doubt
 */
export async function write<T>(
  place: Place,
  context: WriteContext,
  request: {
    readonly method: 'POST' | 'PATCH' | 'PUT' | 'DELETE';
    readonly path: string;
    readonly params: { readonly [name: string]: unknown };
    readonly schema: Call<T>['schema'];
  },
): Promise<T> {
  try {
    return await place.github.write({
      route: `${request.method} /repos/{owner}/{repo}${request.path}`,
      params: { ...ownerAndName(place.repository), ...request.params },
      schema: request.schema,
      signal: context.signal,
      assertMayWrite: context.assertMayWrite,
    });
  } catch (error) {
    // Thrown by the fence: nothing was sent by this request.
    if (error instanceof LeaseOver || !(error instanceof GitHubError) || !error.definite) throw error;
    throw new NotWritten(error.message, { permanent: isPermanent(error), ...delay(error), cause: error });
  }
}

/** What a person has to change before it can work: everything but limits, and what never reached GitHub. */
function isPermanent(error: GitHubError): boolean {
  return error.definite && error.kind !== 'rateLimited' && error.kind !== 'refused';
}

function notWritten(error: GitHubError, retryAfterMs: number): NotWritten {
  return new NotWritten(error.message, { permanent: false, retryAfterMs, cause: error });
}

function delay(error: GitHubError): { readonly retryAfterMs?: number } {
  return error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs };
}

export function labelNames(
  labels: readonly (string | { readonly name?: string | null | undefined })[],
): readonly string[] {
  return labels.map((label) => (typeof label === 'string' ? label : (label.name ?? ''))).filter(Boolean);
}
