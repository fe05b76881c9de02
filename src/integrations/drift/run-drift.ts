// Runs the commands of a drift source: plan, apply, export (DRIFT-1). They need the network and the tenant's secrets, so they
// run outside the sandbox, but bounded, and they die with their worker. What they print never leaves as it is (plan.ts).
import { mkdtemp, readdir, realpath, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DriftSettings, isSecretReference } from '../../contract/tenant-config.ts';
import { createRedactor } from '../../logs/redact/redact-values.ts';
import { type CommandResult, cleanEnvironment, runCommand } from '../process/run-command.ts';
import {
  clean,
  commandFailure,
  type DriftFailureType,
  type DriftPlan,
  driftFailureTypes,
  failure,
  type PlanContext,
  readPrintedPlan,
  readTerraformPlan,
} from './plan.ts';
import { type DriftCommands, driftCommands } from './presets.ts';

/** Of one command; the JSON of a large plan is some megabytes. */
const MAX_OUTPUT_BYTES = 16_000_000;
/** For OpenTofu and the like to put down their state lock when they are stopped. */
const STOP_GRACE_MS = 10_000;
const PLAN_FOLDER = 'untilgreen-plan-';

export interface DriftRequest {
  readonly settings: DriftSettings;
  /** Root of the checkout; the commands run in `settings.directory` of it. */
  readonly worktree: string;
  /** The tenant's variables with secret references resolved; PATH, HOME and LANG are added. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export type DriftApplyResult =
  | { readonly outcome: 'applied' }
  /** The plan is clean already. */
  | { readonly outcome: 'alreadyApplied' }
  /** The plan is another one than was expected; nothing was applied. */
  | { readonly outcome: 'stale'; readonly plan: DriftPlan }
  /** `mayHaveChanged`: apply was running when it ended; plan again to see. */
  | {
      readonly outcome: 'failed';
      readonly failure: DriftFailureType;
      readonly reason: string;
      readonly mayHaveChanged: boolean;
    };

export type DriftExportResult =
  | { readonly outcome: 'exported' }
  | { readonly outcome: 'failed'; readonly failure: DriftFailureType; readonly reason: string };

/** Plans. Every failure of the command is a plan with state `failed` and a reason. */
export async function driftPlan(request: DriftRequest): Promise<DriftPlan> {
  return await inDriftRun(
    request,
    (run) => plan(run),
    (failed) => failed,
  );
}

/**
 * Plans again, and applies when the plan is the expected one: OpenTofu and Terraform apply exactly the plan that was
 * compared. It does not verify: plan afterwards.
 *
 * @param request `fence`: called right before apply starts; what it throws is thrown on, and nothing is applied
 */
export async function driftApply(
  request: DriftRequest & { readonly expectedPlanHash: string; readonly fence: () => void | Promise<void> },
): Promise<DriftApplyResult> {
  return await inDriftRun<DriftApplyResult>(
    request,
    async (run) => {
      const { apply } = run.commands;
      if (apply === undefined)
        return applyFailed(
          failure('cannotApply', 'apply: not configured; give the setting "apply" a shell line'),
          false,
        );
      const planned = await plan(run);
      if (planned.state === 'failed') return applyFailed(planned, false);
      if (planned.state === 'clean') return { outcome: 'alreadyApplied' };
      if (planned.planHash !== request.expectedPlanHash) return { outcome: 'stale', plan: planned };
      const result = await run.command(apply, request.fence);
      const failed = commandFailure(result, 'apply', run.context, [0]);
      if (failed === undefined) return { outcome: 'applied' };
      return applyFailed(failed, result.end !== 'notFound');
    },
    (failed) => applyFailed(failed, false),
  );
}

/** Writes the real state into the worktree, by the tenant's export command. What changed there is for git to say (DRIFT-2). */
export async function driftExport(request: DriftRequest): Promise<DriftExportResult> {
  const failed = ({ failure: type, reason }: DriftPlan): DriftExportResult => ({
    outcome: 'failed',
    failure: type ?? driftFailureTypes.commandFailed,
    reason,
  });
  return await inDriftRun<DriftExportResult>(
    request,
    async (run) => {
      if (run.commands.export === undefined)
        return failed(failure('cannotApply', 'export: not configured; give the setting "export" a command'));
      const result = await run.command(run.commands.export);
      const problem = commandFailure(result, 'export', run.context, [0]);
      return problem === undefined ? { outcome: 'exported' } : failed(problem);
    },
    failed,
  );
}

interface DriftRun {
  readonly commands: DriftCommands;
  readonly context: PlanContext;
  readonly command: (
    argv: readonly string[],
    beforeStart?: () => void | Promise<void>,
  ) => Promise<CommandResult>;
}

async function plan(run: DriftRun): Promise<DriftPlan> {
  const { commands, context } = run;
  if (commands.plan.kind === 'output') return readPrintedPlan(await run.command(commands.plan.plan), context);
  const init = await run.command(commands.plan.init);
  const initFailed = commandFailure(init, 'init', context, [0]);
  if (initFailed !== undefined) return initFailed;
  const planned = await run.command(commands.plan.plan);
  const { exitCodes } = context;
  const planFailed = commandFailure(planned, 'plan', context, [exitCodes.clean, exitCodes.drifted]);
  if (planFailed !== undefined) return planFailed;
  if (planned.exitCode === exitCodes.clean) return clean();
  return readTerraformPlan(await run.command(commands.plan.show), context);
}

async function inDriftRun<T>(
  request: DriftRequest,
  work: (run: DriftRun) => Promise<T>,
  refused: (failed: DriftPlan) => T,
): Promise<T> {
  const { settings } = request;
  const root = await realpath(request.worktree);
  const cwd = await directoryOf(join(root, settings.directory));
  if (cwd === undefined || !`${cwd}/`.startsWith(`${root}/`))
    return refused(
      failure('directoryMissing', `directory: "${settings.directory}" is not a directory of the repository`),
    );
  const folder = await privateFolder();
  try {
    const env = {
      ...cleanEnvironment(),
      NO_COLOR: '1',
      TF_IN_AUTOMATION: '1',
      TF_DATA_DIR: join(folder, 'data'), // backends keep credentials there: not in the worktree, and gone afterwards
      ...request.env,
    };
    const context: PlanContext = {
      exitCodes: settings.exitCodes,
      paths: [request.worktree, root, cwd, folder],
      redact: redactorFor(request),
      maxOutputBytes: MAX_OUTPUT_BYTES,
    };
    return await work({
      commands: driftCommands(settings, join(folder, 'plan')),
      context,
      command: (argv, beforeStart) =>
        runCommand({
          argv,
          cwd,
          env,
          timeoutMs: settings.timeoutMs,
          maxOutputBytes: MAX_OUTPUT_BYTES,
          stopGraceMs: STOP_GRACE_MS,
          ...(request.signal === undefined ? {} : { signal: request.signal }),
          ...(beforeStart === undefined ? {} : { beforeStart }),
        }),
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The directory itself, or undefined when there is none. */
async function directoryOf(path: string): Promise<string | undefined> {
  const real = await realpath(path).catch(() => undefined);
  return real !== undefined && (await stat(real)).isDirectory() ? real : undefined;
}

function applyFailed({ failure: type, reason }: DriftPlan, mayHaveChanged: boolean): DriftApplyResult {
  return { outcome: 'failed', failure: type ?? driftFailureTypes.commandFailed, reason, mayHaveChanged };
}

/** Values that the tenant file gives as references are secrets; plain ones are not. */
function redactorFor({ settings, env }: DriftRequest): (text: string) => string {
  const redactor = createRedactor();
  for (const [name, value] of Object.entries(env))
    if (isSecretReference(settings.env[name] ?? 'env:unknown')) redactor.register(name, value);
  return redactor.redact;
}

/** A folder that only we can read, for a plan with secrets in it; those of workers that died are removed on the way. */
async function privateFolder(): Promise<string> {
  for (const name of await readdir(tmpdir())) {
    const owner = name.startsWith(PLAN_FOLDER)
      ? Number(name.slice(PLAN_FOLDER.length).split('-')[0])
      : Number.NaN;
    if (Number.isInteger(owner) && owner > 0 && !isAlive(owner))
      await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
  return await mkdtemp(join(tmpdir(), `${PLAN_FOLDER}${process.pid}-`));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
