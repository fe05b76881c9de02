// The floor of the benchmark: a loop of the same shape as the tenant loop that does nothing. `reads` empty steps side by side, one after them,
// then it sleeps until it is woken.
import { condition, defineSignal, proxyActivities, setHandler } from '@temporalio/workflow';

const { nothing } = proxyActivities<{ nothing: () => Promise<null> }>({ startToCloseTimeout: 60_000 });

export async function emptyLoop(input: { readonly reads: number }): Promise<void> {
  let wake = false;
  setHandler(defineSignal('wake'), () => {
    wake = true;
  });
  for (;;) {
    await Promise.all(Array.from({ length: input.reads }, () => nothing()));
    await nothing();
    await condition(() => wake, 3_600_000);
    wake = false;
  }
}
