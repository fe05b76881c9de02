// The fields of GitHub's answers that are used here, and nothing else of them.
import * as z from 'zod';

const User = z.object({ login: z.string(), id: z.int(), type: z.string().optional() });

export const RepositoryShape = z.object({ default_branch: z.string().min(1) });

/** A run as of its latest attempt. `branch` is null for runs without one, `fork` true when it is a branch of another repository. */
export const RunShape = z
  .object({
    id: z.int(),
    run_attempt: z.int().default(1),
    status: z.string().nullable(),
    conclusion: z.string().nullable(),
    head_branch: z.string().nullable(),
    head_sha: z.string(),
    path: z.string(),
    name: z.string().nullish(),
    event: z.string(),
    html_url: z.string(),
    repository: z.object({ full_name: z.string() }).nullish(),
    head_repository: z.object({ full_name: z.string() }).nullish(),
  })
  .transform((run) => ({
    id: run.id,
    attempt: run.run_attempt,
    status: run.status ?? 'queued',
    conclusion: run.conclusion,
    branch: run.head_branch,
    sha: run.head_sha,
    // A ref may follow the path: `.github/workflows/ci.yml@main`.
    path: run.path.replace(/@.*$/, ''),
    name: run.name || run.path,
    event: run.event,
    url: run.html_url,
    fork:
      run.repository != null &&
      run.head_repository !== undefined &&
      run.repository.full_name !== run.head_repository?.full_name,
  }));
export type Run = z.output<typeof RunShape>;
export const RunPage = z.object({ workflow_runs: z.array(RunShape) });

export const JobShape = z
  .object({
    id: z.int(),
    name: z.string(),
    status: z.string(),
    conclusion: z.string().nullable(),
    html_url: z.string().nullish(),
    run_attempt: z.int().optional(),
    steps: z
      .array(z.object({ name: z.string(), number: z.int(), conclusion: z.string().nullable() }))
      .nullish(),
  })
  .transform((job) => ({
    id: job.id,
    name: job.name,
    status: job.status,
    conclusion: job.conclusion,
    url: job.html_url ?? '',
    steps: job.steps ?? [],
  }));
export type Job = z.output<typeof JobShape>;
export const JobPage = z.object({ jobs: z.array(JobShape) });

export const IssueShape = z.object({
  number: z.int(),
  title: z.string(),
  body: z.string().nullish(),
  state: z.enum(['open', 'closed']),
  html_url: z.string(),
  user: User.nullable(),
  labels: z.array(z.union([z.string(), z.object({ name: z.string().nullish() })])),
  pull_request: z.unknown().optional(),
});
export type Issue = z.output<typeof IssueShape>;
export const IssuePage = z.array(IssueShape);

export const CommentShape = z.object({
  id: z.int(),
  body: z.string().nullish(),
  html_url: z.string(),
  issue_url: z.string().optional(),
  user: User.nullable(),
  created_at: z.string(),
  updated_at: z.string(),
  performed_via_github_app: z.unknown().optional(),
});
export type Comment = z.output<typeof CommentShape>;
export const CommentPage = z.array(CommentShape);

const PullSide = z.object({
  ref: z.string(),
  sha: z.string(),
  repo: z.object({ full_name: z.string() }).nullish(),
});

/** As in lists; what is computed is in PullShape only. */
export const PullListedShape = z.object({
  number: z.int(),
  state: z.enum(['open', 'closed']),
  title: z.string(),
  body: z.string().nullish(),
  html_url: z.string(),
  draft: z.boolean().optional(),
  user: User.nullable(),
  merged_at: z.string().nullish(),
  labels: z.array(z.object({ name: z.string() })).default([]),
  head: PullSide,
  base: PullSide,
});
export type PullListed = z.output<typeof PullListedShape>;
/** False when the head is in a fork, or in one that is gone. Both names come from GitHub, so a renamed repository is no fork. */
export function isOwnHead(pull: Pick<PullListed, 'head' | 'base'>): boolean {
  return pull.head.repo != null && pull.head.repo.full_name === pull.base.repo?.full_name;
}

export const PullPage = z.array(PullListedShape);

export const PullShape = PullListedShape.extend({
  merged: z.boolean(),
  mergeable: z.boolean().nullable(),
  merge_commit_sha: z.string().nullish(),
});

export const RefPage = z.array(z.object({ ref: z.string(), object: z.object({ sha: z.string() }) }));
export const RefShape = z.object({ object: z.object({ sha: z.string() }) });
export const PermissionShape = z.object({ permission: z.string(), role_name: z.string().optional() });
export const ComparedShape = z.object({ status: z.string() });
export const ContentShape = z.object({
  type: z.string(),
  encoding: z.string().optional(),
  content: z.string().optional(),
});
export const NothingShape = z.unknown();
