// The tenant loop (LOOP-1): gather → decide → start or inform remedies → record → sleep until the nearest due source. One per tenant, for as
// long as the tenant lives. It reads and starts; it never writes to the outside but for the alert that its breaker opened.
import {
  ActivityFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  isCancellation,
  log,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { Finding, Observation } from '../../contract/finding.ts';
import {
  everySource,
  type ScheduledRead,
  type SettleResult,
  type TenantInput,
  type Trigger,
} from '../../contract/loop.ts';
import { decide } from '../../policy/loop/decide.ts';
import { loopActivities, settleActivities, sourceActivities } from '../activities.ts';
import { alertBreaker, sendDigest } from '../effects.ts';
import { nudge } from '../nudge.ts';
import { tenantAttributes } from '../visibility.ts';
import { tenantDetails } from './details.ts';
import { tenantHandlers } from './handlers.ts';
import { type Loop, newLoop, nextSchedule, readKey } from './loop.ts';
import {
  adoptRemedies,
  checkRemedies,
  informOpen,
  informRemedies,
  startAftercare,
  startRemedies,
} from './remedies.ts';

const rollAtEvents = 2_000;
/** Reads that are due within this much of each other belong to one cycle. */
const togetherMs = 500;
/** After a failure outside every activity's own retries. */
const afterFailureMs = 30_000;
/** The longest sleep. */
const lookAgainMs = 60 * 60_000;
const rollWithinMs = 30_000;

export async function tenantLoop(input: TenantInput): Promise<{ readonly ended: string }> {
  const loop = newLoop(input);
  tenantHandlers(loop);
  setCurrentDetails(tenantDetails(loop, null));

  let ended = input.carried ? undefined : await openLoop(loop);
  while (ended === undefined && !loop.draining) {
    const due = dueReads(loop);
    // With nothing to read a cycle still looks at the settings.
    if (due.length > 0 || loop.asked.has(everySource)) ended = await runCycle(loop, due);
    if (ended !== undefined || loop.draining) break;
    if (shouldRoll(loop)) await roll(loop);
    await sleepUntilDue(loop);
  }
  // Whoever asked for something meanwhile gets an answer; nothing new is taken.
  loop.draining = true;
  await condition(allHandlersFinished);
  return { ended: ended ?? 'drained' };
}

/** Goes on with what is known, for as long as it takes to read it; a reason when the tenant is not to be watched. */
async function openLoop(loop: Loop): Promise<string | undefined> {
  const { tenant, queues } = loop.state;
  for (;;) {
    try {
      const opened = await loopActivities(queues, 'what is known').openTenant({ tenant, nowMs: Date.now() });
      if (!opened.enabled) return opened.reason;
      loop.state = { ...loop.state, cycle: opened.cycle, schedule: opened.schedule };
      loop.opened = true;
      await adoptRemedies(loop, opened.adopt);
      return undefined;
    } catch (error) {
      if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
      log.error('what is known of the tenant could not be read', { error: rootMessage(error) });
      await condition(() => loop.draining, afterFailureMs, { summary: 'until it is tried again' });
      if (loop.draining) return 'drained';
    }
  }
}

/** One cycle; a reason when the tenant is not to be watched any more. */
async function runCycle(loop: Loop, due: readonly ScheduledRead[]): Promise<string | undefined> {
  const { tenant, queues } = loop.state;
  const cycle = loop.state.cycle + 1;
  const startedMs = Date.now();
  // The clock's word counts more than an event's: only scheduled cycles move the breaker.
  const trigger = loop.state.schedule.some((read) => read.dueAtMs <= startedMs + togetherMs)
    ? 'schedule'
    : loop.trigger;
  const { runId } = workflowInfo();
  loop.state = { ...loop.state, cycle };
  loop.trigger = 'schedule';
  loop.asked.clear();
  loop.view = { ...loop.view, cycle, phase: 'gathering', nextCycleAtMs: null };
  try {
    const observations = await Promise.all(due.map((read) => readSource(loop, read, { runId, trigger })));
    loop.view = { ...loop.view, phase: 'deciding' };
    const settled = await settleActivities(queues, `cycle ${cycle}`).settleCycle({
      tenant,
      cycle,
      runId,
      trigger,
      startedMs,
      nowMs: Date.now(),
      observations,
      unrecordedFailures: loop.state.unrecordedFailures,
    });
    const schedule = nextSchedule(loop.state.schedule, due, settled.schedule, Date.now());
    loop.state = { ...loop.state, schedule, unrecordedFailures: 0 };
    if (!settled.enabled) return 'drained, disabled or removed';
    await act(loop, settled, trigger);
    show(loop, settled);
  } catch (error) {
    // Nothing of a cycle may end the loop: the cycle failed, is counted with the next record, and its sources are read again.
    log.error('cycle failed', { cycle, error: String(error) });
    loop.state = {
      ...loop.state,
      unrecordedFailures:
        trigger === 'schedule' ? loop.state.unrecordedFailures + 1 : loop.state.unrecordedFailures,
      schedule: loop.state.schedule.map((read) =>
        due.some((one) => readKey(one) === readKey(read))
          ? { ...read, dueAtMs: Date.now() + afterFailureMs }
          : read,
      ),
    };
    loop.view = { ...loop.view, summary: 'the last cycle failed and will be tried again' };
  }
  return undefined;
}

async function readSource(
  loop: Loop,
  read: ScheduledRead,
  run: { runId: string; trigger: Trigger },
): Promise<Observation> {
  const { tenant, cycle, queues } = loop.state;
  try {
    return await sourceActivities(queues, read)[`source.${read.source}`]({
      ...read,
      ...run,
      tenant,
      cycle,
      nowMs: Date.now(),
    });
  } catch (error) {
    const { workspace, source, target } = read;
    const reason = `could not be read: ${rootMessage(error)}`;
    const base = {
      workspace,
      source,
      readAtMs: Date.now(),
      durationMs: 0,
      state: 'unknown',
      reason,
      findings: [],
    } as const;
    return target === undefined ? base : { ...base, target };
  }
}

async function act(loop: Loop, settled: SettleResult, trigger: Trigger): Promise<void> {
  if (settled.breakerMoved) await informOpen(loop);
  else await informRemedies(loop, settled.changed);
  for (const workflowId of settled.decided ?? []) await nudge(workflowId);
  await tellBreaker(loop, settled);
  if (settled.digest !== undefined) await sendDigest(loop, settled.digest);
  if (trigger === 'schedule') {
    loop.ended.clear();
    await checkRemedies(loop, settled.findings);
  }
  await startAftercare(loop, settled.aftercare ?? []);
  // What was seen gone since is new when it comes back.
  for (const fingerprint of loop.ended)
    if (!settled.findings.some((finding) => finding.fingerprint === fingerprint))
      loop.ended.delete(fingerprint);
  const decisions = decide(settled.findings);
  // A remedy that ended while its source still shows the finding is not started over and over: the clock's next cycle does it.
  const starts = decisions.filter(
    ({ action, fingerprint }) => action === 'start' && !loop.ended.has(fingerprint),
  );
  // A green or waiting cycle ends here: no further activity (LOOP-5).
  if (starts.length === 0) return;
  const byFingerprint = new Map<string, Finding>(
    settled.findings.map((finding) => [finding.fingerprint, finding]),
  );
  const recorded = await loopActivities(loop.state.queues, `${starts.length} to start`).recordDecisions({
    tenant: loop.state.tenant,
    cycle: loop.state.cycle,
    nowMs: Date.now(),
    decisions: decisions.map((d) => ({
      fingerprint: d.fingerprint,
      occurrence: byFingerprint.get(d.fingerprint)?.occurrence ?? 1,
      ...(d.action === 'start' && !starts.includes(d)
        ? { action: 'wait', reason: 'its remedy has just ended; the next scheduled cycle starts another' }
        : { action: d.action, reason: d.reason }),
    })),
  });
  const toStart = recorded.started.flatMap(({ fingerprint, remedy }) => {
    const finding = byFingerprint.get(fingerprint);
    return finding ? [{ finding, remedy }] : [];
  });
  await startRemedies(loop, toStart);
}

async function tellBreaker(loop: Loop, settled: SettleResult): Promise<void> {
  const { untoldBreaker, ...rest } = loop.state;
  const opened = settled.breakerOpened
    ? { cycle: rest.cycle, reason: settled.breakerOpened.reason }
    : untoldBreaker;
  if (!opened) return;
  loop.state = (await alertBreaker(loop, opened)) ? rest : { ...rest, untoldBreaker: opened };
}

function show(loop: Loop, settled: SettleResult): void {
  loop.view = { ...loop.view, summary: settled.summary };
  setCurrentDetails(tenantDetails(loop, settled));
  const changed = tenantAttributes(loop.state.tenant, settled);
  if (changed) upsertSearchAttributes(changed);
}

function dueReads(loop: Loop): readonly ScheduledRead[] {
  const now = Date.now();
  return loop.state.schedule.filter(
    (read) =>
      read.dueAtMs <= now + togetherMs || loop.asked.has(readKey(read)) || loop.asked.has(everySource),
  );
}

async function sleepUntilDue(loop: Loop): Promise<void> {
  const nextMs = Math.min(...loop.state.schedule.map((read) => read.dueAtMs), Date.now() + lookAgainMs);
  loop.view = { ...loop.view, phase: 'sleeping', nextCycleAtMs: nextMs };
  const woken = await condition(() => loop.wake || loop.draining, Math.max(1, nextMs - Date.now()), {
    summary: 'until the next source is due',
  });
  loop.wake = false;
  // A tenant without sources looks at its settings.
  if (!woken && loop.state.schedule.length === 0) loop.asked.add(everySource);
}

function shouldRoll(loop: Loop): boolean {
  const info = workflowInfo();
  return info.continueAsNewSuggested || info.historyLength >= (loop.state.rollAtEvents ?? rollAtEvents);
}

/** Between cycles only, with every handler finished; what was asked for meanwhile is read first in the next run. */
async function roll(loop: Loop): Promise<void> {
  loop.rolling = true;
  if (!(await condition(allHandlersFinished, rollWithinMs, { summary: 'until every order is answered' }))) {
    // An order waits for the store: the loop goes on, and rolls after a later cycle.
    loop.rolling = false;
    return;
  }
  const { tenant, queues, rollAtEvents: at } = loop.state;
  await continueAsNew<typeof tenantLoop>({
    tenant,
    queues,
    ...(at === undefined ? {} : { rollAtEvents: at }),
    carried: { ...loop.state, asked: [...loop.asked], trigger: loop.trigger },
  });
}

function rootMessage(error: unknown): string {
  let current: unknown = error;
  while (current instanceof Error && current.cause instanceof Error) current = current.cause;
  return current instanceof Error ? current.message : String(current);
}
