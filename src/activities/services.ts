// What activities are made of: the store, secrets, GitHub per workspace, checkouts. Built once per worker; holds no state of a tenant.

import { dirname } from 'node:path';
import { learnSecrets, type SecretResolver } from '../config/secrets.ts';
import type { TenantConfig, WorkspaceConfig } from '../contract/tenant-config.ts';
import { ensureMirror, type Mirror } from '../integrations/git/mirror.ts';
import { remoteHead } from '../integrations/git/remote-head.ts';
import { createWorktree, type Worktree } from '../integrations/git/worktree.ts';
import { createGitHub, type GitHub } from '../integrations/github/client.ts';
import { findSandbox } from '../integrations/sandbox/find-sandbox.ts';
import type { Sandbox } from '../integrations/sandbox/run-in-sandbox.ts';
import type { Redactor } from '../logs/redact/redact-values.ts';
import type { Pool } from '../store/database.ts';
import { readTenant, type TenantRow } from '../store/tenants.ts';
import { createProviders, type ProviderOf } from './providers.ts';

export type Services = {
  readonly pool: Pool;
  readonly redactor: Redactor;
  readonly secrets: SecretResolver;
  /** Mirrors, worktrees, downloaded tools. */
  readonly cacheDir: string;
  readonly github: (workspace: WorkspaceConfig) => Promise<GitHub>;
  readonly sandbox: (workspace: WorkspaceConfig) => Promise<Sandbox>;
  /** What runs the services of a workspace. */
  readonly provider: ProviderOf;
  /** All secrets of a tenant are known to the redactor when this is done (SEC-2): once per version of its settings. */
  readonly learn: (row: Pick<TenantRow, 'tenant' | 'version' | 'config'>) => Promise<void>;
};

export function createServices(
  parts: Pick<Services, 'pool' | 'redactor' | 'secrets' | 'cacheDir'>,
): Services {
  const clients = new Map<string, GitHub>();
  const learned = new Map<string, number>();
  const sandboxes = new Map<string, Promise<Sandbox>>();
  return {
    ...parts,
    provider: createProviders(parts),
    learn: async ({ tenant, version, config }) => {
      if (learned.get(tenant) === version) return;
      await learnSecrets(parts.secrets, config);
      learned.set(tenant, version);
    },
    github: async (workspace) => {
      const { apiUrl, token: reference } = workspace.github;
      const token = await parts.secrets.resolve(reference, `workspaces.${workspace.name}.github.token`);
      const key = JSON.stringify([apiUrl, token]);
      const known = clients.get(key);
      if (known) return known;
      const made = createGitHub({ apiUrl, token, userAgent: 'untilgreen' });
      clients.set(key, made);
      return made;
    },
    sandbox: (workspace) => {
      const { mode, readOnlyPaths } = workspace.ci.sandbox;
      const key = JSON.stringify([mode, readOnlyPaths]);
      const known = sandboxes.get(key);
      if (known !== undefined) return known;
      const found = findSandbox({
        mode,
        view: { readOnlyPaths, pathPrepend: [], hide: [dirname(parts.cacheDir)] },
      });
      sandboxes.set(key, found);
      // A sandbox that was missing may be installed meanwhile.
      found
        .then((sandbox) => sandbox.kind === 'unavailable' && sandboxes.delete(key))
        .catch(() => sandboxes.delete(key));
      return found;
    },
  };
}

/** @throws when the tenant or the workspace is not in the settings (any more) */
export async function workspaceOf(
  services: Services,
  tenant: string,
  workspace: string,
): Promise<{ readonly config: TenantConfig; readonly workspace: WorkspaceConfig }> {
  const row = await readTenant(services.pool, tenant);
  const found = row?.config.workspaces.find((w) => w.name === workspace);
  if (!row || !found)
    throw new Error(`workspace "${workspace}" of tenant "${tenant}" is not in its settings`);
  await services.learn(row);
  return { config: row.config, workspace: found };
}

export async function mirrorOf(
  services: Services,
  workspace: WorkspaceConfig,
  sha: string | undefined,
  signal: AbortSignal,
): Promise<Mirror> {
  const token = await services.secrets.resolve(
    workspace.github.token,
    `workspaces.${workspace.name}.github.token`,
  );
  return ensureMirror({
    cacheDir: services.cacheDir,
    url: workspace.github.gitUrl,
    token,
    signal,
    ...(sha === undefined ? {} : { sha }),
  });
}

export type Head = { readonly branch: string; readonly sha: string };

export async function headOf(
  services: Services,
  workspace: WorkspaceConfig,
  signal: AbortSignal,
): Promise<Head> {
  const token = await services.secrets.resolve(
    workspace.github.token,
    `workspaces.${workspace.name}.github.token`,
  );
  return remoteHead({ url: workspace.github.gitUrl, token, signal });
}

/** A checkout of the head of the default branch, removed when `work` ends. */
export async function atHead<T>(
  services: Services,
  workspace: WorkspaceConfig,
  signal: AbortSignal,
  work: (worktree: Worktree, head: Head) => Promise<T>,
): Promise<T> {
  const head = await headOf(services, workspace, signal);
  const mirror = await mirrorOf(services, workspace, head.sha, signal);
  const worktree = await createWorktree({ mirror, sha: head.sha });
  try {
    return await work(worktree, head);
  } finally {
    await worktree.remove();
  }
}
