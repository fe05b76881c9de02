// What `status` and `why` show of a tenant's limits and last readings. Reads only: nothing here changes a row, and no policy is decided here.
import type { SourceKind } from '../contract/finding.ts';
import type { Queryable } from './database.ts';

export type LimitRows = {
  readonly cycle: number;
  readonly breaker: {
    readonly state: 'closed' | 'open' | 'halfOpen';
    readonly failures: number;
    readonly sinceMs: number | null;
    readonly reason: string | null;
  };
  /** Those that have not ended. */
  readonly cooldowns: readonly {
    readonly target: string;
    readonly kind: string;
    readonly untilMs: number;
  }[];
  /** Policy times of the mutating effects that count against the cap, oldest first. */
  readonly mutatingMs: readonly number[];
};

/** Undefined when the tenant is not registered. */
export async function readLimits(
  db: Queryable,
  tenant: string,
  nowMs: number,
): Promise<LimitRows | undefined> {
  const guards = await db.query(
    `select cycle, breaker_state as state, breaker_failures as failures, breaker_since_ms as "sinceMs", breaker_reason as reason
     from guards where tenant = $1`,
    [tenant],
  );
  const row = guards.rows[0];
  if (!row) return undefined;
  const cooldowns = await db.query(
    `select target, kind, until_ms as "untilMs" from cooldowns where tenant = $1 and until_ms > $2 order by until_ms`,
    [tenant, Math.round(nowMs)],
  );
  const mutating = await db.query(
    `select policy_ms as "atMs" from effects where tenant = $1 and risk in ('mutating', 'destructive') and policy_ms > $2
       and state <> 'freed' and coalesce(outcome, '') not in ('stale', 'refused') order by policy_ms`,
    [tenant, Math.round(nowMs) - 5 * 60_000],
  );
  const { cycle, ...breaker } = row;
  return {
    cycle,
    breaker,
    cooldowns: cooldowns.rows,
    mutatingMs: mutating.rows.map((effect: { atMs: number }) => effect.atMs),
  };
}

export type LastRead = {
  readonly cycle: number;
  readonly workspace: string;
  readonly source: SourceKind;
  readonly target?: string;
  readonly state: 'green' | 'red' | 'unknown';
  readonly reason: string;
  readonly readAtMs: number;
  readonly findings: number;
};

/** The latest reading of each source, from the records of the last 200 finished cycles. */
export async function lastReads(db: Queryable, tenant: string): Promise<readonly LastRead[]> {
  const { rows } = await db.query(
    `select distinct on (o ->> 'workspace', o ->> 'source', coalesce(o ->> 'target', '')) c.cycle, o as read
     from (select cycle, observations from cycles where tenant = $1 and state <> 'running' order by cycle desc limit 200) c,
       jsonb_array_elements(c.observations) o
     order by o ->> 'workspace', o ->> 'source', coalesce(o ->> 'target', ''), c.cycle desc`,
    [tenant],
  );
  return rows.map((row: { cycle: number; read: Omit<LastRead, 'cycle'> }) => ({
    ...row.read,
    cycle: row.cycle,
  }));
}

export type LiveWrite = {
  readonly key: string;
  readonly kind: string;
  readonly target: string;
  readonly describe: string;
  readonly state: 'claimed' | 'applying' | 'doubt';
  readonly attempts: number;
};

/** Effects between claim and receipt. */
export async function liveWrites(db: Queryable, tenant: string): Promise<readonly LiveWrite[]> {
  const { rows } = await db.query(
    `select key, kind, target, describe, state, attempts from effects
     where tenant = $1 and state in ('claimed', 'applying', 'doubt') order by created_at`,
    [tenant],
  );
  return rows;
}

export async function tenantNames(db: Queryable): Promise<readonly string[]> {
  const { rows } = await db.query('select tenant from tenants where removed_at is null order by tenant');
  return rows.map((row: { tenant: string }) => row.tenant);
}
