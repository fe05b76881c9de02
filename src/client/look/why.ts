// `why` (LOOP-14): what a tenant or a finding waits for, until when, which guard held what and why, the evidence, the next step, and what is left
// of its limits. It explains records; it decides nothing.
import { isWorkable } from '../../contract/finding.ts';
import { activeFindings, type FindingRow } from '../../store/findings.ts';
import { listAudit, openHolds } from '../../store/history.ts';
import { type RunUsage, usageOfRuns } from '../../store/model/model-usage.ts';
import type { TenantRow } from '../../store/tenants.ts';
import type { Context } from '../context.ts';
import { requireFinding } from '../names.ts';
import { viewFindings } from './findings.ts';
import { readStatus, type SourceStatus, type Status } from './status.ts';
import { type ApprovalView, type EventView, eventView, type FindingView, iso } from './views.ts';

export type HeldEffect = {
  readonly at: string;
  readonly what: string;
  readonly guard: string | null;
  readonly decision: 'held' | 'refused';
  readonly reason: string;
};

export type FindingBudget = {
  readonly triage: { readonly tokensUsed: number; readonly tokensLimit: number };
  /** Drafts and verdicts. */
  readonly fix: { readonly tokensUsed: number; readonly tokensLimit: number };
  /** Of an incident (MODEL-2). */
  readonly operator: { readonly tokensUsed: number; readonly tokensLimit: number };
  readonly costUsd: number;
};

export type FindingWhy = {
  readonly finding: FindingView;
  readonly waitsFor: string;
  readonly until: string | null;
  readonly held: readonly HeldEffect[];
  readonly approvals: readonly ApprovalView[];
  readonly evidence: {
    readonly source: SourceStatus | null;
    readonly run: string | null;
    readonly detail: FindingView['detail'];
  };
  readonly nextStep: string;
  readonly attemptsLeft: number;
  /** The model's tokens for this occurrence; null: it is switched off. */
  readonly budget: FindingBudget | null;
  /** The latest lines of its audit trail, newest first; for a tenant the last 3 of each finding. */
  readonly events: readonly EventView[];
};

export type Why = {
  readonly tenant: string;
  readonly state: Status['state'];
  readonly summary: string;
  readonly nextStep: string;
  readonly nextCycleAt: string | null;
  readonly findings: readonly FindingWhy[];
  readonly paused: Status['paused'];
  readonly pauses: Status['pauses'];
  readonly breaker: Status['breaker'];
  readonly cooldowns: Status['cooldowns'];
  readonly limits: Status['limits'];
  readonly budget: Status['budget'];
  readonly approvals: readonly ApprovalView[];
  readonly unreadable: readonly SourceStatus[];
  readonly writing: Status['writing'];
  readonly notes: readonly string[];
};

/** @param wanted a finding; absent: all active ones of the tenant */
export async function readWhy(context: Context, tenant: TenantRow, wanted?: string): Promise<Why> {
  const { pool } = context;
  const [status, rows] = await Promise.all([
    readStatus(context, tenant),
    wanted === undefined
      ? activeFindings(pool, tenant.tenant)
      : requireFinding(pool, tenant.tenant, wanted).then((row): readonly FindingRow[] => [row]),
  ]);
  const fingerprints = rows.map(({ fingerprint }) => fingerprint);
  const [views, holds, usage, events] = await Promise.all([
    viewFindings(context, pool, tenant, rows),
    openHolds(pool, tenant.tenant, fingerprints),
    usageOfRuns(pool, tenant.tenant, fingerprints),
    Promise.all(
      fingerprints.map((fingerprint) =>
        listAudit(pool, { tenant: tenant.tenant, fingerprint, limit: wanted === undefined ? 3 : 20 }),
      ),
    ),
  ]);
  const findings = views.map((finding, index): FindingWhy => {
    const firstSeenMs = rows[index]?.firstSeenMs ?? 0;
    const held = holds
      .filter((hold) => hold.fingerprint === finding.fingerprint && hold.atMs >= firstSeenMs)
      .map(
        (hold): HeldEffect => ({
          at: iso(hold.atMs),
          what: hold.subject,
          guard: typeof hold.detail?.guard === 'string' ? hold.detail.guard : null,
          decision: hold.action === 'effect.held' ? 'held' : 'refused',
          reason: hold.reason,
        }),
      );
    const approvals = approvalsOf(finding, status.approvals);
    return {
      finding,
      waitsFor: waitsFor(finding),
      until: finding.waitingUntil,
      held,
      approvals,
      evidence: { source: sourceOf(finding, status), run: finding.links.run, detail: finding.detail },
      nextStep: nextStepOf(finding, status, approvals),
      attemptsLeft: Math.max(0, finding.attempts.limit - finding.attempts.used),
      budget: budgetOf(tenant, usage, rows[index]),
      events: (events[index] ?? []).map(eventView),
    };
  });
  return {
    tenant: status.tenant,
    state: status.state,
    summary: status.summary,
    nextStep: tenantStep(status, findings),
    nextCycleAt: status.nextCycleAt,
    findings,
    paused: status.paused,
    pauses: status.pauses,
    breaker: status.breaker,
    cooldowns: status.cooldowns,
    limits: status.limits,
    budget: status.budget,
    approvals: status.approvals,
    unreadable: status.sources.filter(({ state }) => state === 'unknown'),
    writing: status.writing,
    notes: status.notes,
  };
}

