// How often a tenant's sources are read, by walking its cadence over one week. Pure.
import type { SourceKind } from '../../contract/finding.ts';
import type { TenantConfig } from '../../contract/tenant-config.ts';
import { nextDueMs } from '../loop/cadence.ts';

export type ReadsPerDay = {
  /** Activities: one per source and target that is due. */
  readonly reads: number;
  readonly ciReads: number;
  /** Points in time at which anything but approvals is due. */
  readonly cycles: number;
  /** While something waits for an approval, all day. */
  readonly approvalReads: number;
};

/** A Monday, midnight UTC; a week has every kind of day once. */
const mondayMs = Date.parse('2026-01-05T00:00:00Z');
const weekMs = 7 * 86_400_000;

export function readsPerDay(config: TenantConfig, red: boolean): ReadsPerDay {
  const { workspaces } = config;
  const targets: readonly (readonly [SourceKind, number])[] = [
    ['ciRuns', workspaces.filter(({ ci }) => ci.enabled).length],
    ['drift', workspaces.reduce((sum, { drift }) => sum + drift.length, 0)],
    ['migrations', workspaces.reduce((sum, { databases }) => sum + databases.length, 0)],
  ];
  const cycles = new Set<number>();
  const reads = new Map<SourceKind, number>();
  for (const [source, count] of targets) {
    const times = count === 0 ? [] : dueTimes(config, source, red);
    for (const time of times) cycles.add(time);
    reads.set(source, (times.length * count) / 7);
  }
  return {
    reads: [...reads.values()].reduce((sum, count) => sum + count, 0),
    ciReads: reads.get('ciRuns') ?? 0,
    cycles: cycles.size / 7,
    approvalReads: (dueTimes(config, 'approvals', red).length * workspaces.length) / 7,
  };
}

function dueTimes(config: TenantConfig, source: SourceKind, red: boolean): readonly number[] {
  const times: number[] = [];
  const { cadence, timeZone } = config;
  for (let nowMs = mondayMs; ; ) {
    nowMs = nextDueMs({ source, cadence, timeZone, nowMs, red, phaseMs: 0 });
    if (nowMs > mondayMs + weekMs) return times;
    times.push(nowMs);
  }
}
