// Every name that crosses a process boundary: workflows, queues, ids, messages, search attributes, failures.
// They live here and nowhere else; test/unit/contract.test.ts pins the strings, because open histories hold them.

export const taskQueues = {
  /** Tenant loops and remedies. */
  workflows: 'untilgreen-workflows',
  /** Reads, effects and records: waits on the network. */
  io: 'untilgreen-io',
  /** Worktrees, sandboxes, fixers: uses processor and disk. */
  workspace: 'untilgreen-workspace',
} as const;

/** The queues of one installation; tests and second installations give their own prefix. */
export type QueueNames = { readonly workflows: string; readonly io: string; readonly workspace: string };

export function queueNames(prefix?: string): QueueNames {
  if (prefix === undefined) return taskQueues;
  return { workflows: `${prefix}-workflows`, io: `${prefix}-io`, workspace: `${prefix}-workspace` };
}

export const workflowTypes = {
  tenant: 'tenantLoop',
  incident: 'incidentRemedy',
  /** A service that is down is worked on as an incident is. */
  deployment: 'incidentRemedy',
  ci: 'ciRemedy',
  drift: 'driftRemedy',
  migration: 'migrationRemedy',
  mention: 'mentionRemedy',
  notice: 'noticeRemedy',
  operation: 'operation',
  inspection: 'inspection',
  aftercare: 'aftercare',
} as const;

export const signals = {
  wake: 'wake',
  remedyReport: 'remedyReport',
  nudge: 'nudge',
} as const;

export const updates = {
  pause: 'pause',
  resume: 'resume',
  drain: 'drain',
  cycleNow: 'cycleNow',
  remediate: 'remediate',
  decide: 'decide',
  aboutRun: 'aboutRun',
  acknowledge: 'acknowledge',
  operate: 'operate',
  inspect: 'inspect',
} as const;

export const queries = { state: 'state' } as const;

export const searchAttributes = {
  tenant: 'untilgreenTenant',
  kind: 'untilgreenKind',
  severity: 'untilgreenSeverity',
  status: 'untilgreenStatus',
  repository: 'untilgreenRepository',
} as const;

export const failures = {
  /** Another attempt holds a live lease on the same effect; retried at its end. */
  effectBusy: 'Effect.Busy',
  /** A write may or may not have landed; the next attempt probes. */
  effectInDoubt: 'Effect.InDoubt',
  /** The lease ended, or a pause came, between the claim and the write. */
  effectFenced: 'Effect.Fenced',
  /** One request id with two different contents: a bug, never retried. */
  effectDigestChanged: 'Effect.DigestChanged',
  /** The input does not fit the effect's schema: never retried. */
  effectInputInvalid: 'Effect.InputInvalid',
  tenantUnknown: 'Tenant.Unknown',
  tenantDisabled: 'Tenant.Disabled',
  draining: 'Tenant.Draining',
  requestInvalid: 'Request.Invalid',
  storeUnavailable: 'Store.Unavailable',
  /** The provider is overloaded or away, or somebody asks the same: asked again. */
  modelBusy: 'Model.Busy',
  /** Calls under way hold what is left of a budget: asked again when they are over. */
  modelBudgetBusy: 'Model.BudgetBusy',
} as const;

/** `tenant/<tenant>` (LOOP-1). */
export function tenantWorkflowId(tenant: string): string {
  return `tenant/${tenant}`;
}

/** One workflow per occurrence of a finding: `remedy/<tenant>/<kind>/<first 16 hex of the fingerprint>/<occurrence>`. */
export function remedyWorkflowId(remedy: {
  readonly tenant: string;
  readonly kind: string;
  readonly fingerprint: string;
  readonly occurrence: number;
}): string {
  return `remedy/${remedy.tenant}/${remedy.kind}/${remedy.fingerprint.slice(0, 16)}/${remedy.occurrence}`;
}

/** What comes after its last remedy (CI-10): `aftercare/<tenant>/<kind>/<first 16 hex of the fingerprint>/<occurrence>`. */
export function aftercareWorkflowId(finding: Parameters<typeof remedyWorkflowId>[0]): string {
  return remedyWorkflowId(finding).replace(/^remedy/, 'aftercare');
}

/** The name under which an effect is an activity, so that the Temporal UI reads like a log. */
export function effectActivity(kind: string): string {
  return `effect.${kind}`;
}

/** What a person ordered of production: `operation/<tenant>/<request id>`. */
export function operationWorkflowId(tenant: string, requestId: string): string {
  return `operation/${tenant}/${requestId}`;
}
