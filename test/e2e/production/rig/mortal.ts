// A worker that is killed again and again, each time at the next point of its list, and started anew. What a dead one had in its hands is given back
// at once, as Temporal does when the heartbeat stays away: that time would be real.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { minuteMs, type Night } from './rig.ts';
import type { Job, Kill } from './worker-process.ts';

export type Mortal = {
  /** Those that came about, in order. */
  readonly killed: readonly Kill[];
  /** @throws the reason why a worker could not be started */
  readonly check: () => void;
  readonly stop: () => Promise<void>;
};

/** @param more what references stand for, beside the site's */
export async function startMortal(
  night: Night,
  kills: readonly Kill[],
  more: Readonly<Record<string, string>> = {},
): Promise<Mortal> {
  const killed: Kill[] = [];
  const left = [...kills];
  let stopped = false;
  let problem: unknown;
  let child: ChildProcess | undefined;
  const clock = createServer((_request, response) => {
    night
      .follow()
      .then(() => response.writeHead(204).end())
      .catch(() => response.writeHead(500).end());
  });
  await new Promise<void>((resolve) => clock.listen(0, '127.0.0.1', resolve));
  const followUrl = `http://127.0.0.1:${(clock.address() as AddressInfo).port}/`;

  const start = async (): Promise<void> => {
    const kill = left[0] ?? null;
    const job: Job = { settings: night.worker, followUrl, kill };
    const next = spawn(process.execPath, [join(import.meta.dirname, 'worker-process.ts')], {
      env: { PATH: process.env.PATH, ...night.site.env, ...more, NIGHT_WORKER: JSON.stringify(job) },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    child = next;
    next.stdin.on('error', () => {}); // it was killed
    const ended = once(next, 'exit');
    await Promise.race([
      once(createInterface(next.stdout), 'line'),
      ended.then(([code]) => Promise.reject(new Error(`the worker ended as it began: ${code}`))),
    ]);
    void ended
      .then(async () => {
        if (stopped) return;
        killed.push(...left.splice(0, 1));
        // Its leases are over when somebody else begins: until then the server's time stands still.
        await delay(night.worker.leaseMs);
        await giveBack(night);
        if (!stopped) await start();
      })
      .catch((error: unknown) => {
        problem = error;
      });
  };
  await start();
  return {
    killed,
    check: () => {
      if (problem !== undefined) throw problem;
    },
    stop: async () => {
      stopped = true;
      if (child !== undefined && child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      clock.closeAllConnections();
      await new Promise((resolve) => clock.close(resolve));
    },
  };
}

/** Every activity that a worker had begun. */
async function giveBack({ temporal, histories }: Night): Promise<void> {
  const ids = new Set((await histories()).map(({ workflowId }) => workflowId));
  for (const workflowId of ids) {
    const { raw } = await temporal.workflow.getHandle(workflowId).describe();
    // 2: started.
    for (const { activityId, state } of raw.pendingActivities ?? [])
      if (activityId && state === 2)
        await temporal.activity
          .fail({ workflowId, activityId }, new Error('its worker was killed'))
          .catch(() => {});
  }
}

/** The backend crashes before the loop begins, on a server whose time goes on while no worker looks. */
export async function startInCrashLoop(night: Night): Promise<void> {
  const aMinute = async (): Promise<void> => {
    await night.env.sleep(minuteMs);
    await night.follow();
  };
  await aMinute();
  night.site.railway.world.push('backend', {
    commitSha: 'b'.repeat(40),
    behaviour: { startMs: 5_000, crashesAfterMs: 20_000 },
  });
  await aMinute();
  await night.startLoop();
}
