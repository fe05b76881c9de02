// The records of remedies: how their finding stands, attempts, what an escalation says, where activity is noted.
import type { FindingRef, RemedyActivities } from '../../contract/activities.ts';
import { voidApprovals } from '../../store/approvals.ts';
import { appendAudit, readAudit } from '../../store/audit.ts';
import { readFixAttempts } from '../../store/ci/fix-attempts.ts';
import { transaction } from '../../store/database.ts';
import { loadEvidence } from '../../store/evidence.ts';
import {
  beginAttempt,
  giveBackAttempt,
  readFindingRow,
  readMemory,
  remember,
  setFindingStatus,
} from '../../store/findings.ts';
import { readTenant } from '../../store/tenants.ts';
import { type Services, workspaceOf } from '../services.ts';
import { asActivity } from '../temporal.ts';

const reportLines = 40;
/** Three of them leave room for the rest of an issue. */
const maxAttemptLength = 14_000;

export function createRemedyActivities(services: Services): RemedyActivities {
  const { pool, redactor } = services;
  return {
    look: (ref) =>
      asActivity(redactor, async () => {
        const row = await readFindingRow(pool, ref);
        if (!row) throw new Error(`finding ${ref.fingerprint.slice(0, 12)} is not known`);
        const config = (await readTenant(pool, ref.tenant))?.config;
        if (!config) throw new Error(`tenant "${ref.tenant}" is not known`);
        const { attempts, plannerSteps } = config.limits;
        const there = config.workspaces.some(({ name }) => name === ref.workspace);
        return {
          ...(there ? {} : { gone: true }),
          status: row.status,
          detail: row.detail,
          attempts: row.attempts,
          memory: await readMemory(pool, ref),
          limits: { attempts, plannerSteps },
        };
      }),
    setStatus: (request) =>
      asActivity(redactor, () =>
        transaction(pool, async (tx) => {
          const { status, waitingFor, waitingUntilMs } = request;
          const before = await readFindingRow(tx, request);
          const said = waitingFor === undefined ? undefined : redactor.redact(waitingFor).slice(0, 1_000);
          await setFindingStatus(tx, request, {
            status,
            ...(said === undefined ? {} : { waitingFor: said }),
            ...(waitingUntilMs === undefined ? {} : { waitingUntilMs }),
          });
          if (request.remember) await remember(tx, request, request.remember);
          if (!before || before.status === 'resolved') return;
          if (before.status === status && before.waitingFor === said) return;
          await appendAudit(tx, {
            tenant: request.tenant,
            atMs: request.nowMs,
            actor: request.actor,
            action: `finding.${status}`,
            workspace: request.workspace,
            fingerprint: request.fingerprint,
            subject: before.title,
            reason: said ?? status,
          });
        }),
      ),
    beginAttempt: (request) =>
      asActivity(redactor, async () => {
        const { config } = await workspaceOf(services, request.tenant, request.workspace);
        return { attempt: await beginAttempt(pool, request, request.attemptKey, config.limits.attempts) };
      }),
    giveBackAttempt: (request) =>
      asActivity(redactor, () => giveBackAttempt(pool, request, request.attemptKey)),
    escalationReport: (request) => asActivity(redactor, () => escalationReport(services, request)),
    voidApprovals: ({ tenant, requester, keepPrecondition, kinds, reason }) =>
      asActivity(redactor, async () => ({
        voided: await voidApprovals(pool, { tenant, requester, keepPrecondition, kinds, reason }),
      })),
    activityIssue: (ref) =>
      asActivity(redactor, async () => {
        const { workspace } = await workspaceOf(services, ref.tenant, ref.workspace);
        const { rows } = await pool.query(
          `select (result ->> 'number')::int as number from effects where tenant = $1 and workspace = $2 and kind = 'openIssue'
             and step = 'activity-issue' and state = 'done' and result ? 'number' order by settled_at desc limit 1`,
          [ref.tenant, ref.workspace],
        );
        return {
          enabled: workspace.github.activityIssue,
          repository: workspace.github.repository,
          issue: rows[0]?.number ?? null,
        };
      }),
  };
}

