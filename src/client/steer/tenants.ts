// Tenants: registered, changed, drained and removed while everything runs (LOOP-9). Postgres first, which is the truth; then the loop is
// started or told. When Temporal is away, the change stands and the next worker that starts picks it up.
import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowNotFoundError } from '@temporalio/common';
import type { TenantSource } from '../../config/tenant-file.ts';
import { everySource } from '../../contract/loop.ts';
import { tenantWorkflowId, updates } from '../../contract/names.ts';
import type { TenantConfig } from '../../contract/tenant-config.ts';
import { appendAudit } from '../../store/audit.ts';
import { transaction } from '../../store/database.ts';
import { activeFindings } from '../../store/findings.ts';
import { applyTenant, listTenants, readTenant, removeTenant, setDrained } from '../../store/tenants.ts';
import { asTemporalError, type Context, type SignalResult, wake } from '../context.ts';
import { UnreachableError, UsageError } from '../errors.ts';
import { type TenantSummary, tenantSummary } from '../look/views.ts';
import { requireTenant } from '../names.ts';
import { ensureLoops, isLoopRunning, startAndWake } from './loops.ts';

const drainDeadlineMs = 6_000;

/** `started`: runs now. `unreachable`: Temporal is away, a worker that starts later starts it. */
export type LoopStart = 'started' | 'disabled' | 'drained' | 'unreachable';

export type Applied = {
  readonly tenant: string;
  readonly version: number;
  /** False: these settings were in force already. */
  readonly changed: boolean;
  readonly loop: LoopStart;
  readonly notes: readonly string[];
};

/** @param config from `parseTenantFile`, as `source`; takes effect at the next cycle, which is asked for now */
export async function applySettings(
  context: Context,
  config: TenantConfig,
  by: string,
  source: TenantSource | undefined,
): Promise<Applied> {
  const result = await applyTenant(context.pool, config, by, context.clock(), source);
  const loop = await startLoop(context, config.tenant, `settings version ${result.version}`);
  return { tenant: config.tenant, ...result, ...loop };
}

export async function listAll(context: Context): Promise<readonly TenantSummary[]> {
  return (await listTenants(context.pool)).map(tenantSummary);
}

export async function show(
  context: Context,
  name: string | undefined,
): Promise<TenantSummary & { readonly config: TenantConfig }> {
  const row = await requireTenant(context.pool, name);
  return { ...tenantSummary(row), config: row.config };
}

export type Removed = { readonly tenant: string; readonly removed: true; readonly loop: SignalResult };

/** Its records stay; its loop ends after the running cycle. */
export async function remove(context: Context, name: string, by: string): Promise<Removed> {
  const { tenant } = await requireTenant(context.pool, name);
  await removeTenant(context.pool, tenant, by, context.clock());
  return {
    tenant,
    removed: true,
    loop: await wake(context, tenant, 'removed', [everySource]),
  };
}

export type Drained = {
  readonly tenant: string;
  readonly drained: true;
  /** Go on to their end by themselves. */
  readonly openRemedies: number;
  readonly loop: 'ending' | 'notRunning' | 'unreachable';
};

/** Ends the loop after the running cycle, and keeps it ended: neither an event nor a worker starts it again. */
export async function drain(
  context: Context,
  name: string | undefined,
  options: { readonly by: string; readonly reason: string },
): Promise<Drained> {
  const { tenant } = await requireTenant(context.pool, name);
  const findings = await activeFindings(context.pool, tenant);
  const openRemedies = findings.filter(({ status }) => status === 'working' || status === 'waiting').length;
  const base = { tenant, drained: true, openRemedies } as const;
  try {
    const client = await context.temporal();
    await client.connection.withDeadline(Date.now() + drainDeadlineMs, () =>
      client.workflow
        .getHandle(tenantWorkflowId(tenant))
        .executeUpdate(updates.drain, { args: [{ by: options.by, reason: options.reason }] }),
    );
    return { ...base, loop: 'ending' };
  } catch (error) {
    // No loop, no worker, no Temporal, or a loop that takes nothing just now: the row is what counts.
    await drainRow(context, tenant, options);
    if (error instanceof WorkflowNotFoundError) return { ...base, loop: 'notRunning' };
    const told = await wake(context, tenant, 'drained', [everySource]);
    return { ...base, loop: told === 'sent' ? 'ending' : told };
  }
}

async function drainRow(
  context: Context,
  tenant: string,
  options: { readonly by: string; readonly reason: string },
): Promise<void> {
  await transaction(context.pool, async (tx) => {
    await setDrained(tx, tenant, true);
    await appendAudit(tx, {
      tenant,
      atMs: context.clock(),
      actor: options.by,
      action: 'tenant.drained',
      subject: tenant,
      reason: options.reason,
    });
  });
}

export type Started = {
  readonly tenant: string;
  readonly loop: LoopStart;
  readonly notes: readonly string[];
};

/** Takes back a drain, and starts the loop when it does not run. @throws UsageError for a tenant that its settings disable */
export async function start(context: Context, name: string | undefined, by: string): Promise<Started> {
  const row = await requireTenant(context.pool, name);
  const { tenant } = row;
  if (!row.enabled)
    throw new UsageError(
      `tenant "${tenant}" is disabled in its settings. Fix: set "enabled: true" and apply the file`,
    );
  if (row.drained) {
    await transaction(context.pool, async (tx) => {
      await setDrained(tx, tenant, false);
      await appendAudit(tx, {
        tenant,
        atMs: context.clock(),
        actor: by,
        action: 'tenant.started',
        subject: tenant,
        reason: 'drain taken back',
      });
    });
  }
  return { tenant, ...(await startLoop(context, tenant, `started by ${by}`)) };
}

/** @throws UnreachableError */
export async function ensureAll(context: Context): Promise<readonly string[]> {
  try {
    return await ensureLoops({ client: await context.temporal(), queues: context.queues }, context.pool);
  } catch (error) {
    throw asTemporalError(context.endpoints, error);
  }
}

/** A loop that is just ending, because it was drained or disabled until now, would swallow the start: then once more. */
async function startLoop(
  context: Context,
  tenant: string,
  reason: string,
): Promise<Pick<Started, 'loop' | 'notes'>> {
  const row = await readTenant(context.pool, tenant);
  if (!row?.enabled) {
    await wake(context, tenant, reason, [everySource]);
    return { loop: 'disabled', notes: ['the tenant is disabled in its settings: its loop does not run'] };
  }
  if (row.drained)
    return {
      loop: 'drained',
      notes: [`the tenant is drained: "untilgreen start ${tenant}" starts its loop`],
    };
  try {
    const client = await context.temporal();
    const starter = { client, queues: context.queues };
    await startAndWake(starter, tenant, reason);
    for (let check = 0; check < 2; check += 1) {
      await delay(250);
      if (!(await isLoopRunning(client, tenant))) await startAndWake(starter, tenant, reason);
    }
    return { loop: 'started', notes: [] };
  } catch (error) {
    const known = asTemporalError(context.endpoints, error);
    if (!(known instanceof UnreachableError)) throw known;
    return {
      loop: 'unreachable',
      notes: [`${known.message}. The loop starts with the next worker that starts`],
    };
  }
}
