// The source `health` (HEALTH-1, INC-1): all checks of a workspace at the same time, each with its own timeout; a first failure is read three times more
// within 45 s before it counts. What it finds is one incident per workspace, however many checks fail.
import { setTimeout as delay } from 'node:timers/promises';
import type { HealthCheck } from '../../../contract/ops/health-settings.ts';
import type { SecretReference, WorkspaceConfig } from '../../../contract/tenant-config.ts';
import { confirmFailure } from '../../../integrations/health/confirm.ts';
import { canReach } from '../../../integrations/health/own-network.ts';
import { type CheckReading, runCheck } from '../../../integrations/health/run-check.ts';
import { inMaintenance } from '../../../policy/ops/maintenance.ts';
import { type SourceContext, type SourceDefinition, Unreadable } from '../definition.ts';
import { type HealthMemory, healthMemoryOf } from './health-memory.ts';
import { judgeRound, type RoundReading } from './health-round.ts';

/** With 15 s for the first reading and 45 s for the others a fault is known within 5 min of it. */
const usualMs = 4 * 60_000;
/** Readings come on a grid that trembles. */
const trembleMs = 5_000;
const confirmTimes = 3;
const usualConfirmMs = 45_000;
const usualEnvironment = 'production';

export type HealthSourceParts = {
  readonly resolve: (reference: SecretReference, field: string) => Promise<string>;
  /** Shorter in tests; default 45 s. */
  readonly confirmWithinMs?: number;
};

export function createHealthSource({
  resolve,
  confirmWithinMs = usualConfirmMs,
}: HealthSourceParts): SourceDefinition {
  return {
    kind: 'health',
    timeoutMs: ({ workspace }) => mostTimeoutMs(workspace) + usualConfirmMs + 15_000,
    everyMs: sourceEveryMs,
    targets: (workspace) => (checksOf(workspace).length > 0 ? [undefined] : []),
    read: async (context) => {
      const { config, workspace, nowMs, signal } = context;
      const before = healthMemoryOf(context.memory);
      const checks = checksOf(workspace);
      const nextMs = nowMs + sourceEveryMs(workspace);
      const due = checks.filter((check) => isDue(check, before, nowMs, nextMs));
      const deps = {
        resolve: (reference: SecretReference, field: string) =>
          resolve(reference, `workspaces.${workspace.name}.health.${field}`),
        signal,
      };
      const read = async (check: HealthCheck): Promise<RoundReading> => {
        const first = await runCheck(check, deps);
        // What fails already needs no confirmation.
        if (first.state !== 'failed' || isFailing(check, before)) return { reading: first, flapped: false };
        const { judgement, reading } = await confirmFailure(first, () => runCheck(check, deps), {
          times: confirmTimes,
          withinMs: workspace.health?.confirmWithinMs ?? confirmWithinMs,
          timeoutMs: check.timeoutMs,
          sleep: (ms, stop) => delay(ms, undefined, { signal: stop }),
          nowMs: () => performance.now(),
          signal,
        });
        return { reading, flapped: judgement === 'flap' };
      };
      const readings = await Promise.all(due.map(async (check) => [check.name, await read(check)] as const));
      await refuseToJudge(
        readings.map(([, { reading }]) => reading),
        context,
      );
      const result = judgeRound(before, {
        environment: workspace.services?.environment ?? usualEnvironment,
        checks,
        incidents: workspace.incidents,
        maintenance: inMaintenance(workspace.health?.maintenance ?? [], config.timeZone, nowMs),
        readings: new Map(readings),
        nowMs,
      });
      return { ...result, memory: { ...result.memory } };
    },
  };
}

function checksOf(workspace: WorkspaceConfig): readonly HealthCheck[] {
  return workspace.health?.checks ?? [];
}

function sourceEveryMs(workspace: WorkspaceConfig): number {
  return Math.min(usualMs, ...checksOf(workspace).map(({ everyMs = usualMs }) => everyMs));
}

function mostTimeoutMs(workspace: WorkspaceConfig): number {
  return Math.max(...checksOf(workspace).map(({ timeoutMs }) => timeoutMs), 0);
}

/**
 * What does not pass is read whenever anything is; what passes, when its next reading would come too late: readings of a cycle that somebody asked
 * for lie between those of the grid.
 */
function isDue(
  { name, everyMs = usualMs }: HealthCheck,
  { checks }: HealthMemory,
  nowMs: number,
  nextMs: number,
): boolean {
  const known = checks[name];
  if (known === undefined || known.state !== 'ok' || known.readAtMs > nowMs) return true;
  return nextMs - known.readAtMs > everyMs + trembleMs;
}

function isFailing({ name }: HealthCheck, { checks }: HealthMemory): boolean {
  return checks[name]?.state === 'failed';
}

/** LOOP-2: nothing that was read says anything about production. @throws Unreadable */
async function refuseToJudge(
  readings: readonly CheckReading[],
  { workspace, signal }: SourceContext,
): Promise<void> {
  const [first] = readings;
  if (first === undefined) return;
  const all = readings.length === checksOf(workspace).length;
  if (all && readings.every(({ state }) => state === 'unknown'))
    throw new Unreadable(`no check could be made: ${first.name}: ${first.reason}`);
  const made = readings.filter(({ state }) => state !== 'unknown');
  const stayed = made.filter(({ state, facts }) => state === 'failed' && facts.network === true);
  if (made.length === 0 || stayed.length < made.length) return;
  // Names of production may be gone while this machine is well.
  if (await canReach(workspace.github.apiUrl, signal)) return;
  throw new Unreadable(
    `this machine gets to nowhere, so that nothing is said of production: ${made[0]?.name}: ${made[0]?.reason}`,
  );
}
