// The memory of one run of a tenant loop, and what events do to it. Only `state` is carried over continue-as-new.
import {
  everySource,
  type RemedyReport,
  type ScheduledRead,
  type TenantInput,
  type TenantState,
  type TenantView,
  type Trigger,
  type WakeSignal,
} from '../../contract/loop.ts';
import { sourceKey } from '../../policy/loop/reconcile.ts';

/** The loop's memory of one run; what is carried on is `state`. */
export type Loop = {
  state: TenantState;
  view: TenantView;
  /** Source keys that were asked for, and `everySource`. */
  asked: Set<string>;
  trigger: Trigger;
  wake: boolean;
  /** What is known was read: the number of the cycle and the schedule are right. */
  opened: boolean;
  draining: boolean;
  /** Fingerprints whose remedies ended since the last scheduled cycle. */
  ended: Set<string>;
  /** No handler may begin anything now: the run is about to roll. */
  rolling: boolean;
};

export function newLoop(input: TenantInput): Loop {
  const state: TenantState = input.carried ?? {
    tenant: input.tenant,
    queues: input.queues,
    ...(input.rollAtEvents === undefined ? {} : { rollAtEvents: input.rollAtEvents }),
    cycle: 0,
    schedule: [],
    openRemedies: [],
    unrecordedFailures: 0,
    seenRequests: [],
  };
  const view: TenantView = {
    tenant: input.tenant,
    cycle: state.cycle,
    phase: 'starting',
    nextCycleAtMs: null,
    openRemedies: state.openRemedies,
    summary: '',
  };
  return {
    state,
    view,
    asked: new Set(state.asked),
    trigger: state.trigger ?? 'schedule',
    wake: false,
    opened: input.carried !== undefined,
    draining: false,
    ended: new Set(),
    rolling: false,
  };
}

/**
 * The times for the next reads, after those of `read` were read. An event's reading does not move the times of what it did not read, and
 * what the settings name since now is due at once (LOOP-1, LOOP-9).
 */
export function nextSchedule(
  before: readonly ScheduledRead[],
  read: readonly ScheduledRead[],
  after: readonly ScheduledRead[],
  nowMs: number,
): readonly ScheduledRead[] {
  const old = new Map(before.map((one) => [readKey(one), one.dueAtMs]));
  const done = new Set(read.map(readKey));
  return after.map((one) => {
    if (done.has(readKey(one))) return one;
    return { ...one, dueAtMs: Math.min(one.dueAtMs, old.get(readKey(one)) ?? nowMs) };
  });
}

/** `workspace/source[:target]` */
export function readKey(read: Pick<ScheduledRead, 'workspace' | 'source' | 'target'>): string {
  return `${read.workspace}/${sourceKey(read)}`;
}

/** A signal cannot be refused, whoever sends it: what is no report is read as nothing (DUR-4). */
export function isReport(report: unknown): report is RemedyReport {
  const { workflowId, fingerprint, workspace, source, state } = (report ?? {}) as Record<string, unknown>;
  return (
    [workflowId, fingerprint, workspace, source].every((part) => typeof part === 'string') &&
    (state === 'done' || state === 'waiting')
  );
}

/** A remedy said how it stands: its source is read again when it is done. */
export function takeReport(loop: Loop, report: RemedyReport): void {
  if (report.state === 'done') {
    loop.ended.add(report.fingerprint);
    loop.state = {
      ...loop.state,
      openRemedies: loop.state.openRemedies.filter((open) => open.workflowId !== report.workflowId),
    };
    ask(loop, { reason: 'a remedy ended', sources: [`${report.workspace}/${report.source}`] }, 'event');
    return;
  }
  // What comes after it in the tree need not wait for a person.
  ask(loop, { reason: 'a remedy waits', sources: [`${report.workspace}/${report.source}`] }, 'event');
  const watched = loop.state.schedule.some(
    (read) => read.workspace === report.workspace && read.source === 'approvals',
  );
  if (report.watchApprovals && !watched) {
    const read: ScheduledRead = {
      workspace: report.workspace,
      source: 'approvals',
      dueAtMs: Date.now() + 1_000,
      timeoutMs: 60_000,
    };
    loop.state = { ...loop.state, schedule: [...loop.state.schedule, read] };
  }
}

export function ask(loop: Loop, signal: WakeSignal, trigger: Trigger): void {
  for (const read of loop.state.schedule)
    if (signal.sources.includes(readKey(read))) loop.asked.add(readKey(read));
  if (signal.sources.includes(everySource)) loop.asked.add(everySource);
  // What a person asked for is not lowered to an event by what comes after it.
  if (loop.trigger !== 'operator') loop.trigger = trigger;
  loop.wake = true;
}
