// Settings of what runs: deployed services, incidents, diagnostic requests. Plain readonly data as in tenant-config.ts, defaults filled in.
// Health checks have a file of their own.
import type { SecretReference } from '../secret-reference.ts';

/** INC-1, most severe first: production down, a major feature broken, minor. */
export const incidentLevels = ['sev1', 'sev2', 'sev3'] as const;
export type IncidentLevel = (typeof incidentLevels)[number];

/** DEPLOY-1. One provider per workspace; absent: nothing that is deployed is watched. */
export type ServicesSettings = {
  readonly provider: RailwaySettings | CommandProviderSettings;
  /** For people and records: `production`. */
  readonly environment: string;
  /** Globs over the names of services; what none names is neither watched nor touched. */
  readonly watch: readonly string[];
  /** How bad it is when a service is down: `default`, or by its name. */
  readonly level: {
    readonly default: IncidentLevel;
    readonly byService: { readonly [name: string]: IncidentLevel };
  };
  readonly ladder: LadderSettings;
  /** DEPLOY-4. */
  readonly versions: readonly VersionSettings[];
  readonly backups: readonly BackupSettings[];
};

/** DEPLOY-1, DEPLOY-5. */
export type RailwaySettings = {
  readonly kind: 'railway';
  readonly token: SecretReference;
  /** A project token knows its project and environment; an account's or a workspace's does not. */
  readonly tokenKind: 'project' | 'account';
  /** Ids; needed with an account's token. */
  readonly projectId?: string;
  readonly environmentId?: string;
  /** No trailing slash. */
  readonly apiUrl: string;
  readonly requestsPerHour: number;
  readonly requestsPerSecond: number;
};

/** Services of one machine by command lines; each gets SERVICE in its environment, and DEPLOYMENT where one is meant. */
export type CommandProviderSettings = {
  readonly kind: 'command';
  /** Prints a JSON list of `{ name, status, deployment?, sinceMs?, image? }`. */
  readonly status: string;
  /** Prints lines; LINES says how many. */
  readonly logs: string;
  readonly restart: string;
  readonly redeploy?: string;
  readonly rollBack?: string;

  readonly directory?: string;
  readonly timeoutMs: number;
  /** For people. */
  readonly dashboardUrl?: string;
};

/** DEPLOY-3. */
export type LadderSettings = {
  /** False: a person at once. */
  readonly enabled: boolean;
  readonly unhealthyForMs: number;
  readonly healthyForMs: number;
  /** At most 2. */
  readonly restarts: number;
};

/** Which version of something is the newest is read with one request to `url`. */
export type VersionSettings = {
  readonly name: string;
  /** The service whose image's tag is compared; absent: `current`. */
  readonly service?: string;
  readonly current?: string;
  /** Answers with JSON. */
  readonly url: string;
  /** Where the newest version stands in the answer: `tag_name`, `info.version`, `dist-tags.latest`. */
  readonly path: string;
};

export type BackupSettings = {
  readonly name: string;
  /** A shell line that prints the time of the latest backup (ISO 8601). */
  readonly command: string;
  readonly maxAgeMs: number;
};

/** INC-1 to INC-5. */
export type IncidentSettings = {
  /** Logins or teams that the issue and reminders mention: `@acme/oncall`. */
  readonly mention: readonly string[];
  readonly escalation: {
    /** After detection, when nobody acknowledged. */
    readonly sev1Ms: number;
    readonly sev2Ms: number;
    /** Until acknowledged. */
    readonly remindSev1Ms: number;
    readonly remindSev2Ms: number;
  };
  /** A level falls only after it was lower for so long. */
  readonly lowerAfterMs: number;
  /** Further rules (INC-1): when at least `count` of `checks` fail at once, it is `level`. */
  readonly raise: readonly {
    readonly checks: readonly string[];
    readonly count: number;
    readonly level: IncidentLevel;
  }[];
  /** INC-5; absent: none. */
  readonly devopsApi?: { readonly url: string; readonly secret: SecretReference };
  /** INC-2: what starts when the evidence points to code. `ci`: the repository's own remedy of a failing run; `dispatch`: an outgoing event. */
  readonly codeAgent?:
    | { readonly kind: 'dispatch'; readonly eventType: string }
    | { readonly kind: 'label'; readonly label: string };
};

/** DIAG-1. Absent: comments are not read. */
export type DiagnosticsSettings = {
  /** What is answered: `@devops`. */
  readonly mention: string;
  /** Numeric ids of apps or agents that may ask as well. */
  readonly apps: readonly number[];
};
