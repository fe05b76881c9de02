// Tenants and the versions of their settings (LOOP-9). History carries the version only; settings carry references, never secrets.
import type { TenantConfig } from '../contract/tenant-config.ts';
import { appendAudit } from './audit.ts';
import { canonicalJson, type Pool, type Queryable, transaction } from './database.ts';

export type TenantRow = {
  readonly tenant: string;
  readonly version: number;
  readonly config: TenantConfig;
  /** Enabled in its settings, and not removed. */
  readonly enabled: boolean;
  readonly removed: boolean;
  readonly drained: boolean;
};

const columns = `tenant, version, config, enabled and removed_at is null as enabled, removed_at is not null as removed, drained_at is not null as drained`;

export async function readTenant(db: Queryable, tenant: string): Promise<TenantRow | undefined> {
  const { rows } = await db.query(`select ${columns} from tenants where tenant = $1`, [tenant]);
  return rows[0];
}

export async function listTenants(db: Queryable): Promise<readonly TenantRow[]> {
  const { rows } = await db.query(`select ${columns} from tenants where removed_at is null order by tenant`);
  return rows;
}

/** Registers a tenant or gives it new settings. The same settings again change nothing. */
export async function applyTenant(
  pool: Pool,
  config: TenantConfig,
  by: string,
  nowMs: number,
): Promise<{ readonly version: number; readonly changed: boolean }> {
  return transaction(pool, async (tx) => {
    // First, as the end of a cycle and every claim do: each of them also refers to the tenant's row.
    await tx.query('select 1 from guards where tenant = $1 for update', [config.tenant]);
    const { rows } = await tx.query(`select ${columns} from tenants where tenant = $1 for update`, [
      config.tenant,
    ]);
    const before = rows[0] as TenantRow | undefined;
    if (before && !before.removed && canonicalJson(before.config) === canonicalJson(config))
      return { version: before.version, changed: false };
    const version = (before?.version ?? 0) + 1;
    const body = JSON.stringify(config);
    await tx.query(
      `insert into tenants (tenant, version, config, enabled) values ($1, $2, $3, $4)
       on conflict (tenant) do update set version = excluded.version, config = excluded.config, enabled = excluded.enabled, removed_at = null, updated_at = now()`,
      [config.tenant, version, body, config.enabled],
    );
    await tx.query('insert into guards (tenant) values ($1) on conflict do nothing', [config.tenant]);
    await tx.query(
      'insert into tenant_versions (tenant, version, config, applied_by) values ($1, $2, $3, $4)',
      [config.tenant, version, body, by],
    );
    await appendAudit(tx, {
      tenant: config.tenant,
      atMs: nowMs,
      actor: by,
      action: 'tenant.applied',
      subject: config.tenant,
      reason: before ? `version ${version}` : 'registered',
    });
    return { version, changed: true };
  });
}

/** The tenant is not woken any more; its records stay. */
export async function removeTenant(pool: Pool, tenant: string, by: string, nowMs: number): Promise<boolean> {
  return transaction(pool, async (tx) => {
    const { rowCount } = await tx.query(
      'update tenants set removed_at = now() where tenant = $1 and removed_at is null',
      [tenant],
    );
    if (rowCount !== 1) return false;
    await appendAudit(tx, {
      tenant,
      atMs: nowMs,
      actor: by,
      action: 'tenant.removed',
      subject: tenant,
      reason: 'removed',
    });
    return true;
  });
}

/** A drained tenant's loop has ended and stays ended; `false` lets it be started again. */
export async function setDrained(db: Queryable, tenant: string, drained: boolean): Promise<void> {
  await db.query('update tenants set drained_at = case when $2 then now() end where tenant = $1', [
    tenant,
    drained,
  ]);
}
