// What the migration remedy reads: status, and whether the latest backup is young enough (MIG-2).
import type { WorkspaceActivities } from '../../contract/activities.ts';
import type { DatabaseSettings } from '../../contract/tenant-config.ts';
import { latestBackup } from '../../integrations/process/backup-command.ts';
import { type Services, workspaceOf } from '../services.ts';
import { databaseSettings, migrationStatus } from '../sources/migrations.ts';
import { asActivity } from '../temporal.ts';

export function createMigrationActivities(services: Services): Pick<WorkspaceActivities, 'readMigrations'> {
  return {
    readMigrations: ({ tenant, workspace: name, database }) =>
      asActivity(services.redactor, async (signal) => {
        const { workspace } = await workspaceOf(services, tenant, name);
        const settings = databaseSettings(workspace, database);
        if (!settings) return { pending: [], missingOnDisk: [], backupProblem: null };
        const { pending, missingOnDisk } = await migrationStatus(services, workspace, settings, signal);
        const backupProblem = pending.length === 0 ? null : await staleBackup(settings, signal);
        return {
          pending,
          missingOnDisk,
          backupProblem: backupProblem === null ? null : services.redactor.redact(backupProblem),
        };
      }),
  };
}

/** Why migrations must wait, or null. A backup whose age cannot be told is not young enough. */
async function staleBackup(settings: DatabaseSettings, signal: AbortSignal): Promise<string | null> {
  const { backup, name } = settings;
  if (!backup) return null;
  const result = await latestBackup(backup.command, signal);
  if ('problem' in result) return `the backup command of ${name} ${result.problem}`;
  const said = result.printed;
  const at = Date.parse(said);
  if (Number.isNaN(at)) return `the backup command of ${name} printed no time: "${said.slice(0, 80)}"`;
  const ageMs = Date.now() - at;
  if (ageMs <= backup.maxAgeMs) return null;
  return `the latest backup of ${name} is ${Math.round(ageMs / 3_600_000)} h old, the limit is ${Math.round(backup.maxAgeMs / 3_600_000)} h`;
}
