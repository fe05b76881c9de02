// DUR-2, MODEL-1: the worker is killed at every step of one fix by the model. An answer that is stored is not asked for again, one that was under way at
// most once more; there is one branch and one pull request.
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { DemoWorker } from '../../../demo/worker.ts';
import { remedyWorkflowId } from '../../../src/contract/names.ts';
import type { ClaudeReply } from '../../support/claude.ts';
import {
  createFixingWorld,
  type FixingWorld,
  honestTurns,
  implementing,
  typescript,
  verdict,
  verifying,
} from './fixing.ts';

const agent = 'untilgreen-agent';
const pendingStarted = 2;
/** Short, so that what was interrupted is taken up after seconds. */
const doorTimes = { leaseMs: 6_000, writeMs: 4_000, settleMs: 6_000 } as const;
/** How often the worker dies while it works on a step of this kind. */
const kills: Readonly<Record<string, number>> = {
  openFix: 1,
  callModel: 2,
  runTool: 2,
  checkFix: 1,
  readVerdict: 1,
  recordFix: 1,
  'effect.pushBranch': 1,
  'effect.openPullRequest': 1,
};
/** The others are over in milliseconds: they are killed when they are seen. */
const surely = ['openFix', 'callModel', 'runTool', 'checkFix'];

/** The step of the fix that a worker is at. */
async function stepOf(world: FixingWorld): Promise<string | undefined> {
  const finding = await world.finding('ci');
  if (finding === undefined) return undefined;
  const description = await world.temporal.client.workflow
    .getHandle(remedyWorkflowId(finding))
    .describe()
    .catch(() => undefined);
  const pending = description?.raw.pendingActivities ?? [];
  return pending.find(({ state }) => state === pendingStarted)?.activityType?.name ?? undefined;
}

test('DUR-2, MODEL-1: killed at every step of a fix', { timeout: 600_000 }, async ({ onTestFinished }) => {
  const world = await createFixingWorld(typescript);
  onTestFinished(world.stop);
  const { claude } = world;
  // Long enough to be killed while it thinks.
  const slow =
    (reply: ClaudeReply): (() => ClaudeReply) =>
    () => ({ ...reply, after: delay(700) });
  const twice = (reply: ClaudeReply): ClaudeReply | (() => ClaudeReply) => slow(reply);
  const bySize = new Map<number, ClaudeReply>();
  const turns = honestTurns(typescript);
  // The same question again gets the same answer, as a question that was not answered would.
  claude.script({
    name: 'implement',
    when: implementing(),
    replies: [
      ({ messages }) => {
        const turn = Math.floor(messages.length / 2);
        const reply = bySize.get(turn) ?? turns[turn];
        if (!reply) throw new Error(`turn ${turn} is not scripted`);
        bySize.set(turn, reply);
        return { ...reply, after: delay(700) };
      },
    ],
    repeatLast: true,
  });
  claude.script({
    name: 'verify',
    when: verifying,
    replies: [twice(verdict(true, 'It counts the last page.'))],
    repeatLast: true,
  });
  let worker: DemoWorker = await world.startWorkerProcess({ doorTimes });
  await world.startLoop();

  const killed = new Map<string, number>();
  const waits = async (): Promise<boolean> =>
    (await world.finding('ci'))?.waitingFor?.includes('to merge pull request') === true;
  const endsAt = Date.now() + 540_000;
  while (!(await waits()) && Date.now() < endsAt) {
    const step = await stepOf(world);
    const already = killed.get(step ?? '') ?? 0;
    if (step !== undefined && already < (kills[step] ?? 0)) {
      killed.set(step, already + 1);
      await worker.kill();
      worker = await world.startWorkerProcess({ doorTimes });
    } else await delay(15);
  }
  expect(await waits(), 'a pull request waits for a person').toBe(true);

  for (const step of surely) expect(killed.get(step), `killed at ${step}`).toBe(kills[step]);
  const finding = await world.finding('ci');
  expect(finding?.attempts).toBe(1);
  // Each question at most twice, and twice only where a worker died over it.
  const asked = new Map<string, number>();
  for (const { bytes } of claude.requests()) {
    const question = bytes.toString();
    asked.set(question, (asked.get(question) ?? 0) + 1);
  }
  const again = [...asked.values()].filter((count) => count > 1);
  expect(Math.max(...asked.values())).toBeLessThanOrEqual(2);
  expect(again.length).toBeLessThanOrEqual(killed.get('callModel') ?? 0);
  expect(claude.requests().length).toBeLessThanOrEqual(5 + (killed.get('callModel') ?? 0));
  // Each is charged: nothing is asked without a reservation before it.
  const { rows } = await world.own.pool.query('select count(*)::int as n from model_attempts');
  expect(rows[0].n).toBeGreaterThanOrEqual(claude.requests().length);

  const writes = await world.forge.journal.writes({ actor: agent });
  const count = (kind: string): number => writes.filter((write) => write.kind === kind).length;
  expect(count('pullCreated')).toBe(1);
  expect(new Set(writes.filter(({ kind }) => kind.startsWith('ref')).map(({ ref }) => ref)).size).toBe(1);
  const comments = writes.filter(({ kind }) => kind === 'commentCreated').map(({ marker }) => marker);
  expect(new Set(comments).size).toBe(comments.length);
  const trail = (await world.audit()).filter(({ action }) => action.startsWith('fix.'));
  expect(trail).toHaveLength(1);
  expect(await world.forge.journal.unexpected()).toEqual([]);
});
