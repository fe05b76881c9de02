// Outages as people of a tenant are told of them (CI-4): one word each, the same whoever asks. Times are policy time.
import { type Queryable, storable } from '../database.ts';

export type ToldOutage = { readonly sinceMs: number; readonly said: string };

/** Keeps what was said of it first. @param overMs it is another one when nobody asked about it for so long */
export async function noteOutage(
  db: Queryable,
  outage: { readonly tenant: string; readonly signature: string; readonly said: string },
  nowMs: number,
  overMs: number,
): Promise<ToldOutage> {
  const isOver = 'ci_outages.last_ms < $3 - $5';
  const { rows } = await db.query(
    `insert into ci_outages (tenant, signature, since_ms, last_ms, said) values ($1, $2, $3, $3, $4)
     on conflict (tenant, signature) do update set since_ms = case when ${isOver} then $3 else ci_outages.since_ms end,
       said = case when ${isOver} then $4 else ci_outages.said end, last_ms = greatest(ci_outages.last_ms, $3)
     returning since_ms as "sinceMs", said`,
    [outage.tenant, outage.signature, Math.round(nowMs), storable(outage.said), Math.round(overMs)],
  );
  return rows[0];
}

/** Of a tenant, those that nobody asked about since: what comes after is another one. */
export async function pruneOutages(db: Queryable, tenant: string, beforeMs: number): Promise<void> {
  await db.query('delete from ci_outages where tenant = $1 and last_ms < $2', [tenant, Math.round(beforeMs)]);
}
