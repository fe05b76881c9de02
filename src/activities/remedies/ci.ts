// What the CI remedy reads and runs: the newest run of its workflow, the pull request, and the fixer in its sandbox. Nothing here writes to
// GitHub; results are evidence for the door.
import { setTimeout as delay } from 'node:timers/promises';
import picomatch from 'picomatch';
import type {
  CiActivities,
  CiDiagnosis,
  CiFixOutcome,
  FindingRef,
  WorkspaceActivities,
} from '../../contract/activities.ts';
import type { CiDetail } from '../../contract/finding.ts';
import type { AutonomySettings, FixerSettings, WorkspaceConfig } from '../../contract/tenant-config.ts';
import { fenced } from '../../integrations/github/body-text.ts';
import { takePatch } from '../../integrations/github/patch-comment.ts';
import {
  type Place,
  readBranchSha,
  readFileAt,
  readJobLog,
  readJobs,
  readPullRequest,
  readPullRequestsFrom,
  readRunsOfSha,
} from '../../integrations/github/read.ts';
import type { Job } from '../../integrations/github/shapes.ts';
import { failingStepCommand } from '../../integrations/workflow-yaml/failing-step.ts';
import { type FixResult, runFixer } from '../../integrations/workspace/run-fixer.ts';
import type { RunEvidence } from '../../integrations/workspace/run-step.ts';
import { redactText } from '../../logs/redact/redact-text.ts';
import { secretsInCode } from '../../logs/redact/secrets-in-code.ts';
import { errorSignature } from '../../logs/signature.ts';
import { publishedSecrets } from '../../policy/patch/published-secrets.ts';
import { rerunUsed } from '../../store/ci/reruns.ts';
import { EvidenceTooLarge, loadEvidence, saveEvidence } from '../../store/evidence.ts';
import { readFindingRow, readMemory } from '../../store/findings.ts';
import { mirrorOf, type Services, workspaceOf } from '../services.ts';
import { asActivity } from '../temporal.ts';
import { failedOf, verdictOfJob } from './ci-verdict.ts';
import { setUpOf } from './set-up.ts';

const failedConclusions: readonly (string | null)[] = ['failure', 'timed_out', 'startup_failure'];
const maxOutputBytes = 2_000_000;
const ciStartPollMs = 1_500;
const ciStartMostMs = 60_000;

