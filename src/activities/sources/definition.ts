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
};

export type SourceDefinition = {
  readonly kind: SourceKind;
  readonly timeoutMs: (context: Pick<SourceContext, 'workspace' | 'target'>) => number;
  /** The parts of a workspace that are read one by one; `[undefined]` for one part, `[]` for none. */
  readonly targets: (workspace: WorkspaceConfig) => readonly (string | undefined)[];
  readonly read: (context: SourceContext) => Promise<SourceReading>;
};
