// A tenant's settings as the rest of the program sees them: plain readonly data, every default filled in, units in the names.
// No zod and no I/O here: workflows import it. The file format and its defaults are in src/config/tenant-schema.ts, whose output a
// test holds equal to these types. Secrets are references only; their values never appear in a config.
import type { AutonomyLevel, EffectKind } from './effect.ts';
import type { SourceKind } from './finding.ts';
import type { ModelPurpose } from './model.ts';
import type { HealthSettings } from './ops/health-settings.ts';
import type { DiagnosticsSettings, IncidentSettings, ServicesSettings } from './ops/settings.ts';
import type { SecretReference, Weekday } from './secret-reference.ts';

export { isSecretReference, type SecretReference, type Weekday, weekdays } from './secret-reference.ts';

export type TenantConfig = {
  /** `^[a-z0-9][a-z0-9-]{0,62}$`; the workflow id is `tenant/<tenant>`. */
  readonly tenant: string;
  /** IANA name, checked. */
  readonly timeZone: string;
  readonly enabled: boolean;
  readonly autonomy: AutonomySettings;
  readonly cadence: CadenceSettings;
  readonly limits: LimitSettings;
  readonly approvals: ApprovalSettings;
  /** `digestEveryMs`: a list of failing CI to the channels while there is any (CI-11); absent: none. */
  readonly alerts: { readonly channels: readonly AlertChannel[]; readonly digestEveryMs?: number };
  readonly retention: { readonly evidenceMs: number; readonly resolvedFindingsMs: number };
  readonly model: ModelSettings;
  /** At least one; names are unique. */
  readonly workspaces: readonly WorkspaceConfig[];
};

/** MODEL-1, MODEL-3. */
export type ModelSettings = {
  readonly enabled: boolean;
  readonly apiKey: SecretReference;
  /** No trailing slash. `http:` only to loopback. */
  readonly baseUrl: string;
  readonly models: { readonly [Purpose in ModelPurpose]: string };
  /** By name; the models of `models` have one. */
  readonly prices: { readonly [model: string]: ModelPrice };
  /** Most output of one call, thinking included. */
  readonly maxTokens: { readonly [Purpose in ModelPurpose]: number };
  /** One call. */
  readonly timeoutMs: number;
  /** MODEL-2: of one incident; 8 and 5 at most. */
  readonly operator: { readonly steps: number; readonly effects: number };
  readonly budgets: {
    /** Per UTC day. 0 here or below: no calls. */
    readonly tokensPerDay: number;
    /** Per occurrence of a finding: triage, drafts with verdicts, and the operator of an incident. */
    readonly triageTokens: number;
    readonly fixTokens: number;
    readonly operatorTokens: number;
    readonly warnAtPercent: number;
  };
};

/** US dollars per million tokens. */
export type ModelPrice = {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
};

/** LOOP-12. `effects` holds every kind: what the file does not name has `default`. */
export type AutonomySettings = {
  readonly default: AutonomyLevel;
  readonly effects: { readonly [Kind in EffectKind]: AutonomyLevel };
};

/** LOOP-1. */
export type CadenceSettings = {
  readonly workingHours: {
    readonly days: readonly Weekday[];
    /** `HH:MM` in the tenant's time zone, `from` before `to`; `to` may be `24:00`. */
    readonly from: string;
    readonly to: string;
    readonly everyMs: number;
  };
  /** While something workable is red. */
  readonly redMs: number;
  /** Outside working hours. */
  readonly nightMs: number;
  /** A fixed interval that replaces the windows for this source. */
  readonly perSourceMs: { readonly [Source in SourceKind]?: number };
};

/** LOOP-4, LOOP-7, LOOP-8, CI-9: a tenant may lower the maxima, never raise them. */
export type LimitSettings = {
  readonly mutatingPer5Min: number;
  /** Of those, kept for incidents; never more than `mutatingPer5Min`. */
  readonly reservedForIncidents: number;
  readonly plannerSteps: number;
  readonly attempts: number;
  /** Every kind; 0 is no cooldown. */
  readonly cooldownsMs: { readonly [Kind in EffectKind]: number };
  readonly breaker: { readonly failures: number; readonly probeAfterMs: number };
};

/** LOOP-13. */
export type ApprovalSettings = {
  readonly expireAfterMs: number;
  readonly remindAfterMs: number;
  /** Unverified channels that are enough for mutating effects. A destructive effect needs a verified one whatever is set here. */
  readonly channels: { readonly cli: boolean; readonly ui: boolean };
  /** GitHub logins whose `/approve` counts. Empty: anybody who may write to the repository. */
  readonly githubApprovers: readonly string[];
};

export type AlertChannel =
  | { readonly kind: 'console' }
  | { readonly kind: 'slack'; readonly webhookUrl: SecretReference }
  /** `url` is `https:` (`http:` only to loopback) or a reference; `secret` signs the body. */
  | { readonly kind: 'webhook'; readonly url: string; readonly secret: SecretReference };

export type WorkspaceConfig = {
  readonly name: string;
  readonly github: GitHubSettings;
  readonly ci: CiSettings;
  /** Environments are unique in a workspace. */
  readonly drift: readonly DriftSettings[];
  /** Names are unique in a workspace. */
  readonly databases: readonly DatabaseSettings[];
  /** Absent: nothing that is deployed is watched. */
  readonly services?: ServicesSettings;
  /** Absent: nothing is asked of production. */
  readonly health?: HealthSettings;
  readonly incidents: IncidentSettings;
  /** Absent: comments are not read for questions. */
  readonly diagnostics?: DiagnosticsSettings;
};

