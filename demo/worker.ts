// The parent's side of the worker process: start, notice its end, kill it, stop it in order. Its log lines go to a file, its alerts to the caller.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { WorkerSettings } from './worker-process.ts';

const startTimeoutMs = 60_000;
const stopGraceMs = 8_000;

export type DemoWorker = {
  readonly pid: number;
  /** How it ended, e.g. `SIGKILL` or `exit code 1`; never rejects. */
  readonly ended: Promise<string>;
  readonly hasEnded: () => boolean;
  /** SIGKILL, and waits until it is gone. */
  readonly kill: () => Promise<void>;
  /** SIGTERM, then SIGKILL. */
  readonly stop: () => Promise<void>;
};

export type WorkerLaunch = {
  readonly settings: WorkerSettings;
  /** The environment in which the tenant's secret references are resolved. */
  readonly env: NodeJS.ProcessEnv;
  readonly logFile: string;
  readonly onAlert: (line: string) => void;
  /** Told at once, so that it can be stopped while it starts. */
  readonly onSpawn: (worker: DemoWorker) => void;
};

/** @returns when the worker polls its queues. @throws Error with its last words when it ends before that */
export async function launchWorker(launch: WorkerLaunch): Promise<DemoWorker> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'worker-process.ts')], {
    env: { ...launch.env, UNTILGREEN_DEMO_WORKER: JSON.stringify(launch.settings) },
    stdio: ['pipe', 'pipe', 'pipe'],
    // Ctrl-C is for the demo, which stops the worker in order.
    detached: true,
  });
  child.stdin.on('error', () => {}); // it was killed
  const words: string[] = [];
  let ended = false;
  const end = once(child, 'exit').then(([code, signal]) => {
    ended = true;
    return signal === null ? `exit code ${code}` : String(signal);
  });
  const ready = new Promise<void>((resolve) => {
    createInterface(child.stdout).on('line', (line) => {
      appendFileSync(launch.logFile, `${line}\n`);
      const entry = parseLogLine(line);
      if (entry.msg === 'worker runs') resolve();
      if (entry.msg === 'alert' && typeof entry.alert === 'string') launch.onAlert(entry.alert);
    });
  });
  createInterface(child.stderr).on('line', (line) => {
    appendFileSync(launch.logFile, `${line}\n`);
    words.push(line);
    if (words.length > 15) words.shift();
  });
  const worker: DemoWorker = {
    pid: child.pid ?? 0,
    ended: end,
    hasEnded: () => ended,
    kill: async () => {
      child.kill('SIGKILL');
      await end;
    },
    stop: () => stop(child, end, () => ended),
  };
  launch.onSpawn(worker);
  const abort = new AbortController();
  const failure = await Promise.race([
    ready.then(() => undefined),
    end,
    delay(startTimeoutMs, `no answer for ${startTimeoutMs / 1000} s`, { signal: abort.signal }).catch(
      () => '',
    ),
  ]);
  abort.abort();
  // Killed on purpose right after its start: the caller sees `ended`.
  if (failure !== undefined && failure !== 'SIGKILL') {
    await worker.kill();
    throw new Error(`the worker did not start (${failure}):\n${words.join('\n')}`);
  }
  return worker;
}

async function stop(child: ChildProcess, end: Promise<string>, hasEnded: () => boolean): Promise<void> {
  if (hasEnded()) return;
  child.kill('SIGTERM');
  await Promise.race([end, delay(stopGraceMs, undefined, { ref: false })]);
  if (!hasEnded()) child.kill('SIGKILL');
  await end;
}

function parseLogLine(line: string): { readonly msg?: unknown; readonly alert?: unknown } {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === 'object' && entry !== null ? entry : {};
  } catch {
    return {};
  }
}
