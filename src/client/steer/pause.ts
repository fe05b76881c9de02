// Pause and resume (LOOP-10). They write Postgres, where every write is fenced, and work while the worker or Temporal is down; what is told
// to workflows afterwards only makes them notice sooner.
import { setTimeout as delay } from 'node:timers/promises';
import { effectKinds } from '../../contract/effect.ts';
import { everySource } from '../../contract/loop.ts';
import { remedyWorkflowId, signals } from '../../contract/names.ts';
import { activeFindings } from '../../store/findings.ts';
import { liftPause, listPauses, type PauseScope, raisePause } from '../../store/pauses.ts';
import { tenantNames } from '../../store/status.ts';
import type { TenantRow } from '../../store/tenants.ts';
import { type Context, tell, wake } from '../context.ts';
import { NotFoundError, UsageError } from '../errors.ts';
import { isoOrNull, type PauseView, pauseView } from '../look/views.ts';
import { clip, nearest, requireTenant } from '../names.ts';

/** What a pause or a resume reaches: all tenants, or one, or a workspace or a kind of effect of one. */
export type PauseTarget =
  | { readonly everything: true }
  | {
      readonly everything?: false;
      /** Absent: the only tenant. */
      readonly tenant?: string;
      readonly workspace?: string;
      readonly effect?: string;
    };

export type PauseOptions = {
  readonly reason: string;
  readonly by: string;
  /** Absent: until resumed. */
  readonly untilMs?: number;
};

export type Paused = {
  readonly id: number;
  /** Null: all tenants. */
  readonly tenant: string | null;
  readonly scope: PauseScope;
  readonly value: string | null;
  readonly until: string | null;
  readonly reason: string;
  readonly by: string;
  /** The writes that had begun: nothing else writes from now on. */
  readonly started: readonly {
    readonly tenant: string;
    readonly kind: string;
    readonly target: string;
    readonly what: string;
    readonly key: string;
  }[];
};

export type Resumed = {
  readonly tenant: string | null;
  readonly scope: PauseScope;
  readonly value: string | null;
  /** How many pauses of exactly this scope were lifted. */
  readonly lifted: number;
  /** What still pauses something of this tenant; empty for `everything`. */
  readonly stillPaused: readonly PauseView[];
};

const tellMs = 1_500;

type Scope = {
  readonly tenant: string | null;
  readonly scope: PauseScope;
  readonly scopeValue: string | null;
};

/** Acknowledged by Postgres: holds from the moment it returns (within 5 s). @throws UsageError @throws NotFoundError */
export async function pause(context: Context, target: PauseTarget, options: PauseOptions): Promise<Paused> {
  const nowMs = context.clock();
  if (options.reason.trim() === '')
    throw new UsageError('reason: is empty. Fix: say why, e.g. "release freeze"');
  if (options.untilMs !== undefined && options.untilMs <= nowMs)
    throw new UsageError('until: lies in the past. Fix: give a later time');
  const scope = await scopeOf(context, target);
  const untilMs = options.untilMs ?? null;
  const { id, started } = await raisePause(context.pool, {
    ...scope,
    reason: options.reason,
    by: options.by,
    untilMs: untilMs === null ? null : Math.round(untilMs),
    nowMs,
  });
  const tenants = await reached(context, scope.tenant);
  // The row is the acknowledgement: a Temporal that hangs may not delay it.
  const told = Promise.all(tenants.map((tenant) => wake(context, tenant, 'paused', [])));
  told.catch(() => {});
  await Promise.race([told, delay(tellMs)]);
  return {
    id,
    tenant: scope.tenant,
    scope: scope.scope,
    value: scope.scopeValue,
    until: isoOrNull(untilMs),
    reason: options.reason,
    by: options.by,
    started: started.map(({ tenant, kind, target: to, describe, key }) => ({
      tenant,
      kind,
      target: to,
      what: describe,
      key,
    })),
  };
}

/** Lifts pauses of exactly this scope; held remedies go on from the same step. @throws UsageError @throws NotFoundError */
export async function resume(
  context: Context,
  target: PauseTarget,
  options: { readonly by: string; readonly reason?: string },
): Promise<Resumed> {
  const nowMs = context.clock();
  const scope = await scopeOf(context, target);
  const lifted = await liftPause(context.pool, {
    ...scope,
    by: options.by,
    reason: options.reason ?? '',
    nowMs,
  });
  if (lifted > 0) {
    const tenants = await reached(context, scope.tenant);
    await Promise.all(tenants.map((tenant) => goOn(context, tenant)));
  }
  const still = scope.tenant === null ? [] : await listPauses(context.pool, scope.tenant, nowMs);
  return {
    tenant: scope.tenant,
    scope: scope.scope,
    value: scope.scopeValue,
    lifted,
    stillPaused: still.map(pauseView),
  };
}

/** Wakes the loop and what it has at work, so that held remedies ask again now. */
async function goOn(context: Context, tenant: string): Promise<void> {
  const findings = await activeFindings(context.pool, tenant);
  const remedies = findings.filter(({ status }) => status === 'working' || status === 'waiting');
  await Promise.all([
    wake(context, tenant, 'resumed', [everySource]),
    ...remedies.map((finding) => tell(context, remedyWorkflowId(finding), signals.nudge)),
  ]);
}

async function reached(context: Context, tenant: string | null): Promise<readonly string[]> {
  return tenant === null ? tenantNames(context.pool) : [tenant];
}

async function scopeOf(context: Context, target: PauseTarget): Promise<Scope> {
  if (target.everything) return { tenant: null, scope: 'everything', scopeValue: null };
  const { workspace, effect } = target;
  if (workspace !== undefined && effect !== undefined)
    throw new UsageError('workspace, effect: both are given. Fix: pause one after the other');
  const row = await requireTenant(context.pool, target.tenant);
  const { tenant } = row;
  if (workspace !== undefined) {
    requireOneOf('workspace', workspace, workspacesOf(row));
    return { tenant, scope: 'workspace', scopeValue: workspace };
  }
  if (effect !== undefined) {
    requireOneOf('effect', effect, effectKinds);
    return { tenant, scope: 'effect', scopeValue: effect };
  }
  return { tenant, scope: 'tenant', scopeValue: null };
}

function workspacesOf(row: TenantRow): readonly string[] {
  return row.config.workspaces.map(({ name }) => name);
}

function requireOneOf(field: string, value: string, known: readonly string[]): void {
  if (known.includes(value)) return;
  const near = nearest(value, known);
  const fix = near === undefined ? `write one of ${known.join(', ')}` : `did you mean "${near}"?`;
  throw new NotFoundError(`${field}: "${clip(value)}" is not known. Fix: ${fix}`);
}
