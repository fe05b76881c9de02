// What the forge knows: users, repositories, issues with their pull requests, comments, reviews, in memory.
// Git's own truth (refs, commits, contents) is never copied here; it is read from the bare repository.
import { randomBytes } from 'node:crypto';
import type { CiEngine } from './ci/engine.ts';
import type { FaultBox } from './http/faults.ts';
import type { Journal } from './http/journal.ts';
import type { RateLimit } from './http/rate-limit.ts';
import { ApiError } from './http/route.ts';
import type { Permission } from './operations.ts';

export interface User {
  readonly id: number;
  readonly login: string;
  readonly permission: Permission;
  readonly createdAt: number;
  /** The id of the app whose account it is; null: a person. */
  readonly app: number | null;
}

export interface Pull {
  readonly headRef: string;
  headSha: string;
  baseRef: string;
  baseSha: string;
  draft: boolean;
  mergedAt: number | null;
  mergedBy: User | null;
  mergeCommitSha: string | null;
}

export interface Issue {
  readonly id: number;
  readonly number: number;
  readonly user: User;
  readonly createdAt: number;
  readonly pull: Pull | null;
  title: string;
  body: string | null;
  state: 'open' | 'closed';
  stateReason: string | null;
  labels: string[];
  updatedAt: number;
  closedAt: number | null;
  closedBy: User | null;
}

export interface Comment {
  readonly id: number;
  readonly issue: Issue;
  readonly user: User;
  readonly createdAt: number;
  body: string;
  updatedAt: number;
}

export interface Review {
  readonly id: number;
  readonly issue: Issue;
  readonly user: User;
  readonly body: string;
  readonly state: 'APPROVED' | 'CHANGES_REQUESTED' | 'COMMENTED';
  readonly commitSha: string;
  readonly submittedAt: number;
}

export interface Label {
  readonly id: number;
  readonly name: string;
  readonly color: string;
  readonly description: string | null;
}

export interface Repository {
  readonly id: number;
  readonly owner: string;
  readonly name: string;
  readonly fullName: string;
  readonly defaultBranch: string;
  /** The bare repository on disk. */
  readonly path: string;
  readonly createdAt: number;
  /** False: workflows are never run by themselves; runs are made by hand. */
  readonly ci: boolean;
  readonly permissions: Map<string, Permission>;
  readonly labels: Map<string, Label>;
  readonly issues: Map<number, Issue>;
  readonly comments: Map<number, Comment>;
  readonly reviews: Review[];
  /** Runs one change of refs at a time. */
  readonly exclusively: <T>(change: () => Promise<T>) => Promise<T>;
}

export interface ForgeState {
  readonly dataDir: string;
  readonly now: () => number;
  /** Path of the `act` that executes jobs; null: the forge's own runner. */
  readonly act: string | null;
  readonly users: Map<string, User>;
  readonly tokens: Map<string, User>;
  readonly repositories: Map<string, Repository>;
  readonly journal: Journal;
  readonly faults: FaultBox;
  readonly rate: RateLimit;
  ci: CiEngine;
  /** Root of the host without a slash at the end; known once the server listens. */
  url: string;
  nextId: number;
}

/** A fresh numeric id, unique over all kinds of things. */
export function takeId(state: ForgeState): number {
  state.nextId += 1;
  return state.nextId;
}

/** Runs tasks one after the other, also when one of them fails. */
export function oneAtATime(): <T>(task: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const next = last.then(task, task);
    last = next.catch(() => undefined);
    return next;
  };
}

/** Lets at most so many tasks run at once; the others wait in order. */
export function createSlots(count: number): <T>(task: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let free = count;
  return async (task) => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    else free -= 1;
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}

/** Creates a user, or gives an existing one a further token. */
export function addUser(
  state: ForgeState,
  spec: { login: string; permission: Permission; token?: string | undefined; app?: number | undefined },
): { user: User; token: string } {
  const user = state.users.get(spec.login) ?? {
    id: takeId(state),
    login: spec.login,
    permission: spec.permission,
    createdAt: state.now(),
    app: spec.app ?? null,
  };
  state.users.set(spec.login, user);
  const token = spec.token ?? `forge-${spec.login}-${randomBytes(12).toString('hex')}`;
  state.tokens.set(token, user);
  return { user, token };
}

/** The repository, or GitHub's 404. */
export function findRepository(state: ForgeState, owner: string, name: string): Repository {
  const repository = state.repositories.get(`${owner}/${name}`.toLowerCase());
  if (repository === undefined) throw new ApiError(404, 'Not Found');
  return repository;
}

/** The issue or pull request with that number, or 404. */
export function findIssue(repository: Repository, number: string): Issue {
  const issue = repository.issues.get(Number(number));
  if (issue === undefined) throw new ApiError(404, 'Not Found');
  return issue;
}

export function permissionOf(repository: Repository, user: User): Permission {
  if (user.login === repository.owner) return 'admin';
  return repository.permissions.get(user.login) ?? user.permission;
}

const RANK: Record<Permission, number> = { none: 0, read: 1, triage: 2, write: 3, maintain: 4, admin: 5 };

export function mayWrite(repository: Repository, user: User): boolean {
  return RANK[permissionOf(repository, user)] >= RANK.write;
}

/** Throws 403 unless the user may push to the repository. */
export function requireWrite(repository: Repository, user: User): void {
  if (!mayWrite(repository, user))
    throw new ApiError(403, 'Resource not accessible by personal access token');
}

export function nextNumber(repository: Repository): number {
  return repository.issues.size + 1;
}

/** Adds labels to an issue and makes those that the repository lacks, as GitHub does. */
export function addLabels(
  state: ForgeState,
  repository: Repository,
  issue: Issue,
  names: readonly string[],
): void {
  for (const name of names) {
    if (!repository.labels.has(name)) {
      repository.labels.set(name, { id: takeId(state), name, color: 'ededed', description: null });
    }
    if (!issue.labels.includes(name)) issue.labels.push(name);
  }
}
