// What `doctor` says about the production of a tenant's workspaces: whether the references that services, health checks and incidents name are set here.
// Nobody is asked: neither the platform nor production.
import { type SecretResolver, SecretUnavailable } from '../../config/secrets.ts';
import { isSecretReference, type SecretReference } from '../../contract/tenant-config.ts';
import type { TenantRow } from '../../store/tenants.ts';

type Check = {
  readonly name: string;
  readonly ok: boolean;
  readonly found: string;
  readonly fix: string;
};

const shown = 5;

/** One per workspace that has anything of it in its settings. */
export async function operationsChecks(
  { tenant, config }: Pick<TenantRow, 'tenant' | 'config'>,
  secrets: Pick<SecretResolver, 'resolve'>,
): Promise<readonly Check[]> {
  const checks = await Promise.all(
    config.workspaces.map(async ({ name, services, health, incidents }) => {
      const { devopsApi } = incidents;
      const settings = { services, health, incidents: { devopsApi } };
      const references = referencesIn(settings, '');
      if (services === undefined && health === undefined && devopsApi === undefined) return [];
      const missing = (await Promise.all(references.map((one) => problemOf(one, secrets)))).flat();
      return [
        {
          name: `production ${tenant}/${name}`,
          ok: missing.length === 0,
          found: missing.length === 0 ? wellText(settings) : some(missing.map(({ found }) => found)),
          fix: some([...new Set(missing.map(({ fix }) => fix))]),
        },
      ];
    }),
  );
  return checks.flat();
}

type Found = { readonly field: string; readonly reference: SecretReference };

function referencesIn(value: unknown, field: string): readonly Found[] {
  if (typeof value === 'string') return isSecretReference(value) ? [{ field, reference: value }] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const name = Array.isArray(value) ? `${field}[${key}]` : field === '' ? key : `${field}.${key}`;
    return referencesIn(inner, name);
  });
}

async function problemOf(
  { field, reference }: Found,
  secrets: Pick<SecretResolver, 'resolve'>,
): Promise<readonly { readonly found: string; readonly fix: string }[]> {
  try {
    await secrets.resolve(reference, field);
    return [];
  } catch (error) {
    if (!(error instanceof SecretUnavailable)) throw error;
    return [{ found: `${field}: ${error.reference} ${error.reason}`, fix: error.fix }];
  }
}

function wellText({
  services,
  health,
}: {
  readonly services: TenantRow['config']['workspaces'][number]['services'];
  readonly health: TenantRow['config']['workspaces'][number]['health'];
}): string {
  return [
    services === undefined ? 'no services' : `services by ${services.provider.kind}`,
    `${health?.checks.length ?? 0} health checks`,
    'all references are set here',
  ].join(', ');
}

function some(texts: readonly string[]): string {
  return texts.length > shown
    ? `${texts.slice(0, shown).join('; ')}; and ${texts.length - shown} more`
    : texts.join('; ');
}
