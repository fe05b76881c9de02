// Findings and their occurrences: applied from the pure reconcile, moved on by remedies, read by everything that shows something.
import type { Json } from '../contract/effect.ts';
import { type Finding, type FindingStatus, isBeside, type ObservedFinding } from '../contract/finding.ts';
import type { TenantConfig } from '../contract/tenant-config.ts';
import type { FindingChange, KnownFinding } from '../policy/loop/reconcile.ts';
import { appendAudit } from './audit.ts';
import { canonicalJson, type Queryable, sha256 } from './database.ts';

/** `sha256(tenant, kind, target, normalised signature)`; the rule's version is stored beside it. */
export function fingerprintOf(
  tenant: string,
  workspace: string,
  observed: Pick<ObservedFinding, 'kind' | 'target' | 'signature'>,
): string {
  return sha256(canonicalJson([tenant, workspace, observed.kind, observed.target, observed.signature]));
}

const columns = `tenant, fingerprint, occurrence, workspace, source, kind, target, signature, rule_version as "ruleVersion", severity, title, detail,
  status, waiting_for as "waitingFor", waiting_until_ms as "waitingUntilMs", attempts, remedies, first_seen_ms as "firstSeenMs",
  last_seen_ms as "lastSeenMs", resolved_ms as "resolvedMs"`;

export type FindingRow = Finding & { readonly resolvedMs: number | null };

/** Latest occurrence of every finding that is not resolved, or whose fingerprint is asked for. */
export async function latestOccurrences(
  db: Queryable,
  tenant: string,
  fingerprints: readonly string[],
): Promise<readonly KnownFinding[]> {
  const { rows } = await db.query(
    `select distinct on (fingerprint) ${columns} from findings where tenant = $1 and (status <> 'resolved' or fingerprint = any($2))
     order by fingerprint, occurrence desc`,
    [tenant, fingerprints],
  );
  return rows;
}

export async function activeFindings(db: Queryable, tenant: string): Promise<readonly FindingRow[]> {
  const { rows } = await db.query(
    `select ${columns} from findings where tenant = $1 and status <> 'resolved' order by first_seen_ms, fingerprint`,
    [tenant],
  );
  return rows.map(clean);
}

/** What one cycle hands to the loop at most: the oldest first. */
const maxCared = 50;

/**
 * CI-10: resolved, and something was opened for it, or a fix was made, and not all that comes after is done. Without its settings nothing can
 * be done: those are left out.
 */
export async function findingsToCareFor(
  db: Queryable,
  { tenant, workspaces }: Pick<TenantConfig, 'tenant' | 'workspaces'>,
): Promise<readonly FindingRow[]> {
  const { rows } = await db.query(
    `select ${columns} from findings
     where tenant = $1 and status = 'resolved' and workspace = any($2) and not memory ? 'aftercare' and not memory ? 'unwatched'
       and (memory ->> 'issue' is not null or memory ->> 'pullRequest' is not null or memory ? 'fixedSha' or memory ? 'patchedSha')
     order by resolved_ms, fingerprint limit $3`,
    [tenant, workspaces.map(({ name }) => name), maxCared],
  );
  return rows.map(clean);
}

/** Active ones, and those resolved since `sinceMs`. */
export async function listFindings(
  db: Queryable,
  tenant: string,
  sinceMs: number,
): Promise<readonly FindingRow[]> {
  const { rows } = await db.query(
    `select ${columns} from findings where tenant = $1 and (status <> 'resolved' or resolved_ms >= $2) order by (status = 'resolved'), first_seen_ms, fingerprint`,
    [tenant, Math.round(sinceMs)],
  );
  return rows.map(clean);
}

/** By the beginning of its fingerprint; the latest occurrence. */
export async function findFinding(
  db: Queryable,
  tenant: string,
  prefix: string,
): Promise<readonly FindingRow[]> {
  const { rows } = await db.query(
    `select distinct on (fingerprint) ${columns} from findings where tenant = $1 and starts_with(fingerprint, $2) order by fingerprint, occurrence desc`,
    [tenant, prefix],
  );
  return rows.map(clean);
}

function clean(row: FindingRow & { waitingFor: string | null; waitingUntilMs: number | null }): FindingRow {
  const { waitingFor, waitingUntilMs, ...rest } = row;
  return {
    ...rest,
    ...(waitingFor === null ? {} : { waitingFor }),
    ...(waitingUntilMs === null ? {} : { waitingUntilMs }),
  };
}

