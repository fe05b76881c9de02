// From what sources say to what is known: which findings appear, go on, come back, or are gone. Pure; the store applies the changes.
import type { Finding, FindingStatus, Observation, ObservedFinding } from '../../contract/finding.ts';
import { repeatWindowMs } from '../aftercare.ts';

/** The latest occurrence of a finding, with what deciding about its return needs. */
export type KnownFinding = Pick<
  Finding,
  'fingerprint' | 'occurrence' | 'status' | 'attempts' | 'source' | 'workspace'
> & {
  readonly resolvedMs: number | null;
};

export type FindingChange =
  | {
      readonly change: 'appear';
      readonly fingerprint: string;
      readonly occurrence: number;
      readonly observed: ObservedFinding;
      readonly workspace: string;
      readonly source: string;
    }
  /** Back within seven days: the same occurrence, with its counter when it is back within 48 hours. */
  | {
      readonly change: 'return';
      readonly fingerprint: string;
      readonly occurrence: number;
      readonly observed: ObservedFinding;
      readonly attempts: number;
      /** A job that fails again within 48 hours of an attempt to fix it (CI-10). */
      readonly repeat: boolean;
    }
  | {
      readonly change: 'seen';
      readonly fingerprint: string;
      readonly occurrence: number;
      readonly observed: ObservedFinding;
    }
  | {
      readonly change: 'resolve';
      readonly fingerprint: string;
      readonly occurrence: number;
      readonly status: FindingStatus;
    };

const newOccurrenceMs = 7 * 86_400_000;

/** What one source of one workspace is called in records: `ciRuns`, `drift:production`. */
export function sourceKey(read: Pick<Observation, 'source' | 'target'>): string {
  return read.target === undefined ? read.source : `${read.source}:${read.target}`;
}

/**
 * A source that could not be read resolves nothing: unknown is neither green nor red (LOOP-2). What it is certain of nevertheless is known.
 * @param known the latest occurrence of every finding of the tenant that is open, or was observed now
 */
export function reconcile(
  known: readonly KnownFinding[],
  observations: readonly Observation[],
  fingerprintOf: (observed: ObservedFinding) => string,
  nowMs: number,
): readonly FindingChange[] {
  const changes: FindingChange[] = [];
  for (const observation of observations) {
    const source = sourceKey(observation);
    const seen = new Set<string>();
    for (const observed of observation.findings) {
      const fingerprint = fingerprintOf(observed);
      if (seen.has(fingerprint)) continue;
      seen.add(fingerprint);
      changes.push(changeOf(observed, fingerprint, known, observation.workspace, source, nowMs));
    }
    if (observation.state === 'unknown') continue;
    for (const finding of known) {
      if (
        finding.workspace !== observation.workspace ||
        finding.source !== source ||
        finding.status === 'resolved'
      )
        continue;
      if (seen.has(finding.fingerprint)) continue;
      changes.push({
        change: 'resolve',
        fingerprint: finding.fingerprint,
        occurrence: finding.occurrence,
        status: finding.status,
      });
    }
  }
  return changes;
}

function changeOf(
  observed: ObservedFinding,
  fingerprint: string,
  known: readonly KnownFinding[],
  workspace: string,
  source: string,
  nowMs: number,
): FindingChange {
  const before = known.find((finding) => finding.fingerprint === fingerprint);
  if (!before) return { change: 'appear', fingerprint, occurrence: 1, observed, workspace, source };
  if (before.status !== 'resolved')
    return { change: 'seen', fingerprint, occurrence: before.occurrence, observed };
  const goneMs = nowMs - (before.resolvedMs ?? 0);
  if (goneMs > newOccurrenceMs)
    return { change: 'appear', fingerprint, occurrence: before.occurrence + 1, observed, workspace, source };
  const attempts = goneMs <= repeatWindowMs ? before.attempts : 0;
  const repeat = observed.kind === 'ci' && attempts > 0;
  return { change: 'return', fingerprint, occurrence: before.occurrence, observed, attempts, repeat };
}
