// Tenants and the versions of their settings (LOOP-9). History carries the version only; settings carry references, never secrets.
import { readStoredSettings, type SettingsRead } from '../config/stored-settings.ts';
import type { TenantSource } from '../config/tenant-file.ts';
import type { TenantConfig } from '../contract/tenant-config.ts';
import { appendAudit } from './audit.ts';
import { canonicalJson, type Pool, type Queryable, transaction } from './database.ts';

export type TenantRow = {
  readonly tenant: string;
  readonly version: number;
  /** Every setting of this version of the program; what the file did not say, or could not when it was applied, has its default. */
  readonly config: TenantConfig;
  /** What the file said; null: not known. */
  readonly source: TenantSource | null;
  /** This version cannot read the file that was applied: why, and the fix. */
  readonly settingsProblem?: string;
  /** Enabled in its settings, and not removed. */
  readonly enabled: boolean;
  readonly removed: boolean;
  readonly drained: boolean;
};

const select = `select t.tenant, t.version, t.config::text as config, v.source::text as source, t.enabled and t.removed_at is null as enabled,
  t.removed_at is not null as removed, t.drained_at is not null as drained
  from tenants t left join tenant_versions v on v.tenant = t.tenant and v.version = t.version`;

export async function readTenant(db: Queryable, tenant: string): Promise<TenantRow | undefined> {
  const { rows } = await db.query(`${select} where t.tenant = $1`, [tenant]);
  return rows[0] && tenantRow(rows[0]);
}

export async function listTenants(db: Queryable): Promise<readonly TenantRow[]> {
  const { rows } = await db.query(`${select} where t.removed_at is null order by t.tenant`);
  return rows.map(tenantRow);
}

type StoredRow = Pick<TenantRow, 'tenant' | 'version' | 'enabled' | 'removed' | 'drained'> & {
  readonly config: string;
  readonly source: string | null;
};

function tenantRow({ tenant, version, enabled, removed, drained, ...texts }: StoredRow): TenantRow {
  const { read, source } = settingsOf(tenant, texts);
  const problem = read.problem === undefined ? {} : { settingsProblem: read.problem };
  return { tenant, version, config: read.config, source, ...problem, enabled, removed, drained };
}

type Settings = { readonly read: SettingsRead; readonly source: TenantSource | null };
const known = new Map<string, Settings & { readonly config: string; readonly text: string | null }>();
const maxKnown = 2_000;

/** Reading them by the schema takes milliseconds, and every activity asks: once per tenant and version, told by the texts themselves. */
function settingsOf(tenant: string, texts: Pick<StoredRow, 'config' | 'source'>): Settings {
  const before = known.get(tenant);
  if (before && before.config === texts.config && before.text === texts.source) return before;
  const source: TenantSource | null = texts.source === null ? null : JSON.parse(texts.source);
  const read = readStoredSettings(tenant, { config: JSON.parse(texts.config), source });
  const settings = { read, source, config: texts.config, text: texts.source };
  if (known.size >= maxKnown) known.clear();
  known.set(tenant, settings);
  return settings;
}

/**
 * Registers a tenant or gives it new settings. The same settings again change nothing.
 * @param source what its file said, as `parseTenantFile` gives it; without it, settings of later versions get their defaults too, but for
 *   those that depend on others
 */
export async function applyTenant(
  pool: Pool,
  config: TenantConfig,
  by: string,
  nowMs: number,
  source?: TenantSource,
): Promise<{ readonly version: number; readonly changed: boolean }> {
  return transaction(pool, async (tx) => {
    // First, as the end of a cycle and every claim do: each of them also refers to the tenant's row.
    await tx.query('select 1 from guards where tenant = $1 for update', [config.tenant]);
    const { rows } = await tx.query(`${select} where t.tenant = $1 for update of t`, [config.tenant]);
    const before = rows[0] && tenantRow(rows[0] as StoredRow);
    if (before && !before.removed && saysTheSame(before, config, source))
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
      'insert into tenant_versions (tenant, version, config, applied_by, source) values ($1, $2, $3, $4, $5)',
      [config.tenant, version, body, by, source === undefined ? null : JSON.stringify(source)],
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

/** A file that writes a default out is another one: that setting does not follow later defaults. */
function saysTheSame(before: TenantRow, config: TenantConfig, source: TenantSource | undefined): boolean {
  if (canonicalJson(before.config) !== canonicalJson(config)) return false;
  return source === undefined || canonicalJson(before.source) === canonicalJson(source);
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
