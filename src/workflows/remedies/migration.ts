// Pending migrations (MIG-1, MIG-2): backup fresh → `dbmate up` under its lock, by policy → status again, until nothing is pending.
import type { MigrationDetail } from '../../contract/finding.ts';
import type { RemedyInput, RemedyResult } from '../../contract/loop.ts';
import { workspaceActivities } from '../activities.ts';
import { noteActivity, type Remedy, runEffect } from '../effects.ts';
import {
  askPeople,
  asRemedy,
  beginAttempt,
  endTry,
  escalate,
  failedEnd,
  forget,
  look,
  triesOf,
  waitFor,
} from './remedy.ts';

const retryAfterMs = 5 * 60_000;
const changedWhileWaiting = 'pending migrations changed while waiting';

export async function migrationRemedy(input: RemedyInput): Promise<RemedyResult> {
  return asRemedy(input, untilMigrated);
}

async function untilMigrated(remedy: Remedy): Promise<RemedyResult> {
  const { input } = remedy;
  const first = input.finding.detail as MigrationDetail;
  const { database } = first;
  const read = { tenant: input.tenant, workspace: input.finding.workspace, database };
  for (;;) {
    const seen = await look(remedy);
    if (remedy.steps >= seen.limits.plannerSteps)
      return escalate(remedy, `${remedy.steps} steps and migrations are still pending on ${database}`);
    const { pending, backupProblem } = await workspaceActivities(
      input.queues,
      `status of ${database}`,
    ).readMigrations(read);
    if (pending.length === 0) return { outcome: 'green', summary: `nothing pending on ${database}` };
    if (backupProblem !== null) {
      await waitFor(remedy, backupProblem);
      continue;
    }
    remedy.steps += 1;
    const tries = triesOf(seen);
    const attemptKey = `${input.remedy}-${tries}`;
    const attempt = await beginAttempt(remedy, attemptKey);
    if (attempt === null)
      return escalate(
        remedy,
        `${seen.attempts} attempts are used and migrations are still pending on ${database}`,
      );
    const end = await runEffect(
      remedy,
      {
        kind: 'applyMigrations',
        target: database,
        precondition: pending.join(','),
        step: `up-${tries + 1}`,
        input: { database, pending: [...pending] },
      },
      askPeople(remedy, `${pending.length} migrations on ${database}`, async () => {
        const now = await workspaceActivities(input.queues, `status of ${database}`).readMigrations(read);
        return now.pending.join(',') === pending.join(',')
          ? null
          : `${changedWhileWaiting}: ${now.pending.join(', ') || 'nothing is pending'}`;
      }),
    );
    if (end.status === 'receipt')
      await noteActivity(
        remedy,
        end,
        `Apply ${pending.length} migrations to \`${database}\`: ${pending.map((p) => `\`${p}\``).join(', ')}`,
      );
    if (end.status === 'givenUp' && end.reason.startsWith(changedWhileWaiting)) {
      await forget(remedy, attemptKey, 'applyMigrations', end.reason);
      await endTry(remedy, tries);
      continue;
    }
    await endTry(remedy, tries);
    const failure = failedEnd(end);
    if (failure === null || (end.status === 'receipt' && end.outcome === 'stale')) continue;
    if (end.status !== 'receipt') return escalate(remedy, failure);
    // MIG-2: one without a transaction may be half done: never again without a person.
    if (end.result.transactionOff === true)
      return escalate(remedy, `${failure}; it runs without a transaction and is not retried`);
    if (attempt >= seen.limits.attempts) return escalate(remedy, failure);
    await waitFor(remedy, `the next attempt: ${failure}`, retryAfterMs);
  }
}
