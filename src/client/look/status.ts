// How a tenant is, in one answer: from Postgres, which has the truth, and the time of the next cycle from the loop when it answers. Without
// Temporal everything else still comes (and says so); without Postgres there is no answer.
import { WorkflowNotFoundError } from '@temporalio/common';
import type { TenantView } from '../../contract/loop.ts';
import { queries, tenantWorkflowId } from '../../contract/names.ts';
import { tenantStateOf } from '../../policy/loop/tenant-state.ts';
import { nextUtcMidnight, utcDay } from '../../policy/model/model-budget.ts';
import { openApprovals } from '../../store/approvals.ts';
import { listCycles } from '../../store/cycles.ts';
import { type DayUsage, usageOfDay } from '../../store/model/model-usage.ts';
import { listPauses } from '../../store/pauses.ts';
import { type LastRead, lastReads, liveWrites, readLimits } from '../../store/status.ts';
import type { TenantRow } from '../../store/tenants.ts';
import { asTemporalError, type Context } from '../context.ts';
import { UnreachableError } from '../errors.ts';
import { readFindings, workflowLink } from './findings.ts';
import {
  type ApprovalView,
  approvalView,
  type CycleView,
  cycleView,
  type FindingView,
  iso,
  isoOrNull,
  type PauseView,
  pauseView,
  type TenantStateName,
} from './views.ts';

const queryDeadlineMs = 2_500;
const capWindowMs = 5 * 60_000;

export type LoopState = 'running' | 'notRunning' | 'notAnswering' | 'unreachable';

export type LimitsView = {
  readonly mutatingPer5Min: {
    readonly limit: number;
    readonly used: number;
    readonly left: number;
    readonly reservedForIncidents: number;
    /** When the oldest effect in the window leaves it. */
    readonly nextFreeAt: string | null;
  };
  readonly attempts: number;
  readonly plannerSteps: number;
};

export type BreakerStatus = {
  readonly state: 'closed' | 'open' | 'halfOpen';
  readonly failures: number;
  readonly openAfter: number;
  readonly since: string | null;
  readonly probeAt: string | null;
  readonly reason: string | null;
};

/** The model's tokens of the UTC day, input and output (MODEL-3). */
export type BudgetView = {
  readonly tokensUsed: number;
  /** Reserved by calls under way. */
  readonly tokensHeld: number;
  readonly tokensLimit: number;
  readonly costUsd: number;
  readonly resetsAt: string;
};

export type SourceStatus = {
  readonly workspace: string;
  readonly source: string;
  readonly target: string | null;
  readonly state: LastRead['state'];
  readonly reason: string;
  readonly readAt: string;
};

export type Status = {
  readonly tenant: string;
  readonly state: TenantStateName;
  /** Number of the latest cycle; 0 before the first. */
  readonly cycle: number;
  readonly summary: string;
  /** What is not resolved. */
  readonly findings: readonly FindingView[];
  readonly cooldowns: readonly { readonly kind: string; readonly target: string; readonly until: string }[];
  readonly breaker: BreakerStatus;
  /** The whole tenant; pauses of a workspace or a kind of effect are in `pauses` only. */
  readonly paused: boolean;
  readonly pauses: readonly PauseView[];
  readonly nextCycleAt: string | null;
  readonly loop: LoopState;
  /** What the loop does now; null when it does not answer. */
  readonly phase: TenantView['phase'] | null;
  readonly lastCycle: Omit<CycleView, 'observations' | 'findings' | 'decisions'> | null;
  readonly sources: readonly SourceStatus[];
  readonly approvals: readonly ApprovalView[];
  /** Effects between claim and receipt. */
  readonly writing: readonly {
    readonly key: string;
    readonly what: string;
    readonly state: string;
    readonly attempts: number;
  }[];
  readonly limits: LimitsView;
  /** Null: the model is switched off. */
  readonly budget: BudgetView | null;
  readonly version: number;
  readonly autonomy: string;
  readonly links: { readonly workflow: string | null };
  /** What is missing from this answer, in words. */
  readonly notes: readonly string[];
};

