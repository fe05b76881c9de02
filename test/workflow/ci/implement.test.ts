// CI-5b, CI-6, CI-9, MODEL-1: what the steps of a fix by the model say is what the remedy does; a budget that is used up in the middle is waited for, and
// the draft goes on where it was.
import { afterEach, expect } from 'vitest';
import { putAside } from '../../../src/activities/remedies/implement/fix-store.ts';
import type { CiFixOutcome } from '../../../src/contract/activities.ts';
import type { FixDraft, ImplementActivities, ToolAnswer } from '../../../src/contract/implement.ts';
import type { ModelActivities, ModelCallAnswer } from '../../../src/contract/model.ts';
import { readMemory } from '../../../src/store/findings.ts';
import { keep } from '../../replay/histories.ts';
import { createRig, hourMs, type Rig, type RigOptions, test, until, workspace } from '../rig.ts';

let rig: Rig;
afterEach(async () => rig.stop());

const patch = 'e'.repeat(64);
const tree = { baseSha: 'a'.repeat(40), patch: null, treeSha: 'b'.repeat(40) };
const changed = { ...tree, patch, treeSha: 'c'.repeat(40) };
const verified: CiFixOutcome = {
  result: 'verified',
  patchEvidence: patch,
  treeSha: changed.treeSha,
  files: 1,
  lines: 2,
  report: '## Evidence',
};
const unavailable = (untilMs: number | null): ModelCallAnswer => ({
  result: 'unavailable',
  reason: 'the budget of the day is used',
  untilMs,
});

type Script = {
  /** By conversation: `c0` is the first one, each turn counts up. */
  readonly answer: (conversation: string, asked: number, nowMs: number) => ModelCallAnswer | undefined;
  readonly tool?: ToolAnswer['result'];
  /** No word of ours fits into the conversation any more. */
  readonly noRoom?: boolean;
  readonly verdict?: Awaited<ReturnType<ImplementActivities['readVerdict']>>;
  /** What comes of the fixer that is configured for it. */
  readonly fixer?: CiFixOutcome;
};

type Played = {
  readonly asked: string[];
  readonly recorded: { result: string; reason: string }[];
  opened: number;
};

/** A model that calls one tool in each of two turns and then ends, but for what the script says. */
async function play(
  script: Script,
  options: RigOptions & { readonly rollAtEvents?: number } = {},
): Promise<Played> {
  rig = await createRig(options);
  const played: Played = { asked: [], recorded: [], opened: 0 };
  const turnOf = (conversation: string): number => Number(conversation.slice(1));
  const steps: ImplementActivities & ModelActivities = {
    openFix: async (ref) => {
      const bounds = { turns: 5, callsPerTurn: 2, nonsense: 2 };
      const { fixDraft } = await readMemory(rig.database.pool, ref);
      const kept = putAside(fixDraft, ref.diagnosis.headSha, ref.attempt);
      if (kept) return { result: 'opened', draft: kept, bounds };
      played.opened += 1;
      const draft: FixDraft = {
        fixCase: 'case',
        conversation: 'c0',
        tree,
        turns: 0,
        tokens: 0,
        nonsense: 0,
        ended: false,
      };
      return { result: 'opened', draft, bounds };
    },
    callModel: async ({ conversation, purpose, nowMs = 0 }) => {
      const key = purpose === 'verify' ? 'verify' : conversation;
      played.asked.push(key);
      const said = script.answer(key, played.asked.filter((one) => one === key).length, nowMs);
      if (said) return said;
      const ends = purpose === 'implement' && turnOf(conversation) >= 2;
      return {
        result: 'answered',
        conversation,
        stopReason: ends ? 'end_turn' : 'tool_use',
        toolCalls: ends ? [] : [{ id: 'call', name: 'bash' }],
        tokens: 100,
        costMicroUsd: 1,
      };
    },
    runTool: async ({ conversation }) => ({
      conversation: `c${turnOf(conversation) + 1}`,
      tree: changed,
      result: script.tool ?? 'ran',
    }),
    tellModel: async ({ conversation }) =>
      script.noRoom ? { conversation, full: true } : { conversation: `c${turnOf(conversation) + 1}` },
    checkFix: async () => ({ result: 'passed', conversation: 'v0', check: 'check' }),
    readVerdict: async ({ absent }) =>
      absent === undefined
        ? (script.verdict ?? verified)
        : { result: 'gated', reason: `nobody looked at it: ${absent}`, report: '' },
    recordFix: async ({ result, reason }) => {
      played.recorded.push({ result, reason });
    },
  };
  const { fixer } = script;
  Object.assign(rig.world.activities, steps, fixer === undefined ? {} : { fixCi: async () => fixer });
  await rig.startWorker();
  await rig.apply('drafted', { workspaces: [workspace()] });
  Object.assign(rig.world.place('drafted').ci, {
    jobs: ['test'],
    next: 'fix',
    fixer: fixer === undefined ? null : 'formatter',
  });
  const { rollAtEvents } = options;
  await rig.startLoop('drafted', rollAtEvents === undefined ? {} : { rollAtEvents });
  return played;
}

