// LOOP-13, SEC-1: decisions by comments, over a real forge and with the real table of approvals.
import { afterEach, beforeEach, expect, it } from 'vitest';
import * as z from 'zod';
import { type CommentDecision, createApprovalsSource } from '../../../src/activities/sources/approvals.ts';
import type { Json } from '../../../src/contract/effect.ts';
import { decideApproval, openApprovals } from '../../../src/store/approvals.ts';
import type { Acknowledgement } from '../../../src/store/ops/incidents.ts';
import { at, type DoorRig, effect, type GitHubRig, nowMs, openDoor, startGitHubRig } from './rig.ts';

let rig: GitHubRig;
let memory: Json;
let decisions: CommentDecision[];
let acks: Acknowledgement[];
let tokens: { [login: string]: string };
beforeEach(async () => {
  rig = await startGitHubRig('autonomy: { default: act }');
  memory = null;
  decisions = [];
  acks = [];
  tokens = { agent: rig.token };
  for (const [login, permission] of [
    ['maria', 'admin'],
    ['dev', 'write'],
    ['boss', 'maintain'],
    ['helper', 'triage'],
    ['stranger', 'read'],
    ['deploy[bot]', 'write'],
  ] as const) {
    tokens[login] = (await rig.forge.createUser({ login, permission })).token;
  }
  await write('maria', 'POST /repos/{owner}/{repo}/issues', { title: 'incident' });
});
afterEach(() => rig.stop());

async function write(login: string, route: string, params: { [name: string]: unknown }): Promise<number> {
  const answer = await rig.clientFor(tokens[login] ?? '').write({
    route,
    params: { ...at, ...params },
    schema: z.object({ id: z.int() }),
    signal: rig.place.signal,
    assertMayWrite: () => {},
  });
  return answer.id;
}
const comment = (login: string, body: string): Promise<number> =>
  write(login, 'POST /repos/{owner}/{repo}/issues/{number}/comments', { number: 1, body });

const source = createApprovalsSource({
  github: async () => rig.github,
  decide: async (decision) => {
    decisions.push(decision);
    return { result: 'decided' };
  },
  acknowledge: async (ack) => {
    acks.push(ack);
    return { result: 'acknowledged' };
  },
});
const noAck = async () => ({ result: 'unknown' });

async function sweep(approveBy?: readonly string[]) {
  const mark = await rig.forge.journal.mark();
  decisions = [];
  acks = [];
  const reading = await rig.read(source, memory, approveBy === undefined ? {} : { approveBy });
  memory = reading.memory;
  expect(reading).toMatchObject({ state: 'green', findings: [] });
  const counted = await rig.forge.journal.counted({ after: mark });
  return {
    who: decisions.map(({ by, decision, hash }) => `${by} ${decision} ${hash}`),
    counted,
    reason: reading.reason,
  };
}

it('takes what people with the permission wrote, each comment once', async () => {
  expect((await sweep()).who).toEqual([]);
  await comment('maria', 'ok\n/approve aaaaaa111111');
  await comment('dev', '/reject bbbbbb222222 not now');
  await comment('boss', '/approve cccccc333333');
  const first = await sweep();
  expect(first.who).toEqual([
    'maria approve aaaaaa111111',
    'dev reject bbbbbb222222',
    'boss approve cccccc333333',
  ]);
  expect(decisions[1]).toMatchObject({
    channel: 'github',
    workspace: 'shop',
    tenant: 'acme',
    reason: 'not now',
    nowMs,
  });
  expect(first.reason).toContain('3 decided');
  const quiet = await sweep();
  expect([quiet.who, quiet.counted]).toEqual([[], []]);
});

it('costs nothing where nothing is new, with comments and without', async () => {
  await sweep();
  expect((await sweep()).counted).toEqual([]);
  for (let count = 0; count < 120; count += 1) await comment('stranger', `chatter ${count}`);
  await sweep();
  expect((await sweep()).counted).toEqual([]);
});

it('starts with the newest comments, and reads on over more than a page', async () => {
  for (let count = 0; count < 250; count += 1)
    await comment('maria', count === 180 ? '/approve abcdef1' : 'x');
  expect((await sweep()).who).toEqual(['maria approve abcdef1']);
  await rig.forge.advanceClock({ ms: 3_600_000 });
  for (let count = 0; count < 250; count += 1)
    await comment('maria', count === 120 ? '/approve abcdef2' : 'x');
  expect((await sweep()).who).toEqual(['maria approve abcdef2']);
});

