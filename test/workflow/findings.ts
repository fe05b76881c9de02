// Findings of the scripted world, as its sources say them.
import type { ObservedFinding } from '../../src/contract/finding.ts';
import type { Place } from './world.ts';

export function ciFinding(job: string, index: number, ci: Place['ci']): ObservedFinding {
  const { runId, headSha, pullRequest } = ci;
  return {
    kind: 'ci',
    target: `ci.yml/${job}`,
    signature: `job ${job}`,
    ruleVersion: 1,
    severity: 'warning',
    title: `ci: ${job} fails on main`,
    detail: {
      kind: 'ci',
      repository: 'acme/shop',
      branch: pullRequest === null ? 'main' : 'feature/theirs',
      ...(pullRequest === null ? {} : { pullRequest }),
      runId,
      runAttempt: 1,
      headSha,
      workflowPath: '.github/workflows/ci.yml',
      workflowName: 'ci',
      job,
      jobId: index + 1,
      step: 'Check',
      stepNumber: 2,
      url: 'https://github.example/acme/shop/actions/runs/1',
    },
  };
}

export function driftFinding(
  environment: string,
  drift: { readonly planHash: string; readonly destroys: number },
): ObservedFinding {
  return {
    kind: 'drift',
    target: environment,
    signature: 'drift',
    ruleVersion: 1,
    severity: 'warning',
    title: `${environment} drifts`,
    detail: { kind: 'drift', environment, ...drift, changes: [] },
  };
}

export function migrationFinding(database: string, pending: readonly string[]): ObservedFinding {
  return {
    kind: 'migration',
    target: database,
    signature: 'pending',
    ruleVersion: 1,
    severity: 'warning',
    title: `${pending.length} migrations wait on ${database}`,
    detail: {
      kind: 'migration',
      database,
      environment: 'production',
      pending: [...pending],
      missingOnDisk: [],
    },
  };
}