export function createCiActivities(services: Services): CiActivities & Pick<WorkspaceActivities, 'fixCi'> {
  const { redactor } = services;

  async function placeOf(
    tenant: string,
    name: string,
    signal: AbortSignal,
  ): Promise<{
    place: Place;
    workspace: WorkspaceConfig;
    evidenceMs: number;
    autonomy: AutonomySettings['effects'];
  }> {
    const { config, workspace } = await workspaceOf(services, tenant, name);
    const github = await services.github(workspace);
    return {
      place: { github, repository: workspace.github.repository, signal },
      workspace,
      evidenceMs: config.retention.evidenceMs,
      autonomy: config.autonomy.effects,
    };
  }

  return {
    diagnoseCi: (ref) =>
      asActivity(redactor, async (signal): Promise<CiDiagnosis> => {
        const { place, workspace, autonomy } = await placeOf(ref.tenant, ref.workspace, signal);
        const detail = await detailOf(services, ref);
        const verdict = await verdictOfJob(place, detail);
        const base = {
          repository: place.repository,
          baseBranch: detail.branch,
          fixer: null,
          mayRerun: false,
          mayPush: detail.pullRequest !== undefined && autonomy.pushBranch === 'act',
        } as const;
        if (verdict.state === 'gone' || verdict.state === 'silent') {
          const { runId, runAttempt, headSha, branch } = detail;
          const isSilent = verdict.state === 'silent';
          const why =
            verdict.state === 'gone'
              ? verdict.why
              : `the latest runs of ${branch} say nothing about ${detail.workflowName}`;
          return { ...base, red: isSilent, running: isSilent, runId, runAttempt, headSha, why };
        }
        const { id, attempt, sha, status } = verdict.run;
        const run = { runId: id, runAttempt: attempt, headSha: sha };
        if (verdict.state === 'running')
          return { ...base, ...run, red: true, running: true, why: `run ${id} is ${status}` };
        if (verdict.state === 'green')
          return { ...base, ...run, red: false, running: false, why: verdict.why };
        const { job, jobs } = verdict;
        const known = jobs === undefined ? {} : { jobs: jobsOf(jobs, job) };
        const memory = await readMemory(services.pool, ref);
        // GitHub shows the old attempt for a moment after a rerun was asked for.
        if (memory.rerunOf === `${id}#${attempt}`)
          return { ...base, ...run, red: true, running: true, why: `the rerun of run ${id} has not begun` };
        // Its other failing jobs were rerun with it.
        const used = await rerunUsed(services.pool, ref.tenant, memory, {
          repository: place.repository,
          runId: id,
        });
        const mayRerun = workspace.ci.rerun && autonomy.rerunFailedJobs === 'act' && !used;
        const step = job?.steps.find((one) => failedConclusions.includes(one.conclusion))?.name ?? null;
        if (!job) {
          const why = `run ${id} failed without a job ${detail.job}`;
          return { ...base, ...run, ...known, red: true, running: false, mayRerun, why };
        }
        const needsLog = workspace.ci.fixers.some((fixer) => fixer.match.log !== undefined);
        const log = needsLog ? ((await readJobLog(place, job.id)) ?? '') : '';
        const fixer = workspace.ci.fixers.find((one) =>
          matches(one, { workflow: detail.workflowName, job: detail.job, step: step ?? '', log }),
        );
        const why = fixer
          ? `fixer ${fixer.name} is for it`
          : `no fixer is configured for job ${detail.job}, step ${step ?? '(none)'}`;
        return {
          ...base,
          ...run,
          ...known,
          red: true,
          running: false,
          fixer: fixer?.name ?? null,
          mayRerun,
          why,
        };
      }),

    readPullRequest: ({ tenant, workspace, number }) =>
      asActivity(redactor, async (signal) => {
        const { place } = await placeOf(tenant, workspace, signal);
        const pull = await readPullRequest(place, number);
        if (!pull) return { state: 'closed', merged: false, headSha: '', mergeCommitSha: null };
        return {
          state: pull.state === 'open' ? 'open' : 'closed',
          merged: pull.merged,
          headSha: pull.headSha,
          mergeCommitSha: pull.mergeCommitSha,
        };
      }),

    patchComment: ({ tenant, patchEvidence, report }) =>
      asActivity(redactor, async () => {
        const patch = await loadEvidence(services.pool, tenant, patchEvidence);
        if (patch === undefined)
          throw new Error(`the patch ${patchEvidence.slice(0, 12)} is not kept any more`);
        return { body: `${report}\n\n${takePatch(patch, patchEvidence)}` };
      }),

    ownBranch: ({ tenant, workspace, branch }) =>
      asActivity(redactor, async (signal) => {
        const { place } = await placeOf(tenant, workspace, signal);
        const sha = await readBranchSha(place, branch);
        if (sha === null) return { sha, ours: true, pullRequest: null };
        const pushed = await services.pool.query(
          `select 1 from effects where tenant = $1 and kind = 'pushBranch' and result ->> 'commitSha' = $2 limit 1`,
          [tenant, sha],
        );
        const ours = pushed.rows.length > 0;
        return { sha, ours, pullRequest: ours ? await ownOpenPull(place, branch) : null };
      }),

    ciStarted: ({ tenant, workspace, sha, withinMs = ciStartMostMs }) =>
      asActivity(redactor, async (signal) => {
        const { place } = await placeOf(tenant, workspace, signal);
        const lastPoll = Math.floor(Math.min(withinMs, ciStartMostMs) / ciStartPollMs);
        for (let poll = 0; poll <= lastPoll; poll += 1) {
          if (poll > 0) await delay(ciStartPollMs, undefined, { signal });
          if ((await readRunsOfSha(place, sha)).length > 0) return { started: true };
        }
        return { started: false };
      }),

    fixCi: (request) =>
      asActivity(redactor, async (signal): Promise<CiFixOutcome> => {
        const { place, workspace, evidenceMs } = await placeOf(request.tenant, request.workspace, signal);
        const fixer = workspace.ci.fixers.find((one) => one.name === request.fixer);
        if (!fixer) return failed(`fixer "${request.fixer}" is not in the settings any more`);
        const found = await failingCommand(place, await detailOf(services, request), request.diagnosis);
        if ('reason' in found) return failed(found.reason);
        const { sandbox: limits, forbiddenPaths } = workspace.ci;
        const mirror = await mirrorOf(services, workspace, request.diagnosis.headSha, signal);
        const setUp = await setUpOf(services, workspace, signal, fixer.setup);
        const result = await runFixer({
          mirror,
          baseSha: request.diagnosis.headSha,
          failing: found.failing,
          fixer: { name: fixer.name, command: fixer.command, paths: fixer.paths },
          prepare: setUp.prepare,
          sandbox: await services.sandbox(workspace),
          limits: { timeoutMs: limits.timeoutMs, memoryBytes: limits.memoryBytes, maxOutputBytes },
          gate: {
            maxFiles: fixer.maxFiles,
            maxLines: fixer.maxLines,
            core: forbiddenPaths,
            workflows: workspace.ci.fixWorkflows,
          },
          signal,
        });
        const save = (body: string, kind: string) =>
          saveEvidence(services.pool, { tenant: request.tenant, kind, body, retentionMs: evidenceMs });
        const { line, said } = setUp.report();
        const prepared =
          said === '' ? '' : `${line} Kept as evidence \`${(await save(said, 'setUp')).slice(0, 16)}\`.\n\n`;
        return outcomeOf(result, prepared, save).catch((error: unknown) => {
          if (!(error instanceof EvidenceTooLarge)) throw error;
          return { result: 'gated', reason: error.message, report: '' };
        });
      }),
  };

  async function outcomeOf(
    result: FixResult,
    prepared: string,
    save: (body: string, kind: string) => Promise<string>,
  ): Promise<CiFixOutcome> {
    switch (result.kind) {
      case 'verified': {
        const secrets = publishedSecrets(result.patch, (text) => secretsInCode(text, redactor));
        if (secrets.length > 0) return failed(`the fix would publish a secret (${secrets.join(', ')})`);
        const runUrlFree =
          evidence('Before, on the base', result.before) +
          evidence('After, first run', result.after[0]) +
          evidence('After, second run', result.after[1]);
        const report = redactText(
          `## Evidence\n\nVerified in a sandbox, from a fresh checkout: the failing command failed on the base with the run's own error, and passed twice with this change.\n\n${prepared}${runUrlFree}\nFiles: ${result.files.map((file) => `\`${file}\``).join(', ')} (${result.lines} lines)`,
          redactor,
        );
        return {
          result: 'verified',
          patchEvidence: await save(result.patch, 'patch'),
          treeSha: result.treeSha,
          files: result.files.length,
          lines: result.lines,
          report,
        };
      }
      case 'cannotReproduce':
        return {
          result: 'cannotReproduce',
          reason: result.reason,
          report: redactText(evidence('On the base', result.before), redactor),
        };
      case 'notFixed':
        return {
          result: 'notFixed',
          reason: 'the failing command still fails',
          report: redactText(result.after.map((one) => evidence('After', one)).join(''), redactor),
        };
      case 'noChange':
        return {
          result: 'noChange',
          reason: 'the fixer changed nothing',
          report: redactText(evidence('Fixer', result.fixer), redactor),
        };
      case 'gated': {
        const reason = result.violations
          .map((v) => `${v.rule} ${v.path}: ${v.detail}`)
          .join('; ')
          .slice(0, 1_000);
        const sha = await save(redactor.redact(result.patch), 'patch');
        return {
          result: 'gated',
          reason,
          report: redactText(
            `The draft is kept as evidence \`${sha.slice(0, 16)}\`.\n${fenced(result.patch.slice(0, 20_000), 'diff')}`,
            redactor,
          ),
        };
      }
      case 'failed':
        return {
          result: 'failed',
          reason: redactor.redact(`${result.stage}: ${result.reason}`),
          report: result.evidence ? redactText(evidence('Last command', result.evidence), redactor) : '',
        };
    }
  }
}

