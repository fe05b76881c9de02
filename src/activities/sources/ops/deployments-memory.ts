// What is remembered of the deployments of a workspace, from one reading to the next; and the part of it that effects and remedies go by. Bounded by the
// number of services.
import * as z from 'zod';
import type { Json } from '../../../contract/effect.ts';
import type { ObservedFinding } from '../../../contract/finding.ts';
import type { DeploymentMemory } from '../../../contract/ops/deployment-events.ts';
import type { OutageState } from '../../../policy/ops/ladder/outage.ts';
import type { Queryable } from '../../../store/database.ts';

const Outage = z.object({ sinceMs: z.number(), reason: z.string(), clearSinceMs: z.number().nullable() });

const DeploymentsMemory = z.object({
  /** When the platform was read, and not only remembered. */
  readAtMs: z.number(),
  /** All services of the environment. */
  services: z.number(),
  /** Those that the settings watch and nobody took down. */
  watched: z.number(),
  /** By id: how it is broken, and since when without a break. */
  bad: z.record(
    z.string(),
    z.object({ status: z.enum(['degraded', 'crashed', 'failed', 'unknown']), sinceMs: z.number() }),
  ),
  outage: Outage.nullable(),
  seen: z.custom<DeploymentMemory>(
    (value) => z.object({ services: z.record(z.string(), z.looseObject({})) }).safeParse(value).success,
  ),
  /** What the last reading said. */
  findings: z.array(z.custom<ObservedFinding>((value) => typeof value === 'object' && value !== null)),
});
export type DeploymentsMemory = z.output<typeof DeploymentsMemory>;

/** Null: nothing was read yet, or by another version: what is bad is told again, and nothing else. */
export function deploymentsMemoryOf(memory: Json): DeploymentsMemory | null {
  return DeploymentsMemory.safeParse(memory).data ?? null;
}

export type Watch = {
  readonly workspace: string;
  readonly watched: number;
  /** Names are left out: only whether something is held. */
  readonly outage: OutageState | null;
};

const WatchRow = z.object({
  workspace: z.string(),
  watched: z.number().nullable(),
  outage: Outage.nullable().catch(null),
});

/** Of all workspaces of a tenant, as last read: how many services there are, and whether a platform is out. */
export async function readWatches(db: Queryable, tenant: string): Promise<readonly Watch[]> {
  // Not the whole of it: claims wait for this.
  const { rows } = await db.query(
    `select workspace, (memory ->> 'watched')::float8 as watched, memory -> 'outage' as outage
     from source_memory where tenant = $1 and source = 'deployments'`,
    [tenant],
  );
  return z
    .array(WatchRow)
    .parse(rows)
    .map(({ watched, ...rest }) => ({ ...rest, watched: watched ?? 0 }));
}