it.each([
  ['somebody who may only triage', 'helper'],
  ['a stranger', 'stranger'],
  ['a bot', 'deploy[bot]'],
  ['the agent itself', 'agent'],
])('does not take it from %s', async (_name, login) => {
  await comment(login, '/approve aaaaaa111111');
  expect((await sweep()).who).toEqual([]);
  expect((await sweep()).counted).toEqual([]);
});

it('takes it only from those on the list where there is one', async () => {
  await comment('maria', '/approve aaaaaa111111');
  await comment('dev', '/approve bbbbbb222222');
  await comment('stranger', '/approve cccccc333333');
  expect((await sweep(['DEV', 'stranger'])).who).toEqual(['dev approve bbbbbb222222']);
});

it('does not take an edited comment, nor one that was edited into a decision', async () => {
  const edited = await comment('dev', '/approve aaaaaa111111');
  const harmless = await comment('dev', 'hello');
  await sweep();
  await rig.forge.advanceClock({ ms: 5_000 });
  const later = await comment('dev', '/approve bbbbbb222222');
  await rig.forge.advanceClock({ ms: 5_000 });
  for (const id of [edited, harmless, later]) {
    await write('maria', 'PATCH /repos/{owner}/{repo}/issues/comments/{id}', {
      id,
      body: '/approve cccccc333333',
    });
  }
  expect((await sweep()).who).toEqual([]);
});

it('decides again after a decision that could not be stored, and starts anew with a broken memory', async () => {
  await comment('maria', '/approve aaaaaa111111');
  const failing = createApprovalsSource({
    github: async () => rig.github,
    decide: async () => {
      throw new Error('Postgres is away');
    },
    acknowledge: noAck,
  });
  await expect(rig.read(failing, memory)).rejects.toThrow('Postgres is away');
  memory = { version: 1, since: 5 };
  expect((await sweep()).who).toEqual(['maria approve aaaaaa111111']);
});

it('INC-4: an incident is acknowledged on its issue by who may write, and by nobody else', async () => {
  await comment('stranger', '/ack');
  await comment('maria', '> /ack');
  await comment('dev', '`/ack`');
  await sweep(['boss']);
  expect(acks).toEqual([]);
  await comment('dev', '/ack on it');
  await sweep(['boss']);
  expect(acks).toMatchObject([{ by: 'dev', channel: 'github', incident: { issue: 1 } }]);
  await sweep(['boss']);
  expect(acks).toEqual([]);
});

it('lets a held effect through the door, by the hash that the door asked for', async () => {
  const door: DoorRig = await openDoor(rig);
  try {
    const run = await rig.forge.actions.createRun({
      ...at,
      conclusion: 'failure',
      jobs: [{ name: 'test', conclusion: 'failure' }],
    });
    const request = effect(
      'rerunFailedJobs',
      { runId: run.id, runAttempt: 1 },
      { needsApproval: 'the test wants it' },
    );
    const hold = await door.run(request);
    if (hold.status !== 'hold' || hold.approval === undefined) throw new Error(JSON.stringify(hold));
    const real = createApprovalsSource({
      github: async () => rig.github,
      decide: (decision) => decideApproval(door.database.pool, decision),
      acknowledge: noAck,
    });
    await comment('stranger', `/approve ${hold.approval.hash}`);
    memory = (await rig.read(real, memory)).memory;
    expect(await door.run(request)).toMatchObject({ status: 'hold' });
    await comment('dev', `Go.\n\n/approve ${hold.approval.hash}`);
    memory = (await rig.read(real, memory)).memory;
    expect(await openApprovals(door.database.pool, 'acme')).toMatchObject([
      { state: 'approved', decidedBy: 'dev', channel: 'github' },
    ]);
    expect(await door.run(request)).toMatchObject({ status: 'receipt', outcome: 'applied' });
    expect(await rig.forge.journal.writes({ kind: 'runRerun' })).toHaveLength(1);
  } finally {
    await door.stop();
  }
});
