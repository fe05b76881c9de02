// The DevOps API that a tenant's backend may have (INC-5): four routes, one secret in one header. Each call is one request: nothing is repeated and no
// redirect is followed, so that the secret goes to the backend alone. Knows nothing of Temporal.
import * as z from 'zod';
import { textOf } from '../health/http/body.ts';
import { parsedJson } from '../health/http/json-path.ts';
import { probe, RequestFailed } from '../health/http/request.ts';
import { answerError, DevopsApiError } from './errors.ts';

export type DevopsHealth = {
  readonly healthy: boolean;
  /** The backend's own word, bounded. */
  readonly status: string;
  /** Names of the parts that it says are not well, at most 20. */
  readonly unwell: readonly string[];
};

/** Numbers by their name, those of an inner object as `sessions.stale`; at most 50. What is no number is left out. */
export type DevopsStats = { readonly [name: string]: number };

export type CleanUpKind = 'staleSessions' | 'orphans';
/** `removed`: null where the backend does not say how many. */
export type CleanUpResult = { readonly removed: number | null };

export type DevopsApi = {
  readonly health: () => Promise<DevopsHealth>;
  readonly stats: () => Promise<DevopsStats>;
  /** One DELETE. An error that is not `definite` leaves open whether it was done. */
  readonly cleanUp: (kind: CleanUpKind) => Promise<CleanUpResult>;
};

const cleanUpRoutes: { readonly [Kind in CleanUpKind]: string } = {
  staleSessions: '/api/devops/cleanup/stale-sessions',
  orphans: '/api/devops/cleanup/orphans',
};
const name = /^[A-Za-z0-9_.:-]{1,64}$/;
const well = ['ok', 'healthy', 'up', 'pass', 'green', 'connected', 'operational'];

const Part = z.union([z.string().max(64), z.boolean(), z.object({ status: z.string().max(64) })]);
const Parts = z.record(z.string(), Part.nullable().catch(null)).catch({});
const Health = z.object({
  status: z.union([z.string().max(64), z.boolean()]).optional(),
  ok: z.boolean().optional(),
  healthy: z.boolean().optional(),
  checks: Parts.optional(),
  services: Parts.optional(),
  components: Parts.optional(),
});
const counts = ['removed', 'deleted', 'deletedCount', 'removedCount', 'cleaned', 'count'] as const;
const Removed = z.record(z.string(), z.unknown());

/**
 * `url`: address of the backend. `signal` bounds each call; a timeout is its `TimeoutError`.
 *
 * Every call throws DevopsApiError, or the signal's reason when it was aborted for something else than time.
 */
export function createDevopsApi(options: {
  readonly url: string;
  readonly secret: string;
  readonly signal: AbortSignal;
}): DevopsApi {
  const call = async (method: 'GET' | 'DELETE', route: string): Promise<unknown> => {
    const what = `${method} ${route}`;
    const answer = await probe({
      method,
      url: new URL(`${options.url.replace(/\/+$/, '')}${route}`),
      headers: { accept: 'application/json', 'x-devops-secret': options.secret },
      signal: options.signal,
    }).catch((error: unknown) => {
      if (!(error instanceof RequestFailed)) throw error;
      const kind = error.definite ? 'refused' : 'network';
      const words = error.definite ? 'the backend cannot be reached' : 'the backend did not answer';
      const { stage, code } = error;
      throw new DevopsApiError(kind, `DevOps API: ${what}: ${words} (${code})`, {
        noAnswer: { stage, code },
      });
    });
    if (answer.status < 200 || answer.status > 299)
      throw answerError(what, answer.status, answer.headers['retry-after']);
    return parsedJson(textOf(answer.body, answer.headers['content-type']))?.value;
  };
  const unexpected = (route: string): DevopsApiError =>
    new DevopsApiError('unexpected', `DevOps API: GET ${route}: an answer that does not fit`, {
      status: 200,
    });

  return {
    health: async () => {
      const route = '/api/devops/health';
      const said = Health.safeParse(await call('GET', route)).data;
      const status = said?.status ?? said?.healthy ?? said?.ok;
      if (said === undefined || status === undefined) throw unexpected(route);
      const parts = Object.entries({ ...said.components, ...said.services, ...said.checks });
      const unwell = parts.filter(([of, part]) => name.test(of) && part !== null && !isWell(part));
      return {
        healthy: isWell(status),
        status: typeof status === 'string' && name.test(status) ? status : isWell(status) ? 'ok' : 'not ok',
        unwell: unwell.map(([of]) => of).slice(0, 20),
      };
    },
    stats: async () => {
      const route = '/api/devops/stats';
      const said = z.record(z.string(), z.unknown()).safeParse(await call('GET', route)).data;
      if (said === undefined) throw unexpected(route);
      return Object.fromEntries(numbersOf(said).slice(0, 50));
    },
    cleanUp: async (kind) => {
      // It answered with a 2xx: done, whatever else it says.
      const said = Removed.safeParse(await call('DELETE', cleanUpRoutes[kind])).data ?? {};
      const found = counts.map((field) => said[field]).find((value) => Number.isSafeInteger(value));
      return { removed: typeof found === 'number' && found >= 0 ? found : null };
    },
  };
}

function isWell(part: z.output<typeof Part>): boolean {
  if (typeof part === 'boolean') return part;
  return well.includes((typeof part === 'string' ? part : part.status).toLowerCase());
}

function numbersOf(said: Readonly<Record<string, unknown>>, above = ''): [string, number][] {
  return Object.entries(said).flatMap(([of, value]): [string, number][] => {
    const full = `${above}${of}`;
    if (!name.test(full)) return [];
    if (typeof value === 'number' && Number.isFinite(value)) return [[full, value]];
    const inner = above === '' && typeof value === 'object' && value !== null && !Array.isArray(value);
    return inner ? numbersOf({ ...value }, `${of}.`) : [];
  });
}
