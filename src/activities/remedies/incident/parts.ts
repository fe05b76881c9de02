// What the activities of incidents are made of, beside the services of the worker; and what they read before they decide.
import type { FindingRef } from '../../../contract/activities.ts';
import type { Finding } from '../../../contract/finding.ts';
import type { TenantConfig, WorkspaceConfig } from '../../../contract/tenant-config.ts';
import type { Queryable } from '../../../store/database.ts';
import { activeFindings, type FindingRow, readFindingRow } from '../../../store/findings.ts';
import { lastReads } from '../../../store/status.ts';
import type { Services } from '../../services.ts';
import type { ReadPlatform } from './platform.ts';

export type IncidentParts = {
  readonly services: Services;
  readonly platform: ReadPlatform;
  /** The branch a code agent starts from. */
  readonly baseBranch: (workspace: WorkspaceConfig, signal: AbortSignal) => Promise<string>;
  /** Where a run is shown to people; null: nowhere. */
  readonly runUrl: () => string | null;
};

/** What is known of the finding, of what else is red in its workspace, and when that was read. */
export type Known = {
  readonly config: TenantConfig;
  readonly workspace: WorkspaceConfig;
  readonly finding: FindingRow;
  /** Incidents and deployments of the workspace that are not over, this one too. */
  readonly red: readonly Finding[];
  readonly ci: readonly Finding[];
  /** By source key: when it was read last; what could not be read then is left out. */
  readonly readAtMs: { readonly [source: string]: number };
};

export async function readKnown(
  db: Queryable,
  ref: FindingRef,
  { config, workspace }: Pick<Known, 'config' | 'workspace'>,
): Promise<Known | null> {
  const finding = await readFindingRow(db, ref);
  if (finding === undefined) return null;
  const active = (await activeFindings(db, ref.tenant)).filter((one) => one.workspace === ref.workspace);
  const reads = (await lastReads(db, ref.tenant)).filter((read) => read.workspace === ref.workspace);
  return {
    config,
    workspace,
    finding,
    red: active.filter(({ kind }) => kind === 'incident' || kind === 'deployment'),
    ci: active.filter(({ kind }) => kind === 'ci'),
    readAtMs: Object.fromEntries(
      reads
        .filter(({ state }) => state !== 'unknown')
        .map(({ source, target, readAtMs }) => [
          target === undefined ? source : `${source}:${target}`,
          readAtMs,
        ]),
    ),
  };
}

/** Names of the services a finding is about. */
export function servicesOf({ detail }: Pick<Finding, 'detail'>): readonly string[] {
  if (detail.kind === 'incident') return detail.services;
  return detail.kind === 'deployment' ? [detail.service] : [];
}
