// The facts that triage judges by, from GitHub, read once per run and attempt and kept (CI-2): a remedy that asks again while it waits costs
// nothing.
import type { CiDiagnosis, FindingRef } from '../../../contract/activities.ts';
import type { CiDetail } from '../../../contract/finding.ts';
import type { Place } from '../../../integrations/github/read.ts';
import { failsInMass, type MassFailure, namesWorkflowFile } from '../../../policy/ci/ci-triage.ts';
import { type FailureRow, readFailure, saveFailure } from '../../../store/ci/ci-failures.ts';
import { type FlakyJob, noteRuns } from '../../../store/ci/flakes.ts';
import { saveEvidence } from '../../../store/evidence.ts';
import type { Services } from '../../services.ts';
import { type LogReader, type LogReading, readFailureLog } from './triage-log.ts';
import {
  type FailedJobRef,
  failedJobs,
  passedOnSameCommit,
  passingJobId,
  readBranchRuns,
} from './triage-runs.ts';

export type FailureQuestion = {
  readonly ref: FindingRef;
  readonly detail: CiDetail;
  readonly run: { readonly runId: number; readonly runAttempt: number; readonly headSha: string };
  /** Of the run, where its diagnosis has read them. */
  readonly jobs?: CiDiagnosis['jobs'] | undefined;
  readonly place: Place;
  readonly reader: LogReader;
  readonly evidenceMs: number;
  readonly nowMs: number;
};

const nothing: LogReading = {
  class: 'unknown',
  confidence: 0.05,
  signature: null,
  headline: null,
  failedTests: [],
  testsFailed: 0,
  testsRan: null,
  evidence: [],
  reduced: '',
};
/** Other failed jobs whose logs are read to find one in which most tests fail too. */
const maxOtherJobs = 3;

export function flakyJobOf(tenant: string, detail: CiDetail): FlakyJob {
  return {
    tenant,
    repository: detail.repository,
    workflowPath: detail.workflowPath,
    lane: detail.pullRequest === undefined ? 'branches' : 'pulls',
    job: detail.job,
  };
}

export async function failureOf(
  services: Pick<Services, 'pool'>,
  question: FailureQuestion,
): Promise<FailureRow> {
  const { ref, detail, run, place, nowMs } = question;
  const { tenant } = ref;
  const key = { tenant, repository: detail.repository, ...runKey(run), job: detail.job };
  const known = await readFailure(services.pool, key);
  if (known) return known;

  const branch = await readBranchRuns(place, detail.branch, detail.workflowPath);
  await noteRuns(services.pool, flakyJobOf(tenant, detail), branch.ended, nowMs);
  const jobs = question.jobs ?? (await failedJobs(place, run.runId, run.runAttempt));
  const job = jobs.failed.find((one) => one.name === detail.job);
  const green = job && (await passingJobId(place, branch, detail.job));
  const log = job ? await readFailureLog(place, job.id, green ?? null, question.reader) : null;
  const reading: LogReading =
    log ?? (jobs.all === 0 ? { ...nothing, class: 'config', confidence: 0.8 } : nothing);
  const failed: FailedJobRef = { ...run, workflowPath: detail.workflowPath, job: detail.job };
  const others = jobs.failed.filter((one) => one.name !== detail.job);
  const { reduced, ...rest } = reading;
  const row: FailureRow = {
    ...rest,
    reduced:
      reduced === ''
        ? null
        : await saveEvidence(services.pool, {
            tenant,
            kind: 'log',
            body: reduced,
            retentionMs: question.evidenceMs,
          }),
    workflowFile:
      jobs.all === 0 ||
      namesWorkflowFile(
        reading.class,
        reading.evidence.map(({ text }) => text),
      ),
    passedIn: job ? await passedOnSameCommit(place, failed) : null,
    redCommits: branch.redCommits,
    runsCut: branch.cut,
    mass: await massOf(
      question,
      reading,
      others.map(({ id, name }) => ({ id, name })),
    ),
    atMs: nowMs,
  };
  // A log that is not there may only be late: it is looked for again.
  const final = log !== null || jobs.all === 0;
  return final ? saveFailure(services.pool, key, row) : row;
}

function runKey({ runId, runAttempt }: FailureQuestion['run']) {
  return { runId, runAttempt };
}

/** CI-4: read only when most tests of this job fail. */
async function massOf(
  { place, reader }: FailureQuestion,
  reading: LogReading,
  others: readonly { readonly id: number; readonly name: string }[],
): Promise<MassFailure | null> {
  const { testsFailed, testsRan } = reading;
  if (testsRan === null || !failsInMass({ failed: testsFailed, ran: testsRan })) return null;
  for (const other of others.slice(0, maxOtherJobs)) {
    const log = await readFailureLog(place, other.id, null, { redact: reader.redact });
    if (log && failsInMass({ failed: log.testsFailed, ran: log.testsRan }))
      return { failed: testsFailed, ran: testsRan, otherJob: other.name };
  }
  return null;
}