export type GitHubSettings = {
  /** `owner/name`. */
  readonly repository: string;
  readonly token: SecretReference;
  /** No trailing slash. `http:` only to loopback. */
  readonly apiUrl: string;
  /** What git clones; no user or password in it. */
  readonly gitUrl: string;
  /** Logins whose `/approve` counts in this repository; taken from `approvals.githubApprovers` when the file does not say. */
  readonly approveBy: readonly string[];
  /** SEE-5: one line per mutating effect in a rolling issue. */
  readonly activityIssue: boolean;
};

/** CI-1, CI-5 to CI-7, CI-14. */
export type CiSettings = {
  readonly enabled: boolean;
  /** Globs; a branch off the list is never touched. */
  readonly branches: readonly string[];
  /** Globs of the head branches of open pull requests; empty: none, `**`: all. */
  readonly pullRequests: readonly string[];
  /** Runs read per sweep, at least 30. */
  readonly runsPerSweep: number;
  /** Whether failed jobs may be rerun (once). */
  readonly rerun: boolean;
  /** CI-10: how long after a fix turned it green its job is checked again. */
  readonly soakAfterMs: readonly number[];
  /** CI-13: whether a fix is tried where the workflow file itself is wrong. */
  readonly fixWorkflows: boolean;
  /** CI-3. `quarantineRate`: 0 to 1. */
  readonly flakes: { readonly quarantineRate: number; readonly quarantineFailures: number };
  /** CI-12: from so many open findings of the repository on, one is fixed at a time. */
  readonly storm: { readonly findings: number };
  /** CI-12: pull requests of CI fixes in the repository; a tenant may lower the maxima, never raise them. */
  readonly limits: { readonly openPullRequests: number; readonly newPullRequestsPerHour: number };
  readonly fixers: readonly FixerSettings[];
  readonly implementer: ImplementerSettings;
  /** Globs, in addition to the fixed ones of CI-7. */
  readonly forbiddenPaths: readonly string[];
  readonly setup: SetupSettings;
  readonly sandbox: SandboxSettings;
  /** CI-14: what is absent is read from the failing step. Shell lines. */
  readonly commands: { readonly build?: string; readonly test?: string; readonly lint?: string };
};

export type FixerSettings = {
  readonly name: string;
  /** All given parts must match; at least one is given. */
  readonly match: {
    /** Globs over names. */
    readonly workflow?: string;
    readonly job?: string;
    readonly step?: string;
    /** Source of a JavaScript regular expression, flag `m`, over the reduced log. */
    readonly log?: string;
  };
  /** Shell line, run in the root of the worktree. */
  readonly command: string;
  /** Shell line that gets dependencies for it, instead of `setup.command` and with the same network. */
  readonly setup?: string;
  /** Globs the result may touch; empty: all that is not forbidden. */
  readonly paths: readonly string[];
  /** CI-7. */
  readonly maxFiles: number;
  readonly maxLines: number;
};

/** CI-5b, CI-7. */
export type ImplementerSettings = {
  readonly enabled: boolean;
  /** Answers of the model for one draft. */
  readonly turns: number;
  readonly maxFiles: number;
  /** Added plus removed. */
  readonly maxLines: number;
};

/** CI-6: how a fresh checkout gets its dependencies. */
export type SetupSettings = {
  /** Shell line, run in the root of the worktree; absent: nothing is set up. */
  readonly command?: string;
  /** Globs: files whose content, with that of the manifests, says what set-up makes. */
  readonly lockfiles: readonly string[];
  /** `host` or `*.suffix` (ports 80 and 443), or either with a port; small letters. */
  readonly registries: readonly string[];
};

/** SEC-3. */
export type SandboxSettings = {
  /** `none`: repository commands run unprotected when no sandbox is found. */
  readonly mode: 'required' | 'none';
  /** Absolute paths of the machine that the sandbox may read in addition. */
  readonly readOnlyPaths: readonly string[];
  readonly timeoutMs: number;
  readonly memoryBytes: number;
};

/** DRIFT-1. */
export type DriftSettings = {
  readonly environment: string;
  readonly preset: 'hybrid' | 'opentofu' | 'terraform' | 'command';
  /** Relative to the root of the repository; `.` is the root. */
  readonly directory: string;
  /** Shell lines; absent: the preset's. Preset `command` always has `plan`. */
  readonly plan?: string;
  readonly apply?: string;
  /** Without it drift is never turned into a pull request (DRIFT-2). `paths`: globs of what it generates, at least one. */
  readonly export?: { readonly command: string; readonly paths: readonly string[] };
  /** Values are references or plain text that is no secret: ask `isSecretReference`. */
  readonly env: { readonly [name: string]: string };
  /** DRIFT-2: merge the rolling pull request without a person; only with `export`. */
  readonly autoMerge: boolean;
  readonly policy: 'approval' | 'auto';
  readonly timeoutMs: number;
  readonly exitCodes: { readonly clean: number; readonly drifted: number };
};

/** MIG-1, MIG-2. */
export type DatabaseSettings = {
  readonly name: string;
  readonly environment: string;
  readonly url: SecretReference;
  /** A directory in the repository, or an absolute path. */
  readonly migrations: string;
  readonly policy: 'approval' | 'auto';
  /** `command`: a shell line that prints the time of the latest backup (ISO 8601). Absent: backups are not checked. */
  readonly backup?: { readonly command: string; readonly maxAgeMs: number };
  readonly lockTimeoutMs: number;
};
