// Above a rate, one issue proposes to quarantine a test (CI-3): the worst of those that failed in this run. While it is open, it is brought up to
// date when the rate has risen. The agent never skips a test itself.
import type { QuarantineProposal } from '../../../contract/triage.ts';
import { type Place, readIssue } from '../../../integrations/github/read.ts';
import { isTold, toQuarantine } from '../../../policy/ci/ci-triage.ts';
import {
  countRuns,
  type FlakyJob,
  proposeOnce,
  quarantineIssue,
  readFlakyFailures,
  readLedger,
  tellRate,
} from '../../../store/ci/flakes.ts';
import type { Pool } from '../../../store/database.ts';
import { quarantineProposal } from './triage-report.ts';

/** @param flake.tests those that failed now; none: the job itself */
export async function proposeQuarantine(
  pool: Pool,
  place: Place,
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
    if (!failed.has(entry.test)) continue;
    const { rate, test } = entry;
    const issue = await issueToTell(pool, place, job, test, { runId: flake.runId, rate }, nowMs);
    if (issue === null) continue;
    const failures = await readFlakyFailures(pool, job, test);
    const proposal = quarantineProposal(
      job,
      { ...entry, runsSeen: Math.max(runsSeen, entry.failures) },
      failures,
    );
    return issue === 'new' ? proposal : { ...proposal, issue };
  }
  return null;
}

/** `new`: this run opens one; a number: this run brings that one up to date; null: people know. The same run again gets the same answer. */
async function issueToTell(
  pool: Pool,
  place: Place,
  job: FlakyJob,
  test: string,
  by: { readonly runId: number; readonly rate: number },
  nowMs: number,
): Promise<number | 'new' | null> {
  const known = await proposeOnce(pool, job, test, by, nowMs);
  if (known.runId === by.runId) return 'new';
  const mine = known.toldRun === by.runId;
  if (!mine && isTold(known.toldRate, by.rate)) return null;
  const issue = await quarantineIssue(pool, job, test);
  // What a person closed stays closed.
  if (issue === null || (await readIssue(place, issue))?.state !== 'open') return null;
  return mine || (await tellRate(pool, job, test, known, by)) ? issue : null;
}