function budgetOf(
  tenant: TenantRow,
  usage: readonly RunUsage[],
  row: Pick<FindingRow, 'fingerprint' | 'occurrence'> | undefined,
): FindingBudget | null {
  const { enabled, budgets } = tenant.config.model;
  if (!enabled) return null;
  const own = usage.filter(
    (one) => one.fingerprint === row?.fingerprint && one.occurrence === row.occurrence,
  );
  const used = (group: RunUsage['budget']): number => own.find(({ budget }) => budget === group)?.tokens ?? 0;
  return {
    triage: { tokensUsed: used('triage'), tokensLimit: budgets.triageTokens },
    fix: { tokensUsed: used('fix'), tokensLimit: budgets.fixTokens },
    operator: { tokensUsed: used('operator'), tokensLimit: budgets.operatorTokens },
    costUsd: own.reduce((sum, { microUsd }) => sum + microUsd, 0) / 1_000_000,
  };
}

function approvalsOf(finding: FindingView, open: readonly ApprovalView[]): readonly ApprovalView[] {
  return open.filter((approval) => approval.fingerprint === finding.fingerprint);
}

function sourceOf(finding: FindingView, status: Status): SourceStatus | null {
  const ofSource = status.sources.filter(
    (read) => read.workspace === finding.workspace && read.source === finding.source,
  );
  return ofSource.find(({ target }) => target !== null && target === finding.target) ?? ofSource[0] ?? null;
}

function waitsFor(finding: FindingView): string {
  if (finding.waitingFor !== null) return finding.waitingFor;
  switch (finding.status) {
    case 'open':
      return 'the next cycle, which starts a remedy';
    case 'working':
      return 'its remedy, which is at work';
    case 'waiting':
      return 'its remedy, which waits';
    case 'watched':
      return 'nothing: it is watched on purpose';
    case 'escalated':
      return 'a person';
    case 'resolved':
      return 'nothing: it is resolved';
  }
}

/** What happens next, and what a person can do about it. */
export function nextStepOf(
  finding: Pick<
    FindingView,
    'status' | 'workspace' | 'fingerprint' | 'waitingUntil' | 'workflowId' | 'issue' | 'tenant'
  >,
  status: Pick<Status, 'tenant' | 'paused' | 'pauses' | 'breaker' | 'nextCycleAt'>,
  approvals: readonly Pick<ApprovalView, 'state' | 'howToApprove' | 'cliSuffices'>[],
): string {
  const short = finding.fingerprint.slice(0, 12);
  if (finding.status === 'resolved') return 'none';
  if (finding.status === 'watched')
    return `none; "untilgreen remediate ${status.tenant} ${short}" works on it all the same`;
  if (finding.status === 'escalated') {
    const issue = finding.issue === null ? '' : ` (issue #${finding.issue})`;
    return `a person looks at it${issue}; "untilgreen remediate ${status.tenant} ${short}" lets the loop try again`;
  }
  const pause = status.pauses.find(
    ({ scope, value }) =>
      scope === 'everything' || scope === 'tenant' || (scope === 'workspace' && value === finding.workspace),
  );
  if (pause) {
    const how =
      pause.scope === 'everything' ? 'untilgreen resume --everything' : resumeCommand(status.tenant, pause);
    return `${pause.until === null ? '' : `goes on at ${pause.until}, or `}resume it: "${how}"`;
  }
  if (status.breaker.state === 'open')
    return `the circuit breaker lets one effect through at ${status.breaker.probeAt ?? 'its probe time'}`;
  const asked = approvals.find(({ state, cliSuffices }) => state === 'asked' || !cliSuffices);
  if (asked) return `approve it: ${asked.howToApprove}`;
  if (finding.waitingUntil !== null) return `looks again at ${finding.waitingUntil}`;
  if (finding.status === 'open')
    return status.nextCycleAt === null
      ? 'the next cycle starts a remedy'
      : `the next cycle, at ${status.nextCycleAt}, starts a remedy`;
  return `the remedy ${remedyOf(finding)} goes on by itself`;
}

function resumeCommand(
  tenant: string,
  pause: { readonly scope: string; readonly value: string | null },
): string {
  return pause.scope === 'workspace'
    ? `untilgreen resume ${tenant} --workspace ${pause.value}`
    : `untilgreen resume ${tenant}`;
}

function remedyOf(finding: Pick<FindingView, 'workflowId'>): string {
  return finding.workflowId ?? 'of this finding';
}

function tenantStep(status: Status, findings: readonly FindingWhy[]): string {
  switch (status.state) {
    case 'disabled':
      return 'set "enabled: true" in its file and apply it';
    case 'drained':
      return `"untilgreen start ${status.tenant}" starts its loop again`;
    case 'failed':
      return status.nextCycleAt === null
        ? 'the next cycle tries again'
        : `the next cycle tries again at ${status.nextCycleAt}`;
    case 'unknown':
      return status.lastCycle === null
        ? 'the first cycle reads all sources'
        : 'sources that could not be read are read again';
    case 'green':
      return status.nextCycleAt === null ? 'none' : `reads again at ${status.nextCycleAt}`;
    case 'red':
    case 'waiting':
      return (
        (findings.find(({ finding }) => isWorkable(finding)) ?? findings[0])?.nextStep ??
        'the next cycle looks again'
      );
  }
}
