// The shapes that programs get from the client and from `--json` (docs/cli.md): plain data, times as ISO 8601 in UTC, null for nothing. A new
// field is an addition; none changes its meaning.
import type { SoakState } from '../../contract/aftercare.ts';
import type { Json } from '../../contract/effect.ts';
import type { Finding, FindingDetail } from '../../contract/finding.ts';
import { remedyWorkflowId } from '../../contract/names.ts';
import type { CiClass } from '../../contract/triage.ts';
import { checksOf, spanOf } from '../../policy/aftercare.ts';
import { channelSuffices } from '../../policy/guard.ts';
import type { TenantStateName } from '../../policy/loop/tenant-state.ts';
import { soakOf } from '../../store/aftercare.ts';
import type { Approval } from '../../store/approvals.ts';
import type { AuditRecord } from '../../store/audit.ts';
import type { CycleRow } from '../../store/cycles.ts';
import type { FindingRow } from '../../store/findings.ts';
import type { EffectRow, FindingFacts } from '../../store/history.ts';
import type { Pause } from '../../store/pauses.ts';
import type { TenantRow } from '../../store/tenants.ts';

export type PullRequestView = { readonly number: number; readonly url: string | null };

/** The checks of a fix after it was green (CI-10): `passed` like `10m`, `1h`. */
export type SoakView = {
  readonly state: SoakState['state'];
  readonly passed: readonly string[];
  readonly nextCheckAt: string | null;
};

export type FindingView = {
  readonly tenant: string;
  readonly workspace: string;
  readonly fingerprint: string;
  readonly occurrence: number;
  readonly kind: Finding['kind'];
  readonly source: string;
  readonly target: string;
  readonly severity: Finding['severity'];
  readonly title: string;
  readonly status: Finding['status'];
  readonly waitingFor: string | null;
  readonly waitingUntil: string | null;
  readonly attempts: { readonly used: number; readonly limit: number };
  readonly firstSeenAt: string;
  readonly lastSeenAt: string;
  readonly resolvedAt: string | null;
  readonly pullRequest: PullRequestView | null;
  readonly issue: number | null;
  /** Of a failing job: flake, regression, env, config, infra, unknown; null until it was looked at. */
  readonly class: CiClass | null;
  /** How often the job failed again within 48 h of a fix (CI-10). */
  readonly repeatFailures: number;
  readonly soak: SoakView | null;
  readonly lastAction: {
    readonly what: string;
    readonly outcome: string | null;
    readonly at: string;
    readonly effect: string;
  } | null;
  /** The remedy, when there was one. */
  readonly workflowId: string | null;
  readonly links: { readonly run: string | null; readonly workflow: string | null };
  readonly detail: FindingDetail;
};

export type PauseView = {
  readonly id: number;
  readonly scope: Pause['scope'];
  readonly value: string | null;
  readonly reason: string;
  readonly by: string;
  readonly until: string | null;
};

export type ApprovalView = {
  readonly tenant: string;
  readonly hash: string;
  readonly workspace: string;
  readonly what: string;
  readonly kind: string;
  readonly target: string;
  readonly risk: string;
  readonly boundTo: string;
  readonly state: Approval['state'];
  readonly fingerprint: string | null;
  readonly askedAt: string;
  readonly expiresAt: string;
  readonly decidedBy: string | null;
  readonly channel: string | null;
  /** Whether `untilgreen approve` is enough here, or a verified channel is needed (LOOP-13). */
  readonly cliSuffices: boolean;
  readonly howToApprove: string;
};

export type EffectView = {
  readonly key: string;
  readonly workspace: string;
  readonly kind: string;
  readonly target: string;
  readonly what: string;
  readonly risk: string;
  readonly delivery: string;
  readonly boundTo: string;
  readonly requester: string;
  readonly actor: string;
  readonly fingerprint: string | null;
  readonly state: EffectRow['state'];
  readonly attempts: number;
  readonly outcome: string | null;
  readonly reason: string | null;
  readonly receipt: { readonly [key: string]: Json } | null;
  readonly approval: string | null;
  readonly plannedAt: string;
  readonly settledAt: string | null;
};

export type CycleView = {
  readonly cycle: number;
  readonly trigger: string;
  readonly state: CycleRow['state'];
  readonly outcome: string | null;
  readonly summary: string | null;
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly durationMs: number | null;
  readonly tokens: number;
  readonly costUsd: number;
  readonly observations: readonly Json[];
  readonly findings: readonly Json[];
  readonly decisions: readonly Json[];
};

export type EventView = {
  readonly id: number;
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly workspace: string | null;
  readonly fingerprint: string | null;
  readonly subject: string;
  readonly reason: string;
  readonly detail: { readonly [key: string]: Json };
};

export type TenantSummary = {
  readonly tenant: string;
  readonly version: number;
  readonly enabled: boolean;
  readonly drained: boolean;
  readonly autonomy: string;
  readonly workspaces: readonly string[];
};

export type { TenantStateName };

export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

export function isoOrNull(ms: number | null | undefined): string | null {
  return ms === null || ms === undefined ? null : iso(ms);
}

