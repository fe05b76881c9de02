// What is remembered of the deployments of a workspace, from one reading to the next. Bounded by the number of services. The part of it that effects
// go by is read by src/store/ops/watches.ts.
import * as z from 'zod';
import type { Json } from '../../../contract/effect.ts';
import type { ObservedFinding } from '../../../contract/finding.ts';
import type { DeploymentMemory } from '../../../contract/ops/deployment-events.ts';

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
