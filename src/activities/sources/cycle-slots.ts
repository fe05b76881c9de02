// LOOP-9: a bound on how many cycles read at the same time in one worker. The reads of one cycle share a slot; others wait in turn.

export type CycleSlots = {
  readonly inSlot: <T>(cycle: string, signal: AbortSignal, work: () => Promise<T>) => Promise<T>;
};

export function createCycleSlots(max: number): CycleSlots {
  const running = new Map<string, number>();
  const waiting: (() => void)[] = [];

  async function enter(cycle: string, signal: AbortSignal): Promise<void> {
    while (!running.has(cycle) && running.size >= max) {
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      signal.throwIfAborted();
    }
    running.set(cycle, (running.get(cycle) ?? 0) + 1);
  }

  function leave(cycle: string): void {
    const left = (running.get(cycle) ?? 1) - 1;
    if (left > 0) running.set(cycle, left);
    else running.delete(cycle);
    if (left === 0) for (const wake of waiting.splice(0)) wake();
  }

  return {
    inSlot: async (cycle, signal, work) => {
      await enter(cycle, signal);
      try {
        return await work();
      } finally {
        leave(cycle);
      }
    },
  };
}
