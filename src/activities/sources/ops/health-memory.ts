// What is remembered of the health checks of a workspace, from one reading to the next: how each answered last, how often it failed and flapped, and how
// bad it all is. Bounded by the number of checks. Pure.
import * as z from 'zod';
import type { Json } from '../../../contract/effect.ts';
import type { SeverityState } from '../../../contract/ops/incident.ts';
import { incidentLevels } from '../../../contract/ops/settings.ts';
import { noSeverity } from '../../../policy/ops/incident/severity.ts';

const Level = z.enum(incidentLevels);
const Since = z.number().nullable();

const CheckMemory = z.object({
  /** `expected`: it failed inside a maintenance window. */
  state: z.enum(['ok', 'failed', 'unknown', 'expected']),
  reason: z.string(),
  level: Level,
  readAtMs: z.number(),
  /** Since when it fails without a break; null: it does not. */
  sinceMs: Since,
  /** How often it began to fail in this incident. */
  failures: z.number(),
  /** When it failed and was well again at once, in the last day. */
  flapsMs: z.array(z.number()),
});
export type CheckMemory = z.output<typeof CheckMemory>;

const HealthMemory = z.object({
  checks: z.record(z.string(), CheckMemory),
  severity: z.object({
    level: Level.nullable(),
    failing: z.array(z.string()),
    belowSinceMs: z.object({ sev1: Since, sev2: Since, sev3: Since }),
  }),
  /** Names of services that were involved since the incident began. */
  services: z.array(z.string()),
});
export type HealthMemory = Omit<z.output<typeof HealthMemory>, 'severity'> & {
  readonly severity: SeverityState;
};

/** Of another version, or of nobody: it starts anew, and the first failures are confirmed again. */
export function healthMemoryOf(memory: Json): HealthMemory {
  return HealthMemory.safeParse(memory).data ?? { checks: {}, severity: noSeverity, services: [] };
}