export async function readStatus(context: Context, tenant: TenantRow): Promise<Status> {
  const { pool } = context;
  const nowMs = context.clock();
  const name = tenant.tenant;
  const asked = askLoop(context, name);
  const [limits, cycles, findings, reads, pauses, approvals, writing, usage] = await Promise.all([
    readLimits(pool, name, nowMs),
    listCycles(pool, name, 5),
    readFindings(context, tenant, 0),
    lastReads(pool, name),
    listPauses(pool, name, nowMs),
    openApprovals(pool, name),
    liveWrites(pool, name),
    usageOfDay(pool, name, utcDay(nowMs)),
  ]);
  const loop = await asked;
  const last = cycles.find((cycle) => cycle.state !== 'running') ?? null;
  const sources = reads.filter((read) => tenant.config.workspaces.some((w) => w.name === read.workspace));
  const state = tenantStateOf({
    enabled: tenant.enabled,
    drained: tenant.drained,
    lastCycle: last,
    findings,
    reads: sources,
  });
  return {
    tenant: name,
    state,
    cycle: limits?.cycle ?? 0,
    summary: last?.summary ?? 'no cycle yet',
    findings: findings.filter(({ status }) => status !== 'resolved'),
    cooldowns: (limits?.cooldowns ?? []).map(({ kind, target, untilMs }) => ({
      kind,
      target,
      until: iso(untilMs),
    })),
    breaker: breakerStatus(tenant, limits?.breaker),
    paused: pauses.some(({ scope }) => scope === 'everything' || scope === 'tenant'),
    pauses: pauses.map(pauseView),
    nextCycleAt: loop.state === 'running' ? isoOrNull(loop.view?.nextCycleAtMs) : null,
    loop: loop.state,
    phase: loop.view?.phase ?? null,
    lastCycle: last === null ? null : withoutLists(cycleView(last)),
    sources: sources.map(({ workspace, source, target, state: read, reason, readAtMs }) => ({
      workspace,
      source,
      target: target ?? null,
      state: read,
      reason,
      readAt: iso(readAtMs),
    })),
    approvals: approvals.map((approval) => approvalView(approval, tenant)),
    writing: writing.map(({ key, describe, state: claim, attempts }) => ({
      key,
      what: describe,
      state: claim,
      attempts,
    })),
    limits: limitsView(tenant, limits?.mutatingMs ?? []),
    budget: budgetView(tenant, usage, nowMs),
    version: tenant.version,
    autonomy: tenant.config.autonomy.default,
    links: { workflow: workflowLink(context, tenantWorkflowId(name)) },
    notes: [
      ...(tenant.settingsProblem === undefined ? [] : [tenant.settingsProblem]),
      ...notesOf(tenant, loop),
    ],
  };
}

function withoutLists(view: CycleView): Status['lastCycle'] {
  const { observations: _o, findings: _f, decisions: _d, ...rest } = view;
  return rest;
}

function breakerStatus(
  tenant: TenantRow,
  row:
    | {
        state: 'closed' | 'open' | 'halfOpen';
        failures: number;
        sinceMs: number | null;
        reason: string | null;
      }
    | undefined,
): BreakerStatus {
  const { failures: openAfter, probeAfterMs } = tenant.config.limits.breaker;
  const breaker = row ?? { state: 'closed', failures: 0, sinceMs: null, reason: null };
  return {
    state: breaker.state,
    failures: breaker.failures,
    openAfter,
    since: isoOrNull(breaker.sinceMs),
    probeAt:
      breaker.state === 'open' && breaker.sinceMs !== null ? iso(breaker.sinceMs + probeAfterMs) : null,
    reason: breaker.reason,
  };
}

function limitsView(tenant: TenantRow, mutatingMs: readonly number[]): LimitsView {
  const { mutatingPer5Min: limit, reservedForIncidents, attempts, plannerSteps } = tenant.config.limits;
  const [oldest] = mutatingMs;
  return {
    mutatingPer5Min: {
      limit,
      used: mutatingMs.length,
      left: Math.max(0, limit - reservedForIncidents - mutatingMs.length),
      reservedForIncidents,
      nextFreeAt: oldest === undefined ? null : iso(oldest + capWindowMs),
    },
    attempts,
    plannerSteps,
  };
}

function budgetView(tenant: TenantRow, usage: DayUsage, nowMs: number): BudgetView | null {
  const { enabled, budgets } = tenant.config.model;
  if (!enabled) return null;
  return {
    tokensUsed: usage.tokens,
    tokensHeld: usage.held,
    tokensLimit: budgets.tokensPerDay,
    costUsd: usage.microUsd / 1_000_000,
    resetsAt: iso(nextUtcMidnight(nowMs)),
  };
}

type LoopAnswer = { readonly state: LoopState; readonly view?: TenantView; readonly reason?: string };

/** Bounded: without a worker a query is never answered. */
async function askLoop(context: Context, tenant: string): Promise<LoopAnswer> {
  try {
    const client = await context.temporal();
    const handle = client.workflow.getHandle(tenantWorkflowId(tenant));
    const bounded = <T>(call: () => Promise<T>): Promise<T> =>
      client.connection.withDeadline(Date.now() + queryDeadlineMs, call);
    const { status } = await bounded(() => handle.describe());
    if (status.name !== 'RUNNING') return { state: 'notRunning' };
    try {
      return { state: 'running', view: await bounded(() => handle.query<TenantView>(queries.state)) };
    } catch (error) {
      return { state: 'notAnswering', reason: error instanceof Error ? error.message : String(error) };
    }
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { state: 'notRunning' };
    const known = asTemporalError(context.endpoints, error);
    if (known instanceof UnreachableError) return { state: 'unreachable', reason: known.message };
    throw error;
  }
}

function notesOf(tenant: TenantRow, loop: LoopAnswer): readonly string[] {
  switch (loop.state) {
    case 'running':
      return [];
    case 'unreachable':
      return [
        `${loop.reason ?? 'Temporal is not reachable'}. All but the time of the next cycle is from Postgres`,
      ];
    case 'notAnswering':
      return [
        'the loop does not answer, so the time of its next cycle is not known: does a worker run ("untilgreen worker", or "untilgreen up")?',
      ];
    case 'notRunning':
      return tenant.enabled && !tenant.drained
        ? [
            `no loop runs for this tenant: "untilgreen start ${tenant.tenant}" starts one, and so does a worker that starts`,
          ]
        : [];
  }
}
