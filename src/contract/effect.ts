// Effects as data: what a remedy asks for, and what the one door answers. The door itself is src/activities/effects/door.ts.

/** `safe` passes pause, breaker and caps (INC-6); `proposing` writes where people decide (branches, pull requests, issues); the rest changes what runs. */
export type Risk = 'safe' | 'proposing' | 'mutating' | 'destructive';
/** DUR-5. */
export type DeliveryClass = 'exactlyOnce' | 'atMostOnce' | 'atLeastOnce';
/** LOOP-12, weakest first. */
export type AutonomyLevel = 'observe' | 'propose' | 'act';

export const effectKinds = [
  'openIssue',
  'updateIssue',
  'closeIssue',
  'commentOnIssue',
  'pushBranch',
  'openPullRequest',
  'closePullRequest',
  'mergePullRequest',
  'rerunFailedJobs',
  'applyDrift',
  'applyMigrations',
  'restartService',
  'redeployService',
  'rollBackService',
  'removeDeployment',
  'updateService',
  'setVariable',
  'createService',
  'addDatabase',
  'cleanUp',
  'startCodeAgent',
  'sendAlert',
] as const;
/** The closed list: a model or a person can ask for nothing else (GUARD-1). */
export type EffectKind = (typeof effectKinds)[number];

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export type EffectRequest = {
  readonly tenant: string;
  readonly workspace: string;
  readonly kind: EffectKind;
  /** What is written to: `owner/name#12`, `production`, a database's name. Cooldowns and target locks are by it. */
  readonly target: string;
  /** What the effect was planned on: head SHA, run attempt, plan hash (DUR-1). */
  readonly precondition: string;
  /** Who asks: a remedy's workflow id, or a person's request id. Part of the key. */
  readonly requester: string;
  /** Which step of the requester: makes two equal effects of one requester different. Part of the key. */
  readonly step: string;
  readonly input: Json;
  readonly fingerprint?: string;
  readonly occurrence?: number;
  /** Policy time: the workflow's, so that skipped clocks work. */
  readonly nowMs: number;
  /** Who planned it, in words, for the audit trail. */
  readonly actor: string;
  /** `when it holds anyway`: the remedy has a plan of its own for a hold (e.g. destroy in a plan always needs approval). */
  readonly needsApproval?: string;
};

export type EffectOutcome = 'applied' | 'alreadyApplied' | 'stale' | 'refused' | 'unknown';

export type Receipt = {
  readonly status: 'receipt';
  readonly key: string;
  readonly kind: EffectKind;
  readonly outcome: EffectOutcome;
  readonly reason: string;
  /** What the remote gave back: numbers, SHAs, links. Never secrets. */
  readonly result: { readonly [key: string]: Json };
  readonly risk: Risk;
};

export type Hold = {
  readonly status: 'hold';
  readonly key: string;
  readonly guard: GuardName;
  readonly reason: string;
  /** When asking again makes sense; absent: when nudged. */
  readonly untilMs?: number;
  /** Set when a person's approval is what is missing. */
  readonly approval?: { readonly hash: string; readonly expiresAtMs: number };
};

export type Refusal = {
  readonly status: 'refused';
  readonly key: string;
  readonly guard: GuardName;
  readonly reason: string;
};

export type EffectAnswer = Receipt | Hold | Refusal;

/** GUARD-1, in the order in which they judge. */
export type GuardName =
  | 'tenant'
  | 'autonomy'
  | 'pause'
  | 'breaker'
  | 'allowlist'
  | 'targetLock'
  | 'cooldown'
  | 'cap'
  | 'approval'
  | 'budget'
  | 'precondition';
