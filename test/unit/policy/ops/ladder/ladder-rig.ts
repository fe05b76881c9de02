// A service and its platform over time, for tests of the ladder: each turn reads, asks for the next step, and does what it says.
import type {
  LadderState,
  LadderStep,
  Rung,
  RungKind,
  ServiceHealth,
} from '../../../../../src/contract/ops/ladder.ts';
import { addReading } from '../../../../../src/policy/ops/ladder/health-spans.ts';
import { nextStep } from '../../../../../src/policy/ops/ladder/ladder.ts';

export const minute = 60_000;
export const defaults = {
  enabled: true,
  unhealthyForMs: 5 * minute,
  healthyForMs: 5 * minute,
  restarts: 2,
} as const;
export const fresh: LadderState = {
  spans: [],
  rungs: [],
  cooldownUntilMs: {},
  deployment: { id: 'd2', ran: true },
  rollBackTo: 'd1',
  failedBeside: false,
  can: { redeploy: true, rollBack: true },
  hold: null,
};

export type World = {
  /** How it is at a time, after what was done to it. */
  readonly health: (atMs: number, done: readonly Rung[]) => ServiceHealth;
  /** How a step ends, by default it is applied; the cooldown starts when it is. */
  readonly outcome?: (kind: RungKind, done: readonly Rung[]) => Rung['outcome'];
  readonly cooldownMs?: Partial<Record<RungKind, number>>;
  readonly state?: Partial<LadderState>;
  readonly restarts?: number;
  /** Read at least so often. */
  readonly everyMs?: number;
};

export type Told = { readonly atMs: number; readonly step: LadderStep; readonly state: LadderState };

/** Everything that was said until it ended, or until the hour given. */
export function climb(world: World, untilMs = 24 * 60 * minute): readonly Told[] {
  const settings = { ...defaults, restarts: world.restarts ?? defaults.restarts };
  let state: LadderState = { ...fresh, ...world.state };
  const told: Told[] = [];
  for (let nowMs = 0; nowMs <= untilMs; ) {
    const rungs = state.rungs;
    state = { ...state, spans: addReading(state.spans, world.health(nowMs, rungs), nowMs) };
    const step = nextStep(state, settings, nowMs);
    told.push({ atMs: nowMs, step, state });
    if (step.do === 'person' || step.do === 'recovered') return told;
    if (step.do === 'wait') {
      if (step.untilMs <= nowMs) throw new Error(`waits until ${step.untilMs} at ${nowMs}`);
      nowMs = Math.min(step.untilMs, nowMs + (world.everyMs ?? 5 * minute));
      const held = state.rungs.at(-1);
      if (held?.outcome === 'held')
        state = {
          ...state,
          rungs: [...state.rungs.slice(0, -1), { ...held, outcome: 'applied', atMs: nowMs }],
        };
      continue;
    }
    const outcome = world.outcome?.(step.do, rungs) ?? 'applied';
    const rung = {
      kind: step.do,
      deploymentId: step.deploymentId,
      atMs: nowMs,
      outcome,
      reason: step.reason,
    };
    const cooldownMs = world.cooldownMs?.[step.do] ?? (step.do === 'restart' ? 30 * minute : 0);
    const sets = outcome === 'applied' || outcome === 'alreadyApplied' || outcome === 'unknown';
    state = {
      ...state,
      rungs: [...rungs, rung],
      cooldownUntilMs: sets
        ? { ...state.cooldownUntilMs, [step.do]: nowMs + cooldownMs }
        : state.cooldownUntilMs,
    };
    nowMs += 1_000;
  }
  return told;
}

/** `5 restart`, `40 rollBack d1`, `45 person used`: minutes and what was done. */
export function story(told: readonly Told[]): readonly string[] {
  return told.flatMap(({ atMs, step }) => {
    const at = `${Math.floor(atMs / minute)}`;
    if (step.do === 'wait') return [];
    if (step.do === 'recovered') return [`${at} recovered`];
    return [step.do === 'person' ? `${at} person ${step.why}` : `${at} ${step.do} ${step.deploymentId}`];
  });
}
