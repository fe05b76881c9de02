// Who connects to which database of a tenant (OPS-1): its reference out of the settings, and a line in the audit trail. The connection string is not
// read here.
import type { SecretReference } from '../../contract/tenant-config.ts';
import { appendAudit } from '../../store/audit.ts';
import type { Context } from '../context.ts';
import { NotFoundError } from '../errors.ts';
import { clip, nearest, requireTenant } from '../names.ts';

export type DatabaseAccess = {
  readonly tenant: string;
  readonly workspace: string;
  readonly database: string;
  /** Of its connection string. */
  readonly reference: SecretReference;
  /** Where the reference stands, for errors. */
  readonly field: string;
};

/** @throws NotFoundError for a name that no workspace has, or more than one */
export async function databaseAccess(
  { pool, clock }: Context,
  where: { readonly tenant?: string | undefined; readonly workspace?: string | undefined },
  name: string,
  by: string,
): Promise<DatabaseAccess> {
  const { tenant, config } = await requireTenant(pool, where.tenant);
  const all = config.workspaces
    .filter((workspace) => where.workspace === undefined || workspace.name === where.workspace)
    .flatMap(({ name: workspace, databases }) =>
      databases.map(({ name: database, url: reference }) => ({ workspace, database, reference })),
    );
  const found = all.filter(({ database }) => database === name);
  const [only] = found;
  if (only === undefined) {
    const names = [...new Set(all.map(({ database }) => database))];
    const near = nearest(name, names);
    const fix =
      names.length === 0
        ? 'add "databases" to a workspace in the tenant file and apply it'
        : near === undefined
          ? `name one of ${names.join(', ')}`
          : `did you mean "${near}"?`;
    throw new NotFoundError(`database: "${clip(name)}" is none of ${tenant}. Fix: ${fix}`);
  }
  if (found.length > 1)
    throw new NotFoundError(
      `database: "${clip(name)}" is in several workspaces. Fix: --workspace with one of ${found.map(({ workspace }) => workspace).join(', ')}`,
    );
  await appendAudit(pool, {
    tenant,
    atMs: clock(),
    actor: by,
    action: 'database.connect',
    workspace: only.workspace,
    subject: name,
    reason: 'a person opens psql',
    detail: {},
  });
  return { tenant, ...only, field: `workspaces.${only.workspace}.databases.${name}.url` };
}
