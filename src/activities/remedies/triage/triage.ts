// Triage of a failing job (CI-2 to CI-4, CI-12, CI-13): gathers the facts, lets the rules of src/policy judge, and keeps what they say with the
// finding. Writes nothing to GitHub; whether something is fixed is decided here, how is not.
import type { CiDiagnosis, FindingRef } from '../../../contract/activities.ts';
import type { TenantConfig, WorkspaceConfig } from '../../../contract/tenant-config.ts';
import type { CiTriage, TriageActivities } from '../../../contract/triage.ts';
import type { Place } from '../../../integrations/github/read.ts';
import { redactText } from '../../../logs/redact/redact-text.ts';
import { isKnownFlake, outageOf, type TriageDecision, triage } from '../../../policy/ci/ci-triage.ts';
import { countTenants, type FailureRow, whoSaw } from '../../../store/ci/ci-failures.ts';
import { addFlake, readLedger } from '../../../store/ci/flakes.ts';
import { rerunUsed } from '../../../store/ci/reruns.ts';
import { readMemory, remember } from '../../../store/findings.ts';
import { type Services, workspaceOf } from '../../services.ts';
import { asActivity } from '../../temporal.ts';
import { detailOf } from '../ci.ts';
import { type FailureQuestion, failureOf, flakyJobOf } from './triage-facts.ts';
import { proposeQuarantine } from './triage-flakes.ts';
import { mayFix } from './triage-limits.ts';
import type { Classify } from './triage-log.ts';
import { type Alert, tellOutage } from './triage-outage.ts';
import { triageReport } from './triage-report.ts';
import { passedOnSameCommit } from './triage-runs.ts';

/**
 * `classify`: asked for what the rules leave unknown (CI-2); absent: unknown stays unknown. `alert`: the door, for an outage (CI-4); absent: nobody is
 * told.
 */
export type TriageOptions = {
  readonly alert?: Alert;
  readonly classify?: (
    reduced: Parameters<Classify>[0],
    context: {
      readonly ref: FindingRef;
      readonly nowMs: number;
      readonly evidenceMs: number;
      readonly signal: AbortSignal;
    },
  ) => ReturnType<Classify>;
};

type Case = FailureQuestion & { readonly config: TenantConfig; readonly workspace: WorkspaceConfig };

const outageMemoryMs = 24 * 3_600_000;

