// How the CI source asks GitHub: routes of its repository, a few requests at a time.
import { ownerAndName, type Place } from '../../integrations/github/read.ts';

const atOnce = 5;

export function route(place: Place, path: string, params: { readonly [name: string]: unknown } = {}) {
  return {
    route: `GET /repos/{owner}/{repo}${path}`,
    params: { ...ownerAndName(place.repository), ...params },
    signal: place.signal,
  };
}

/** A few at a time; ends with the first failure. */
export async function inTurn<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = [...items];
  const next = async (): Promise<void> => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, next));
}
