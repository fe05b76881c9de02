// Above a rate, one issue proposes to quarantine a test (CI-3): the worst of those that failed in this run. The agent never skips a test itself.
import type { QuarantineProposal } from '../../../contract/triage.ts';
import { toQuarantine } from '../../../policy/ci/ci-triage.ts';
import {
  countRuns,
  type FlakyJob,
  mayPropose,
  readFlakyFailures,
  readLedger,
} from '../../../store/ci/flakes.ts';
import type { Pool } from '../../../store/database.ts';
import { quarantineProposal } from './triage-report.ts';

/** @param flake.tests those that failed now; none: the job itself */
export async function proposeQuarantine(
  pool: Pool,
  job: FlakyJob,
  flake: {
    readonly quarantineRate: number;
    readonly quarantineFailures: number;
    readonly runId: number;
    readonly tests: readonly string[];
  },
  nowMs: number,
): Promise<QuarantineProposal | null> {
  const runsSeen = await countRuns(pool, job);
  const failed = new Set(flake.tests.length === 0 ? [''] : flake.tests);
  for (const entry of toQuarantine(await readLedger(pool, job, nowMs), runsSeen, flake)) {
    if (!failed.has(entry.test) || !(await mayPropose(pool, job, entry.test, flake.runId, nowMs))) continue;
    const failures = await readFlakyFailures(pool, job, entry.test);
    return quarantineProposal(job, { ...entry, runsSeen: Math.max(runsSeen, entry.failures) }, failures);
  }
  return null;
}
