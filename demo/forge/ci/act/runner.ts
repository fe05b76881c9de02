// Executes one job by `act` on this machine, without Docker and without the network, and writes what it says as a log of GitHub's format.
// The process group of act dies with the forge; what a step started dies with act.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Conclusion } from '../../operations.ts';
import { runGuarded } from '../guarded.ts';
import { createJobLog, type JobLog } from '../job-log.ts';
import { type JobInput, writeEvent } from '../runner.ts';
import { closeStep, openStep } from '../runs.ts';
import { readActLine } from './events.ts';
import { followSteps } from './follow.ts';
import { actWorkflow, jobId, localActions, READ_FOLDER, STEP_WRAPPER } from './workflow.ts';

/** Runs the job's steps with the `act` at `program` and gives its conclusion. Knows nothing of failures on order. */
export async function executeJobByAct(program: string, input: JobInput): Promise<Conclusion> {
  const { job, definition, directory, now } = input;
  await mkdir(dirname(job.logPath), { recursive: true });
  const log = createJobLog(job.logPath, now);
  const timeout = AbortSignal.timeout(definition.timeoutMs);
  const signal = AbortSignal.any([input.signal, timeout]);
  let result: Conclusion = 'failure';
  try {
    log.setUp(job.name);
    const setUp = openStep(job, 'Set up job', now());
    try {
      const files = await writeFiles(input);
      closeStep(setUp, 'success', now());
      result = await runAct(program, files, input, log, signal);
    } catch (error) {
      closeStep(setUp, 'failure', now());
      log.line(`##[error]${error instanceof Error ? error.message : String(error)}`);
    }
    if (signal.aborted) result = 'cancelled';
    log.tearDown({
      cancelled: input.signal.aborted,
      timedOutMs: timeout.aborted ? definition.timeoutMs : null,
    });
    closeStep(openStep(job, 'Complete job', now()), 'success', now());
    return result;
  } finally {
    await log.end();
    // What a killed step started takes a moment to die.
    await rm(directory, { recursive: true, force: true, maxRetries: 10 });
  }
}

interface Files {
  readonly workflow: string;
  readonly workspace: string;
  readonly home: string;
  /** Where the forge says that it has read all of a step. */
  readonly read: string;
  /** Null: the event has no file. */
  readonly event: string | null;
  /** `uses` → folder with its `action.yml`. */
  readonly actions: ReadonlyMap<string, string>;
}

async function writeFiles(input: JobInput): Promise<Files> {
  const { definition, directory } = input;
  const wrapper = join(directory, 'step.sh');
  const workflow = join(directory, 'workflow.yml');
  const workspace = join(directory, input.repositoryName);
  const [home, read] = [join(directory, 'home'), join(directory, 'read')];
  const text = actWorkflow(
    definition,
    input.github.GITHUB_WORKFLOW ?? '',
    wrapper,
    input.github.GITHUB_EVENT_NAME,
  );
  const actions = localActions(definition, input, wrapper);
  for (const path of [workspace, home, read]) await mkdir(path, { recursive: true });
  await writeFile(wrapper, STEP_WRAPPER);
  await writeFile(workflow, text);
  const folders = new Map<string, string>();
  for (const [uses, action] of actions) {
    const folder = join(directory, 'actions', String(folders.size));
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'action.yml'), action);
    folders.set(uses, folder);
  }
  return { workflow, workspace, home, read, event: await writeEvent(input), actions: folders };
}

async function runAct(
  program: string,
  files: Files,
  input: JobInput,
  log: JobLog,
  signal: AbortSignal,
): Promise<Conclusion> {
  const { workflow, workspace, home, actions } = files;
  // act takes the commit from this name.
  const variables = { ...input.github, SHA_REF: input.sha, [READ_FOLDER]: files.read };
  const progress = followSteps(input, log, files.read);
  await runGuarded(
    [
      ...[
        program,
        input.github.GITHUB_EVENT_NAME ?? 'push',
        '--json',
        '--platform',
        'ubuntu-latest=-self-hosted',
      ],
      ...['--directory', workspace, '--workflows', workflow, '--job', jobId(input.definition)],
      ...['--no-skip-checkout', '--no-cache-server', '--action-offline-mode'],
      ...(files.event === null ? [] : ['--eventpath', files.event]),
      ...['--actor', input.github.GITHUB_ACTOR ?? ''],
      ...Object.entries(variables).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
      ...[...actions].flatMap(([uses, folder]) => ['--local-repository', `${uses}=${folder}`]),
    ],
    {
      directory: workspace,
      environment: {
        LANG: 'C.UTF-8',
        HOME: home,
        PATH: [dirname(process.execPath), process.env.PATH ?? '/usr/bin:/bin'].join(':'),
      },
      signal,
      read: async (output) => {
        for await (const line of createInterface({ input: output, crlfDelay: Number.POSITIVE_INFINITY })) {
          const event = readActLine(line);
          if (event !== null) progress.take(event);
        }
      },
    },
  );
  return progress.end(signal.aborted);
}
