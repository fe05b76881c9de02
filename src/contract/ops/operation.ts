// What a person orders of production (OPS-1): one effect through the one door, watched to its end. By CLI, or by an update of the tenant's loop.
import type { EffectKind, Json } from '../effect.ts';
import type { QueueNames } from '../names.ts';
import type { DiagnosisView } from './diagnosis.ts';
import type { ServiceStatus } from './platform.ts';

export const operations = [
  'restart',
  'redeploy',
  'rollBack',
  'remove',
  'update',
  'setVariable',
  'createService',
  'addDatabase',
  'cleanUp',
] as const;
export type Operation = (typeof operations)[number];

export type OperateInput = {
  readonly by: string;
  /** The same one again orders nothing twice. */
  readonly requestId: string;
  readonly workspace: string;
  readonly operation: Operation;
  /** Its name; for a variable absent: shared by the environment; for createService the new name. */
  readonly service?: string;
  /** For rollBack, absent: the last healthy one before the newest. For remove, absent: the newest. */
  readonly deployment?: string;
  readonly variable?: string;
  /** A reference, `env:NAME` or `file:/path`, that the worker resolves: a value is never sent. */
  readonly from?: string;
  readonly replicas?: number;
  readonly image?: string;
  readonly repository?: string;
  readonly database?: 'postgres' | 'redis';
  readonly what?: 'staleSessions' | 'orphans';
};
export type OperateResult = { readonly workflowId: string };

export type OperationInput = OperateInput & { readonly tenant: string; readonly queues: QueueNames };

export type PlannedOperation = {
  readonly kind: EffectKind;
  readonly target: string;
  readonly precondition: string;
  readonly input: Json;
  /** For people, one line. */
  readonly describe: string;
  /** What has to be so before it is called done. */
  readonly until:
    | { readonly what: 'written' }
    | { readonly what: 'running'; readonly serviceId: string }
    | { readonly what: 'template' };
};

export type OperationResult = {
  /** `notRunning`: written, and the service did not come up in time. */
  readonly outcome: 'done' | 'notRunning' | 'refused' | 'failed';
  readonly summary: string;
  /** Of the effect; null: there is none. */
  readonly receipt: string | null;
};

export type OperationView = {
  readonly describe: string;
  /** Empty: it works. */
  readonly waitingFor: string;
  /** Hash of what has to be approved. */
  readonly approval: string | null;
};

export type InspectInput = {
  readonly by: string;
  readonly workspace: string;
  readonly what: 'services' | 'logs' | 'variables' | 'diagnosis';
  readonly service?: string;
  /** Of a diagnosis: `status`, `check logs backend`, or free words. */
  readonly question?: string;
  /** Of logs: newest so many, at most 500. */
  readonly lines?: number;
  readonly build?: boolean;
  readonly sinceMs?: number;
};
export type InspectionInput = InspectInput & { readonly tenant: string; readonly queues: QueueNames };

/** No value of a variable, and no line that was not redacted. */
export type Inspected = {
  readonly workspace: string;
  readonly environment: string;
  readonly services?: readonly {
    readonly name: string;
    readonly status: ServiceStatus;
    readonly rawStatus: string;
    readonly deployment: string | null;
    readonly sinceMs: number | null;
    readonly image: string | null;
    readonly watched: boolean;
  }[];
  /** Oldest first. */
  readonly logs?: readonly { readonly atMs: number; readonly severity: string; readonly text: string }[];
  readonly variables?: readonly string[];
  readonly diagnosis?: DiagnosisView & { readonly markdown: string };
};

type Place = { readonly tenant: string; readonly workspace: string };

export type OperationActivities = {
  /** Fails with `Request.Invalid` and the fix for what cannot be ordered. */
  readonly planOperation: (input: OperationInput) => Promise<PlannedOperation>;
  readonly serviceStatus: (
    place: Place & { readonly serviceId: string },
  ) => Promise<{ readonly status: ServiceStatus; readonly rawStatus: string }>;
  readonly templateState: (place: Place & { readonly workflowId: string }) => Promise<{
    readonly state: 'running' | 'complete' | 'failed' | 'unknown';
    readonly error: string | null;
  }>;
  readonly inspect: (input: InspectionInput) => Promise<Inspected>;
};
