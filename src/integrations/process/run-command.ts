// Runs one command to its end: own process group, exact environment, bounded time, bounded output, nothing left over.
// A command that fails, hangs, floods or is missing is a result, never an exception (DUR-4); everything it started dies
// with it, and with its worker (MIG-2, SEC-3). It must not log: output and arguments may hold secrets.
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { homedir } from 'node:os';
import { delimiter, resolve } from 'node:path';
import { openCommandPipes } from './command-pipes.ts';
import { captureOutput } from './output-capture.ts';
import { COMMAND_MARK, killGroup, type ProcessWatch, startProcessWatch, within } from './process-watch.ts';

/** After the command itself ended, how long what it left behind may still write (`> >(tee log)`). */
const TRAILING_OUTPUT_MS = 250;
/** How long ending a killed command's processes and closing its pipes may take before they are given up. */
const CLEAN_UP_MS = 3_000;

export interface CommandRequest {
  /** Program and arguments; no shell. The program is looked up in `env.PATH`, or relative to `cwd` if it has a slash. */
  readonly argv: readonly string[];
  readonly cwd: string;
  /** The whole environment: nothing is inherited. One variable, `UNTILGREEN_COMMAND_ID`, is added. */
  readonly env: Readonly<Record<string, string>>;
  /** Holds even while the worker is frozen (then rounded up to the next two seconds). */
  readonly timeoutMs: number;
  /** Kept of each of stdout, stderr and combined: the first half and the last half of it. */
  readonly maxOutputBytes: number;
  readonly signal?: AbortSignal;
  /** Written to the command's input; without it the input is empty. */
  readonly stdin?: string;
  /** Called for each piece of output, for heartbeats; must not throw. */
  readonly onActivity?: () => void;
  /** On timeout or abort: SIGTERM first and SIGKILL this much later, for tools that hold a remote lock. Default 0. */
  readonly stopGraceMs?: number;
  /** The last check before the start, for fences: nothing is awaited between it and the start. What it throws is thrown on. */
  readonly beforeStart?: () => void | Promise<void>;
}

export interface CommandResult {
  /** Null when the command did not run to an exit of its own. */
  readonly exitCode: number | null;
  /** The signal that ended it, ours or another's. */
  readonly signal: string | null;
  readonly end: 'exited' | 'timedOut' | 'aborted' | 'notFound';
  /** Invalid UTF-8 is replaced by U+FFFD, NUL bytes are kept (Postgres refuses them in text). */
  readonly stdout: string;
  readonly stderr: string;
  /** Both, in the order they came. */
  readonly combined: string;
  readonly truncated: boolean;
  /** Of stdout and stderr together, kept or not. */
  readonly totalBytes: number;
  readonly durationMs: number;
}

/**
 * Runs a command and waits for its end. Resolves for every outcome of the command.
 *
 * @throws Error for misuse only: empty argv, a limit that is not positive, a `cwd` that is no directory, NUL in a string.
 */
export async function runCommand(request: CommandRequest): Promise<CommandResult> {
  await refuseMisuse(request);
  const startedAt = performance.now();
  const capture = {
    stdout: captureOutput(request.maxOutputBytes),
    stderr: captureOutput(request.maxOutputBytes),
    combined: captureOutput(request.maxOutputBytes),
  };
  const result = (
    end: CommandResult['end'],
    exitCode: number | null,
    signal: string | null,
  ): CommandResult => ({
    exitCode,
    signal,
    end,
    stdout: capture.stdout.text(),
    stderr: capture.stderr.text(),
    combined: capture.combined.text(),
    truncated: capture.stdout.truncated || capture.stderr.truncated || capture.combined.truncated,
    totalBytes: capture.combined.totalBytes,
    durationMs: Math.round(performance.now() - startedAt),
  });

  if (request.signal?.aborted) return result('aborted', null, null);
  const program = await findProgram(request);
  if (program === undefined) return result('notFound', null, null);

  const mark = randomUUID();
  const graceMs = request.stopGraceMs ?? 0;
  const pipes = await openCommandPipes(request.stdin !== undefined);
  const closed = Promise.all([closeOf(pipes.stdout), closeOf(pipes.stderr)]);
  for (const name of ['stdout', 'stderr'] as const) {
    pipes[name].on('data', (chunk: Buffer) => {
      capture[name].push(chunk);
      capture.combined.push(chunk);
      request.onActivity?.();
    });
  }
  let watch: ProcessWatch | undefined;
  let child: ChildProcess | undefined;
  let stopped: 'timedOut' | 'aborted' | undefined;
  try {
    watch = await startProcessWatch(mark, request.timeoutMs + graceMs + 1_000);
    await request.beforeStart?.();
    child = await startChild(program, request, { ...request.env, [COMMAND_MARK]: mark }, pipes.childEnds);
    if (child?.pid === undefined) return result('notFound', null, null);
    watch.watch(child.pid);
    pipes.releaseChildEnds();
    pipes.stdin?.on('error', () => {}); // the command may end without reading its input
    pipes.stdin?.end(request.stdin ?? '');

    stopped = await runUntilStopped(child, request, graceMs);
    if (stopped === undefined) await within(closed, TRAILING_OUTPUT_MS);
    killGroup(child);
  } finally {
    pipes.releaseChildEnds();
    await watch?.end(CLEAN_UP_MS);
    await within(closed, CLEAN_UP_MS);
    // Something that escaped every net may still hold a pipe: do not wait for it.
    for (const pipe of [pipes.stdin, pipes.stdout, pipes.stderr]) pipe?.destroy();
  }

  const frozenPastDeadline =
    child.signalCode === 'SIGKILL' && performance.now() - startedAt > request.timeoutMs;
  const end = stopped ?? (frozenPastDeadline ? 'timedOut' : 'exited');
  return result(end, child.exitCode, child.signalCode);
}