const finding = async () => (await rig.findings('drafted'))[0];

test('CI-5b: two turns, one tool call each, verified: one pull request with that patch', async () => {
  const played = await play({ answer: () => undefined });
  await until(() => expect(rig.world.writes('openPullRequest')).toHaveLength(1));
  expect(rig.world.writes('pushBranch')[0]?.input).toMatchObject({ patchEvidence: patch });
  expect(played.asked).toEqual(['c0', 'c1', 'c2', 'verify']);
  expect(played.recorded).toMatchObject([{ result: 'verified' }]);
  await keep('fix-by-model', await rig.histories());
});

for (const rollAtEvents of [undefined, 20])
  test(`MODEL-3: a budget that is used up in the middle is waited for; the next day goes on from there${rollAtEvents ? ', in a new run' : ''}`, async () => {
    let untilMs = 0;
    const answer: Script['answer'] = (conversation, _asked, nowMs) => {
      if (conversation !== 'c2' || (untilMs > 0 && nowMs >= untilMs)) return undefined;
      untilMs ||= nowMs + 2 * hourMs;
      return unavailable(untilMs);
    };
    const played = await play({ answer }, rollAtEvents === undefined ? {} : { rollAtEvents, cached: false });
    await until(async () => expect((await finding())?.waitingFor).toContain('the budget of the day is used'));
    expect(rig.world.writes('pushBranch')).toEqual([]);
    await rig.skip(2 * hourMs + 60_000);
    await until(() => expect(rig.world.writes('openPullRequest')).toHaveLength(1));
    // No question before the wait is asked again, and it is the same attempt.
    expect(played.asked.filter((one) => one === 'c0' || one === 'c1')).toEqual(['c0', 'c1']);
    expect(played.opened).toBe(1);
    // A nudge asks once more, and then waits again.
    expect(played.asked.filter((one) => one === 'c2').length).toBeLessThan(10);
    expect((await finding())?.attempts).toBe(1);
    // The loop's own history is of no interest here, and long.
    const remedies = (await rig.histories()).filter(({ workflowId }) => workflowId.startsWith('remedy/'));
    if (rollAtEvents === undefined) await keep('fix-waits-for-budget', remedies);
  });

test('CI-6, CI-9: without a verifier nothing is proposed: a person decides at once, and no other attempt is made', async () => {
  const played = await play({
    answer: (conversation) => (conversation === 'verify' ? unavailable(null) : undefined),
  });
  await until(async () => expect((await finding())?.status).toBe('escalated'));
  expect(rig.world.writes('pushBranch')).toEqual([]);
  const reason = 'nobody looked at it: the budget of the day is used';
  expect(played.recorded).toEqual([{ result: 'gated', reason }]);
  expect(played.asked).toEqual(['c0', 'c1', 'c2', 'verify']);
  expect(await finding()).toMatchObject({ attempts: 1, waitingFor: `a person: ${reason}` });
  expect(rig.world.writes('openIssue')).toHaveLength(1);
  const remedies = (await rig.histories()).filter(({ workflowId }) => workflowId.startsWith('remedy/'));
  await keep('fix-without-verifier', remedies);
});

