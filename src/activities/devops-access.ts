// Where the DevOps API of a tenant's backend is, and its secret (INC-5), as the settings name them.
import { isSecretReference, type SecretReference, type WorkspaceConfig } from '../contract/tenant-config.ts';

export type Resolve = (reference: SecretReference, field: string) => Promise<string>;

/** @throws when a reference does not resolve */
export async function devopsAccess(
  workspace: string,
  { url, secret }: NonNullable<WorkspaceConfig['incidents']['devopsApi']>,
  resolve: Resolve,
): Promise<{ readonly url: string; readonly secret: string }> {
  const field = `workspaces.${workspace}.incidents.devopsApi`;
  return {
    url: isSecretReference(url) ? await resolve(url, `${field}.url`) : url,
    secret: await resolve(secret, `${field}.secret`),
  };
}
