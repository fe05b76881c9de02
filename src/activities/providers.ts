// From the settings of a workspace to the provider of its services (DEPLOY-1): Railway, or command lines of this machine. The token is resolved at each
// call, so that a rotated one counts at once, and is known to the redactor before it is used; a client lives as long as address and token stay.
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { SecretResolver } from '../config/secrets.ts';
import type { ServicesSettings } from '../contract/ops/settings.ts';
import type { WorkspaceConfig } from '../contract/tenant-config.ts';
import { createCommandProvider } from '../integrations/command-provider/command-provider.ts';
import { type Provider, ProviderFailure } from '../integrations/provider/provider.ts';
import { createRailwayProvider } from '../integrations/railway/railway.ts';
import type { Pool } from '../store/database.ts';
import { createRequestBudget } from '../store/ops/request-budget.ts';
import { messageOf } from './message-of.ts';

/** @throws ProviderFailure when the workspace has no services, or its token does not resolve */
export type ProviderOf = (workspace: WorkspaceConfig, tenant: string) => Promise<Provider>;

export type ProviderParts = {
  readonly pool: Pool;
  readonly secrets: SecretResolver;
  readonly cacheDir: string;
};

const maxKnown = 1_000;

export function createProviders(parts: ProviderParts): ProviderOf {
  const known = new Map<string, Provider>();
  return async (workspace, tenant) => {
    const { services } = workspace;
    if (!services)
      throw new ProviderFailure(`workspace ${workspace.name} has no services in its settings`, {
        kind: 'denied',
      });
    const { key, make } = await wanted(parts, workspace, services, tenant);
    const before = known.get(key);
    if (before) return before;
    if (known.size >= maxKnown) known.clear();
    const made = await make();
    known.set(key, made);
    return made;
  };
}

async function wanted(
  { pool, secrets, cacheDir }: ProviderParts,
  { name, github }: WorkspaceConfig,
  { provider: settings, environment }: ServicesSettings,
  tenant: string,
): Promise<{ readonly key: string; readonly make: () => Provider | Promise<Provider> }> {
  if (settings.kind === 'railway') {
    const field = `workspaces.${name}.services.provider.token`;
    const token = await secrets.resolve(settings.token, field).catch((cause: unknown) => {
      throw new ProviderFailure(messageOf(cause), {
        kind: 'denied',
        cause,
      });
    });
    const limits = { perHour: settings.requestsPerHour, perSecond: settings.requestsPerSecond };
    const key = keyOf(settings, token);
    return {
      key,
      make: () =>
        createRailwayProvider(settings, { token, budget: createRequestBudget(pool, { token, limits }) }),
    };
  }
  const directory = join(cacheDir, 'services', tenant, name);
  return {
    key: keyOf(settings, directory, environment),
    make: async () => {
      await mkdir(directory, { recursive: true });
      return createCommandProvider(settings, { directory, project: github.repository, environment });
    },
  };
}

/** No token as the key of anything. */
function keyOf(...parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