test('CI-9: a model that never ends, that talks nonsense, whose verifier never answers: three attempts, one issue', async () => {
  const played = await play({ answer: () => undefined, tool: 'refused' });
  await until(async () => expect((await finding())?.status).toBe('escalated'));
  expect(played.recorded).toEqual(
    Array.from({ length: 3 }, () => ({
      result: 'failed',
      reason: '2 answers in a row without a tool call that could be run',
    })),
  );
  expect((await finding())?.attempts).toBe(3);
  expect(rig.world.writes('openIssue')).toHaveLength(1);
  expect(rig.world.writes('pushBranch')).toEqual([]);
});

test('MODEL-1: an answer that was cut off in a conversation without room for a word ends the attempt by that name', async () => {
  const cutOff: ModelCallAnswer = {
    result: 'answered',
    conversation: 'c0',
    stopReason: 'max_tokens',
    toolCalls: [],
    tokens: 100,
    costMicroUsd: 1,
  };
  const played = await play({ answer: () => cutOff, noRoom: true });
  await until(async () => expect((await finding())?.status).toBe('escalated'));
  expect(played.recorded[0]).toEqual({
    result: 'failed',
    reason: 'the conversation is as long as one may be',
  });
});

test('MODEL-1: no key: no attempt is used, a person has it', async () => {
  const played = await play({ answer: () => unavailable(null) });
  await until(async () => expect((await finding())?.status).toBe('escalated'));
  expect((await finding())?.attempts).toBe(0);
  expect(played.asked).toEqual(['c0']);
  expect(played.recorded).toEqual([]);
});

test('CI-6: a verdict that cannot be read is asked for three times, then a person decides', async () => {
  const played = await play({
    answer: () => undefined,
    verdict: { result: 'again', conversation: 'v0' },
  });
  await until(async () => expect((await finding())?.status).toBe('escalated'));
  expect(played.recorded).toHaveLength(1);
  expect(played.recorded[0]?.reason).toContain('no verdict that could be read');
  expect(played.asked.filter((one) => one === 'verify')).toHaveLength(3);
});

const notFixed: CiFixOutcome = {
  result: 'notFixed',
  reason: 'the failing command still fails',
  report: 'ran it',
};

test('CI-5, CI-9: what a fixer cannot mend is the next attempt, by the model', async () => {
  const played = await play({ answer: () => undefined, fixer: notFixed });
  await until(() => expect(rig.world.writes('openPullRequest')).toHaveLength(1));
  expect(played.recorded).toEqual([
    { result: 'notFixed', reason: 'formatter: notFixed: the failing command still fails' },
    expect.objectContaining({ result: 'verified' }),
  ]);
  expect(await rig.findings('drafted')).toMatchObject([{ attempts: 2 }]);
  await keep('model-after-fixer', await rig.histories());
});

test('CI-5, MODEL-1: without a model it is a person, who is told of the fixer', async () => {
  await play({ answer: () => unavailable(null), fixer: notFixed });
  await until(async () => expect((await rig.findings('drafted'))[0]?.status).toBe('escalated'));
  const [finding] = await rig.findings('drafted');
  expect(finding).toMatchObject({ attempts: 1 });
  expect(finding?.waitingFor).toBe(
    'a person: formatter: notFixed: the failing command still fails; no model: the budget of the day is used',
  );
});

test('CI-7: what a fixer changed beyond a guard is a person at once', async () => {
  const gated: CiFixOutcome = { result: 'gated', reason: 'size src: 900 lines', report: 'the draft' };
  const played = await play({ answer: () => undefined, fixer: gated });
  await until(async () => expect((await rig.findings('drafted'))[0]?.status).toBe('escalated'));
  expect(played.asked).toEqual([]);
});
