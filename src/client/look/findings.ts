// Findings as people and programs see them, and the state of failing CI per SHA, job and fingerprint (CI-11). Reads Postgres only.
import type { Queryable } from '../../store/database.ts';
import { type FindingRow, listFindings } from '../../store/findings.ts';
import { findingFacts } from '../../store/history.ts';
import type { TenantRow } from '../../store/tenants.ts';
import type { Context } from '../context.ts';
import { type FindingView, findingView } from './views.ts';

/** Active ones first, then those resolved within `resolvedWithinMs`. */
export async function readFindings(
  context: Context,
  tenant: TenantRow,
  resolvedWithinMs: number,
): Promise<readonly FindingView[]> {
  const rows = await listFindings(context.pool, tenant.tenant, context.clock() - resolvedWithinMs);
  return viewFindings(context, context.pool, tenant, rows);
}

export async function viewFindings(
  context: Context,
  db: Queryable,
  tenant: TenantRow,
  rows: readonly FindingRow[],
): Promise<readonly FindingView[]> {
  const fingerprints = [...new Set(rows.map(({ fingerprint }) => fingerprint))];
  const facts = fingerprints.length === 0 ? [] : await findingFacts(db, tenant.tenant, fingerprints);
  const about = {
    attemptsLimit: tenant.config.limits.attempts,
    workflowLink: (id: string) => workflowLink(context, id),
  };
  return rows.map((row) =>
    findingView(
      row,
      facts.find((fact) => fact.fingerprint === row.fingerprint && fact.occurrence === row.occurrence),
      { ...about, soakAfterMs: soakAfterMs(tenant, row.workspace) },
    ),
  );
}

function soakAfterMs({ config }: TenantRow, workspace: string): readonly number[] {
  return config.workspaces.find(({ name }) => name === workspace)?.ci.soakAfterMs ?? [];
}

/** Into the Temporal UI (SEE-1), where its address is known. */
export function workflowLink({ endpoints }: Context, workflowId: string): string | null {
  const { uiUrl, temporal } = endpoints;
  if (uiUrl === undefined || temporal === undefined) return null;
  const base = uiUrl.replace(/\/+$/, '');
  return `${base}/namespaces/${encodeURIComponent(temporal.namespace)}/workflows/${encodeURIComponent(workflowId)}`;
}

export type CiStateRow = {
  readonly workspace: string;
  readonly repository: string;
  readonly branch: string;
  readonly sha: string;
  readonly workflow: string;
  readonly job: string;
  readonly step: string | null;
  readonly fingerprint: string;
  readonly title: string;
  /** Used of allowed: `1/3`. */
  readonly attempts: string;
  readonly class: FindingView['class'];
  readonly issue: number | null;
  readonly repeatFailures: number;
  readonly soak: FindingView['soak'];
  readonly pullRequest: FindingView['pullRequest'];
  readonly lastAction: string | null;
  readonly lastActionAt: string | null;
  readonly status: FindingView['status'];
  readonly outcome: string | null;
  readonly waitingFor: string | null;
  readonly run: string | null;
  readonly firstSeenAt: string;
  readonly resolvedAt: string | null;
};

/** CI-11. Active ones, and those resolved lately: after `retention.resolvedFindings` (7 days) they leave the list (CI-10). */
export async function readCiState(context: Context, tenant: TenantRow): Promise<readonly CiStateRow[]> {
  const findings = await readFindings(context, tenant, tenant.config.retention.resolvedFindingsMs);
  return findings.flatMap((finding): readonly CiStateRow[] => {
    const { detail } = finding;
    if (detail.kind !== 'ci') return [];
    return [
      {
        workspace: finding.workspace,
        repository: detail.repository,
        branch: detail.branch,
        sha: detail.headSha,
        workflow: detail.workflowName,
        job: detail.job,
        step: detail.step,
        fingerprint: finding.fingerprint,
        title: finding.title,
        attempts: `${finding.attempts.used}/${finding.attempts.limit}`,
        class: finding.class,
        issue: finding.issue,
        repeatFailures: finding.repeatFailures,
        soak: finding.soak,
        pullRequest: finding.pullRequest,
        lastAction: finding.lastAction?.what ?? null,
        lastActionAt: finding.lastAction?.at ?? null,
        status: finding.status,
        outcome: outcomeOf(finding),
        waitingFor: finding.waitingFor,
        run: finding.links.run,
        firstSeenAt: finding.firstSeenAt,
        resolvedAt: finding.resolvedAt,
      },
    ];
  });
}

function outcomeOf(finding: FindingView): string | null {
  if (finding.status === 'resolved') return 'green';
  if (finding.status === 'escalated') return 'escalated';
  return finding.lastAction?.outcome ?? null;
}