export function findingView(
  finding: FindingRow,
  facts: FindingFacts | undefined,
  about: {
    readonly attemptsLimit: number;
    readonly soakAfterMs: readonly number[];
    readonly workflowLink: (id: string) => string | null;
  },
): FindingView {
  const memory = facts?.memory ?? {};
  const id = remedyWorkflowId(finding);
  const workflowId = finding.remedies > 0 ? id : null;
  return {
    tenant: finding.tenant,
    workspace: finding.workspace,
    fingerprint: finding.fingerprint,
    occurrence: finding.occurrence,
    kind: finding.kind,
    source: finding.source,
    target: finding.target,
    severity: finding.severity,
    title: finding.title,
    status: finding.status,
    waitingFor: finding.waitingFor ?? null,
    waitingUntil: isoOrNull(finding.waitingUntilMs),
    attempts: { used: finding.attempts, limit: about.attemptsLimit },
    firstSeenAt: iso(finding.firstSeenMs),
    lastSeenAt: iso(finding.lastSeenMs),
    resolvedAt: isoOrNull(finding.resolvedMs),
    pullRequest: pullRequestOf(memory.pullRequest, facts?.pullRequest ?? null),
    issue: typeof memory.issue === 'number' ? memory.issue : null,
    class: facts?.class ?? null,
    repeatFailures: typeof memory.repeats === 'number' ? memory.repeats : 0,
    soak: soakView(soakOf(memory), finding.resolvedMs, about.soakAfterMs),
    lastAction: facts?.lastAction
      ? {
          what: facts.lastAction.describe,
          outcome: facts.lastAction.outcome,
          at: iso(facts.lastAction.atMs),
          effect: facts.lastAction.key,
        }
      : null,
    workflowId,
    links: {
      run: finding.detail.kind === 'ci' ? finding.detail.url : null,
      workflow: workflowId === null ? null : about.workflowLink(workflowId),
    },
    detail: finding.detail,
  };
}

function soakView(
  soak: SoakState | null,
  resolvedMs: number | null,
  afterMs: readonly number[],
): SoakView | null {
  if (soak === null) return null;
  const next =
    soak.state === 'running' && resolvedMs !== null
      ? checksOf(afterMs, soak.passedMs, resolvedMs, resolvedMs).nextAtMs
      : null;
  return { state: soak.state, passed: soak.passedMs.map(spanOf), nextCheckAt: isoOrNull(next) };
}

function pullRequestOf(
  remembered: Json | undefined,
  receipt: { readonly [key: string]: Json } | null,
): PullRequestView | null {
  const number = typeof remembered === 'number' ? remembered : receipt?.number;
  if (typeof number !== 'number') return null;
  const url = receipt?.number === number ? (receipt.url ?? receipt.htmlUrl) : undefined;
  return { number, url: typeof url === 'string' ? url : null };
}

export function pauseView(pause: Pause): PauseView {
  const { id, scope, scopeValue, reason, by, untilMs } = pause;
  return { id, scope, value: scopeValue, reason, by, until: isoOrNull(untilMs) };
}

export function approvalView(approval: Approval, tenant: TenantRow): ApprovalView {
  const { channels } = tenant.config.approvals;
  const cliSuffices = channelSuffices('cli', approval.risk, { approvalChannels: channels });
  const comment = `comment "/approve ${approval.hash}" on its issue or pull request`;
  return {
    tenant: approval.tenant,
    hash: approval.hash,
    workspace: approval.workspace,
    what: approval.describe,
    kind: approval.kind,
    target: approval.target,
    risk: approval.risk,
    boundTo: approval.precondition,
    state: approval.state,
    fingerprint: approval.fingerprint,
    askedAt: iso(approval.askedMs),
    expiresAt: iso(approval.expiresMs),
    decidedBy: approval.decidedBy,
    channel: approval.channel,
    cliSuffices,
    howToApprove: cliSuffices
      ? `untilgreen approve ${approval.hash}, or ${comment}`
      : `${comment} (the command line is not a verified channel, and this needs one)`,
  };
}

export function effectView(effect: EffectRow): EffectView {
  const { describe, precondition, result, approvalHash, createdMs, settledMs, ...rest } = effect;
  return {
    ...rest,
    what: describe,
    boundTo: precondition,
    receipt: result,
    approval: approvalHash,
    plannedAt: iso(createdMs),
    settledAt: isoOrNull(settledMs),
  };
}

export function cycleView(row: CycleRow): CycleView {
  const { startedMs, finishedMs, runId: _runId, ...rest } = row;
  return {
    ...rest,
    startedAt: iso(startedMs),
    finishedAt: isoOrNull(finishedMs),
    durationMs: finishedMs === null ? null : Math.max(0, finishedMs - startedMs),
  };
}

export function eventView(line: AuditRecord): EventView {
  return {
    id: line.id,
    at: iso(line.atMs),
    actor: line.actor,
    action: line.action,
    workspace: line.workspace ?? null,
    fingerprint: line.fingerprint ?? null,
    subject: line.subject,
    reason: line.reason,
    detail: line.detail ?? {},
  };
}

export function tenantSummary(row: TenantRow): TenantSummary {
  return {
    tenant: row.tenant,
    version: row.version,
    enabled: row.enabled,
    drained: row.drained,
    autonomy: row.config.autonomy.default,
    workspaces: row.config.workspaces.map(({ name }) => name),
  };
}
