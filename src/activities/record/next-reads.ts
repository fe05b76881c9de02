// What of a tenant is read, and when next (LOOP-1): every source of every workspace; comments only where somebody is asked for an answer.
import type { ScheduledRead, SettleRequest } from '../../contract/loop.ts';
import { nextDueMs } from '../../policy/loop/cadence.ts';
import { openApprovals } from '../../store/approvals.ts';
import { type Queryable, sha256 } from '../../store/database.ts';
import { workspacesToAcknowledge } from '../../store/ops/incidents.ts';
import type { TenantRow } from '../../store/tenants.ts';
import type { SourceDefinition } from '../sources/definition.ts';

type Read = Omit<ScheduledRead, 'dueAtMs'>;

export function allReads(sources: readonly SourceDefinition[], tenant: TenantRow): readonly Read[] {
  return tenant.config.workspaces.flatMap((workspace) =>
    sources
      .filter((source) => source.kind !== 'approvals')
      .flatMap((source) =>
        source.targets(workspace, tenant.config).map((target) => readOf(source, workspace, target)),
      ),
  );
}

function readOf(
  source: SourceDefinition,
  workspace: TenantRow['config']['workspaces'][number],
  target: string | undefined,
): Read {
  const base = {
    workspace: workspace.name,
    source: source.kind,
    timeoutMs: source.timeoutMs({ workspace, target }),
  };
  return target === undefined ? base : { ...base, target };
}

export async function nextReads(
  tx: Queryable,
  sources: readonly SourceDefinition[],
  tenant: TenantRow,
  request: SettleRequest,
  red: boolean,
): Promise<readonly ScheduledRead[]> {
  const phaseMs = Number.parseInt(sha256(tenant.tenant).slice(0, 8), 16);
  const due = ({ source, workspace: name }: Read): number => {
    const workspace = tenant.config.workspaces.find((one) => one.name === name);
    const mostMs = workspace && sources.find(({ kind }) => kind === source)?.everyMs?.(workspace);
    return nextDueMs({
      source,
      cadence: tenant.config.cadence,
      timeZone: tenant.config.timeZone,
      nowMs: request.nowMs,
      red,
      phaseMs,
      ...(mostMs === undefined ? {} : { mostMs }),
    });
  };
  const reads = allReads(sources, tenant);
  const approvals = sources.find((source) => source.kind === 'approvals');
  const asked = approvals
    ? new Set([
        ...(await openApprovals(tx, tenant.tenant)).map((approval) => approval.workspace),
        ...(await workspacesToAcknowledge(tx, tenant.tenant)),
      ])
    : new Set<string>();
  const watched = tenant.config.workspaces
    .filter((w) => approvals && asked.has(w.name))
    .map((w) => readOf(approvals as SourceDefinition, w, undefined));
  return [...reads, ...watched].map((read) => ({ ...read, dueAtMs: due(read) }));
}
