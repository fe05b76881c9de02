// How a service was over time, from readings (DEPLOY-3). Pure. Only what lies between two equal readings that follow each other closely is
// claimed: a service that comes and goes was neither down nor up for long, and hours without a reading prove nothing.
import type { HealthSpan, ServiceHealth } from '../../../contract/ops/ladder.ts';
import type { Deployment, Service } from '../../../contract/ops/platform.ts';

/** Two readings further apart say nothing about the time between them: twice the slowest cadence. */
const closeMs = 10 * 60_000;
/** Beside the first, which says since when: a step looks only minutes back. */
const keptSpans = 60;

/** Adds a reading, made at least every 5 min. One that is older than the last is left out. */
export function addReading(
  spans: readonly HealthSpan[],
  health: ServiceHealth,
  atMs: number,
): readonly HealthSpan[] {
  const last = spans.at(-1);
  if (last !== undefined && atMs < last.toMs) return spans;
  if (last?.health === health && atMs - last.toMs <= closeMs)
    return [...spans.slice(0, -1), { ...last, toMs: atMs }];
  const next = { health, fromMs: atMs, toMs: atMs };
  return [...spans.slice(0, 1), ...spans.slice(1).slice(-keptSpans), next];
}

/** How long it is known to have been so, from `fromMs` on. */
export function timeIn(spans: readonly HealthSpan[], health: ServiceHealth, fromMs: number): number {
  return spans
    .filter((span) => span.health === health)
    .reduce((sum, span) => sum + Math.max(0, span.toMs - Math.max(span.fromMs, fromMs)), 0);
}

/**
 * What the platform and our own checks say together. A failing check makes a running service unhealthy; a passing one does not make up for a
 * service that crashed.
 * @param failing whether a health check of this service fails; null: none is made, or none could be read
 */
export function serviceHealth(service: Service | undefined, failing: boolean | null): ServiceHealth {
  if (service === undefined) return 'gone';
  const serving = service.live ?? service.latest;
  switch (serving?.status) {
    case undefined:
    case 'stopped':
      return 'stopped';
    case 'running':
      return failing === true ? 'unhealthy' : 'healthy';
    case 'deploying':
      return 'deploying';
    case 'degraded':
    case 'crashed':
    case 'failed':
      // A newer one is on its way: what it brings is to be seen first.
      return service.latest?.status === 'deploying' ? 'deploying' : 'unhealthy';
    case 'unknown':
      return 'unknown';
  }
}

/** Whether the newest deployment failed while an older one serves. */
export function failedBeside(service: Service): boolean {
  const { latest, live } = service;
  return latest !== null && live !== null && latest.id !== live.id && isBroken(latest);
}

/** What a rung is taken on: what serves, else the newest. */
export function rungTarget(service: Service): { readonly id: string; readonly ran: boolean } | null {
  const target = service.live ?? service.latest;
  return target === null ? null : { id: target.id, ran: target.status !== 'failed' };
}

/**
 * The last healthy deployment before `currentId`: the newest older one that may be rolled back to, was seen healthy, or at least not broken.
 * @param deployments in any order
 * @param seenHealthy ids that ran well when they served, as far as is remembered
 * @param seenUnhealthy ids that were down since the fault began: a redeployment replaces one that crashed, and what is replaced only says "stopped"
 */
export function rollBackTarget(
  deployments: readonly Deployment[],
  currentId: string | null,
  seenHealthy: readonly string[],
  seenUnhealthy: readonly string[] = [],
): string | null {
  const current = deployments.find(({ id }) => id === currentId);
  const older = deployments
    .filter(
      (one) =>
        one.canRollBack &&
        one.id !== currentId &&
        !isBroken(one) &&
        !seenUnhealthy.includes(one.id) &&
        (current === undefined || one.createdAtMs < current.createdAtMs),
    )
    .sort((a, b) => b.createdAtMs - a.createdAtMs);
  return (older.find(({ id }) => seenHealthy.includes(id)) ?? older[0])?.id ?? null;
}

function isBroken({ status }: Deployment): boolean {
  return status === 'failed' || status === 'crashed' || status === 'degraded';
}
