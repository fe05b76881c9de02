// The guard: whether a planned effect may pass now (GUARD-1). Pure: the door gives it the rows it locked, and acts on the verdict.
// It judges everybody alike: a model, a playbook, a person. Order matters only for the reason that is shown first.
import type { AutonomyLevel, EffectKind, GuardName, Risk } from '../contract/effect.ts';

export type PauseRow = {
  readonly scope: 'everything' | 'tenant' | 'workspace' | 'effect';
  readonly scopeValue: string | null;
  readonly reason: string;
  readonly untilMs: number | null;
};

export type GuardedEffect = {
  readonly kind: EffectKind;
  readonly workspace: string;
  readonly target: string;
  readonly risk: Risk;
  /** What autonomy the kind of effect needs (LOOP-12). */
  readonly autonomy: AutonomyLevel;
  readonly forIncident: boolean;
  /** Why a person has to agree, when the policy of the environment or the plan says so. */
  readonly needsApproval?: string;
};

export type ApprovalRow = {
  readonly state: 'asked' | 'approved' | 'rejected' | 'void' | 'expired' | 'used';
  readonly channel: string | null;
  readonly decidedBy: string | null;
  readonly reason: string | null;
  readonly expiresMs: number;
};

/** The rows of one tenant, read under the lock on its guard row. */
export type GuardState = {
  readonly tenantEnabled: boolean;
  readonly pauses: readonly PauseRow[];
  readonly breaker: {
    readonly state: 'closed' | 'open' | 'halfOpen';
    readonly reason: string | null;
    readonly sinceMs: number | null;
    readonly probeTaken: boolean;
  };
  /** End of the cooldown of this target and kind, if one was set. */
  readonly cooldownUntilMs: number | null;
  /** Policy times of the mutating effects of the last five minutes, oldest first. */
  readonly recentMutatingMs: readonly number[];
  /** A live claim of another effect on the same target. */
  readonly targetHeldBy: string | null;
  readonly approval: ApprovalRow | null;
};

export type GuardSettings = {
  readonly autonomy: AutonomyLevel;
  readonly mutatingPer5Min: number;
  readonly reservedForIncidents: number;
  readonly breakerProbeAfterMs: number;
  readonly approvalChannels: { readonly cli: boolean; readonly ui: boolean };
};

export type Verdict =
  | { readonly verdict: 'allow'; readonly usesApproval: boolean; readonly isProbe: boolean }
  | {
      readonly verdict: 'hold';
      readonly guard: GuardName;
      readonly reason: string;
      readonly untilMs?: number;
      readonly askApproval?: true;
    }
  | { readonly verdict: 'refuse'; readonly guard: GuardName; readonly reason: string };

const capWindowMs = 5 * 60_000;
/** Nobody is told when a target is free again or a probe has ended: whoever waits for it asks again so soon. */
const lookAgainMs = 10_000;
const rank: { readonly [level in AutonomyLevel]: number } = { observe: 0, propose: 1, act: 2 };

export function guard(
  effect: GuardedEffect,
  state: GuardState,
  settings: GuardSettings,
  nowMs: number,
): Verdict {
  if (!state.tenantEnabled) return refuse('tenant', 'the tenant is disabled or removed');
  // INC-6: what wakes a person needs no permission from pause, breaker or caps.
  if (effect.risk === 'safe') return { verdict: 'allow', usesApproval: false, isProbe: false };
  return (
    judgeAutonomy(effect, settings) ??
    judgePauses(effect, state, nowMs) ??
    judgeBreaker(effect, state, settings, nowMs) ??
    judgeTarget(state, nowMs) ??
    judgeCooldown(effect, state, nowMs) ??
    judgeApproval(effect, state, settings, nowMs) ??
    judgeCap(effect, state, settings, nowMs) ?? {
      verdict: 'allow',
      usesApproval: effect.needsApproval !== undefined || effect.risk === 'destructive',
      isProbe: state.breaker.state !== 'closed' && isMutating(effect.risk),
    }
  );
}

export function isMutating(risk: Risk): boolean {
  return risk === 'mutating' || risk === 'destructive';
}

/** The pause that stops this effect now, if any (LOOP-10). A pause whose end is reached is over. */
export function pauseThatStops(
  effect: Pick<GuardedEffect, 'kind' | 'workspace'>,
  pauses: readonly PauseRow[],
  nowMs: number,
): PauseRow | undefined {
  return pauses.find(
    (pause) =>
      (pause.untilMs === null || pause.untilMs > nowMs) &&
      (pause.scope === 'everything' ||
        pause.scope === 'tenant' ||
        (pause.scope === 'workspace' && pause.scopeValue === effect.workspace) ||
        (pause.scope === 'effect' && pause.scopeValue === effect.kind)),
  );
}

function judgeAutonomy(effect: GuardedEffect, settings: GuardSettings): Verdict | undefined {
  if (rank[settings.autonomy] >= rank[effect.autonomy]) return undefined;
  return refuse(
    'autonomy',
    `${effect.kind} needs autonomy "${effect.autonomy}", the tenant allows "${settings.autonomy}"`,
  );
}

