// One supervised process: start, notice its end, keep its last lines, restart it. It never starts it again by itself: that is what the demo is about.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

const keptLines = 500;
const startLimitMs = 20_000;
const stopGraceMs = 1_000;

export type Program = {
  readonly name: string;
  readonly file: string;
  readonly port: number;
  /** Of its n-th start (1 is the first) with its n-th release. */
  readonly env: (start: number, release: number) => Readonly<Record<string, string>>;
};

export type ServiceState = {
  readonly name: string;
  readonly status: 'running' | 'deploying' | 'crashed' | 'stopped';
  /** Changes with each redeployment, not with a restart. */
  readonly deployment: string;
  readonly sinceMs: number;
};

export type Supervised = {
  readonly state: () => ServiceState;
  /** Newest last, each with its time. */
  readonly lines: (count: number) => readonly string[];
  /** Ends what runs and starts it again; done when it listens, or has ended. */
  readonly restart: (kind: 'restart' | 'redeploy') => Promise<void>;
  readonly stop: () => Promise<void>;
};

export async function supervise(program: Program): Promise<Supervised> {
  const lines: string[] = [];
  const log = (text: string): void => {
    lines.push(`${new Date().toISOString()} ${text}`);
    if (lines.length > keptLines) lines.shift();
  };
  let child: ChildProcess | undefined;
  let starts = 0;
  let release = 1;
  let status: ServiceState['status'] = 'stopped';
  let sinceMs = Date.now();
  const become = (next: ServiceState['status']): void => {
    status = next;
    sinceMs = Date.now();
  };

  const start = async (): Promise<void> => {
    starts += 1;
    become('deploying');
    const started = spawn(process.execPath, [program.file], {
      env: { ...process.env, ...program.env(starts, release), PORT: String(program.port) },
      stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
    });
    child = started;
    started.stdin?.on('error', () => {}); // it has ended
    for (const output of [started.stdout, started.stderr])
      if (output !== null) createInterface(output).on('line', log);
    const ended = once(started, 'exit').then(([code, signal]) => {
      if (child !== started) return;
      log(`supervisor: ${program.name} ended (${signal ?? `exit code ${code}`})`);
      become('crashed');
    });
    started.on('error', (error) => log(`supervisor: ${program.name} did not start: ${error.message}`));
    const limit = new AbortController();
    const listens = once(started, 'message', { signal: limit.signal }).then(
      () => {
        if (child === started && status === 'deploying') become('running');
      },
      () => {},
    );
    await Promise.race([
      listens,
      ended,
      delay(startLimitMs, undefined, { signal: limit.signal }).catch(() => {}),
    ]);
    limit.abort();
  };

  const stop = async (): Promise<void> => {
    const before = child;
    child = undefined;
    if (before === undefined || before.exitCode !== null || before.signalCode !== null) return;
    const gone = once(before, 'exit');
    before.kill('SIGTERM');
    await Promise.race([gone, delay(stopGraceMs, undefined, { ref: false })]);
    before.kill('SIGKILL');
    await gone;
  };

  let work = start();
  await work;
  return {
    state: () => ({ name: program.name, status, deployment: `${program.name}-${release}`, sinceMs }),
    lines: (count) => lines.slice(-count),
    restart: (kind) => {
      // One after the other.
      work = work.then(async () => {
        log(`supervisor: ${kind} of ${program.name} was asked for`);
        await stop();
        if (kind === 'redeploy') release += 1;
        await start();
      });
      return work;
    },
    stop: async () => {
      await work;
      await stop();
      become('stopped');
    },
  };
}
