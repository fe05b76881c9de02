// Child processes that die with this one: where `setpriv` exists (Linux) the kernel signals them when we are
// killed. Each is a process group of its own, so that Ctrl-C reaches us first and we stop it in order.
// Servers log into a file, not a pipe: they survive our reading, and the last lines explain a failed start.

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { accessSync, closeSync, constants, openSync, renameSync, statSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const MAX_LOG_BYTES = 10 * 1024 * 1024;
const TAIL_BYTES = 16 * 1024;
const GONE_POLL_MS = 50;

type DeathSignal = 'KILL' | 'QUIT';

export interface ServerProcess {
  pid: number;
  /** Resolves with e.g. `exit code 1` or `signal SIGKILL` when the process has ended; never rejects. */
  exited: Promise<string>;
  hasExited(): boolean;
  /** Sends `signal`, and SIGKILL to the whole group after `graceMs`. Resolves when it is gone. */
  stop(signal: NodeJS.Signals, graceMs: number): Promise<void>;
}

/** Full path of an executable on PATH, or `undefined`. */
export function findOnPath(name: string, path = process.env.PATH ?? ''): string | undefined {
  return path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutableFile);
}

/** Spawns `command` so that it gets `deathSignal` when this process dies. The pid is the command's own. */
function spawnBound(
  command: string,
  args: readonly string[],
  options: SpawnOptions & { deathSignal: DeathSignal; setprivFlags?: readonly string[] },
): ChildProcess {
  const { deathSignal, setprivFlags = [], ...spawnOptions } = options;
  const setpriv = process.platform === 'linux' ? findOnPath('setpriv') : undefined;
  if (setpriv === undefined) return spawn(command, args, { ...spawnOptions, detached: true });
  const wrapped = [...setprivFlags, '--pdeathsig', deathSignal, '--', command, ...args];
  return spawn(setpriv, wrapped, { ...spawnOptions, detached: true });
}

/** Starts a server whose output goes to the end of `logFile` (kept under 10 MB, one older file). */
export async function startServer(
  command: string,
  args: readonly string[],
  options: {
    logFile: string;
    deathSignal: DeathSignal;
    env: NodeJS.ProcessEnv;
    setprivFlags?: readonly string[];
  },
): Promise<ServerProcess> {
  const { logFile, ...rest } = options;
  rotate(logFile);
  const log = openSync(logFile, 'a', 0o600);
  const child = spawnBound(command, args, { ...rest, stdio: ['ignore', log, log] });
  closeSync(log);
  let ended = false;
  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => {
      ended = true;
      resolve(signal === null ? `exit code ${code}` : `signal ${signal}`);
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  const pid = child.pid ?? 0;
  return {
    pid,
    exited,
    hasExited: () => ended,
    stop: async (signal, graceMs) => {
      if (ended) return;
      signalQuietly(pid, signal);
      await Promise.race([exited, delay(graceMs, undefined, { ref: false })]);
      if (!ended) signalQuietly(-pid, 'SIGKILL');
      await exited;
    },
  };
}

/** The last lines of a log, for a message about a start that failed; empty when there is no log. */
export async function lastLogLines(logFile: string, count = 12): Promise<string> {
  const handle = await open(logFile, 'r').catch(() => undefined);
  if (handle === undefined) return '';
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, TAIL_BYTES);
    const buffer = Buffer.alloc(length);
    await handle.read(buffer, 0, length, size - length);
    const lines = buffer.toString('utf8').trimEnd().split('\n').slice(-count);
    return lines.map((line) => `  ${line.slice(0, 500)}`).join('\n');
  } finally {
    await handle.close();
  }
}

/** The arguments of a live process, joined by blanks; `undefined` when there is none with that pid. */
export async function commandLine(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') return psCommandLine(pid);
  const raw = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return raw === '' ? undefined : raw.split('\0').join(' ').trim();
}

/**
 * Ends a server that an earlier, killed process left behind: `signal`, then SIGKILL after `graceMs`.
 * The caller has made sure that the pid is that server.
 */
export async function stopOrphan(pid: number, signal: NodeJS.Signals, graceMs: number): Promise<void> {
  signalQuietly(pid, signal);
  for (let waitedMs = 0; (await commandLine(pid)) !== undefined; waitedMs += GONE_POLL_MS) {
    if (waitedMs >= graceMs) signalQuietly(pid, 'SIGKILL');
    await delay(GONE_POLL_MS);
  }
}

/** Sends a signal; a process that has just ended is not an error. A negative pid is its group. */
function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function psCommandLine(pid: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const ps = spawn('ps', ['-o', 'command=', '-p', String(pid)], { stdio: ['ignore', 'pipe', 'ignore'] });
    let output = '';
    ps.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
    });
    ps.once('error', () => resolve(undefined));
    ps.once('close', () => resolve(output.trim() === '' ? undefined : output.trim()));
  });
}

function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function rotate(logFile: string): void {
  const size = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  if (size > MAX_LOG_BYTES) renameSync(logFile, `${logFile}.1`);
}
