// What a person orders of a loop: a cycle now, a remedy now (LOOP-11), a decision on an approval (LOOP-13). A decision also works without a
// loop: it is written to Postgres by the same code, and the remedy that waits for it is nudged.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  isGrpcServiceError,
  ServiceError,
  WorkflowFailedError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import type {
  CycleNowResult,
  DecideResult,
  RemediateResult,
  RemedyOutcome,
  RemedyResult,
} from '../../contract/loop.ts';
import { signals, tenantWorkflowId, updates } from '../../contract/names.ts';
import { type Approval, decideApproval } from '../../store/approvals.ts';
import { listCycles } from '../../store/cycles.ts';
import { findApproval, readCycle, tenantsOfApproval } from '../../store/history.ts';
import type { TenantRow } from '../../store/tenants.ts';
import { asTemporalError, type Context, rootMessage, tell } from '../context.ts';
import { NotFoundError, OrderRefused, UnreachableError, UsageError } from '../errors.ts';
import { viewFindings, workflowLink } from '../look/findings.ts';
import { approvalView, type CycleView, cycleView, type FindingView } from '../look/views.ts';
import { clip, requireFinding, requireTenant } from '../names.ts';
import { startAndWake } from './loops.ts';

const updateDeadlineMs = 20_000;
const decideDeadlineMs = 8_000;
const pollMs = 500;
const rolling = /rolling over/;

