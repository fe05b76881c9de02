// How the workflows call activities: one option set per kind of work, each bounded twice, each with its reason.
import { type ActivityOptions, proxyActivities } from '@temporalio/workflow';
import type {
  CiActivities,
  EffectActivities,
  LoopActivities,
  RemedyActivities,
  SourceActivities,
  WorkspaceActivities,
} from '../contract/activities.ts';
import type { CareActivities } from '../contract/aftercare.ts';
import type { SourceKind } from '../contract/finding.ts';
import type { AboutRunActivities } from '../contract/focus.ts';
import type { ImplementActivities } from '../contract/implement.ts';
import type { ScheduledRead } from '../contract/loop.ts';
import type { ModelActivities } from '../contract/model.ts';
import type { QueueNames } from '../contract/names.ts';
import { failures } from '../contract/names.ts';
import type { IncidentActivities } from '../contract/ops/activities.ts';
import type { DiagnosticActivities } from '../contract/ops/diagnosis.ts';
import type { OperationActivities } from '../contract/ops/operation.ts';
import type { TriageActivities } from '../contract/triage.ts';

const never: readonly string[] = [
  failures.requestInvalid,
  failures.effectInputInvalid,
  failures.effectDigestChanged,
  failures.tenantUnknown,
];

/** Postgres only: quick, and worth waiting for as long as the database is away. */
const recordOptions: ActivityOptions = {
  startToCloseTimeout: 45_000,
  scheduleToCloseTimeout: 30 * 60_000,
  retry: {
    initialInterval: 200,
    backoffCoefficient: 2,
    maximumInterval: 10_000,
    nonRetryableErrorTypes: [...never],
  },
};

/** The record of a cycle: given up after two minutes, so that the loop goes on and counts the cycle as failed (LOOP-7). */
const settleOptions: ActivityOptions = { ...recordOptions, scheduleToCloseTimeout: 2 * 60_000 };

/** The door waits for leases, settle times and outages of the remote by retries; a dead worker shows by its heartbeat. */
const effectOptions: ActivityOptions = {
  startToCloseTimeout: 60 * 60_000,
  scheduleToCloseTimeout: 6 * 60 * 60_000,
  heartbeatTimeout: 15_000,
  retry: {
    initialInterval: 1_000,
    backoffCoefficient: 2,
    maximumInterval: 60_000,
    nonRetryableErrorTypes: [...never],
  },
};

/** What an incident asks the door for: an answer within minutes, or none, and it is asked again (INC-6). */
const urgentOptions: ActivityOptions = {
  ...effectOptions,
  startToCloseTimeout: 60_000,
  scheduleToCloseTimeout: 3 * 60_000,
  retry: { ...effectOptions.retry, maximumInterval: 15_000 },
};

/** A turn of an incident reads a platform that may hang, for seconds. */
const turnOptions: ActivityOptions = {
  ...recordOptions,
  startToCloseTimeout: 60_000,
  scheduleToCloseTimeout: 3 * 60_000,
  heartbeatTimeout: 15_000,
};

/** Worktrees, sandboxes, drift commands: minutes, on the queue of their own. */
const workspaceOptions: ActivityOptions = {
  startToCloseTimeout: 60 * 60_000,
  scheduleToCloseTimeout: 4 * 60 * 60_000,
  heartbeatTimeout: 20_000,
  retry: {
    initialInterval: 2_000,
    backoffCoefficient: 2,
    maximumInterval: 60_000,
    maximumAttempts: 20,
    nonRetryableErrorTypes: [...never],
  },
};

/** Reads of GitHub by remedies. */
const readOptions: ActivityOptions = {
  startToCloseTimeout: 2 * 60_000,
  scheduleToCloseTimeout: 60 * 60_000,
  retry: {
    initialInterval: 1_000,
    backoffCoefficient: 2,
    maximumInterval: 60_000,
    nonRetryableErrorTypes: [...never],
  },
};

/** Reads GitHub, and a log of up to 250 MB once: minutes. */
const triageOptions: ActivityOptions = {
  ...readOptions,
  startToCloseTimeout: 10 * 60_000,
  heartbeatTimeout: 20_000,
};

/** A call of the model: minutes for a long answer, seconds between tries, hours for a budget that calls under way hold. */
const modelOptions: ActivityOptions = {
  startToCloseTimeout: 40 * 60_000,
  scheduleToCloseTimeout: 6 * 60 * 60_000,
  heartbeatTimeout: 15_000,
  retry: {
    initialInterval: 2_000,
    backoffCoefficient: 2,
    maximumInterval: 60_000,
    nonRetryableErrorTypes: [...never],
  },
};

export function loopActivities(queues: QueueNames, summary: string): LoopActivities {
  return proxyActivities<LoopActivities>({ ...recordOptions, taskQueue: queues.io, summary });
}

export function settleActivities(queues: QueueNames, summary: string): Pick<LoopActivities, 'settleCycle'> {
  return proxyActivities<LoopActivities>({ ...settleOptions, taskQueue: queues.io, summary });
}

/** They check out and run commands; the others wait on the network. */
const onWorkspace: readonly SourceKind[] = ['drift', 'migrations', 'versions'];