export function createTriageActivities(services: Services, options: TriageOptions = {}): TriageActivities {
  const { pool, redactor } = services;

  async function open(
    request: FindingRef & { readonly nowMs: number },
    run: FailureQuestion['run'] | undefined,
    signal: AbortSignal,
  ): Promise<Case> {
    const { tenant, workspace: name, fingerprint, occurrence, nowMs } = request;
    const { config, workspace } = await workspaceOf(services, tenant, name);
    const detail = await detailOf(services, request);
    const ref = { tenant, workspace: name, fingerprint, occurrence };
    const evidenceMs = config.retention.evidenceMs;
    const { classify } = options;
    const classifier = classify
      ? {
          classify: (reduced: Parameters<Classify>[0]) =>
            classify(reduced, { ref, nowMs, evidenceMs, signal }),
        }
      : {};
    const place: Place = {
      github: await services.github(workspace),
      repository: workspace.github.repository,
      signal,
    };
    return {
      ref,
      detail,
      run: run ?? { runId: detail.runId, runAttempt: detail.runAttempt, headSha: detail.headSha },
      place,
      reader: { redact: (text: string) => redactText(text, redactor), ...classifier },
      evidenceMs,
      nowMs,
      config,
      workspace,
    };
  }

  return {
    triageCi: (request) =>
      asActivity(redactor, async (signal): Promise<CiTriage> => {
        const { diagnosis, nowMs } = request;
        const one = await open(request, runOf(diagnosis), signal);
        const failure = await failureOf(services, { ...one, jobs: diagnosis.jobs });
        const facts = await factsOf(one, failure, diagnosis);
        const judged = triage(facts, nowMs);
        const isOutage = facts.outage !== null && facts.passedIn === null && judged.next === 'wait';
        if (isOutage && failure.signature !== null && options.alert !== undefined) {
          const { signature } = failure;
          await tellOutage(pool, options.alert, { ref: one.ref, signature, why: judged.why, nowMs }, signal);
        }
        const decision = await keep(one, failure, judged);
        return { ...decision, report: triageReport(decision, one.detail, failure) };
      }),

    noteGreen: (request) =>
      asActivity(redactor, async (signal) => {
        const one = await open(request, undefined, signal);
        const { detail, run, nowMs } = one;
        const failed = { ...run, workflowPath: detail.workflowPath, job: detail.job };
        const passedIn = await passedOnSameCommit(one.place, failed);
        if (passedIn === null)
          return { flake: false, why: 'green, not on the commit on which it failed', quarantine: null };
        const failure = await failureOf(services, one);
        await noteFlake(one, failure, passedIn);
        const why = `flake: ${detail.job} failed in run ${run.runId} and passed in ${passedIn}, on the same commit`;
        const quarantine = await proposeQuarantine(
          pool,
          one.place,
          flakyJobOf(request.tenant, detail),
          { ...one.workspace.ci.flakes, runId: run.runId, tests: failure.failedTests },
          nowMs,
        );
        return { flake: true, why, quarantine };
      }),
  };

  async function noteFlake(one: Case, failure: FailureRow, passedIn: string): Promise<void> {
    await addFlake(
      pool,
      flakyJobOf(one.ref.tenant, one.detail),
      failure.failedTests,
      { ...one.run, signature: failure.signature, line: failure.headline ?? '', passedIn },
      one.nowMs,
    );
  }

  async function factsOf(one: Case, failure: FailureRow, diagnosis: CiDiagnosis) {
    const { detail, nowMs, ref } = one;
    if (failure.passedIn !== null) await noteFlake(one, failure, failure.passedIn);
    const job = flakyJobOf(ref.tenant, detail);
    // A pull request may learn from main; main never from a pull request, which anybody can make flaky.
    const lanes = job.lane === 'pulls' ? (['branches', 'pulls'] as const) : (['branches'] as const);
    const ledger = await readLedger(pool, job, nowMs, lanes);
    const seen =
      failure.signature === null ? [] : await whoSaw(pool, failure.signature, nowMs - outageMemoryMs);
    const memory = await readMemory(pool, ref);
    return {
      ...failure,
      job: detail.job,
      runId: one.run.runId,
      knownFlake: isKnownFlake(failure.failedTests, failure.signature, ledger),
      redCommitsInARow: failure.redCommits,
      outage: seen.length === 0 ? null : outageOf(seen, await countTenants(pool)),
      mayRerun: diagnosis.mayRerun,
      rerunUsed: await rerunUsed(pool, ref.tenant, memory, {
        repository: detail.repository,
        runId: one.run.runId,
      }),
      fixWorkflows: one.workspace.ci.fixWorkflows,
    };
  }

  /** What the rules say, held back by storm and limits; kept with the finding for people, and for the storms of others. */
  async function keep(one: Case, failure: FailureRow, judged: TriageDecision): Promise<TriageDecision> {
    const { next, class: name, confidence, why } = judged;
    const { runId, runAttempt } = one.run;
    const said = { class: name, confidence, signature: failure.signature, runId, runAttempt };
    const wants = next === 'fix' ? 'fix' : 'other';
    await remember(pool, one.ref, { triage: { ...said, wants, next, why } });
    if (next !== 'fix') return judged;
    const held = await mayFix(pool, one);
    if (held === null) return judged;
    await remember(pool, one.ref, { triage: { ...said, wants, next: 'wait', why: held.why } });
    return { ...judged, next: 'wait', ...held };
  }
}

function runOf({ runId, runAttempt, headSha }: CiDiagnosis): FailureQuestion['run'] {
  return { runId, runAttempt, headSha };
}
