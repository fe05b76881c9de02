// The store's side of aftercare (CI-10): how a resolved finding stands, and what was done about it. All of it is in the finding's memory;
// `aftercare` in it says that nothing is left.
import * as z from 'zod';
import type { CareNote, CareView, SoakState } from '../contract/aftercare.ts';
import type { TenantConfig } from '../contract/tenant-config.ts';
import { repeatWindowMs } from '../policy/aftercare.ts';
import { appendAudit } from './audit.ts';
import { canonicalJson, type Queryable } from './database.ts';
import {
  type FindingKey,
  type FindingMemory,
  lockFindingRow,
  readFindingRow,
  readMemory,
  remember,
} from './findings.ts';

const Soak = z.object({
  resolvedMs: z.number(),
  state: z.enum(['running', 'proved', 'unproved', 'repeat']),
  passedMs: z.array(z.number()),
});

/** Data from the store, which an older version may have written: what does not fit is none. */
function soakIn(memory: FindingMemory): z.output<typeof Soak> | undefined {
  return Soak.safeParse(memory.soak).data;
}

/** Null: no fix of ours made it green. */
export function soakOf(memory: FindingMemory): SoakState | null {
  const soak = soakIn(memory);
  if (soak !== undefined) return { state: soak.state, passedMs: soak.passedMs };
  const begun = typeof memory.fixedBy === 'string' && memory.fixedBy !== '' && memory.aftercare === undefined;
  return begun ? { state: 'running', passedMs: [] } : null;
}

/** Null: the finding or its workspace is not there any more. */
export async function readCare(
  db: Queryable,
  key: FindingKey,
  config: TenantConfig,
): Promise<CareView | null> {
  const row = await readFindingRow(db, key);
  const workspace = config.workspaces.find(({ name }) => name === row?.workspace);
  if (!row || !workspace) return null;
  const memory = await readMemory(db, key);
  const receipts = await fixReceipts(db, key, numberIn(memory.returnedMs) ?? 0);
  const soak = soakIn(memory);
  const ofNow = soak?.resolvedMs === row.resolvedMs ? soak : undefined;
  const known = typeof memory.fixedBy === 'string' ? memory.fixedBy : null;
  const branch = row.detail.kind === 'ci' ? `${row.detail.repository}@${row.detail.branch}` : '';
  const commit = receipts.find((one) => one.kind === 'pushBranch' && one.target === branch)?.commit ?? null;
  const opened = receipts.find((one) => one.kind === 'openPullRequest')?.number ?? null;
  // A merged one is forgotten by its remedy when the branch stays red: its receipt still says that it was there.
  const pullRequest = numberIn(memory.pullRequest) ?? (known === null && row.kind === 'ci' ? opened : null);
  const issue = numberIn(memory.issue);
  return {
    status: row.status,
    resolvedMs: row.resolvedMs,
    remedies: row.remedies,
    repository: workspace.github.repository,
    pullRequest: pullRequest === memory.leftPullRequest ? null : pullRequest,
    issue: issue === memory.leftIssue ? null : issue,
    fixedBy:
      ofNow?.state === 'repeat' ? '' : known || (commit === null ? '' : `commit ${commit.slice(0, 12)}`),
    passedMs: ofNow?.passedMs ?? [],
    soakAfterMs: row.kind === 'ci' ? workspace.ci.soakAfterMs : [],
  };
}

type FixReceipt = {
  readonly kind: string;
  readonly target: string;
  readonly number: number | null;
  readonly commit: string | null;
};

/** What was pushed and opened for it since it last came back, newest first. */
async function fixReceipts(db: Queryable, key: FindingKey, sinceMs: number): Promise<readonly FixReceipt[]> {
  const { rows } = await db.query(
    `select kind, target, (result ->> 'number')::int as number, result ->> 'commitSha' as commit from effects
     where tenant = $1 and fingerprint = $2 and occurrence = $3 and kind in ('openPullRequest', 'pushBranch')
       and outcome in ('applied', 'alreadyApplied') and policy_ms >= $4 order by created_at desc`,
    [key.tenant, key.fingerprint, key.occurrence, sinceMs],
  );
  return rows;
}

