// `--kill`: three times SIGKILL to the worker, each at a chosen moment, and a new worker after each (DUR-2). The moments are found by looking at
// the records and at Temporal, but for the one between a write and its receipt, where the worker kills itself (worker-process.ts).
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { remedyWorkflowId } from '../src/contract/names.ts';
import { listCycles } from '../src/store/cycles.ts';
import { activeFindings } from '../src/store/findings.ts';
import type { DemoWorker } from './worker.ts';
import type { WorkerSettings } from './worker-process.ts';
import { shop, type World } from './world.ts';

export type Kill = { readonly moment: string; readonly pid: number };

/** Shorter than the worker's own, so that what was interrupted is taken up after seconds. */
export const doorTimes = { leaseMs: 6_000, writeMs: 4_000, settleMs: 6_000 } as const;

const pollMs = 25;
const pendingStarted = 2;

export type Killing = {
  readonly world: World;
  readonly signal: AbortSignal;
  /** The first one, and after each kill the next one. */
  readonly start: (settings: Pick<WorkerSettings, 'doorTimes' | 'killOnce'>) => Promise<DemoWorker>;
  readonly say: (line: string) => void;
};

/** @returns the three kills, once the third one has happened and its successor runs */
export async function killThreeTimes(first: DemoWorker, killing: Killing): Promise<readonly Kill[]> {
  const { world, signal, start, say } = killing;
  const kills: Kill[] = [];
  const mourn = (worker: DemoWorker, moment: string): void => {
    kills.push({ moment, pid: worker.pid });
    say(`kill    ${kills.length} of 3: SIGKILL to worker ${worker.pid} ${moment}`);
  };

  await until(signal, async () => (await listCycles(world.pool, shop.tenant, 1))[0]?.state === 'running');
  await first.kill();
  mourn(first, 'in the middle of a cycle');

  const second = await start({ doorTimes });
  const connection = await Connection.connect({ address: world.embedded.temporalAddress });
  try {
    const client = new Client({ connection });
    await until(signal, () => aFixerRuns(world, client));
  } finally {
    await connection.close();
  }
  await second.kill();
  mourn(second, 'while a fixer ran');

  const marker = join(world.folder, 'killed-after-write.json');
  const third = await start({ doorTimes, killOnce: { kind: 'openPullRequest', marker } });
  await until(signal, async () => third.hasEnded());
  if (!existsSync(marker)) throw new Error(`the worker ended by itself: ${await third.ended}`);
  const { kind, target } = JSON.parse(await readFile(marker, 'utf8')) as { kind: string; target: string };
  mourn(third, `between a write and its receipt (${kind} ${target})`);
  await start({ doorTimes });
  return kills;
}

/** A worker has taken up `fixCi` and has not answered. */
async function aFixerRuns({ pool }: World, client: Client): Promise<boolean> {
  for (const finding of await activeFindings(pool, shop.tenant)) {
    if (finding.kind !== 'ci' || finding.attempts === 0) continue;
    const description = await client.workflow
      .getHandle(remedyWorkflowId(finding))
      .describe()
      .catch(() => undefined);
    const pending = description?.raw.pendingActivities ?? [];
    if (pending.some((one) => one.activityType?.name === 'fixCi' && one.state === pendingStarted))
      return true;
  }
  return false;
}

async function until(signal: AbortSignal, condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(pollMs, undefined, { signal });
}
