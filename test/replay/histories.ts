// Histories of workflows: collected from a server over all their runs and children, replayed on the code as it is now, kept as files.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { type History, historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import { Worker } from '@temporalio/worker';
import { workflowBundle } from '../support/temporal/temporal.ts';

type HistoryEvent = NonNullable<History['events']>[number];

export type KeptHistory = { readonly workflowId: string; readonly history: History };

const folder = fileURLToPath(new URL('./histories/', import.meta.url));

/**
 * Follows continue-as-new and children from the given first runs.
 * @param closed runs by id that are over, read before: they do not change, and are not read again
 */
export async function historiesOf(
  client: Client,
  first: ReadonlyMap<string, readonly string[]>,
  closed: Map<string, History> = new Map(),
): Promise<readonly KeptHistory[]> {
  const found: KeptHistory[] = [];
  const seen = new Set<string>();
  const open = [...first].flatMap(([workflowId, runs]) => runs.map((runId) => ({ workflowId, runId })));
  for (let next = open.pop(); next; next = open.pop()) {
    const { workflowId, runId } = next;
    if (seen.has(runId)) continue;
    seen.add(runId);
    const history = closed.get(runId) ?? (await client.workflow.getHandle(workflowId, runId).fetchHistory());
    if (history.events?.some(isClosing)) closed.set(runId, history);
    found.push({ workflowId, history });
    for (const event of history.events ?? []) {
      const continued = event.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
      if (continued) open.push({ workflowId, runId: continued });
      const child = event.childWorkflowExecutionStartedEventAttributes?.workflowExecution;
      if (child?.workflowId && child.runId) open.push({ workflowId: child.workflowId, runId: child.runId });
    }
  }
  return found;
}

/** No task and no activity of these runs is waiting for, or with, a worker. */
export function isIdle(histories: readonly KeptHistory[]): boolean {
  return histories.every(({ history }) => {
    const open = new Set<string>();
    let task = false;
    for (const event of history.events ?? []) {
      if (event.workflowTaskScheduledEventAttributes) task = true;
      if (
        event.workflowTaskCompletedEventAttributes ||
        event.workflowTaskFailedEventAttributes ||
        event.workflowTaskTimedOutEventAttributes
      )
        task = false;
      if (event.activityTaskScheduledEventAttributes) open.add(String(event.eventId));
      const ended =
        event.activityTaskCompletedEventAttributes ??
        event.activityTaskFailedEventAttributes ??
        event.activityTaskTimedOutEventAttributes ??
        event.activityTaskCanceledEventAttributes;
      if (ended) open.delete(String(ended.scheduledEventId));
      if (isClosing(event)) {
        task = false;
        open.clear();
      }
    }
    return !task && open.size === 0;
  });
}

/** When the next open timer of these runs fires, by the server's clock; `Infinity` when there is none. */
export function nextTimerMs(histories: readonly KeptHistory[]): number {
  return Math.min(...histories.flatMap(({ history }) => [...openTimers(history).values()]));
}

function openTimers({ events }: History): ReadonlyMap<string, number> {
  const open = new Map<string, number>();
  for (const event of events ?? []) {
    const started = event.timerStartedEventAttributes;
    if (started)
      open.set(
        String(event.eventId),
        (optionalTsToMs(event.eventTime) ?? 0) + (optionalTsToMs(started.startToFireTimeout) ?? 0),
      );
    const ended = event.timerFiredEventAttributes ?? event.timerCanceledEventAttributes;
    if (ended) open.delete(String(ended.startedEventId));
    if (isClosing(event)) open.clear();
  }
  return open;
}

function isClosing(event: HistoryEvent): boolean {
  return Boolean(
    event.workflowExecutionContinuedAsNewEventAttributes ??
      event.workflowExecutionCompletedEventAttributes ??
      event.workflowExecutionFailedEventAttributes ??
      event.workflowExecutionTerminatedEventAttributes,
  );
}

/** A run that was read in the middle of a task: what came after its last whole task is not replayed, the SDK does not take it. */
function uptoLastTask(events: readonly HistoryEvent[]): HistoryEvent[] {
  const last = events.findLastIndex((event) => event.workflowTaskCompletedEventAttributes);
  const id = String(events[last]?.eventId);
  let end = last + 1;
  while (end < events.length && taskOf(events[end]) === id) end += 1;
  return events.slice(0, end);
}

/** The task that decided an event, for events that are commands of one. */
function taskOf(event: HistoryEvent | undefined): string | undefined {
  for (const value of Object.values(event ?? {})) {
    if (typeof value === 'object' && value !== null && 'workflowTaskCompletedEventId' in value)
      return String(value.workflowTaskCompletedEventId);
  }
  return undefined;
}

/** @throws the first history that the code of today would not have written */
export async function replay(histories: readonly KeptHistory[]): Promise<void> {
  const whole = histories.flatMap(({ workflowId, history }) => {
    const events = uptoLastTask(history.events ?? []);
    return events.length === 0 ? [] : [{ workflowId, history: { ...history, events } }];
  });
  const results = Worker.runReplayHistories({ workflowBundle: await workflowBundle() }, whole);
  for await (const { workflowId, error } of results) {
    if (error) throw new Error(`replay of ${workflowId}: ${error.message}`, { cause: error });
  }
}

/** With `RECORD_HISTORIES=<date>` the histories of a scenario are kept in a new file; kept ones are never written again. */
export async function keep(scenario: string, histories: readonly KeptHistory[]): Promise<void> {
  const date = process.env.RECORD_HISTORIES;
  if (!date) return;
  const kept = histories.map(({ workflowId, history }) => ({
    workflowId,
    history: JSON.parse(historyToJSON(history), neutral),
  }));
  await replay(kept.map(({ workflowId, history }) => ({ workflowId, history: historyFromJSON(history) })));
  await writeFile(join(folder, `${scenario}-${date}.json`), `${JSON.stringify(kept)}\n`, { flag: 'wx' });
}

/** Names of the machine that ran it: read by nobody, in a replay neither. */
function neutral(key: string, value: unknown): unknown {
  if (key === 'identity') return 'worker';
  return key === 'stackTrace' ? '' : value;
}

export type KeptFile = {
  readonly file: string;
  readonly text: string;
  readonly histories: readonly KeptHistory[];
};

export async function keptHistories(): Promise<readonly KeptFile[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json')).sort();
  return Promise.all(
    files.map(async (file) => {
      const text = await readFile(join(folder, file), 'utf8');
      const parsed = JSON.parse(text) as { workflowId: string; history: unknown }[];
      return {
        file,
        text,
        histories: parsed.map(({ workflowId, history }) => ({
          workflowId,
          history: historyFromJSON(history),
        })),
      };
    }),
  );
}
