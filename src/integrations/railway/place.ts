// Which project and environment are meant. A project token knows, and Railway is asked once per process and token; an account's token does not.
import { createHash } from 'node:crypto';
import type { RailwaySettings } from '../../contract/ops/settings.ts';
import { type ProviderCall, ProviderFailure } from '../provider/provider.ts';
import type { Client } from './client.ts';

export type Place = { readonly projectId: string; readonly environmentId: string };

/** By a hash of address and token. What a token is for never changes. */
const known = new Map<string, Promise<Place>>();
const maxKnown = 1_000;

/** @throws ProviderFailure where the settings and the token mean different places */
export async function placeOf(
  settings: RailwaySettings,
  token: string,
  client: Client,
  call: ProviderCall,
): Promise<Place> {
  const { projectId, environmentId } = settings;
  if (projectId !== undefined && environmentId !== undefined && settings.tokenKind === 'account')
    return { projectId, environmentId };
  const key = createHash('sha256').update(`${settings.apiUrl} ${token}`).digest('hex');
  const asked = known.get(key) ?? client.read('projectToken', {}, call).then((answer) => answer.projectToken);
  if (known.size >= maxKnown) known.clear();
  known.set(key, asked);
  asked.catch(() => {
    if (known.get(key) === asked) known.delete(key);
  });
  const place = await asked;
  for (const field of ['projectId', 'environmentId'] as const) {
    const given = settings[field];
    if (given === undefined || given === place[field]) continue;
    throw new ProviderFailure(
      `services.provider.${field} is ${given}, and the project token is for ${place[field]}: remove ${field}, or use a token of that ${field === 'projectId' ? 'project' : 'environment'}`,
      { kind: 'denied' },
    );
  }
  return place;
}
