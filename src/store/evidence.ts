// Reduced and redacted material, addressed by (tenant, sha256), with a retention. Histories carry the hash only. Raw logs never come here.
import { type Queryable, sha256 } from './database.ts';

const maxBytes = 1_048_576;

/** Read by people only: of these the beginning is enough, with a word that more was there. All else is read back by code, whole or not at all. */
const forPeople: readonly string[] = ['log', 'fixReport', 'setUp'];

/** More than evidence may hold, of a kind that is never cut; the message says by how much. */
export class EvidenceTooLarge extends Error {
  override readonly name: string = 'EvidenceTooLarge';

  constructor(kind: string, bytes: number, fix = '') {
    super(
      `the ${kind} has ${bytes} bytes, over the limit of ${maxBytes} that evidence may have${fix === '' ? '' : `. Fix: ${fix}`}`,
    );
  }
}

/**
 * @param evidence.body redacted by the caller (SEC-2)
 * @throws EvidenceTooLarge over 1 MB, but for what only people read: that is cut, and ends with what is missing
 */
export async function saveEvidence(
  db: Queryable,
  evidence: {
    readonly tenant: string;
    readonly kind: string;
    readonly body: string;
    readonly retentionMs: number;
  },
): Promise<string> {
  const body = fitting(evidence.kind, evidence.body.replaceAll('\u0000', '\uFFFD'));
  const hash = sha256(body);
  await db.query(
    `insert into evidence (tenant, sha256, kind, body, expires_at) values ($1, $2, $3, $4, now() + $5 * interval '1 millisecond')
     on conflict (tenant, sha256) do update set expires_at = greatest(evidence.expires_at, excluded.expires_at)`,
    [evidence.tenant, hash, evidence.kind, body, evidence.retentionMs],
  );
  return hash;
}

function fitting(kind: string, text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  if (!forPeople.includes(kind)) throw new EvidenceTooLarge(kind, bytes.length);
  const note = `\n(cut: the first part of ${bytes.length} bytes)\n`;
  const kept = bytes.subarray(0, maxBytes - Buffer.byteLength(note)).toString('utf8');
  // A character that was cut in two.
  return `${kept.replace(/\uFFFD$/, '')}${note}`;
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
