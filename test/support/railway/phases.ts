// What state a deployment is in at a moment, from what it runs and what was done to it. Pure: nothing ticks, so a test's clock may jump.

/** How what a release runs behaves. Durations in ms; nothing set: builds and starts at once, and runs for ever. */
export type Behaviour = {
  readonly buildMs?: number;
  readonly startMs?: number;
  /** The build ends FAILED. */
  readonly failsBuild?: boolean;
  /** After every start it is up for so long and crashes. */
  readonly crashesAfterMs?: number;
  /** From this start on (1 is the first) it does not crash any more. */
  readonly steadyFromStart?: number;
  /** Ends by itself with exit code 0 after so long: SUCCESS, and stopped. */
  readonly exitsAfterMs?: number;
  /** Printed at each crash. */
  readonly crashLines?: readonly string[];
};

export type Phase = {
  /** Usually a word of `DeploymentStatus`; a test may say another one. */
  readonly status: string;
  readonly sinceMs: number;
  readonly stopped: boolean;
  readonly instances: readonly string[];
};

export type Lifetime = {
  readonly createdAtMs: number;
  readonly behaviour: Behaviour;
  readonly replicas: number;
  /** When restarts were asked for, oldest first. */
  readonly restartsMs: readonly number[];
  readonly removedAtMs: number | null;
  /** Said by a test, whatever the lifetime would give. */
  readonly forced: Phase | null;
};

export function phaseAt(life: Lifetime, nowMs: number): Phase {
  if (life.forced !== null) return life.forced;
  if (life.removedAtMs !== null && life.removedAtMs <= nowMs)
    return { status: 'REMOVED', sinceMs: life.removedAtMs, stopped: true, instances: [] };
  const { behaviour, createdAtMs } = life;
  const builtAtMs = createdAtMs + (behaviour.buildMs ?? 0);
  if (nowMs < builtAtMs) return { status: 'BUILDING', sinceMs: createdAtMs, stopped: false, instances: [] };
  if (behaviour.failsBuild === true)
    return { status: 'FAILED', sinceMs: builtAtMs, stopped: true, instances: [] };
  const start = startsOf(life).findLast(({ askedMs }) => askedMs <= nowMs);
  if (start === undefined || nowMs < start.upMs)
    return {
      status: 'DEPLOYING',
      sinceMs: start?.askedMs ?? builtAtMs,
      stopped: false,
      instances: all(life, 'INITIALIZING'),
    };
  if (start.crashMs !== null && start.crashMs <= nowMs)
    return { status: 'CRASHED', sinceMs: start.crashMs, stopped: true, instances: all(life, 'CRASHED') };
  if (behaviour.exitsAfterMs !== undefined && start.upMs + behaviour.exitsAfterMs <= nowMs)
    return { status: 'SUCCESS', sinceMs: start.upMs, stopped: true, instances: all(life, 'EXITED') };
  return { status: 'SUCCESS', sinceMs: start.upMs, stopped: false, instances: all(life, 'RUNNING') };
}

/** When it was up for the first time; null: never by then. */
export function firstUpMs(life: Lifetime, nowMs: number): number | null {
  const first = startsOf(life)[0];
  return first !== undefined && first.upMs <= nowMs ? first.upMs : null;
}

/** When it crashed until then, oldest first. */
export function crashesUntil(life: Lifetime, nowMs: number): readonly number[] {
  const starts = startsOf(life);
  return starts.flatMap(({ crashMs }, index) => {
    const ended = Math.min(nowMs, (starts[index + 1]?.askedMs ?? Number.POSITIVE_INFINITY) - 1);
    const removed = life.removedAtMs ?? Number.POSITIVE_INFINITY;
    return crashMs !== null && crashMs <= ended && crashMs < removed ? [crashMs] : [];
  });
}

type Start = { readonly askedMs: number; readonly upMs: number; readonly crashMs: number | null };

function startsOf({ createdAtMs, behaviour, restartsMs }: Lifetime): readonly Start[] {
  if (behaviour.failsBuild === true) return [];
  const asked = [createdAtMs + (behaviour.buildMs ?? 0), ...restartsMs];
  return asked.map((askedMs, index) => {
    const upMs = askedMs + (behaviour.startMs ?? 0);
    const steady = index + 1 >= (behaviour.steadyFromStart ?? Number.POSITIVE_INFINITY);
    const crashes = behaviour.crashesAfterMs !== undefined && !steady;
    return { askedMs, upMs, crashMs: crashes ? upMs + (behaviour.crashesAfterMs ?? 0) : null };
  });
}

function all(life: Lifetime, status: string): readonly string[] {
  return Array.from({ length: life.replicas }, () => status);
}
