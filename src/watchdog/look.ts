// The watchdog (INC-6): looks from outside at every tenant's loop, and tells people when it stands still. It needs Postgres and the channels; not the
// loop, and not Temporal. Runs in every worker, one at a time, and as `untilgreen watchdog --once` from a cron.
import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import type { Door } from '../activities/effects/door.ts';
import { hasRemedy } from '../contract/finding.ts';
import { remedyWorkflowId, tenantWorkflowId } from '../contract/names.ts';
import {
  judgeLoop,
  type LoopFacts,
  nextCycleDueMs,
  nextWatchStep,
  type WatchState,
  type WatchVerdict,
} from '../policy/ops/watchdog.ts';
import { type Pool, sha256 } from '../store/database.ts';
import { activeFindings } from '../store/findings.ts';
import { asOnlyWatcher, keepTold, lastCycleMs, readTold } from '../store/ops/watchdog.ts';
import { listTenants, type TenantRow } from '../store/tenants.ts';

export type WatchdogParts = {
  readonly pool: Pool;
  readonly door: Door;
  /** Null: Temporal does not answer. */
  readonly client: Client | null;
  readonly nowMs: number;
  readonly signal: AbortSignal;
};

export type Watched = {
  readonly tenant: string;
  readonly state: WatchState;
  readonly reason: string;
  readonly lastCycleMs: number;
  /** What went out about it in this look. */
  readonly told: 'open' | 'update' | 'resolved' | null;
  /** Why nobody could be told; null: nobody had to be, or it went out. */
  readonly problem: string | null;
};

const describeMs = 5_000;
const maxRemedies = 50;

/** Null: another watchdog is looking right now. A tenant that cannot be looked at does not keep the others from it. */
export async function lookAtLoops(parts: WatchdogParts): Promise<readonly Watched[] | null> {
  return asOnlyWatcher(parts.pool, async () => {
    const tenants = (await listTenants(parts.pool)).filter((row) => row.enabled && !row.drained);
    const watched: Watched[] = [];
    for (const row of tenants) watched.push(await lookAt(parts, row));
    return watched;
  });
}

async function lookAt(parts: WatchdogParts, row: TenantRow): Promise<Watched> {
  const { pool, nowMs } = parts;
  const { tenant } = row;
  const facts = await factsOf(parts, row);
  const verdict = judgeLoop(facts, nowMs);
  const { keep, tell } = nextWatchStep(await readTold(pool, tenant), verdict, nowMs);
  const base = { tenant, ...verdict, lastCycleMs: facts.sinceMs };
  if (tell === null) return { ...base, told: null, problem: null };
  try {
    await sendWord(parts, row, verdict, tell);
  } catch (error) {
    // Not kept as told: the next look tries again.
    return { ...base, told: null, problem: error instanceof Error ? error.message : String(error) };
  }
  await keepTold(pool, tenant, keep, nowMs);
  return { ...base, told: tell.way, problem: null };
}

/** The same word has the same key, whoever watches: it goes out once. */
async function sendWord(
  { door, nowMs, signal }: WatchdogParts,
  { tenant, config }: TenantRow,
  { state, reason }: WatchVerdict,
  tell: NonNullable<ReturnType<typeof nextWatchStep>['tell']>,
): Promise<void> {
  const over = tell.way === 'resolved';
  const answer = await door.run(
    {
      tenant,
      workspace: config.workspaces[0]?.name ?? '',
      kind: 'sendAlert',
      target: 'watchdog',
      precondition: `since ${tell.sinceMs}`,
      requester: `watchdog/${tenant}`,
      step: `${state}-${tell.number}`,
      input: {
        severity: over ? 'info' : 'critical',
        title: over ? `The loop of ${tenant} works again` : `The loop of ${tenant} stands still`,
        body: over
          ? 'Its cycles finish again.'
          : `Nothing of ${tenant} is being watched: ${reason}. See "untilgreen status ${tenant}" and the worker's log.`,
        about: `watchdog/${tell.sinceMs}`,
        state: tell.way,
      },
      nowMs,
      actor: 'watchdog',
    },
    signal,
  );
  if (answer.status !== 'receipt') throw new Error(answer.reason);
}

async function factsOf({ pool, client }: WatchdogParts, row: TenantRow): Promise<LoopFacts> {
  const { tenant, config } = row;
  const sinceMs = await lastCycleMs(pool, tenant);
  const phaseMs = Number.parseInt(sha256(tenant).slice(0, 8), 16);
  const dueMs = nextCycleDueMs(config, phaseMs, sinceMs);
  if (client === null) return { sinceMs, dueMs, loop: 'unreachable', taskAttempts: [] };
  try {
    const loop = await describe(client, tenantWorkflowId(tenant));
    const working = (await activeFindings(pool, tenant)).filter(hasRemedy).slice(0, maxRemedies);
    const remedies = await Promise.all(working.map((finding) => describe(client, remedyWorkflowId(finding))));
    return {
      sinceMs,
      dueMs,
      loop: loop.running ? 'running' : 'ended',
      taskAttempts: [loop, ...remedies].filter(({ running }) => running),
    };
  } catch {
    return { sinceMs, dueMs, loop: 'unreachable', taskAttempts: [] };
  }
}

async function describe(
  client: Client,
  workflowId: string,
): Promise<{ readonly workflowId: string; readonly running: boolean; readonly attempt: number }> {
  try {
    const { status, raw } = await client.connection.withDeadline(Date.now() + describeMs, () =>
      client.workflow.getHandle(workflowId).describe(),
    );
    return { workflowId, running: status.name === 'RUNNING', attempt: raw.pendingWorkflowTask?.attempt ?? 0 };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { workflowId, running: false, attempt: 0 };
    throw error;
  }
}
