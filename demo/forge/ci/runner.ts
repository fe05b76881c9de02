// Executes one job for real: each step by bash in a clean checkout, its output in a log of GitHub's format.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { git } from '../git/bare.ts';
import type { Conclusion } from '../operations.ts';
import { runGuarded } from './guarded.ts';
import { createJobLog, type JobLog } from './job-log.ts';
import { closeStep, type Job, openStep } from './runs.ts';
import { needsNothing, stepName, unresolvable } from './steps.ts';
import {
  evaluateCondition,
  eventValue,
  interpolate,
  type JobDefinition,
  type StepDefinition,
} from './workflow.ts';

export interface JobInput {
  readonly job: Job;
  readonly definition: JobDefinition;
  /** An empty directory for this job; removed afterwards. */
  readonly directory: string;
  readonly repositoryName: string;
  readonly repositoryPath: string;
  readonly gitUrl: string;
  readonly sha: string;
  /** `GITHUB_*` variables. */
  readonly github: Readonly<Record<string, string>>;
  /** What stands at GITHUB_EVENT_PATH; null: there is no such file. */
  readonly event: Readonly<Record<string, unknown>> | null;
  /** Whether a needed job failed (the job's own `if:` said that it runs all the same). */
  readonly needsFailed: boolean;
  /** Set: the first command prints this and fails. */
  readonly forcedFailure: string | null;
  readonly signal: AbortSignal;
  readonly now: () => number;
}

