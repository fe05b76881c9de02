// What tests and the demo may do to the forge besides talking to it as GitHub: the same operations in process
// (`startForge`) and over HTTP (`connectForge`). Every argument and answer is plain JSON.

export type Permission = 'admin' | 'maintain' | 'write' | 'triage' | 'read' | 'none';

export interface RepositorySpec {
  readonly owner: string;
  readonly name: string;
  /** Path → content of the first commit. */
  readonly files: Readonly<Record<string, string>>;
  /** Paths that are executable in the first commit. */
  readonly executable?: readonly string[];
  readonly defaultBranch?: string;
  /** False: pushes start no workflow; runs are made with `actions.createRun`. Default true. */
  readonly ci?: boolean;
}

export interface RepositoryInfo {
  readonly owner: string;
  readonly name: string;
  readonly gitUrl: string;
  readonly webUrl: string;
  /** The bare repository on disk. */
  readonly path: string;
  readonly headSha: string;
}

type WriteKind =
  | 'issueOpened'
  | 'issueUpdated'
  | 'commentCreated'
  | 'commentUpdated'
  | 'commentDeleted'
  | 'pullCreated'
  | 'pullUpdated'
  | 'pullMerged'
  | 'reviewCreated'
  | 'labelsAdded'
  | 'labelRemoved'
  | 'refUpdated'
  | 'runRerun'
  | 'runCancelled'
  | 'dispatched';

/** One effect that landed; written at the moment it landed, whatever the client was told. */
export interface JournalWrite {
  readonly seq: number;
  readonly time: string;
  readonly kind: WriteKind;
  readonly actor: string;
  readonly repository: string;
  readonly number?: number;
  readonly title?: string;
  readonly body?: string;
  /** The first HTML comment of the body, without its brackets. */
  readonly marker?: string;
  readonly state?: string;
  readonly labels?: readonly string[];
  readonly ref?: string;
  /** Forty zeros where the ref did not exist. */
  readonly oldSha?: string;
  /** Forty zeros where the ref was deleted. */
  readonly newSha?: string;
  readonly via?: 'git' | 'rest' | 'setup';
  readonly runId?: number;
  readonly attempt?: number;
  readonly commentId?: number;
  /** Of a repository_dispatch; its client_payload is the body, as JSON. */
  readonly eventType?: string;
}

export interface JournalRequest {
  readonly seq: number;
  readonly time: string;
  readonly method: string;
  /** Path with query. */
  readonly path: string;
  /** What was answered; 0 where no answer was sent. */
  readonly status: number;
  readonly actor: string | null;
  /** Whether it was taken from the rate limit (a 304 is not). */
  readonly counted: boolean;
  /** No such route: something that the forge does not know was asked. */
  readonly unexpected: boolean;
  readonly fault?: FaultKind;
}

export interface JournalFilter {
  /** Only entries with a greater sequence number (see `mark`). */
  readonly after?: number;
  readonly method?: string;
  /** Regular expression on the path with its query. */
  readonly pathPattern?: string;
  readonly actor?: string;
}

export interface WriteFilter {
  readonly after?: number;
  readonly kind?: WriteKind;
  readonly actor?: string;
  readonly repository?: string;
}

/**
 * - `badGateway` 502, not done; `badGatewayAfter` done, then 502; `badGatewayLate` 502 now, done after `delayMs`
 * - `hang` not done, never answered; `reset` not done, connection reset; `resetAfter` done, then reset
 * - `secondaryLimit` `status` (403 or 429) with `retry-after`; `slow` done and answered after `delayMs`
 */
type FaultKind =
  | 'badGateway'
  | 'badGatewayAfter'
  | 'badGatewayLate'
  | 'hang'
  | 'reset'
  | 'resetAfter'
  | 'secondaryLimit'
  | 'slow';

export interface FaultSpec {
  readonly kind: FaultKind;
  readonly match: {
    readonly method?: string;
    /** Regular expression on the path with its query; git traffic is under `/<owner>/<repo>.git/`. */
    readonly pathPattern?: string;
    /** Regular expression on the request's body. */
    readonly bodyPattern?: string;
  };
  /** How many requests it hits; default 1. */
  readonly times?: number;
  /** For `badGatewayLate` and `slow`; default 1000. */
  readonly delayMs?: number;
  /** For `secondaryLimit`; default 429. */
  readonly status?: 403 | 429;
  /** For `secondaryLimit`; default 1. */
  readonly retryAfterSeconds?: number;
}

export interface FaultState extends FaultSpec {
  readonly id: number;
  readonly hits: number;
}

export type RunStatus = 'queued' | 'in_progress' | 'completed';
export type Conclusion = 'success' | 'failure' | 'cancelled' | 'skipped' | 'timed_out' | 'action_required';

