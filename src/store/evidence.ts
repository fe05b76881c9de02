// Reduced and redacted material, addressed by (tenant, sha256), with a retention. Histories carry the hash only. Raw logs never come here.
import { type Queryable, sha256 } from './database.ts';

const maxBytes = 1_048_576;

/** @param body redacted by the caller; cut at 1 MB (SEC-2) */
export async function saveEvidence(
  db: Queryable,
  evidence: {
    readonly tenant: string;
    readonly kind: string;
    readonly body: string;
    readonly retentionMs: number;
  },
): Promise<string> {
  const clean = evidence.body.replaceAll('\u0000', '\uFFFD');
  const bytes = Buffer.from(clean);
  if (bytes.length > maxBytes && evidence.kind === 'patch')
    throw new Error(`evidence: a patch of ${bytes.length} bytes is over the limit of ${maxBytes}`);
  const body =
    bytes.length > maxBytes
      ? bytes
          .subarray(0, maxBytes - 3)
          .toString('utf8')
          .replace(/\uFFFD$/, '')
      : clean;
  const hash = sha256(body);
  await db.query(
    `insert into evidence (tenant, sha256, kind, body, expires_at) values ($1, $2, $3, $4, now() + $5 * interval '1 millisecond')
     on conflict (tenant, sha256) do update set expires_at = greatest(evidence.expires_at, excluded.expires_at)`,
    [evidence.tenant, hash, evidence.kind, body, evidence.retentionMs],
  );
  return hash;
}

export async function loadEvidence(db: Queryable, tenant: string, hash: string): Promise<string | undefined> {
  const { rows } = await db.query('select body from evidence where tenant = $1 and sha256 = $2', [
    tenant,
    hash,
  ]);
  return rows[0]?.body;
}

export async function pruneEvidence(db: Queryable): Promise<void> {
  await db.query('delete from evidence where expires_at < now()');
}