/** PATH and HOME of the worker and a UTF-8 locale: the least a program needs, and no secret. */
export function cleanEnvironment(): Record<'PATH' | 'HOME' | 'LANG', string> {
  return {
    PATH: process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin',
    HOME: process.env.HOME ?? homedir(),
    LANG: 'C.UTF-8',
  };
}

/** Waits for the exit of the command itself; stops it on timeout or abort and then says which. */
async function runUntilStopped(
  child: ChildProcess,
  request: CommandRequest,
  graceMs: number,
): Promise<'timedOut' | 'aborted' | undefined> {
  let stopped: 'timedOut' | 'aborted' | undefined;
  let killTimer: NodeJS.Timeout | undefined;
  const stop = (why: 'timedOut' | 'aborted'): void => {
    if (stopped !== undefined) return;
    stopped = why;
    if (graceMs > 0) killGroup(child, 'SIGTERM');
    killTimer = setTimeout(() => killGroup(child), graceMs);
  };
  const onAbort = (): void => stop('aborted');
  const exited = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
  const timer = setTimeout(() => stop('timedOut'), request.timeoutMs);
  request.signal?.addEventListener('abort', onAbort);
  if (request.signal?.aborted) onAbort();
  await exited;
  clearTimeout(timer);
  clearTimeout(killTimer);
  request.signal?.removeEventListener('abort', onAbort);
  return stopped;
}

async function closeOf(pipe: Socket): Promise<void> {
  pipe.on('error', () => {});
  if (!pipe.closed) await new Promise<void>((resolve) => pipe.once('close', () => resolve()));
}

/** The running child, or undefined when the file turns out not to be a program. @throws Error when the machine is out of processes. */
async function startChild(
  program: string,
  request: CommandRequest,
  env: Record<string, string>,
  stdio: StdioOptions,
): Promise<ChildProcess | undefined> {
  try {
    const child = spawn(program, request.argv.slice(1), {
      cwd: request.cwd,
      env,
      detached: true,
      stdio,
    });
    await once(child, 'spawn');
    return child;
  } catch (error) {
    if (['ENOENT', 'EACCES', 'ENOEXEC', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return undefined;
    throw error;
  }
}

async function refuseMisuse(request: CommandRequest): Promise<void> {
  if (request.argv[0] === undefined || request.argv[0] === '')
    throw new Error('argv is empty: name a program to run');
  for (const limit of ['timeoutMs', 'maxOutputBytes'] as const) {
    const value = request[limit];
    if (!(Number.isFinite(value) && value > 0))
      throw new Error(`${limit} is ${value}: give a positive number`);
  }
  const isDirectory = await stat(request.cwd).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isDirectory) throw new Error(`cwd is no directory: ${request.cwd}`);
}

/** The absolute path of the program, or undefined when there is no such executable file. */
async function findProgram(request: CommandRequest): Promise<string | undefined> {
  const name = request.argv[0] ?? '';
  const candidates = name.includes('/')
    ? [resolve(request.cwd, name)]
    : (request.env.PATH ?? '').split(delimiter).map((folder) => resolve(request.cwd, folder, name));
  for (const candidate of candidates) {
    try {
      await access(candidate, constants.X_OK);
      if ((await stat(candidate)).isFile()) return candidate;
    } catch {
      // not here: the next folder
    }
  }
  return undefined;
}
