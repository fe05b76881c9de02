// Cycle records (LOOP-6), the guard row's counters, and what sources remember. Written inside the activities that act.
import type { Json } from '../contract/effect.ts';
import type { Observation } from '../contract/finding.ts';
import type { Trigger } from '../contract/loop.ts';
import type { Queryable } from './database.ts';

export type CycleKey = { readonly tenant: string; readonly cycle: number };

export async function openCycle(
  db: Queryable,
  key: CycleKey & { readonly runId: string; readonly trigger: Trigger; readonly startedMs: number },
): Promise<void> {
  await db.query(
    `insert into cycles (tenant, cycle, run_id, trigger, state, started_ms) values ($1, $2, $3, $4, 'running', $5) on conflict do nothing`,
    [key.tenant, key.cycle, key.runId, key.trigger, Math.round(key.startedMs)],
  );
  await db.query('update guards set cycle = greatest(cycle, $2) where tenant = $1', [key.tenant, key.cycle]);
}

export async function finishCycle(
  db: Queryable,
  key: CycleKey,
  end: {
    readonly state: 'completed' | 'failed';
    readonly outcome: string;
    readonly summary: string;
    readonly observations: readonly Observation[];
    readonly findings: readonly Json[];
    readonly finishedMs: number;
    /** What another attempt at the same cycle answers again. */
    readonly settled?: object;
  },
): Promise<void> {
  const observations = end.observations.map(({ findings, ...rest }) => ({
    ...rest,
    findings: findings.length,
  }));
  // With what the remedies' model calls used since the cycle before, each call in one cycle.
  await db.query(
    `with counted as (
       update model_attempts set cycle = $2 where tenant = $1 and cycle is null and outcome is not null returning tokens, micro_usd)
     update cycles set state = $3, outcome = $4, summary = $5, observations = $6, findings = $7, finished_ms = $8, settled = $9,
       tokens = (select coalesce(sum(tokens), 0) from counted), cost_usd = (select coalesce(sum(micro_usd), 0) / 1000000 from counted)
     where tenant = $1 and cycle = $2`,
    [
      key.tenant,
      key.cycle,
      end.state,
      end.outcome,
      end.summary,
      JSON.stringify(observations),
      JSON.stringify(end.findings),
      Math.round(end.finishedMs),
      end.settled === undefined ? null : JSON.stringify(end.settled),
    ],
  );
}

/** Earlier cycles that never got their end written: the loop went on without their record (LOOP-6). */
export async function endLostCycles(
  db: Queryable,
  key: CycleKey & { readonly nowMs: number },
): Promise<void> {
  await db.query(
    `update cycles set state = 'failed', outcome = 'failed', summary = 'its end could not be recorded', finished_ms = $3
     where tenant = $1 and cycle < $2 and state = 'running'`,
    [key.tenant, key.cycle, Math.round(key.nowMs)],
  );
}

export async function recordDecisions(
  db: Queryable,
  key: CycleKey,
  decisions: readonly Json[],
): Promise<void> {
  await db.query('update cycles set decisions = $3 where tenant = $1 and cycle = $2', [
    key.tenant,
    key.cycle,
    JSON.stringify(decisions),
  ]);
}

export type CycleRow = {
  readonly cycle: number;
  readonly trigger: string;
  readonly state: 'running' | 'completed' | 'failed';
  readonly outcome: string | null;
  readonly summary: string | null;
  readonly observations: readonly Json[];
  readonly findings: readonly Json[];
  readonly decisions: readonly Json[];
  readonly tokens: number;
  readonly costUsd: number;
  readonly startedMs: number;
  readonly finishedMs: number | null;
  readonly runId: string;
};

/** Newest first. */
export async function listCycles(db: Queryable, tenant: string, limit: number): Promise<readonly CycleRow[]> {
  const { rows } = await db.query(
    `select cycle, trigger, state, outcome, summary, observations, findings, decisions, tokens, cost_usd as "costUsd", started_ms as "startedMs",
       finished_ms as "finishedMs", run_id as "runId" from cycles where tenant = $1 order by cycle desc limit $2`,
    [tenant, limit],
  );
  return rows;
}

export async function readSourceMemory(db: Queryable, key: SourceMemoryKey): Promise<Json> {
  const { rows } = await db.query(
    'select memory from source_memory where tenant = $1 and workspace = $2 and source = $3',
    [key.tenant, key.workspace, key.source],
  );
  return rows[0]?.memory ?? null;
}

export type SourceMemoryKey = {
  readonly tenant: string;
  readonly workspace: string;
  readonly source: string;
};

export async function writeSourceMemory(db: Queryable, key: SourceMemoryKey, memory: Json): Promise<void> {
  await db.query(
    `insert into source_memory (tenant, workspace, source, memory) values ($1, $2, $3, $4)
     on conflict (tenant, workspace, source) do update set memory = excluded.memory, updated_at = now()`,
    [key.tenant, key.workspace, key.source, JSON.stringify(memory)],
  );
}

/** Writes it where it is still what it was; false: somebody else was first. */
export async function replaceSourceMemory(
  db: Queryable,
  key: SourceMemoryKey,
  before: Json,
  after: Json,
): Promise<boolean> {
  const of = [key.tenant, key.workspace, key.source, JSON.stringify(after)];
  const { rowCount } =
    before === null
      ? await db.query(
          'insert into source_memory (tenant, workspace, source, memory) values ($1, $2, $3, $4) on conflict do nothing',
          of,
        )
      : await db.query(
          `update source_memory set memory = $4, updated_at = now()
           where tenant = $1 and workspace = $2 and source = $3 and memory = $5`,
          [...of, JSON.stringify(before)],
        );
  return rowCount === 1;
}