/** CI-9: all attempts with what came of them, oldest first, in one text. */
async function escalationReport(
  services: Services,
  request: Parameters<RemedyActivities['escalationReport']>[0],
): ReturnType<RemedyActivities['escalationReport']> {
  const issue = await escalationIssue(services, request);
  const row = await readFindingRow(services.pool, request);
  const lines = await readAudit(services.pool, {
    tenant: request.tenant,
    fingerprint: request.fingerprint,
    limit: reportLines,
  });
  const title = `Needs a person: ${row?.title ?? request.fingerprint.slice(0, 12)}`.slice(0, 240);
  const history = [...lines]
    .reverse()
    .map(
      (line) =>
        `| ${new Date(line.atMs).toISOString().slice(0, 19)}Z | ${cell(line.action)} | ${cell(line.subject)} | ${cell(line.reason)} |`,
    );
  const link = row?.detail.kind === 'ci' ? `\nFailing run: ${row.detail.url}\n` : '';
  const body = [
    `**Why a person:** ${request.reason}`,
    link,
    `Attempts used: ${row?.attempts ?? 0}. Finding \`${request.fingerprint.slice(0, 16)}\`, occurrence ${request.occurrence}.`,
    '',
    '### What was done',
    '',
    '| When | What | On | Result |',
    '| --- | --- | --- | --- |',
    ...history,
    '',
    ...(await attemptsOf(services, request)),
    ...(request.report === undefined ? [] : ['### Last attempt', '', request.report, '']),
    `\`untilgreen why ${request.fingerprint.slice(0, 12)}\` shows more; \`untilgreen remediate ${request.fingerprint.slice(0, 12)}\` tries again.`,
  ].join('\n');
  return {
    title: services.redactor.redact(title),
    body: services.redactor.redact(body),
    ...(issue === null ? {} : { issue }),
  };
}

/** Opened by this very remedy: its report is another one now, so that it would not find its receipt by the same key (DUR-2). */
async function escalationIssue(
  { pool }: Services,
  { tenant, requester }: Parameters<RemedyActivities['escalationReport']>[0],
): Promise<number | null> {
  if (requester === undefined) return null;
  const { rows } = await pool.query(
    `select (result ->> 'number')::int as number from effects where tenant = $1 and requester = $2 and kind = 'openIssue'
       and step = 'escalation-issue' and outcome in ('applied', 'alreadyApplied') limit 1`,
    [tenant, requester],
  );
  return rows[0]?.number ?? null;
}

/** Drafts, what was run on them, and verdicts. */
async function attemptsOf(services: Services, ref: FindingRef): Promise<readonly string[]> {
  const sections: string[] = [];
  for (const { attempt, result, reason, report } of await readFixAttempts(services.pool, ref)) {
    const text = report === null ? undefined : await loadEvidence(services.pool, ref.tenant, report);
    sections.push(`### Attempt ${attempt}: ${result}`, '', reason, '', cutMarkdown(text ?? ''), '');
  }
  return sections;
}

/** A code block that is cut is closed. */
function cutMarkdown(text: string): string {
  if (text.length <= maxAttemptLength) return text;
  const kept = text.slice(0, maxAttemptLength);
  let open = '';
  for (const line of kept.split('\n')) {
    const fence = /^`{3,}/.exec(line)?.[0];
    if (fence === undefined) continue;
    if (open === '') open = fence;
    else if (line.trim() === open) open = '';
  }
  return `${kept}${open === '' ? '' : `\n${open}`}\n\n(cut)`;
}

function cell(text: string): string {
  return text.replace(/\|/g, '\\|').replace(/\s+/g, ' ').slice(0, 300);
}
