// Executes one job for real: each step by bash in a clean checkout, its output in a log of GitHub's format.
// A step's process group dies with the forge, also when the forge is killed: a guard in the group waits on a pipe that only the forge holds.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { git } from '../git/bare.ts';
import type { Conclusion } from '../operations.ts';
import type { Job, Step } from './runs.ts';
import { evaluateCondition, interpolate, type JobDefinition, type StepDefinition } from './workflow.ts';

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
  /** Whether a needed job failed (the job's own `if:` said that it runs all the same). */
  readonly needsFailed: boolean;
  /** Set: the first command prints this and fails. */
  readonly forcedFailure: string | null;
  readonly signal: AbortSignal;
  readonly now: () => number;
}

const GUARDED = `( cat <&3 >/dev/null; kill -KILL 0 ) >/dev/null 2>&1 &
exec "$@" 3<&- 2>&1`;

/** Runs the job's steps in order and gives its conclusion; step states and the log are written as it goes. */
export async function executeJob(input: JobInput): Promise<Conclusion> {
  const { job, definition } = input;
  const workspace = join(input.directory, input.repositoryName);
  const temporary = join(input.directory, 'tmp');
  for (const path of [workspace, temporary, join(input.directory, 'home'), dirname(job.logPath)]) {
    await mkdir(path, { recursive: true });
  }
  const log = createLog(job.logPath, input.now);
  const timeout = AbortSignal.timeout(definition.timeoutMs);
  const session: Session = {
    input,
    log,
    workspace,
    temporary,
    signal: AbortSignal.any([input.signal, timeout]),
    environment: {},
    paths: [],
  };
  let failed = input.needsFailed;
  let result: Conclusion = 'success';
  try {
    log.line("Current runner version: '2.330.0'");
    log.line('##[group]Operating System');
    log.line('Ubuntu');
    log.line('##[endgroup]');
    log.line(`Complete job name: ${job.name}`);
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
    if (input.signal.aborted) result = 'cancelled';
    else if (timeout.aborted) {
      log.line(
        `##[error]The job has exceeded the maximum execution time of ${definition.timeoutMs / 60_000}m0s`,
      );
      result = 'cancelled';
    }
    if (result === 'cancelled') log.line('##[error]The operation was canceled.');
    log.line('Cleaning up orphan processes');
    closeStep(openStep(job, 'Complete job', input.now()), 'success', input.now());
    return result;
  } finally {
    await log.end();
    await rm(input.directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

interface Session {
  readonly input: JobInput;
  readonly log: Log;
  readonly workspace: string;
  readonly temporary: string;
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
  const environment = stepEnvironment(session, step);
  const lookUp = (context: string): string => contextValue(session, environment, context);
  try {
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
  log.line(`##[group]Run ${uses}`);
  if (Object.keys(step.with).length > 0) {
    log.line('with:');
    for (const [name, value] of Object.entries(step.with))
      log.line(`  ${name}: ${interpolate(value, lookUp)}`);
  }
  log.line('##[endgroup]');
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
  if (/^actions\/(setup-[\w-]+|cache|upload-artifact)$/.test(action)) {
    log.line('The tools of this machine are used.');
    return 'success';
  }
  throw new Error(
    `Unable to resolve action \`${uses}\`: the forge runs actions/checkout and actions/setup-* only`,
  );
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
  const lines = script.trimEnd().split('\n');
  log.line(`##[group]Run ${lines[0] ?? ''}`);
  for (const line of lines) log.line(`\u001b[36;1m${line}\u001b[0m`);
  log.line(`shell: /usr/bin/${command.join(' ')} {0}`);
  const shown = { ...input.definition.environment, ...step.env };
  if (Object.keys(shown).length > 0) {
    log.line('env:');
    for (const [name, value] of Object.entries(shown)) log.line(`  ${name}: ${value}`);
  }
  log.line('##[endgroup]');
  let code: number | null = 1;
  if (input.forcedFailure !== null) {
    for (const line of input.forcedFailure.trimEnd().split('\n')) log.line(line);
  } else {
    const directory = step['working-directory'] ?? input.definition.workingDirectory ?? '.';
    code = await runGuarded([...command, file], join(workspace, directory), environment, log, session.signal);
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

async function runGuarded(
  command: readonly string[],
  directory: string,
  environment: Record<string, string>,
  log: Log,
  signal: AbortSignal,
): Promise<number | null> {
  if (signal.aborted) return null;
  const child = spawn('bash', ['-c', GUARDED, 'forge-step', ...command], {
    cwd: directory,
    env: environment,
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
  });
  child.on('error', () => undefined);
  const group = child.pid;
  if (group === undefined) throw new Error(`the step could not be started in ${directory}`);
  const kill = (): void => {
    try {
      process.kill(-group, 'SIGKILL');
    } catch {
      // The group is gone already.
    }
  };
  signal.addEventListener('abort', kill, { once: true });
  const exited = once(child, 'exit').then(([code]) => {
    kill();
    return typeof code === 'number' ? code : null;
  });
  if (child.stdout !== null) await log.copy(child.stdout);
  signal.removeEventListener('abort', kill);
  return await exited;
}

function stepEnvironment(session: Session, step: StepDefinition): Record<string, string> {
  const { input, workspace, temporary } = session;
  const path = [...session.paths, dirname(process.execPath), process.env.PATH ?? '/usr/bin:/bin'].join(':');
  return {
    LANG: 'C.UTF-8',
    HOME: join(input.directory, 'home'),
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    ...input.github,
    GITHUB_WORKSPACE: workspace,
    GITHUB_ENV: join(temporary, 'env'),
    GITHUB_PATH: join(temporary, 'path'),
    GITHUB_OUTPUT: join(temporary, 'output'),
    GITHUB_STEP_SUMMARY: join(temporary, 'summary'),
    RUNNER_OS: 'Linux',
    RUNNER_TEMP: temporary,
    ...input.definition.environment,
    ...session.environment,
    ...step.env,
    PATH: path,
  };
}

function contextValue(session: Session, environment: Record<string, string>, context: string): string {
  const [scope, ...rest] = context.split('.');
  const name = rest.join('.');
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

function stepName(step: StepDefinition): string {
  return step.name ?? `Run ${step.uses ?? step.run?.split('\n')[0] ?? ''}`;
}

function openStep(job: Job, name: string, now: number): Step {
  const number = job.steps.length + 1;
  const step: Step = {
    number,
    name,
    status: 'in_progress',
    conclusion: null,
    startedAt: now,
    completedAt: null,
  };
  job.steps.push(step);
  return step;
}

function closeStep(step: Step, conclusion: Conclusion, now: number): void {
  step.status = 'completed';
  step.conclusion = conclusion;
  step.completedAt = now;
}

interface Log {
  line(text: string): void;
  /** Copies a stream line by line, to its end. */
  copy(stream: NodeJS.ReadableStream): Promise<void>;
  end(): Promise<void>;
}

function createLog(path: string, now: () => number): Log {
  const file: WriteStream = createWriteStream(path);
  const stamp = (): string => new Date(now()).toISOString().replace('Z', '0000Z ');
  const line = (text: string): void => {
    file.write(`${stamp()}${text}\n`);
  };
  return {
    line,
    copy: async (stream) => {
      const decoder = new StringDecoder('utf8');
      let rest = '';
      for await (const chunk of stream) {
        const lines = (rest + decoder.write(Buffer.from(chunk))).split('\n');
        rest = lines.pop() ?? '';
        if (lines.length === 0) continue;
        const prefix = stamp();
        const flowing = file.write(lines.map((text) => `${prefix}${text}\n`).join(''));
        if (!flowing) await once(file, 'drain');
      }
      if (rest !== '') line(rest);
    },
    end: async () => {
      file.end();
      await once(file, 'close');
    },
  };
}
