// Whether a tenant's loop does its work (INC-6), judged from outside of it: by the records of its cycles and by what Temporal says of its workflow.
// Pure. A loop that stands still reads no health check, so nobody would hear of an incident.
import type { SourceKind } from '../../contract/finding.ts';
import type { TenantConfig } from '../../contract/tenant-config.ts';
import { nextDueMs } from '../loop/cadence.ts';

/** Fixed: no cycle finished for so long, and one was due by its own schedule. */
export const silentMs = 15 * 60_000;
/** A cycle that is due may take so long. */
const cycleMs = 5 * 60_000;
/** Workflow tasks are tried again after failures of a worker; so many in a row are a fault of the code. */
const failingAttempts = 4;

export type LoopFacts = {
  /** When the last cycle finished, or the tenant was registered if none has. */
  readonly sinceMs: number;
  /** When the next one was due after that, by its own schedule. */
  readonly dueMs: number;
  /** `unreachable`: Temporal does not answer. */
  readonly loop: 'running' | 'ended' | 'unreachable';
  /** Of the pending workflow task of the loop, and of those of its remedies; 0: none. */
  readonly taskAttempts: readonly { readonly workflowId: string; readonly attempt: number }[];
};

export type WatchState = 'well' | 'ended' | 'failing' | 'silent';
export type WatchVerdict = { readonly state: WatchState; readonly reason: string };

export function judgeLoop(facts: LoopFacts, nowMs: number): WatchVerdict {
  const failing = facts.taskAttempts.filter(({ attempt }) => attempt >= failingAttempts);
  if (failing[0] !== undefined) {
    const names = failing.map(({ workflowId, attempt }) => `${workflowId} (${attempt} attempts)`);
    return { state: 'failing', reason: `workflow tasks keep failing: ${names.slice(0, 5).join(', ')}` };
  }
  if (facts.loop === 'ended') return { state: 'ended', reason: 'its workflow does not run' };
  const silentForMs = nowMs - facts.sinceMs;
  if (silentForMs >= silentMs && nowMs >= facts.dueMs + cycleMs) {
    const away = facts.loop === 'unreachable' ? '; Temporal does not answer' : '';
    return {
      state: 'silent',
      reason: `no cycle finished for ${Math.floor(silentForMs / 60_000)} min${away}`,
    };
  }
  return { state: 'well', reason: 'cycles finish' };
}

/** When the next source of a tenant is due after `afterMs`, at the usual cadence. */
export function nextCycleDueMs(config: TenantConfig, phaseMs: number, afterMs: number): number {
  const { cadence, timeZone } = config;
  const due = sourcesOf(config).map((source) =>
    nextDueMs({ source, cadence, timeZone, nowMs: afterMs, red: false, phaseMs }),
  );
  // With nothing to read the loop looks at its settings each hour.
  return due.length === 0 ? afterMs + 60 * 60_000 : Math.min(...due);
}

function sourcesOf({ workspaces }: TenantConfig): readonly SourceKind[] {
  const any = (has: (workspace: TenantConfig['workspaces'][number]) => boolean): boolean =>
    workspaces.some(has);
  const there: readonly (readonly [SourceKind, boolean])[] = [
    ['ciRuns', any(({ ci }) => ci.enabled)],
    ['drift', any(({ drift }) => drift.length > 0)],
    ['migrations', any(({ databases }) => databases.length > 0)],
    ['deployments', any(({ services }) => services !== undefined)],
    ['health', any(({ health }) => health !== undefined)],
    ['mentions', any(({ diagnostics }) => diagnostics !== undefined)],
  ];
  return there.flatMap(([kind, is]) => (is ? [kind] : []));
}

/** How often the same is told again while it lasts. */
const tellEveryMs = 60 * 60_000;

export type Told = { readonly state: string; readonly sinceMs: number; readonly told: number };

export type WatchStep = {
  /** What is to be kept; null: nothing is wrong. */
  readonly keep: Told | null;
  readonly tell: {
    readonly way: 'open' | 'update' | 'resolved';
    readonly number: number;
    readonly sinceMs: number;
  } | null;
};

/** Once per state and hour, and once when it is well again. @param before what was told last; null: nothing */
export function nextWatchStep(before: Told | null, { state }: WatchVerdict, nowMs: number): WatchStep {
  if (state === 'well') {
    if (before === null) return { keep: null, tell: null };
    const { sinceMs, told } = before;
    return { keep: null, tell: { way: 'resolved', number: told + 1, sinceMs } };
  }
  const sinceMs = before?.sinceMs ?? nowMs;
  const due = 1 + Math.floor((nowMs - sinceMs) / tellEveryMs);
  const told = before?.told ?? 0;
  if (before !== null && before.state === state && told >= due) return { keep: before, tell: null };
  const number = told + 1;
  return {
    keep: { state, sinceMs, told: number },
    tell: { way: before === null ? 'open' : 'update', number, sinceMs },
  };
}
