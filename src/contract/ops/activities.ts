// What the workflows of incidents and notices ask of activities. An activity decides what is due, by the pure policies over the store and what
// it reads; the workflow asks the door for it, and waits.
import type { FindingRef } from '../activities.ts';
import type { EffectAnswer, EffectKind, Json } from '../effect.ts';
import type { RemedyOutcome } from '../loop.ts';

/** An effect that is due, as the door will be asked for it. */
export type DueEffect = {
  /** What it is to the incident: `alert-1`, `issue`, `ladder/backend`. One of a name is under way at a time. */
  readonly name: string;
  readonly kind: EffectKind;
  readonly target: string;
  readonly precondition: string;
  readonly requester: string;
  readonly step: string;
  readonly input: Json;
  readonly needsApproval?: string;
};

/** What came of one. */
export type DoneEffect = {
  readonly name: string;
  readonly step: string;
  readonly precondition: string;
  readonly atMs: number;
  readonly answer: EffectAnswer | { readonly status: 'failed'; readonly reason: string };
};

export type IncidentQuestion = FindingRef & {
  readonly nowMs: number;
  readonly actor: string;
  /** What came of effects since the last question. Noted once, however often it is said. */
  readonly done: readonly DoneEffect[];
  /** Something outside moved: what is held may be asked for again. */
  readonly nudged: boolean;
};

/** One turn of an incident: what is due now, in the order in which it matters, and when to ask again. */
export type IncidentTurn = {
  readonly due: readonly DueEffect[];
  readonly waitingFor: string;
  readonly wakeAtMs: number;
  /** A person can answer something in a comment: an approval, an acknowledgement. */
  readonly watchComments: boolean;
  /** Nothing goes on by itself: later tiers of the tree need not wait (LOOP-3). */
  readonly status: 'working' | 'waiting' | 'watched';
  /** Set when the operator model may be asked (MODEL-2): hash of the state that it is asked about. */
  readonly operator?: string;
  /** Set when it is over. */
  readonly end?: { readonly outcome: RemedyOutcome; readonly summary: string };
};

export type IncidentActivities = {
  readonly assessIncident: (question: IncidentQuestion) => Promise<IncidentTurn>;
  /** DEPLOY-4: the same for something to know: told once, and that it is over. */
  readonly assessNotice: (question: IncidentQuestion) => Promise<IncidentTurn>;
};