/** A job that fails in another step within 48 hours of its fix is a finding of its own, and a repeat failure of the one that was fixed. */
export async function noteOtherFailure(
  tx: Queryable,
  tenant: string,
  appeared: {
    readonly fingerprint: string;
    readonly workspace: string;
    readonly target: string;
    readonly title: string;
  },
  nowMs: number,
): Promise<void> {
  const { rows } = await tx.query(
    `select fingerprint, occurrence, resolved_ms as "resolvedMs" from findings
     where tenant = $1 and workspace = $2 and target = $3 and fingerprint <> $4 and kind = 'ci' and status = 'resolved' and resolved_ms >= $5
       and memory ->> 'fixedBy' <> '' and coalesce(memory -> 'soak' ->> 'state', 'running') <> 'repeat'`,
    [tenant, appeared.workspace, appeared.target, appeared.fingerprint, Math.round(nowMs - repeatWindowMs)],
  );
  for (const { fingerprint, occurrence, resolvedMs } of rows) {
    const reason = `the job fails again within 48 h of its fix: ${appeared.title} (${appeared.fingerprint.slice(0, 12)})`;
    await noteCare(tx, { tenant, fingerprint, occurrence }, { about: 'repeat', resolvedMs, reason }, nowMs);
  }
}

/** Writes down what was done, with a line in the audit trail. What is about a resolution that is over changes nothing. */
export async function noteCare(tx: Queryable, key: FindingKey, note: CareNote, nowMs: number): Promise<void> {
  const row = await lockFindingRow(tx, key);
  if (!row) return;
  if ('resolvedMs' in note && (row.status !== 'resolved' || row.resolvedMs !== note.resolvedMs)) return;
  const memory = await readMemory(tx, key);
  const patch = patchOf(note, memory);
  // Told again, because its answer was lost: it counts once, and has its line.
  if (canonicalJson({ ...memory, ...patch }) === canonicalJson(memory)) return;
  await remember(tx, key, patch);
  const action = actionOf(note);
  if (action === null) return;
  await appendAudit(tx, {
    tenant: key.tenant,
    atMs: nowMs,
    actor: 'aftercare',
    action,
    workspace: row.workspace,
    fingerprint: key.fingerprint,
    subject: row.title,
    reason: note.reason,
  });
}

function patchOf(note: CareNote, memory: FindingMemory): FindingMemory {
  switch (note.about) {
    case 'pullRequest':
      if (note.end === 'left') return { leftPullRequest: note.number };
      // A late word on an old one: the finding came back, and has another since.
      if (typeof memory.pullRequest === 'number' && memory.pullRequest !== note.number) return {};
      return { pullRequest: null, fixedBy: note.end === 'merged' ? `pull request #${note.number}` : '' };
    case 'issue':
      return note.end === 'left' ? { leftIssue: note.number } : { issue: null, closedIssue: note.number };
    case 'passed': {
      const soak = soakIn(memory);
      const before = soak?.resolvedMs === note.resolvedMs ? soak.passedMs : [];
      const passedMs = [...new Set([...before, ...note.checksMs])].sort((a, b) => a - b);
      return { soak: { resolvedMs: note.resolvedMs, state: 'running', passedMs } };
    }
    case 'repeat': {
      const soak = soakIn(memory);
      if (soak?.resolvedMs === note.resolvedMs && soak.state === 'repeat') return {};
      return {
        soak: { resolvedMs: note.resolvedMs, state: 'repeat', passedMs: soak?.passedMs ?? [] },
        repeats: (numberIn(memory.repeats) ?? 0) + 1,
      };
    }
    case 'end': {
      const { resolvedMs, checksMs = [], reason } = note;
      const soak = soakIn(memory);
      const ofNow = soak?.resolvedMs === resolvedMs ? soak : undefined;
      if (checksMs.length === 0 || ofNow?.state === 'repeat') return { aftercare: reason };
      const passedMs = ofNow?.passedMs ?? [];
      const state = checksMs.every((check) => passedMs.includes(check)) ? 'proved' : 'unproved';
      return { aftercare: reason, soak: { resolvedMs, state, passedMs } };
    }
  }
}

function actionOf(note: CareNote): string | null {
  switch (note.about) {
    case 'passed':
      return 'soak.passed';
    case 'repeat':
      return 'finding.repeatFailure';
    case 'end':
      return 'aftercare.done';
    // The effect has its own line; what nobody did has none.
    default:
      return note.end === 'left' ? 'aftercare.left' : null;
  }
}

function numberIn(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
