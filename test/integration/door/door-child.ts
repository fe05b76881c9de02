// Starts test/support/door-process.ts, and says how it stands.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
import type { DoorEnd, DoorJob } from '../../support/door-process.ts';

const entry = fileURLToPath(new URL('../../support/door-process.ts', import.meta.url));

export type DoorProcess = {
  readonly pid: number;
  readonly child: ChildProcess;
  /** The signal that ended it, or its exit code. */
  readonly ended: Promise<NodeJS.Signals | number | null>;
  /** How each effect ended, by its step; rejects when the process ends without saying so. */
  readonly ends: Promise<ReadonlyMap<string, DoorEnd>>;
  /** Resolves when it has stopped itself, or was stopped. */
  readonly frozen: () => Promise<void>;
};

export function startDoorProcess(job: DoorJob, secrets: Readonly<Record<string, string>>): DoorProcess {
  const child = spawn(process.execPath, [entry], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      PATH: process.env.PATH ?? '',
      HOME: process.env.HOME ?? '',
      ...secrets,
      DOOR_JOB: JSON.stringify(job),
    },
  });
  const pid = child.pid ?? 0;
  const ended = once(child, 'exit').then(([code, signal]) => signal ?? code);
  const ends = (async () => {
    for await (const line of createInterface(child.stdout)) {
      const said = JSON.parse(line) as { event: string; ends?: readonly DoorEnd[] };
      if (said.ends) return new Map(said.ends.map((end) => [end.step, end]));
    }
    throw new Error(`the door's process ended with ${await ended}`);
  })();
  ends.catch(() => {});
  return {
    pid,
    child,
    ended,
    ends,
    frozen: async () => {
      await vi.waitFor(
        async () => {
          if ((await processState(pid)) !== 'T') throw new Error('not stopped');
        },
        { timeout: 40_000, interval: 50 },
      );
    },
  };
}

/** `R`, `S`, `T` (stopped), `Z`; undefined when there is no such process. */
export async function processState(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return /^\d+ \(.*\) (\w)/s.exec(stat)?.[1];
}
