// What is kept of an incident and of a ladder, as it is in Postgres: parsed when it is read, since an older version may have written it.
import * as z from 'zod';
import type { Json } from '../../../contract/effect.ts';
import type { DueEffect } from '../../../contract/ops/activities.ts';
import { incidentLevels } from '../../../contract/ops/settings.ts';
import { noSeverity } from '../../../policy/ops/incident/severity.ts';

const Level = z.enum(incidentLevels);
const Since = z.number().nullable();

/** An effect that was planned: its content stays what it was until it has an answer. */
export type Planned = DueEffect & {
  /** Not asked for before. */
  readonly notBeforeMs: number;
};
const Planned = z.custom<Planned>((value) => typeof value === 'object' && value !== null && 'name' in value);

export const IncidentState = z.object({
  severity: z
    .object({
      level: Level.nullable(),
      failing: z.array(z.string()),
      belowSinceMs: z.object({ sev1: Since, sev2: Since, sev3: Since }),
    })
    .default({ level: null, failing: [], belowSinceMs: noSeverity.belowSinceMs }),
  escalation: z.object({
    detectedMs: z.number(),
    level: Level.nullable(),
    sent: z.array(z.object({ atMs: z.number(), level: Level })),
    acknowledged: z.object({ atMs: z.number(), by: z.string(), level: Level }).nullable(),
  }),
  worst: Level.default('sev3'),
  /** By check: how bad, why it failed last, and how often it began to fail. */
  checks: z
    .record(z.string(), z.object({ level: Level, reason: z.string(), failures: z.number() }))
    .default({}),
  /** The reading up to which it is known. */
  asOfMs: z.number().default(0),
  /** Messages to the channels. */
  alerts: z
    .object({
      sent: z.number(),
      level: Level.nullable(),
      /** The id they go on with, when the record was another finding's before. */
      about: z.string().optional(),
    })
    .default({ sent: 0, level: null }),
  /** As it was written last, and how often. */
  title: z.object({ text: z.string(), writes: z.number() }).default({ text: '', writes: 0 }),
  planned: z.array(Planned).default([]),
  /** What is done once per incident. */
  once: z.array(z.string()).default([]),
  /** Set when it is over and only the closing is left. */
  recoveredMs: Since.default(null),
  /** The fingerprint of the incident that tells of it from now on. */
  handedTo: z.string().nullable().default(null),
  /** Whose record this one goes on with. */
  inherits: z.object({ fingerprint: z.string(), occurrence: z.number() }).nullable().default(null),
});
export type IncidentState = z.output<typeof IncidentState>;

/** What failed, by name: the store gives the keys of an object back in an order of its own, and a title says what changed. */
export function failedOf({
  checks,
}: IncidentState): readonly { readonly name: string; readonly reason: string }[] {
  return Object.entries(checks)
    .map(([name, { reason }]) => ({ name, reason }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** As it is stored. */
export function plain(state: IncidentState): Json {
  return JSON.parse(JSON.stringify(state)) as Json;
}

export function asDue({ notBeforeMs: _, ...due }: Planned): DueEffect {
  return due;
}

const Span = z.object({
  health: z.enum(['healthy', 'unhealthy', 'deploying', 'stopped', 'gone', 'unknown']),
  fromMs: z.number(),
  toMs: z.number(),
});

/** A step that the door did not let through: held or refused. */
export const Answered = z.object({
  kind: z.enum(['restart', 'redeploy', 'rollBack']),
  deploymentId: z.string(),
  step: z.string(),
  atMs: z.number(),
  outcome: z.enum(['held', 'refused']),
  reason: z.string(),
  /** Of a held one: when asking again makes sense. */
  againMs: z.number(),
  approval: z.object({ hash: z.string(), expiresAtMs: z.number(), askedMs: z.number() }).nullable(),
});
export type Answered = z.output<typeof Answered>;

export const LadderMemory = z.object({
  spans: z.array(Span).default([]),
  answered: z.array(Answered).default([]),
  /** Ids of deployments, the newest last. */
  seenHealthy: z.array(z.string()).default([]),
  /** The same, since the fault began. */
  seenUnhealthy: z.array(z.string()).default([]),
});
export type LadderMemory = z.output<typeof LadderMemory>;
