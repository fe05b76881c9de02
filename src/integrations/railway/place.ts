// Which project and environment are meant. A project token knows, and Railway is asked once; an account's token does not.
import type { RailwaySettings } from '../../contract/ops/settings.ts';
import { type ProviderCall, ProviderFailure } from '../provider/provider.ts';
import type { Client } from './client.ts';

export type Place = { readonly projectId: string; readonly environmentId: string };
export type PlaceOf = (call: ProviderCall) => Promise<Place>;

/** The function throws ProviderFailure where the settings and the token mean different places. */
export function placeOf(settings: RailwaySettings, client: Client): PlaceOf {
  const { projectId, environmentId } = settings;
  if (projectId !== undefined && environmentId !== undefined && settings.tokenKind === 'account')
    return () => Promise.resolve({ projectId, environmentId });
  let known: Promise<Place> | undefined;
  return (call) => {
    const asked =
      known ?? client.read('projectToken', {}, call).then((answer) => agreed(settings, answer.projectToken));
    known = asked;
    asked.catch(() => {
      if (known === asked) known = undefined;
    });
    return asked;
  };
}

function agreed(settings: RailwaySettings, place: Place): Place {
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
