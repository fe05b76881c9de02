// Runs one script of a repository where it can do no harm (SEC-3): no secrets, no network but a way to allowed hosts, writes to
// the worktree only, bounded time, memory, processes, file size and output; it dies with its worker.
// Where no sandbox is available it refuses; only the kind `none`, which a person has to set, runs unconfined.
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type CommandResult, cleanEnvironment, runCommand } from '../process/run-command.ts';
import { SOCKET_NAME } from './allowed-hosts-proxy.ts';
import {
  bubblewrapArguments,
  insideWorkspace,
  type SandboxView,
  sandboxEnvironment,
  WORKSPACE,
} from './bubblewrap.ts';
import { dockerArguments } from './docker.ts';
import { wayOutEnvironment, withWayOut } from './way-out.ts';

/** What confines commands; found once per worker by `findSandbox`. */
export type Sandbox =
  | { readonly kind: 'bubblewrap'; readonly bwrapPath: string; readonly view: SandboxView }
  | { readonly kind: 'docker'; readonly image: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'unavailable'; readonly reason: string };

export type SandboxRequest = {
  readonly sandbox: Sandbox;
  /** Absolute path of the one folder that may be written. */
  readonly worktree: string;
  /** Relative to the worktree; default its top. */
  readonly workingDirectory?: string | undefined;
  /** Text of a bash script, run with `-e` like a step of GitHub Actions. */
  readonly command: string;
  /** As with `shell: bash` in a workflow. Default false. */
  readonly pipefail?: boolean;
  /** Plain values only, never secrets. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly memoryBytes: number;
  readonly maxOutputBytes: number;
  /** Default 512. */
  readonly maxProcesses?: number;
  /** Largest file it may write; default 1 GB. */
  readonly maxFileBytes?: number;
  /** Absolute path of the folder that is its home; default an empty one in memory. */
  readonly home?: string | undefined;
  /**
   * Absolute path of the folder with the socket of an `AllowedHostsProxy`: what passes that, and nothing else, can be reached. Absent: no network.
   * Only bubblewrap has it: with Docker there is no network even then, and without a sandbox always the machine's.
   */
  readonly wayOut?: string | undefined;
  readonly signal?: AbortSignal;
  readonly onActivity?: () => void;
};

export type SandboxResult = {
  /** `unavailable`: nothing ran; the reason is in `output`. */
  readonly end: CommandResult['end'] | 'unavailable';
  readonly exitCode: number | null;
  /** Both streams in the order they came, at most `maxOutputBytes`. */
  readonly output: string;
  readonly truncated: boolean;
  readonly durationMs: number;
};

/** Users a root worker lends to scripts, one per run, so that their process limits are their own. */
const FIRST_USER = 64_000;
const USERS = 1_000;

/**
 * Runs a script to its end. Every outcome of the script is a result.
 *
 * @throws RefusedCommand for a working directory outside of the worktree, a bad variable name, a script over 100,000
 *   bytes; Error for a worktree that is no folder.
 */
export async function runInSandbox(request: SandboxRequest): Promise<SandboxResult> {
  const { sandbox } = request;
  if (sandbox.kind === 'unavailable')
    return { end: 'unavailable', exitCode: null, output: sandbox.reason, truncated: false, durationMs: 0 };
  const runAs =
    sandbox.kind === 'bubblewrap' && process.getuid?.() === 0
      ? FIRST_USER + Math.floor(Math.random() * USERS)
      : undefined;
  const command = commandOf(request, runAs);
  if (runAs !== undefined)
    for (const folder of [request.worktree, ...(request.home === undefined ? [] : [request.home])])
      await giveTo(folder, runAs, request.signal);
  const result = await runCommand({
    argv: command.argv,
    cwd: command.cwd,
    env: command.env,
    timeoutMs: request.timeoutMs,
    maxOutputBytes: request.maxOutputBytes,
    ...(request.signal === undefined ? {} : { signal: request.signal }),
    ...(request.onActivity === undefined ? {} : { onActivity: request.onActivity }),
  });
  const { end, exitCode, combined: output, truncated, durationMs } = result;
  return { end, exitCode, output, truncated, durationMs };
}

function commandOf(
  request: SandboxRequest,
  runAs: number | undefined,
): { argv: readonly string[]; cwd: string; env: Record<string, string> } {
  const { sandbox } = request;
  const shared = {
    worktree: request.worktree,
    workingDirectory: request.workingDirectory ?? '',
    script: request.command,
    pipefail: request.pipefail ?? false,
    env: request.env,
    home: request.home,
    timeoutMs: request.timeoutMs,
    limits: {
      memoryBytes: request.memoryBytes,
      maxProcesses: request.maxProcesses ?? 512,
      maxFileBytes: request.maxFileBytes ?? 1_000_000_000,
    },
  };
  const env = { PATH: cleanEnvironment().PATH };
  if (sandbox.kind === 'bubblewrap') {
    const { bwrapPath, view } = sandbox;
    const inside = { ...shared, bwrapPath, view, runAs };
    if (request.wayOut === undefined)
      return { argv: bubblewrapArguments({ ...inside, wayOut: undefined }), cwd: '/', env };
    const wayOut = { folder: request.wayOut, node: process.execPath };
    const script = withWayOut(shared.script, SOCKET_NAME);
    const proxied = { ...wayOutEnvironment, ...shared.env };
    return { argv: bubblewrapArguments({ ...inside, wayOut, script, env: proxied }), cwd: '/', env };
  }
  if (sandbox.kind === 'docker')
    return { argv: dockerArguments({ ...shared, image: sandbox.image }), cwd: '/', env: cleanEnvironment() };
  const view = { readOnlyPaths: [], pathPrepend: [], hide: [] };
  return {
    argv: [
      'bash',
      '--noprofile',
      '--norc',
      '-e',
      ...(shared.pipefail ? ['-o', 'pipefail'] : []),
      '-c',
      request.command,
    ],
    cwd: join(request.worktree, relative(WORKSPACE, insideWorkspace(shared.workingDirectory))),
    env: { ...sandboxEnvironment({ view, env: request.env }), ...cleanEnvironment(), ...request.env },
  };
}

/** Makes a folder and all in it a user's own; links are changed themselves, never followed. */
async function giveTo(worktree: string, user: number, signal: AbortSignal | undefined): Promise<void> {
  if (!existsSync(worktree)) throw new Error(`worktree: ${worktree} does not exist`);
  const given = await runCommand({
    argv: ['chown', '-hR', `${user}:${user}`, '--', worktree],
    cwd: '/',
    env: { PATH: cleanEnvironment().PATH },
    timeoutMs: 120_000,
    maxOutputBytes: 10_000,
    ...(signal === undefined ? {} : { signal }),
  });
  if (given.exitCode !== 0 && given.end !== 'aborted')
    throw new Error(`worktree: cannot be given to user ${user}: ${given.stderr.trim()}`);
}
