// What a kind of source declares, one file each, registered by kind. A source reads and never writes to the outside.
// The activity around it adds the timeout, turns a throw into `unknown` with the reason (LOOP-2), and keeps the source's memory.
import type { Json } from '../../contract/effect.ts';
import type { ObservedFinding, SourceKind } from '../../contract/finding.ts';
import type { TenantConfig, WorkspaceConfig } from '../../contract/tenant-config.ts';

export type SourceContext = {
  readonly config: TenantConfig;
  readonly workspace: WorkspaceConfig;
  /** The part of the workspace that is read: an environment, a database. */
  readonly target: string | undefined;
  readonly nowMs: number;
  /** Ends with the source's timeout; must be passed to everything that waits. */
  readonly signal: AbortSignal;
  /** What the last good read left behind; null the first time. It is data from Postgres: parse it. */
  readonly memory: Json;
};

export type SourceReading = {
  readonly state: 'green' | 'red';
  /** What was read, in a few words, no secrets. */
  readonly reason: string;
  readonly findings: readonly ObservedFinding[];
  /** Kept for the next read, written only when it differs. */
  readonly memory?: Json;
  /** What happened since the memory was written: into the audit trail together with the new one, so that none is lost or there twice. */
  readonly events?: readonly SourceEvent[];
};

export type SourceEvent = {
  readonly atMs: number;
  /** `deployment.crashed`, `severity.raised`. */
  readonly action: string;
  readonly subject: string;
  readonly reason: string;
  readonly detail?: { readonly [key: string]: Json };
};

/** What should be read could not be: the observation is `unknown` (LOOP-2). What is certain nevertheless is kept and said; nothing is resolved. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable';
  readonly rest: Pick<SourceReading, 'memory' | 'events'> & Partial<Pick<SourceReading, 'findings'>>;
  constructor(message: string, rest: Unreadable['rest'] = {}) {
    super(message);
    this.rest = rest;
  }
}

export type SourceDefinition = {
  readonly kind: SourceKind;
  readonly timeoutMs: (context: Pick<SourceContext, 'workspace' | 'target'>) => number;
  /** It is read at least so often, whatever the hour; absent: as the cadence says. */
  readonly everyMs?: (workspace: WorkspaceConfig) => number;
  /** The parts of a workspace that are read one by one; `[undefined]` for one part, `[]` for none. */
  readonly targets: (workspace: WorkspaceConfig, config: TenantConfig) => readonly (string | undefined)[];
  readonly read: (context: SourceContext) => Promise<SourceReading>;
};
