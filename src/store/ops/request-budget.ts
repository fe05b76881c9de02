// The request budget of each token (DEPLOY-5), shared by all workers and kept over restarts. A row is found by a hash of the token, never by the token. The
// arithmetic is src/policy/ops/request-budget.ts; here is its row, under a lock for the time of one judgement.
import {
  type BudgetState,
  fullBudget,
  pauseRequests,
  type RequestBudget,
  type RequestLimits,
  takeRequest,
} from '../../policy/ops/request-budget.ts';
import { type Pool, type Queryable, sha256, transaction } from '../database.ts';

/** An hour fills it again; the rest is for clocks. */
const unusedMs = 24 * 3_600_000;

/** `now`: for tests; by default the database's clock, which all workers share. */
export function createRequestBudget(
  pool: Pool,
  of: {
    readonly token: string;
    readonly limits: RequestLimits;
    readonly now?: () => number;
  },
): RequestBudget {
  const { limits, now } = of;
  const key = sha256(of.token);
  const locked = async (tx: Queryable): Promise<{ readonly state: BudgetState; readonly nowMs: number }> => {
    const row = (await lock(tx, key)) ?? (await insert(tx, key, limits));
    const { dbNowMs, ...state } = row;
    return { state, nowMs: now?.() ?? dbNowMs };
  };
  return {
    take: ({ forIncident }) =>
      transaction(pool, async (tx) => {
        const { state, nowMs } = await locked(tx);
        const verdict = takeRequest(state, { limits, forIncident, nowMs });
        await write(tx, key, verdict.state);
        if (verdict.granted) return { granted: true };
        return { granted: false, retryAfterMs: verdict.retryAfterMs, reason: verdict.reason };
      }),
    pause: (forMs) =>
      transaction(pool, async (tx) => {
        const { state, nowMs } = await locked(tx);
        await write(tx, key, pauseRequests(state, nowMs + forMs));
      }),
  };
}

type Row = BudgetState & { readonly dbNowMs: number };

/** Until the end of the transaction. A time that is older than the wait for the lock only fills less. */
async function lock(tx: Queryable, key: string): Promise<Row | undefined> {
  const { rows } = await tx.query(
    `select everyday, incidents, second, at_ms as "atMs", paused_until_ms as "pausedUntilMs",
       (extract(epoch from clock_timestamp()) * 1000)::float8 as "dbNowMs"
     from request_budgets where token_hash = $1 for update`,
    [key],
  );
  return rows[0];
}

async function insert(tx: Queryable, key: string, limits: RequestLimits): Promise<Row> {
  const { everyday, incidents, second, atMs } = fullBudget(limits, 0);
  await tx.query(
    `insert into request_budgets (token_hash, everyday, incidents, second, at_ms) values ($1, $2, $3, $4, $5)
     on conflict (token_hash) do nothing`,
    [key, everyday, incidents, second, atMs],
  );
  const row = await lock(tx, key);
  if (row === undefined) throw new Error('request_budgets: the row that was just written is not there');
  return row;
}

async function write(tx: Queryable, key: string, state: BudgetState): Promise<void> {
  await tx.query(
    'update request_budgets set everyday = $2, incidents = $3, second = $4, at_ms = $5, paused_until_ms = $6 where token_hash = $1',
    [key, state.everyday, state.incidents, state.second, state.atMs, state.pausedUntilMs],
  );
}

/** Of tokens that nothing was sent with for so long: what is missing is a full one. One that is being taken from is left alone. */
export async function pruneBudgets(db: Queryable): Promise<void> {
  await db.query(
    `delete from request_budgets where token_hash in (
       select token_hash from request_budgets
       where greatest(at_ms, paused_until_ms) < (extract(epoch from clock_timestamp()) * 1000)::float8 - $1
       for update skip locked)`,
    [unusedMs],
  );
}