/** CI-8: there is one, though its number may be forgotten, with the Temporal database or before it was written down. */
async function ownOpenPull(place: Place, branch: string): Promise<number | null> {
  const open = (await readPullRequestsFrom(place, branch)).filter(({ state }) => state === 'open');
  if (open.length === 0) return null;
  const account = await place.github.account(place.signal);
  return open.find(({ user }) => user?.id === account.id)?.number ?? null;
}

function failed(reason: string): CiFixOutcome {
  return { result: 'failed', reason, report: '' };
}

export async function detailOf(services: Services, ref: FindingRef): Promise<CiDetail> {
  const row = await readFindingRow(services.pool, ref);
  if (row?.detail.kind !== 'ci') throw new Error(`finding ${ref.fingerprint.slice(0, 12)} is not one of CI`);
  return row.detail;
}

/** Bounded: it goes into a history. */
function jobsOf(jobs: readonly Job[], first: Job | null): NonNullable<CiDiagnosis['jobs']> {
  const failed = jobs.filter((job) => job.id !== first?.id && failedOf([job]) !== null);
  const named = [...(first === null ? [] : [first]), ...failed].slice(0, 20);
  return { all: jobs.length, failed: named.map(({ id, name }) => ({ id, name: name.slice(0, 300) })) };
}