/** Runs the job's steps in order and gives its conclusion; step states and the log are written as it goes. */
export async function executeJob(input: JobInput): Promise<Conclusion> {
  const { job, definition } = input;
  const workspace = join(input.directory, input.repositoryName);
  const temporary = join(input.directory, 'tmp');
  for (const path of [workspace, temporary, join(input.directory, 'home'), dirname(job.logPath)]) {
    await mkdir(path, { recursive: true });
  }
  const eventPath = await writeEvent(input);
  const log = createJobLog(job.logPath, input.now);
  const timeout = AbortSignal.timeout(definition.timeoutMs);
  const session: Session = {
    input,
    log,
    workspace,
    temporary,
    eventPath,
    signal: AbortSignal.any([input.signal, timeout]),
    environment: {},
    paths: [],
  };
  let failed = input.needsFailed;
  let result: Conclusion = 'success';
  try {
    log.setUp(job.name);
    closeStep(openStep(job, 'Set up job', input.now()), 'success', input.now());
    for (const definitionStep of definition.steps) {
      const step = openStep(job, stepName(definitionStep), input.now());
      const status = { failed, cancelled: session.signal.aborted };
      const conclusion = await executeStep(session, definitionStep, status);
      closeStep(step, conclusion, input.now());
      if (conclusion === 'failure' && !definitionStep['continue-on-error']) {
        failed = true;
        result = 'failure';
      }
    }
    if (session.signal.aborted) result = 'cancelled';
    log.tearDown({
      cancelled: input.signal.aborted,
      timedOutMs: timeout.aborted ? definition.timeoutMs : null,
    });
    closeStep(openStep(job, 'Complete job', input.now()), 'success', input.now());
    return result;
  } finally {
    await log.end();
    await rm(input.directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** The event's file, beside the checkout; null: there is none. */
export async function writeEvent({ directory, event }: JobInput): Promise<string | null> {
  if (event === null) return null;
  const path = join(directory, 'event.json');
  await writeFile(path, JSON.stringify(event, null, 2));
  return path;
}

interface Session {
  readonly input: JobInput;
  readonly log: JobLog;
  readonly workspace: string;
  readonly temporary: string;
  readonly eventPath: string | null;
  readonly signal: AbortSignal;
  environment: Record<string, string>;
  paths: string[];
}

async function executeStep(
  session: Session,
  step: StepDefinition,
  status: { failed: boolean; cancelled: boolean },
): Promise<Conclusion> {
  const { log, input } = session;
  try {
    const environment = stepEnvironment(session, step);
    const lookUp = (context: string): string => contextValue(session, environment, context);
    if (!evaluateCondition(step.if ?? 'success()', status, lookUp)) return 'skipped';
    if (step.uses !== undefined) return await useAction(session, step.uses, step, lookUp);
    if (step.run === undefined) throw new Error('a step needs "run" or "uses"');
    return await runCommand(session, step, interpolate(step.run, lookUp), environment);
  } catch (error) {
    if (!input.signal.aborted) log.line(`##[error]${error instanceof Error ? error.message : String(error)}`);
    return 'failure';
  }
}

async function useAction(
  session: Session,
  uses: string,
  step: StepDefinition,
  lookUp: (context: string) => string,
): Promise<Conclusion> {
  const { input, log, workspace } = session;
  const action = uses.split('@')[0] ?? '';
  const inputs = Object.entries(step.with).map(([name, value]) => [name, interpolate(value, lookUp)]);
  log.action(uses, Object.fromEntries(inputs));
  if (action === 'actions/checkout') {
    const target = join(workspace, step.with.path ?? '');
    await mkdir(target, { recursive: true });
    const ref = step.with.ref === undefined ? input.sha : interpolate(step.with.ref, lookUp);
    const depth = step.with['fetch-depth'] ?? '1';
    await git(target, ['init', '--quiet']);
    await git(target, ['remote', 'add', 'origin', input.gitUrl]);
    await git(target, [
      'fetch',
      '--quiet',
      '--no-tags',
      ...(depth === '0' ? [] : [`--depth=${depth}`]),
      `file://${input.repositoryPath}`,
      ref,
    ]);
    await git(target, ['checkout', '--quiet', '--force', '--detach', 'FETCH_HEAD']);
    log.line(`HEAD is now at ${input.sha.slice(0, 7)}`);
    return 'success';
  }
  if (needsNothing(action)) {
    log.line('The tools of this machine are used.');
    return 'success';
  }
  throw new Error(unresolvable(uses));
}

async function runCommand(
  session: Session,
  step: StepDefinition,
  script: string,
  environment: Record<string, string>,
): Promise<Conclusion> {
  const { input, log, workspace, temporary } = session;
  const file = join(temporary, `step-${input.job.steps.length}.sh`);
  await writeFile(file, script.endsWith('\n') ? script : `${script}\n`);
  const shell = step.shell ?? input.definition.shell;
  const command = shellCommand(shell);
  log.command(script, command, { ...input.definition.environment, ...step.env });
  let code: number | null = 1;
  if (input.forcedFailure !== null) {
    for (const line of input.forcedFailure.trimEnd().split('\n')) log.line(line);
  } else {
    const directory = step['working-directory'] ?? input.definition.workingDirectory ?? '.';
    code = await runGuarded([...command, file], {
      directory: join(workspace, directory),
      environment,
      signal: session.signal,
      read: (output) => log.copy(output),
    });
    await readStepFiles(session);
  }
  if (session.signal.aborted) return 'cancelled';
  if (code === 0) return 'success';
  log.line(`##[error]Process completed with exit code ${code ?? 137}.`);
  return 'failure';
}

function shellCommand(shell: string | undefined): string[] {
  if (shell === undefined) return ['bash', '-e'];
  if (shell === 'bash') return ['bash', '--noprofile', '--norc', '-e', '-o', 'pipefail'];
  if (shell === 'sh') return ['sh', '-e'];
  throw new Error(`the forge has no shell "${shell}": use bash or sh`);
}

function stepEnvironment(session: Session, step: StepDefinition): Record<string, string> {
  const { input, workspace, temporary } = session;
  const known = (text: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(
      Object.entries(text).map(([name, value]) => [
        name,
        interpolate(value, (context) => contextValue(session, session.environment, context)),
      ]),
    );
  const path = [...session.paths, dirname(process.execPath), process.env.PATH ?? '/usr/bin:/bin'].join(':');
  return {
    LANG: 'C.UTF-8',
    HOME: join(input.directory, 'home'),
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    ...input.github,
    ...(session.eventPath === null ? {} : { GITHUB_EVENT_PATH: session.eventPath }),
    GITHUB_WORKSPACE: workspace,
    GITHUB_ENV: join(temporary, 'env'),
    GITHUB_PATH: join(temporary, 'path'),
    GITHUB_OUTPUT: join(temporary, 'output'),
    GITHUB_STEP_SUMMARY: join(temporary, 'summary'),
    RUNNER_OS: 'Linux',
    RUNNER_TEMP: temporary,
    ...known(input.definition.environment),
    ...session.environment,
    ...known(step.env),
    PATH: path,
  };
}

function contextValue(session: Session, environment: Record<string, string>, context: string): string {
  const [scope, ...rest] = context.split('.');
  const name = rest.join('.');
  if (scope === 'github' && rest[0] === 'event')
    return eventValue(session.input.event, rest.slice(1).join('.'));
  if (scope === 'github') return session.input.github[`GITHUB_${name.toUpperCase()}`] ?? '';
  if (scope === 'env') return environment[name] ?? '';
  if (scope === 'matrix') return session.input.definition.matrix[name] ?? '';
  if (scope === 'secrets') return '';
  if (scope === 'runner') return environment[`RUNNER_${name.toUpperCase()}`] ?? '';
  throw new Error(`the forge does not know the expression \${{ ${context} }}`);
}

/** Takes over what a step wrote to GITHUB_ENV and GITHUB_PATH. */
async function readStepFiles(session: Session): Promise<void> {
  const read = async (name: string): Promise<string[]> => {
    const text = await readFile(join(session.temporary, name), 'utf8').catch(() => '');
    return text.split('\n').filter((line) => line !== '');
  };
  for (const line of await read('env')) {
    const equals = line.indexOf('=');
    if (equals > 0) session.environment[line.slice(0, equals)] = line.slice(equals + 1);
  }
  session.paths = (await read('path')).reverse();
}
