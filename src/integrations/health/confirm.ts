// HEALTH-1: a first failure is read again before it counts, so that one lost packet wakes nobody. The decision is pure; the waiting is not.
import type { CheckReading } from './run-check.ts';

export type ConfirmOptions = {
  /** How many more readings: 3. */
  readonly times: number;
  /** All of them within this time after the first failure: 45,000. */
  readonly withinMs: number;
  /** The most one reading takes; `times` of them fit into `withinMs`. */
  readonly timeoutMs: number;
  /** Rejects when the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<unknown>;
  /** Any clock that goes on. */
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
};

/** `open`: not read often enough yet. `flap`: it failed and was well again. */
export type Judgement = 'open' | 'failed' | 'flap' | 'unknown';

export type Confirmation = {
  readonly judgement: Exclude<Judgement, 'open'>;
  /** The last one, with `readings` and, for a flap, `flap: true` among its facts. */
  readonly reading: CheckReading;
};

/** Over the readings after the first failure. It counts only when all agree. */
export function judgeReadings(again: readonly Pick<CheckReading, 'state'>[], times: number): Judgement {
  if (again.some(({ state }) => state === 'ok')) return 'flap';
  if (again.some(({ state }) => state === 'unknown')) return 'unknown';
  return again.length < times ? 'open' : 'failed';
}

/**
 * When the next reading starts, after the first failure: so that each is at the end of its part of the time, and the last one, however slow, is done
 * when the time is over.
 */
export function rereadAfterMs(
  index: number,
  { times, withinMs, timeoutMs }: Pick<ConfirmOptions, 'times' | 'withinMs' | 'timeoutMs'>,
): number {
  return Math.max(0, ((index + 1) * withinMs) / times - timeoutMs);
}

/** Reads again until it is decided: at once when a reading is well. @throws the signal's reason when it is aborted */
export async function confirmFailure(
  first: CheckReading,
  read: () => Promise<CheckReading>,
  options: ConfirmOptions,
): Promise<Confirmation> {
  const { nowMs, signal, sleep, times } = options;
  const startMs = nowMs();
  const again: CheckReading[] = [];
  for (;;) {
    const judgement = judgeReadings(again, times);
    if (judgement !== 'open') {
      const last = again.at(-1) ?? first;
      const facts = {
        ...last.facts,
        readings: again.length + 1,
        ...(judgement === 'flap' ? { flap: true } : {}),
      };
      return { judgement, reading: { ...last, facts } };
    }
    signal.throwIfAborted();
    const waitMs = startMs + rereadAfterMs(again.length, options) - nowMs();
    if (waitMs > 0) await sleep(waitMs, signal);
    again.push(await read());
  }
}