/** One attempt and a second one for a worker that died: a source that cannot be read is `unknown` in this cycle, and read again in the next. */
export function sourceActivities(queues: QueueNames, read: ScheduledRead): SourceActivities {
  return proxyActivities<SourceActivities>({
    taskQueue: onWorkspace.includes(read.source) ? queues.workspace : queues.io,
    startToCloseTimeout: read.timeoutMs + 15_000,
    scheduleToCloseTimeout: 2 * read.timeoutMs + 60_000,
    heartbeatTimeout: 20_000,
    retry: { maximumAttempts: 2, initialInterval: 500 },
    summary: read.target === undefined ? read.workspace : `${read.workspace} · ${read.target}`,
  });
}

export function effectActivities(queues: QueueNames, kind: string, summary: string): EffectActivities {
  const taskQueue =
    kind === 'applyDrift' || kind === 'applyMigrations' || kind === 'pushBranch'
      ? queues.workspace
      : queues.io;
  return proxyActivities<EffectActivities>({ ...effectOptions, taskQueue, summary });
}

/** An alert of the loop itself: its cycle waits for it a minute at most. */
export function alertActivities(
  queues: QueueNames,
  summary: string,
): Pick<EffectActivities, 'effect.sendAlert'> {
  return proxyActivities<EffectActivities>({
    ...effectOptions,
    scheduleToCloseTimeout: 60_000,
    taskQueue: queues.io,
    summary,
  });
}

/** Effects of an incident. */
export function urgentEffects(queues: QueueNames, summary: string): EffectActivities {
  return proxyActivities<EffectActivities>({ ...urgentOptions, taskQueue: queues.io, summary });
}

export function incidentActivities(queues: QueueNames, summary: string): IncidentActivities {
  return proxyActivities<IncidentActivities>({ ...turnOptions, taskQueue: queues.io, summary });
}

export function remedyActivities(queues: QueueNames): RemedyActivities {
  return proxyActivities<RemedyActivities>({ ...recordOptions, taskQueue: queues.io });
}

/** For somebody who waits: one try and a second one. */
export function aboutRunActivities(queues: QueueNames, summary: string): AboutRunActivities {
  return proxyActivities<AboutRunActivities>({
    startToCloseTimeout: 15_000,
    scheduleToCloseTimeout: 18_000,
    retry: { maximumAttempts: 2 },
    taskQueue: queues.io,
    summary,
  });
}

export function careActivities(queues: QueueNames): CareActivities {
  return proxyActivities<CareActivities>({ ...recordOptions, taskQueue: queues.io });
}

export function ciActivities(queues: QueueNames, summary: string): CiActivities {
  return proxyActivities<CiActivities>({ ...readOptions, taskQueue: queues.io, summary });
}

export function modelActivities(queues: QueueNames, summary: string): ModelActivities {
  return proxyActivities<ModelActivities>({ ...modelOptions, taskQueue: queues.io, summary });
}

export function workspaceActivities(queues: QueueNames, summary: string): WorkspaceActivities {
  return proxyActivities<WorkspaceActivities>({ ...workspaceOptions, taskQueue: queues.workspace, summary });
}

/** Steps of a fix that the model drafts: worktree and sandbox. */
export function implementActivities(
  queues: QueueNames,
  summary: string,
): Pick<ImplementActivities, 'openFix' | 'runTool' | 'checkFix'> {
  return proxyActivities<ImplementActivities>({ ...workspaceOptions, taskQueue: queues.workspace, summary });
}

/** What is said to the model and what came of a fix: Postgres only. */
export function fixRecordActivities(
  queues: QueueNames,
): Pick<ImplementActivities, 'tellModel' | 'readVerdict' | 'recordFix'> {
  return proxyActivities<ImplementActivities>({
    ...recordOptions,
    heartbeatTimeout: 15_000,
    taskQueue: queues.io,
  });
}

export function triageActivities(queues: QueueNames, summary: string): TriageActivities {
  return proxyActivities<TriageActivities>({ ...triageOptions, taskQueue: queues.io, summary });
}

/** For a person who waits, of a platform that may be away: minutes. */
export function operationActivities(queues: QueueNames, summary: string): OperationActivities {
  return proxyActivities<OperationActivities>({
    ...readOptions,
    startToCloseTimeout: 60_000,
    scheduleToCloseTimeout: 3 * 60_000,
    taskQueue: queues.io,
    summary,
  });
}

/** The same, for a question: reads of production, none of which may hang. */
export function diagnosticActivities(queues: QueueNames, summary: string): DiagnosticActivities {
  return proxyActivities<DiagnosticActivities>({
    ...readOptions,
    startToCloseTimeout: 90_000,
    scheduleToCloseTimeout: 3 * 60_000,
    taskQueue: queues.io,
    summary,
  });
}

/** A model that somebody waits for: a minute, or none. */
export function questionActivities(queues: QueueNames, summary: string): ModelActivities {
  return proxyActivities<ModelActivities>({
    ...modelOptions,
    startToCloseTimeout: 60_000,
    scheduleToCloseTimeout: 75_000,
    taskQueue: queues.io,
    summary,
  });
}