export type Waiting = {
  /** Stops the waiting, not the work. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (line: string) => void;
};

/** Asks for a cycle over all sources and waits for its record. A loop that does not run is started by this. */
export async function cycleNow(
  context: Context,
  name: string | undefined,
  by: string,
  waiting: Waiting & { readonly timeoutMs?: number } = {},
): Promise<{ readonly tenant: string; readonly cycle: CycleView }> {
  const row = await requireRunnable(context, name);
  const { tenant } = row;
  const before = (await listCycles(context.pool, tenant, 1))[0]?.cycle ?? 0;
  const asked = await orderCycle(context, tenant, by);
  const wanted = asked ?? before + 1;
  waiting.onProgress?.(`cycle ${wanted} of ${tenant} is asked for`);
  const deadlineMs = Date.now() + (waiting.timeoutMs ?? 10 * 60_000);
  for (;;) {
    const cycle = await readCycle(context.pool, tenant, wanted);
    if (cycle && cycle.state !== 'running') return { tenant, cycle: cycleView(cycle) };
    if (Date.now() > deadlineMs)
      throw new OrderRefused(
        `cycle ${wanted} of ${tenant} has no record yet: is a worker running? See "untilgreen status ${tenant}"`,
      );
    await delay(pollMs, undefined, waiting.signal ? { signal: waiting.signal } : {});
  }
}

/** The number of the cycle, or undefined when the loop had to be started: its first one reads all. */
async function orderCycle(context: Context, tenant: string, by: string): Promise<number | undefined> {
  try {
    return (await update<CycleNowResult>(context, tenant, updates.cycleNow, { by }, updateDeadlineMs)).cycle;
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    await startLoop(context, tenant, `asked by ${by}`);
    return undefined;
  }
}

export type Remediated = {
  readonly tenant: string;
  readonly fingerprint: string;
  readonly workflowId: string;
  readonly link: string | null;
  /** `waiting`: not ended, it waits for a person; see `finding.waitingFor`. */
  readonly outcome: RemedyOutcome | 'waiting';
  readonly summary: string;
  readonly finding: FindingView;
};

/**
 * Orders a remedy for a finding now, through the same guards, and waits for its end, or until it waits for a person.
 * @param wanted beginning of a fingerprint, or the id of a workflow run
 */
export async function remediate(
  context: Context,
  name: string | undefined,
  wanted: string,
  by: string,
  waiting: Waiting & {
    /** Default true; false: waits through approvals too. */
    readonly stopWhenWaiting?: boolean;
    /** The same one again orders nothing twice. */
    readonly requestId?: string;
  } = {},
): Promise<Remediated> {
  const row = await requireRunnable(context, name);
  const { tenant } = row;
  const { fingerprint } = await requireFinding(context.pool, tenant, wanted);
  const requestId = waiting.requestId ?? randomUUID();
  const { workflowId } = await order<RemediateResult>(context, tenant, updates.remediate, {
    by,
    requestId,
    finding: fingerprint,
  });
  waiting.onProgress?.(`${workflowId} works on ${fingerprint.slice(0, 12)}`);
  const client = await context.temporal();
  const base = { tenant, fingerprint, workflowId, link: workflowLink(context, workflowId) };
  const done = new AbortController();
  const ended = client.workflow
    .getHandle(workflowId)
    .result()
    .then((result) => result as RemedyResult)
    .catch((error: unknown) => {
      if (error instanceof WorkflowFailedError)
        throw new OrderRefused(`the remedy ${workflowId} failed: ${rootMessage(error)}`);
      throw asTemporalError(context.endpoints, error);
    })
    .finally(() => done.abort());
  const waitingSeen = watchFinding(context, row, fingerprint, done.signal, waiting);
  const first = await Promise.race([ended, waitingSeen]);
  const finding = await viewOf(context, row, fingerprint);
  if (first === 'waiting') {
    ended.catch(() => {});
    return { ...base, outcome: 'waiting', summary: finding.waitingFor ?? 'waits for a person', finding };
  }
  return { ...base, ...first, finding };
}

/** Reports how the finding moves; ends when it waits for a person, and never when it is not to stop there. */
async function watchFinding(
  context: Context,
  row: TenantRow,
  fingerprint: string,
  ended: AbortSignal,
  waiting: Waiting & { readonly stopWhenWaiting?: boolean },
): Promise<'waiting'> {
  let said = '';
  // The remedy starts after the order: what the finding waited for before is no answer yet.
  let worked = false;
  const startedMs = Date.now();
  while (!ended.aborted) {
    waiting.signal?.throwIfAborted();
    const finding = await viewOf(context, row, fingerprint);
    const now = `${finding.status}${finding.waitingFor === null ? '' : `: ${finding.waitingFor}`}`;
    if (now !== said) waiting.onProgress?.(now);
    said = now;
    worked ||= finding.status === 'working' || Date.now() - startedMs > 5_000;
    const stands = finding.status === 'waiting' || finding.status === 'watched';
    if (worked && stands && waiting.stopWhenWaiting !== false) return 'waiting';
    await delay(pollMs, undefined, { signal: ended }).catch(() => {});
  }
  return new Promise<never>(() => {});
}

async function viewOf(context: Context, row: TenantRow, fingerprint: string): Promise<FindingView> {
  const finding = await requireFinding(context.pool, row.tenant, fingerprint);
  const [view] = await viewFindings(context, context.pool, row, [finding]);
  if (view === undefined) throw new Error(`finding ${fingerprint}: no view`);
  return view;
}

export type Decided = {
  readonly tenant: string;
  readonly hash: string;
  readonly decision: 'approve' | 'reject';
  readonly message: string;
  /** False: recorded, but the effect still needs a verified channel (LOOP-13). */
  readonly sufficient: boolean;
  readonly howToApprove: string | null;
  /** Who wrote it: the loop, or this process because no loop answered. */
  readonly through: 'loop' | 'store';
};

export type DecideOptions = {
  readonly tenant?: string;
  /** The hash or at least 6 digits of its beginning. */
  readonly hash: string;
  readonly decision: 'approve' | 'reject';
  readonly by: string;
  readonly reason?: string;
};

/** @throws NotFoundError for an unknown hash @throws OrderRefused when the approval is over already */
export async function decide(context: Context, options: DecideOptions): Promise<Decided> {
  const hash = options.hash.toLowerCase();
  if (!/^[0-9a-f]{6,64}$/.test(hash))
    throw new UsageError(
      `hash: "${clip(options.hash)}" is none. Fix: give at least 6 of its hex digits, see "untilgreen approvals"`,
    );
  const row = await tenantOfApproval(context, options.tenant, hash);
  const { tenant } = row;
  const request = { by: options.by, hash, decision: options.decision, reason: options.reason ?? '' };
  let through: Decided['through'] = 'loop';
  let message: string;
  let result: string;
  try {
    const order = { ...request, channel: 'cli' as const };
    ({ result, message } = await update<DecideResult>(
      context,
      tenant,
      updates.decide,
      order,
      decideDeadlineMs,
    ));
  } catch {
    through = 'store';
    const decided = await decideApproval(context.pool, {
      ...request,
      tenant,
      channel: 'cli',
      nowMs: context.clock(),
    });
    result = decided.result;
    message = decided.result === 'decided' ? `${options.decision} recorded` : decided.message;
    if (decided.result === 'decided') await nudgeRequester(context, decided.approval.requester);
  }
  const approval = await findApproval(context.pool, tenant, hash);
  // A decision that the loop wrote after its answer was given up is ours all the same.
  const ours =
    approval?.decidedBy === options.by && approval.channel === 'cli' && isState(approval, options.decision);
  if (result !== 'decided' && !ours) throw refusal(result, message, tenant);
  const view = approval && approvalView(approval, row);
  const sufficient = options.decision === 'reject' || view?.cliSuffices !== false;
  return {
    tenant,
    hash: approval?.hash ?? hash,
    decision: options.decision,
    message: sufficient
      ? message
      : `${message}; it is not enough here: ${view?.howToApprove ?? 'a verified channel is needed'}`,
    sufficient,
    howToApprove: sufficient ? null : (view?.howToApprove ?? null),
    through,
  };
}

function isState(approval: Approval, decision: 'approve' | 'reject'): boolean {
  return decision === 'reject'
    ? approval.state === 'rejected'
    : approval.state === 'approved' || approval.state === 'used';
}

function refusal(result: string, message: string, tenant: string): Error {
  if (result === 'over') return new OrderRefused(message);
  return new NotFoundError(`${message}. Run "untilgreen approvals ${tenant}"`);
}

async function tenantOfApproval(
  context: Context,
  named: string | undefined,
  hash: string,
): Promise<TenantRow> {
  if (named !== undefined) return requireTenant(context.pool, named);
  const tenants = await tenantsOfApproval(context.pool, hash);
  const [only] = tenants;
  if (only === undefined)
    throw new NotFoundError(`no approval begins with "${hash}". Run "untilgreen approvals" for what is open`);
  if (tenants.length > 1)
    throw new UsageError(
      `"${hash}" is an approval of ${tenants.join(' and ')}. Fix: name the tenant with --tenant, or give more of the hash`,
    );
  return requireTenant(context.pool, only);
}

/** `requester` is a remedy's workflow id with the number of the remedy after `#`. */
async function nudgeRequester(context: Context, requester: string): Promise<void> {
  const workflowId = requester.split('#')[0] ?? '';
  if (/^(?:remedy|operation)\//.test(workflowId)) await tell(context, workflowId, signals.nudge);
}

async function requireRunnable(context: Context, name: string | undefined): Promise<TenantRow> {
  const row = await requireTenant(context.pool, name);
  if (!row.enabled)
    throw new UsageError(
      `tenant "${row.tenant}" is disabled in its settings. Fix: set "enabled: true" and apply the file`,
    );
  if (row.drained)
    throw new UsageError(
      `tenant "${row.tenant}" is drained. Fix: run "untilgreen start ${row.tenant}" first`,
    );
  return row;
}

/** An update of the tenant's loop, which is started when it does not run. @throws OrderRefused with the loop's own words */
export function order<Result>(
  context: Context,
  tenant: string,
  name: string,
  input: { readonly by: string; readonly [field: string]: unknown },
): Promise<Result> {
  return withLoop(context, tenant, input.by, () =>
    update<Result>(context, tenant, name, input, updateDeadlineMs),
  );
}

async function withLoop<T>(
  context: Context,
  tenant: string,
  by: string,
  order: () => Promise<T>,
): Promise<T> {
  try {
    return await order();
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    await startLoop(context, tenant, `asked by ${by}`);
    return order();
  }
}

/** One that does not run; it reads everything first. */
export async function startLoop(context: Context, tenant: string, reason: string): Promise<void> {
  await startAndWake({ client: await context.temporal(), queues: context.queues }, tenant, reason);
}

/**
 * An update of the tenant loop, asked again while the loop rolls over into its next run.
 * @throws WorkflowNotFoundError when no loop runs @throws UnreachableError when Temporal, or a worker, does not answer
 */
export async function update<Result>(
  context: Context,
  tenant: string,
  name: string,
  input: object,
  deadlineMs: number,
): Promise<Result> {
  const client = await context.temporal();
  const handle = client.workflow.getHandle(tenantWorkflowId(tenant));
  const endMs = Date.now() + deadlineMs;
  for (;;) {
    try {
      return await client.connection.withDeadline(endMs, () =>
        handle.executeUpdate<Result, [object]>(name, { args: [input] }),
      );
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) throw error;
      const message = rootMessage(error);
      if (rolling.test(message) && Date.now() < endMs) await delay(pollMs);
      else if (error instanceof WorkflowUpdateFailedError) throw new OrderRefused(message);
      else throw noAnswer(context, error);
    }
  }
}

function noAnswer(context: Context, error: unknown): unknown {
  const root = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const late = isGrpcServiceError(root) && root.code === 4;
  if (!late && (error instanceof ServiceError || error instanceof UnreachableError))
    return asTemporalError(context.endpoints, error);
  if (!late && !(error instanceof Error && error.name === 'WorkflowUpdateRPCTimeoutOrCancelledError'))
    return error;
  return new UnreachableError(
    'Temporal',
    context.endpoints.temporal?.address ?? '',
    'the loop did not answer in time',
    'see that a worker runs ("untilgreen worker", or "untilgreen up")',
  );
}
