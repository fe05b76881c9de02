// The migrations source (MIG-1): `dbmate status` of one database, against the migrations in the default branch's head.
import { isAbsolute, join } from 'node:path';
import type { ObservedFinding } from '../../contract/finding.ts';
import type { DatabaseSettings, WorkspaceConfig } from '../../contract/tenant-config.ts';
import { dbmateStatus, type MigrationStatus } from '../../integrations/dbmate/status.ts';
import { atHead, type Services } from '../services.ts';
import type { SourceDefinition } from './definition.ts';

const ruleVersion = 1;
const shown = 3;

export function createMigrationsSource(services: Services): SourceDefinition {
  return {
    kind: 'migrations',
    timeoutMs: () => 180_000,
    targets: (workspace) => workspace.databases.map((database) => database.name),
    read: async ({ workspace, target, signal }) => {
      const settings = databaseSettings(workspace, target);
      if (!settings) throw new Error(`database "${target}" is not in the settings any more`);
      const status = await migrationStatus(services, workspace, settings, signal);
      const findings = findingsOf(settings, status);
      return {
        state: status.pending.length === 0 ? 'green' : 'red',
        reason: `${status.applied.length} applied, ${status.pending.length} pending`,
        findings,
      };
    },
  };
}

function findingsOf(settings: DatabaseSettings, status: MigrationStatus): readonly ObservedFinding[] {
  const { name: database, environment } = settings;
  const base = { kind: 'migration', target: database, ruleVersion } as const;
  const detail = {
    kind: 'migration',
    database,
    environment,
    pending: status.pending,
    missingOnDisk: status.missingOnDisk,
  } as const;
  const findings: ObservedFinding[] = [];
  if (status.pending.length > 0) {
    const names = status.pending.slice(0, shown).join(', ');
    const more = status.pending.length > shown ? ` and ${status.pending.length - shown} more` : '';
    findings.push({
      ...base,
      signature: 'pending',
      severity: 'warning',
      title: `${status.pending.length} pending on ${database}: ${names}${more}`,
      detail,
    });
  }
  if (status.missingOnDisk.length > 0) {
    const title = `${database} has ${status.missingOnDisk.length} applied migrations that are not on disk: ${status.missingOnDisk.slice(0, shown).join(', ')}`;
    findings.push({ ...base, signature: 'missing on disk', severity: 'info', title, detail });
  }
  return findings;
}

export function databaseSettings(
  workspace: WorkspaceConfig,
  name: string | undefined,
): DatabaseSettings | undefined {
  return workspace.databases.find((database) => database.name === name);
}

/** Runs `work` with the folder of the migrations: in the repository, or where the settings say. */
export async function withMigrations<T>(
  services: Services,
  workspace: WorkspaceConfig,
  settings: DatabaseSettings,
  signal: AbortSignal,
  work: (access: { readonly url: string; readonly migrationsDir: string }) => Promise<T>,
): Promise<T> {
  const url = await services.secrets.resolve(
    settings.url,
    `workspaces.${workspace.name}.databases.${settings.name}.url`,
  );
  if (isAbsolute(settings.migrations)) return work({ url, migrationsDir: settings.migrations });
  return atHead(services, workspace, signal, (worktree) =>
    work({ url, migrationsDir: join(worktree.path, settings.migrations) }),
  );
}

export async function migrationStatus(
  services: Services,
  workspace: WorkspaceConfig,
  settings: DatabaseSettings,
  signal: AbortSignal,
): Promise<MigrationStatus> {
  return withMigrations(services, workspace, settings, signal, (access) =>
    dbmateStatus({ ...access, signal }),
  );
}