interface JobSpec {
  readonly name: string;
  readonly status?: RunStatus;
  readonly conclusion?: Conclusion | null;
  readonly steps?: readonly { readonly name: string; readonly conclusion: Conclusion | null }[];
  /** The job's log as GitHub would serve it. */
  readonly log?: string;
}

export interface RunSpec {
  readonly owner: string;
  readonly repo: string;
  readonly branch?: string;
  /** Default: the branch's head. */
  readonly sha?: string;
  /** Path of the workflow file; default `.github/workflows/ci.yml`. */
  readonly workflow?: string;
  readonly name?: string;
  readonly event?: string;
  readonly status?: RunStatus;
  readonly conclusion?: Conclusion | null;
  /** ISO time; default now. */
  readonly createdAt?: string;
  readonly jobs?: readonly JobSpec[];
  /** How a rerun ends; without it the new attempt stays queued until `setRun`. */
  readonly rerunConclusion?: Conclusion;
}

export interface RunPatch {
  readonly id: number;
  readonly status?: RunStatus;
  readonly conclusion?: Conclusion | null;
  /** Conclusion by job name; completes these jobs. */
  readonly jobs?: Readonly<Record<string, Conclusion>>;
}

export interface RunInfo {
  readonly id: number;
  readonly number: number;
  readonly workflow: string;
  readonly event: string;
  readonly branch: string;
  readonly sha: string;
  readonly status: RunStatus;
  readonly conclusion: Conclusion | null;
  readonly attempt: number;
  /** Why the workflow file could not be run; such a run failed without jobs. */
  readonly problem?: string;
}

export interface JobFailure {
  readonly owner: string;
  readonly repo: string;
  /** The job's key or name. */
  readonly job: string;
  /** The job fails in attempts 1 to this one (flaky), whatever its steps would do. */
  readonly attempts: number;
  /** What its first command then prints before it fails. */
  readonly output?: string;
}

export interface ForgeOperations {
  createRepository(spec: RepositorySpec): Promise<RepositoryInfo>;
  /** A user with a token. The permission holds for all repositories that `setPermission` does not name. */
  createUser(spec: {
    login: string;
    permission: Permission;
    token?: string;
    /** The account of the app with this id. */
    app?: number;
  }): Promise<{ login: string; id: number; token: string }>;
  setPermission(spec: { owner: string; repo: string; login: string; permission: Permission }): Promise<void>;
  /** Commits files (null deletes) straight onto a branch, as `login`; starts CI like any push. */
  commitFiles(spec: {
    owner: string;
    repo: string;
    branch?: string;
    files: Readonly<Record<string, string | null>>;
    message: string;
    login?: string;
  }): Promise<{ sha: string }>;
  /** A file at a ref; null where there is none. */
  readFile(spec: { owner: string; repo: string; ref?: string; path: string }): Promise<string | null>;
  /** Moves the forge's clock. */
  advanceClock(spec: { ms: number }): Promise<void>;
  /** Sets the hourly limit and what is left of it for every token. */
  setRateLimit(spec: { limit?: number; remaining?: number }): Promise<void>;
  readonly journal: {
    requests(filter?: JournalFilter): Promise<JournalRequest[]>;
    /** GET requests that were taken from the rate limit. */
    counted(filter?: JournalFilter): Promise<JournalRequest[]>;
    /** Requests for routes that the forge does not know. Tests assert that there are none. */
    unexpected(): Promise<JournalRequest[]>;
    writes(filter?: WriteFilter): Promise<JournalWrite[]>;
    /** The last sequence number given out, for `after`. */
    mark(): Promise<number>;
  };
  readonly faults: {
    add(spec: FaultSpec): Promise<{ id: number }>;
    list(): Promise<FaultState[]>;
    clear(): Promise<void>;
  };
  readonly actions: {
    /** Makes a run by hand; nothing is executed. */
    createRun(spec: RunSpec): Promise<RunInfo>;
    setRun(patch: RunPatch): Promise<RunInfo>;
    runs(spec: { owner: string; repo: string }): Promise<RunInfo[]>;
    failJob(spec: JobFailure): Promise<void>;
    /** Resolves once no workflow is queued or executing. */
    waitIdle(): Promise<void>;
  };
}

/** The operations by path, as they are called over HTTP (`POST /_forge/<path>`). */
export const OPERATION_PATHS = [
  'createRepository',
  'createUser',
  'setPermission',
  'commitFiles',
  'readFile',
  'advanceClock',
  'setRateLimit',
  'journal/requests',
  'journal/counted',
  'journal/unexpected',
  'journal/writes',
  'journal/mark',
  'faults/add',
  'faults/list',
  'faults/clear',
  'actions/createRun',
  'actions/setRun',
  'actions/runs',
  'actions/failJob',
  'actions/waitIdle',
] as const;