/** @returns whether a remedy that works on the finding should look again: it is gone, or a newer run shows it */
export async function applyChange(
  tx: Queryable,
  tenant: string,
  change: FindingChange,
  nowMs: number,
): Promise<boolean> {
  const at = Math.round(nowMs);
  const note = async (action: string, subject: string, reason: string, workspace?: string): Promise<void> =>
    appendAudit(tx, {
      tenant,
      atMs: at,
      actor: 'loop',
      action,
      workspace,
      fingerprint: change.fingerprint,
      subject,
      reason,
    });
  switch (change.change) {
    case 'appear': {
      const { observed } = change;
      await tx.query(
        `insert into findings (tenant, fingerprint, occurrence, workspace, source, kind, target, signature, rule_version, severity, title, detail,
           status, first_seen_ms, last_seen_ms)
         values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$14) on conflict do nothing`,
        [
          tenant,
          change.fingerprint,
          change.occurrence,
          change.workspace,
          change.source,
          observed.kind,
          observed.target,
          observed.signature,
          observed.ruleVersion,
          observed.severity,
          observed.title,
          JSON.stringify(observed.detail),
          observed.severity === 'info' && !isBeside(observed.kind) ? 'watched' : 'open',
          at,
        ],
      );
      await note('finding.appeared', observed.title, `occurrence ${change.occurrence}`, change.workspace);
      return false;
    }
    case 'return': {
      const { rows } = await tx.query(
        // Joined, so that it is read before the update. A check of the fix may have seen the same failure before: it counts once.
        `update findings f set status = 'open', resolved_ms = null, waiting_for = null, waiting_until_ms = null, attempts = $4, last_seen_ms = $5,
           detail = $6, severity = $7, title = $8,
           memory = (f.memory - array['aftercare', 'fixedBy', 'soak', 'unwatched']) || jsonb_build_object('returnedMs', $5::bigint, 'repeats',
             coalesce((f.memory ->> 'repeats')::int, 0) + case when $9 and not before.counted then 1 else 0 end)
         from (select coalesce(memory -> 'soak' ->> 'state' = 'repeat', false) as counted from findings
           where tenant = $1 and fingerprint = $2 and occurrence = $3 for update) before
         where f.tenant = $1 and f.fingerprint = $2 and f.occurrence = $3 returning before.counted`,
        [
          tenant,
          change.fingerprint,
          change.occurrence,
          change.attempts,
          at,
          JSON.stringify(change.observed.detail),
          change.observed.severity,
          change.observed.title,
          change.repeat,
        ],
      );
      if (change.repeat && rows[0]?.counted === false)
        await note(
          'finding.repeatFailure',
          change.observed.title,
          'the job fails again within 48 h of its fix',
        );
      await note(
        'finding.returned',
        change.observed.title,
        `occurrence ${change.occurrence}, ${change.attempts} attempts used`,
      );
      return false;
    }
    case 'seen': {
      const { rows } = await tx.query(
        // Joined, so that it is read before the update: a locking read in RETURNING skips the row and sees null.
        `update findings f set last_seen_ms = $4, detail = $5, severity = $6, title = $7
         from (select detail from findings where tenant = $1 and fingerprint = $2 and occurrence = $3 for update) before
         where f.tenant = $1 and f.fingerprint = $2 and f.occurrence = $3 returning before.detail is distinct from f.detail as moved`,
        [
          tenant,
          change.fingerprint,
          change.occurrence,
          at,
          JSON.stringify(change.observed.detail),
          change.observed.severity,
          change.observed.title,
        ],
      );
      return rows[0]?.moved === true;
    }
    case 'resolve':
      await tx.query(
        `update findings set status = 'resolved', resolved_ms = $4, waiting_for = null, waiting_until_ms = null
         where tenant = $1 and fingerprint = $2 and occurrence = $3 and status <> 'resolved'`,
        [tenant, change.fingerprint, change.occurrence, at],
      );
      await note('finding.resolved', change.fingerprint.slice(0, 12), `was ${change.status}`);
      return true;
  }
}

/**
 * Findings whose source the settings do not name any more are over: nobody will ever see them gone.
 * @param watched `workspace/source key` of everything that is read
 * @returns their fingerprints
 */
