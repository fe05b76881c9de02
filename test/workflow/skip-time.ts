// Skips the time of the time-skipping server from timer to timer, and only while nothing is at work. Left to itself it goes on while a
// workflow task is under way: a timer that fires during the task that cancels it strands the run there for ever (temporalio/sdk-java#3088),
// the more often the busier the machine.
import { setTimeout as delay } from 'node:timers/promises';
import { msToTs } from '@temporalio/common/lib/time.js';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { isIdle, type KeptHistory, nextTimerMs } from '../replay/histories.ts';

const pollMs = 10;
/** Looks in a row at which nothing was at work: what one workflow sends to another is on its way for a moment. */
const quietLooks = 2;
/** An activity that waits for its next attempt needs time as well: the server itself holds time while one is being run. */
const stuckMs = 1_000;
const lockedMs = 500;
/** In real time, for one step from timer to timer. */
const stepLimitMs = 60_000;
const busyLimitMs = 40_000;

/** @param ended aborts what is under way when the server goes */
export async function skipTime(
  env: TestWorkflowEnvironment,
  ms: number,
  histories: () => Promise<readonly KeptHistory[]>,
  ended: AbortSignal,
): Promise<void> {
  const endMs = (await env.currentTimeMs()) + ms;
  let busySince = Date.now();
  for (;;) {
    const quiet = await whenQuiet(histories);
    const nowMs = await env.currentTimeMs();
    if (nowMs >= endMs) return;
    const known = quiet ?? (await histories());
    if (quiet !== null) busySince = Date.now();
    else if (Date.now() - busySince > busyLimitMs) throw new Error(`no end of work: ${lastEvents(known)}`);
    await advance(env, Math.min(endMs, nextTimerMs(known)) - nowMs, histories, ended);
  }
}

function lastEvents(histories: readonly KeptHistory[]): string {
  return histories
    .filter((one) => !isIdle([one]))
    .map(({ workflowId, history }) => {
      const last = (history.events ?? [])
        .slice(-8)
        .map((event) => Object.keys(event).find((key) => key.endsWith('Attributes')));
      return `${workflowId}: ${last.join(' ')}`;
    })
    .join('; ');
}

/** The histories when nothing is at work in them; null when something is and stays so. */
async function whenQuiet(
  histories: () => Promise<readonly KeptHistory[]>,
): Promise<readonly KeptHistory[] | null> {
  const until = Date.now() + stuckMs;
  let before = '';
  let looks = 0;
  while (Date.now() < until) {
    const now = await histories();
    const size = sizeOf(now);
    looks = isIdle(now) && (looks === 0 || size === before) ? looks + 1 : 0;
    if (looks >= quietLooks) return now;
    before = size;
    await delay(pollMs);
  }
  return null;
}

/** The server keeps a lock on time for ever when a workflow continues as new while a child of it runs: then it is unlocked, and locked again. */
async function advance(
  env: TestWorkflowEnvironment,
  ms: number,
  histories: () => Promise<readonly KeptHistory[]>,
  ended: AbortSignal,
): Promise<void> {
  let done = false;
  const { connection } = env;
  const limit = AbortSignal.any([ended, AbortSignal.timeout(stepLimitMs)]);
  const slept = connection
    .withAbortSignal(limit, async () => {
      await connection.testService?.unlockTimeSkippingWithSleep({
        duration: msToTs(Math.max(1, Math.ceil(ms))),
      });
    })
    .finally(() => {
      done = true;
    });
  let unlocked = 0;
  for (let waitedMs = 0; !done; waitedMs += pollMs) {
    await Promise.race([delay(pollMs), slept]);
    if (done || waitedMs < lockedMs) continue;
    waitedMs = 0;
    if (!isIdle(await histories()) || done) continue;
    unlocked += 1;
    await connection.testService?.unlockTimeSkipping({});
  }
  await slept;
  for (; unlocked > 0; unlocked -= 1) await connection.testService?.lockTimeSkipping({});
}

/** Whether a run is stranded in a task that no worker has: it stays as it is while nothing else goes on. */
export async function isStranded(histories: () => Promise<readonly KeptHistory[]>): Promise<boolean> {
  const before = await histories();
  await delay(3_000);
  const after = await histories();
  return sizeOf(before) === sizeOf(after) && after.some((one) => !isIdle([one]));
}

function sizeOf(histories: readonly KeptHistory[]): string {
  return histories.map(({ history }) => history.events?.length ?? 0).join();
}
