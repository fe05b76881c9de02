// What the last delivery over each alert channel of a tenant came to (DEPLOY-2).
import type { AlertChannel } from '../../contract/tenant-config.ts';
import { canonicalJson, type Queryable, sha256 } from '../database.ts';

export type Delivery = {
  readonly atMs: number;
  /** Null: it was taken. Redacted. */
  readonly problem: string | null;
};

/** Of a channel's settings, which hold references and no secrets: other settings are another channel. */
export function channelKey(settings: AlertChannel): string {
  return sha256(canonicalJson(settings)).slice(0, 32);
}

export async function noteDelivery(
  db: Queryable,
  { tenant, channel, atMs, problem }: Delivery & { readonly tenant: string; readonly channel: string },
): Promise<void> {
  await db.query(
    `insert into alert_channels (tenant, channel, at_ms, problem) values ($1, $2, $3, $4)
     on conflict (tenant, channel) do update set at_ms = excluded.at_ms, problem = excluded.problem where alert_channels.at_ms <= excluded.at_ms`,
    [tenant, channel, Math.round(atMs), problem],
  );
}

/** By the channel's key. */
export async function readDeliveries(db: Queryable, tenant: string): Promise<ReadonlyMap<string, Delivery>> {
  const { rows } = await db.query(
    'select channel, at_ms as "atMs", problem from alert_channels where tenant = $1',
    [tenant],
  );
  return new Map(
    rows.map(({ channel, ...delivery }: Delivery & { readonly channel: string }) => [channel, delivery]),
  );
}