export async function resolveUnwatched(
  tx: Queryable,
  tenant: string,
  watched: ReadonlySet<string>,
  nowMs: number,
): Promise<readonly string[]> {
  const { rows } = await tx.query(
    `update findings set status = 'resolved', resolved_ms = $3, waiting_for = null, waiting_until_ms = null,
       memory = memory || '{"unwatched": true}'
     where tenant = $1 and status <> 'resolved' and not (workspace || '/' || source = any($2)) returning fingerprint, workspace, title`,
    [tenant, [...watched], Math.round(nowMs)],
  );
  for (const { fingerprint, workspace, title } of rows) {
    await appendAudit(tx, {
      tenant,
      atMs: nowMs,
      actor: 'loop',
      action: 'finding.resolved',
      workspace,
      fingerprint,
      subject: title,
      reason: 'its source is not in the settings any more',
    });
  }
  return rows.map((row: { fingerprint: string }) => row.fingerprint);
}

export async function readFindingRow(db: Queryable, key: FindingKey): Promise<FindingRow | undefined> {
  return findingRow(db, key, '');
}

/** Nobody else changes it until the end of the transaction. */
export async function lockFindingRow(tx: Queryable, key: FindingKey): Promise<FindingRow | undefined> {
  return findingRow(tx, key, 'for update');
}

async function findingRow(
  db: Queryable,
  key: FindingKey,
  lock: '' | 'for update',
): Promise<FindingRow | undefined> {
  const { rows } = await db.query(
    `select ${columns} from findings where tenant = $1 and fingerprint = $2 and occurrence = $3 ${lock}`,
    [key.tenant, key.fingerprint, key.occurrence],
  );
  return rows[0] ? clean(rows[0]) : undefined;
}

export type FindingKey = {
  readonly tenant: string;
  readonly fingerprint: string;
  readonly occurrence: number;
};

/** Moves an open finding on; a resolved one stays resolved. */
export async function setFindingStatus(
  db: Queryable,
  key: FindingKey,
  to: {
    readonly status: Exclude<FindingStatus, 'resolved'>;
    readonly waitingFor?: string;
    readonly waitingUntilMs?: number;
  },
): Promise<void> {
  await db.query(
    `update findings set status = $4, waiting_for = $5, waiting_until_ms = $6 where tenant = $1 and fingerprint = $2 and occurrence = $3 and status <> 'resolved'`,
    [
      key.tenant,
      key.fingerprint,
      key.occurrence,
      to.status,
      to.waitingFor ?? null,
      to.waitingUntilMs === undefined ? null : Math.round(to.waitingUntilMs),
    ],
  );
}

/** Counts an attempt before it is made (CI-9), once per `attemptKey`; null when all are used. */
export async function beginAttempt(
  db: Queryable,
  key: FindingKey,
  attemptKey: string,
  limit: number,
): Promise<number | null> {
  const { rows } = await db.query(
    `update findings set attempts = attempts + (case when memory -> 'attemptKeys' ? $4 then 0 else 1 end),
       memory = case when memory -> 'attemptKeys' ? $4 then memory
         else jsonb_set(memory, '{attemptKeys}', coalesce(memory -> 'attemptKeys', '[]') || to_jsonb($4::text)) end
     where tenant = $1 and fingerprint = $2 and occurrence = $3 and (attempts < $5 or memory -> 'attemptKeys' ? $4) returning attempts`,
    [key.tenant, key.fingerprint, key.occurrence, attemptKey, limit],
  );
  return rows[0]?.attempts ?? null;
}

/** An attempt that could not even be tried (base fails otherwise: `cannotReproduce`) is given back (CI-6). */
export async function giveBackAttempt(db: Queryable, key: FindingKey, attemptKey: string): Promise<void> {
  await db.query(
    `update findings set attempts = attempts - 1, memory = jsonb_set(memory, '{attemptKeys}', (memory -> 'attemptKeys') - $4)
     where tenant = $1 and fingerprint = $2 and occurrence = $3 and memory -> 'attemptKeys' ? $4`,
    [key.tenant, key.fingerprint, key.occurrence, attemptKey],
  );
}

export type FindingMemory = { readonly [name: string]: Json };

export async function readMemory(db: Queryable, key: FindingKey): Promise<FindingMemory> {
  const { rows } = await db.query(
    'select memory from findings where tenant = $1 and fingerprint = $2 and occurrence = $3',
    [key.tenant, key.fingerprint, key.occurrence],
  );
  return rows[0]?.memory ?? {};
}

export async function remember(db: Queryable, key: FindingKey, patch: FindingMemory): Promise<void> {
  await db.query(
    'update findings set memory = memory || $4 where tenant = $1 and fingerprint = $2 and occurrence = $3',
    [key.tenant, key.fingerprint, key.occurrence, JSON.stringify(patch)],
  );
}
