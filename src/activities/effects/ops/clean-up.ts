// Effect `cleanUp` (INC-2, INC-5): stale sessions or orphans, by the DevOps API of the tenant's backend. At most once: the backend does not say
// afterwards what was removed by whom, and the health checks verify.
import * as z from 'zod';
import { createDevopsApi } from '../../../integrations/devops-api/client.ts';
import { DevopsApiError } from '../../../integrations/devops-api/errors.ts';
import { devopsAccess, type Resolve } from '../../devops-access.ts';
import { messageOf } from '../../message-of.ts';
import { defineEffect, type EffectDefinition, NotWritten, type WriteContext } from '../definition.ts';

export type CleanUpParts = {
  readonly resolve: Resolve;
  /** Holds, by what the sources saw last, and the cap of an hour. */
  readonly cap: NonNullable<EffectDefinition['cap']>;
};

const CleanUp = z.object({ what: z.enum(['staleSessions', 'orphans']) });
type CleanUp = z.output<typeof CleanUp>;
const words = { staleSessions: 'stale sessions', orphans: 'orphans' } as const;

export function cleanUpEffect({ resolve, cap }: CleanUpParts): EffectDefinition {
  return defineEffect<CleanUp>({
    kind: 'cleanUp',
    schema: CleanUp,
    delivery: 'atMostOnce',
    autonomy: () => 'act',
    // A session that goes is a new login. What an orphan was is lost.
    risk: ({ what }) => (what === 'orphans' ? 'destructive' : 'mutating'),
    forIncidents: true,
    cap,
    forbidden: (_input, { name, incidents }) =>
      incidents.devopsApi ? null : `workspace ${name} has no incidents.devopsApi in its settings`,
    describe: ({ what }) => `clear ${words[what]} by the DevOps API`,
    apply: async (context, { what }) => {
      const { url, secret } = await accessOf(context.workspace, resolve);
      context.assertMayWrite();
      const api = createDevopsApi({ url, secret, signal: context.signal });
      const { removed } = await api.cleanUp(what).catch((error: unknown) => {
        throw notWritten(error);
      });
      return { removed };
    },
  });
}

async function accessOf(
  { name, incidents }: WriteContext['workspace'],
  resolve: Resolve,
): Promise<{ readonly url: string; readonly secret: string }> {
  if (!incidents.devopsApi)
    throw new NotWritten('incidents.devopsApi is not in the settings any more', { permanent: true });
  return devopsAccess(name, incidents.devopsApi, resolve).catch((cause: unknown) => {
    throw new NotWritten(messageOf(cause), { permanent: true, cause });
  });
}

/** What never reached the backend is tried again; what it refused is not. */
function notWritten(error: unknown): unknown {
  if (!(error instanceof DevopsApiError) || !error.definite) return error;
  return new NotWritten(error.message, {
    permanent: error.kind !== 'refused' && error.kind !== 'rateLimited',
    cause: error,
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
  });
}
