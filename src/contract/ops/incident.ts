// How an incident stands, as plain data that fits into a workflow's state: its severity, who was told, what happened (INC-1, INC-3, INC-4).
import type { IncidentLevel } from './settings.ts';

/** How one check, or one service, answered in one cycle. `unknown`: it could not be read. */
export type CheckState = 'failing' | 'passing' | 'unknown';

/** What is known of how bad it is. */
export type SeverityState = {
  /** Null: nothing counts as failing any more. */
  readonly level: IncidentLevel | null;
  /** Names of checks and services that fail as far as is known, sorted. */
  readonly failing: readonly string[];
  /** By level: since when it was less bad than that, without a break; null: it is that bad, or worse. */
  readonly belowSinceMs: { readonly [level in IncidentLevel]: number | null };
};

/** One change of severity, to be recorded (INC-1). */
export type SeverityChange = {
  readonly atMs: number;
  readonly from: IncidentLevel | null;
  readonly to: IncidentLevel | null;
  readonly reason: string;
  readonly failing: readonly string[];
};

/** What happened in an incident: one line of its timeline, and one comment on its issue. */
export type TimelineEntry = {
  readonly atMs: number;
  readonly kind: 'detected' | 'severity' | 'action' | 'held' | 'told' | 'acknowledged' | 'note' | 'recovered';
  /** One line in words of ours; parts from outside are cleaned where it is shown. */
  readonly text: string;
};

/** Whom it was told to, and whether somebody has it (INC-4). */
export type EscalationState = {
  readonly detectedMs: number;
  /** Null: recovered. */
  readonly level: IncidentLevel | null;
  /** What was sent, oldest first. */
  readonly sent: readonly { readonly atMs: number; readonly level: IncidentLevel }[];
  /** The level at that time: an acknowledgement does not speak for something worse. */
  readonly acknowledged: {
    readonly atMs: number;
    readonly by: string;
    readonly level: IncidentLevel;
  } | null;
};

export type EscalationStep =
  | {
      readonly do: 'tell';
      /** `first`: nobody was told. `raised`: it is worse than what was told. `reminder`: nobody has acknowledged. */
      readonly why: 'first' | 'raised' | 'reminder';
      readonly level: IncidentLevel;
      /** 1 for the first: part of the effect's key. */
      readonly number: number;
      readonly dueMs: number;
    }
  | { readonly do: 'wait'; readonly untilMs: number; readonly reason: string }
  | { readonly do: 'nothing'; readonly reason: string };