function judgePauses(effect: GuardedEffect, state: GuardState, nowMs: number): Verdict | undefined {
  const pause = pauseThatStops(effect, state.pauses, nowMs);
  if (!pause) return undefined;
  const scope = pause.scopeValue === null ? pause.scope : `${pause.scope} ${pause.scopeValue}`;
  return hold('pause', `paused (${scope}): ${pause.reason}`, pause.untilMs ?? undefined);
}

// LOOP-7: open: nothing passes until the probe time; from then on, or half open: one mutating effect.
function judgeBreaker(
  effect: GuardedEffect,
  state: GuardState,
  settings: GuardSettings,
  nowMs: number,
): Verdict | undefined {
  const { breaker } = state;
  if (breaker.state === 'closed' || !isMutating(effect.risk)) return undefined;
  const probeAtMs = (breaker.sinceMs ?? nowMs) + settings.breakerProbeAfterMs;
  if (breaker.state === 'open' && nowMs < probeAtMs) {
    return hold('breaker', `circuit breaker open: ${breaker.reason ?? 'cycles failed'}`, probeAtMs);
  }
  if (!breaker.probeTaken) return undefined;
  return hold('breaker', 'circuit breaker half open: its one probe is under way', nowMs + lookAgainMs);
}

function judgeTarget(state: GuardState, nowMs: number): Verdict | undefined {
  if (state.targetHeldBy === null) return undefined;
  const reason = `another effect is being written to the same target: ${state.targetHeldBy}`;
  return hold('targetLock', reason, nowMs + lookAgainMs);
}

function judgeCooldown(effect: GuardedEffect, state: GuardState, nowMs: number): Verdict | undefined {
  if (state.cooldownUntilMs === null || state.cooldownUntilMs <= nowMs) return undefined;
  return hold('cooldown', `${effect.kind} on ${effect.target} is in cooldown`, state.cooldownUntilMs);
}

// LOOP-13: a destructive effect needs a verified channel; an unverified one is enough for the rest only where the tenant says so.
function judgeApproval(
  effect: GuardedEffect,
  state: GuardState,
  settings: GuardSettings,
  nowMs: number,
): Verdict | undefined {
  const why =
    effect.needsApproval ?? (effect.risk === 'destructive' ? 'the effect is destructive' : undefined);
  if (why === undefined) return undefined;
  const { approval } = state;
  const ask = {
    verdict: 'hold',
    guard: 'approval',
    reason: `needs approval: ${why}`,
    askApproval: true,
  } as const;
  if (approval === null) return ask;
  switch (approval.state) {
    case 'asked':
      return approval.expiresMs <= nowMs ? refuse('approval', 'the approval expired without an answer') : ask;
    case 'approved':
      if (approval.expiresMs <= nowMs) return refuse('approval', 'the approval expired before it was used');
      if (channelSuffices(approval.channel, effect.risk, settings)) return undefined;
      return {
        ...ask,
        reason: `approved by ${approval.decidedBy ?? 'somebody'} over "${approval.channel ?? '?'}", which is not enough here: ${why}`,
      };
    case 'rejected':
      return refuse(
        'approval',
        `rejected by ${approval.decidedBy ?? 'somebody'}: ${approval.reason ?? 'no reason given'}`,
      );
    case 'void':
      return refuse('approval', `approval void: ${approval.reason ?? 'what it was bound to changed'}`);
    case 'expired':
      return refuse('approval', 'the approval expired without an answer');
    case 'used':
      return refuse('approval', 'the approval was used already');
  }
}

/** Channels whose sender is verified: a GitHub comment by somebody with the permission, a signed Slack action. */
export function channelSuffices(
  channel: string | null,
  risk: Risk,
  settings: Pick<GuardSettings, 'approvalChannels'>,
): boolean {
  if (channel === 'github' || channel === 'slack') return true;
  if (risk === 'destructive') return false;
  return (
    (channel === 'cli' && settings.approvalChannels.cli) || (channel === 'ui' && settings.approvalChannels.ui)
  );
}

// LOOP-4: so many mutating effects per tenant in five minutes, some of them kept for incidents.
function judgeCap(
  effect: GuardedEffect,
  state: GuardState,
  settings: GuardSettings,
  nowMs: number,
): Verdict | undefined {
  if (!isMutating(effect.risk)) return undefined;
  const limit = effect.forIncident
    ? settings.mutatingPer5Min
    : settings.mutatingPer5Min - settings.reservedForIncidents;
  const inWindow = state.recentMutatingMs.filter((at) => at > nowMs - capWindowMs);
  if (inWindow.length < limit) return undefined;
  const reason = `${inWindow.length} mutating effects in the last 5 min, the cap is ${limit}`;
  // The window has room again when the effect that fills the last place leaves it.
  const leaves = inWindow[inWindow.length - limit];
  return hold('cap', reason, leaves === undefined ? nowMs + capWindowMs : leaves + capWindowMs);
}

function hold(guardName: GuardName, reason: string, untilMs?: number): Verdict {
  return { verdict: 'hold', guard: guardName, reason, ...(untilMs === undefined ? {} : { untilMs }) };
}

function refuse(guardName: GuardName, reason: string): Verdict {
  return { verdict: 'refuse', guard: guardName, reason };
}