/** The failing step's own command, how its run failed, and the log of its job. */
export async function failingCommand(place: Place, detail: CiDetail, diagnosis: CiDiagnosis) {
  const jobs = await readJobs(place, diagnosis.runId, diagnosis.runAttempt);
  const job = failedOf(jobs.filter((one) => one.name === detail.job));
  const step = job?.steps.find((one) => failedConclusions.includes(one.conclusion));
  if (!job || !step) return { reason: `run ${diagnosis.runId} names no failing step of ${detail.job}` };
  const yaml = await readFileAt(place, detail.workflowPath, diagnosis.headSha);
  if (yaml === null) return { reason: `${detail.workflowPath} is not in ${diagnosis.headSha.slice(0, 12)}` };
  const command = failingStepCommand(yaml, job.name, step.name);
  if ('notFound' in command) return { reason: command.notFound };
  const log = (await readJobLog(place, job.id)) ?? '';
  const failing = { ...command, jobName: job.name, stepName: step.name, signature: errorSignature(log) };
  return { failing, log };
}

type Failure = {
  readonly workflow: string;
  readonly job: string;
  readonly step: string;
  readonly log: string;
};

/** Whether a fixer is configured for this failure: every part that it names must match. */
function matches({ match }: FixerSettings, failure: Failure): boolean {
  const names = (['workflow', 'job', 'step'] as const).every((part) => {
    const glob = match[part];
    return glob === undefined || picomatch(glob, { bash: true })(failure[part]);
  });
  return names && (match.log === undefined || new RegExp(match.log, 'm').test(failure.log));
}

function evidence(title: string, run: RunEvidence): string {
  const end = run.exitCode === null ? 'was ended' : `exit code ${run.exitCode}`;
  return `<details><summary>${title}: ${end}</summary>${fenced(`$ ${run.command}\n${run.lines.join('\n')}`)}</details>\n`;
}
