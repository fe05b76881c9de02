// LOOP-13: an approval is bound to the exact effect, is used once, is void when what it was bound to changed, and counts only over a channel
// that is strong enough.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EffectAnswer, EffectRequest } from '../../../src/contract/effect.ts';
import {
  type ApprovalDecision,
  decideApproval,
  expireApprovals,
  openApprovals,
  voidApprovals,
} from '../../../src/store/approvals.ts';
import { approvalHash, effectDigest, effectKey } from '../../../src/store/claims.ts';
import { type DoorScene, idOf, openScene, outcome, thing } from './scripted.ts';

let scene: DoorScene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene.stop());

const hour = 3_600_000;
const policy = { needsApproval: 'the policy of production is approval' } as const;
const hashOf = (request: EffectRequest) => approvalHash(effectKey(request), effectDigest(request));
const decide = (request: EffectRequest, more: Partial<ApprovalDecision> = {}) =>
  decideApproval(scene.pool, {
    tenant: request.tenant,
    hash: hashOf(request),
    decision: 'approve',
    by: 'maria',
    channel: 'github',
    reason: '',
    nowMs: request.nowMs,
    ...more,
  });
const stateOf = async (request: EffectRequest) =>
  (
    await scene.pool.query('select state from approvals where tenant = $1 and hash = $2', [
      request.tenant,
      hashOf(request),
    ])
  ).rows[0]?.state;
const asked = (request: EffectRequest) => ({
  status: 'hold',
  guard: 'approval',
  approval: { hash: hashOf(request), expiresAtMs: request.nowMs + 7 * 24 * hour },
  untilMs: request.nowMs + hour,
});

describe.concurrent('an approval', () => {
  it('is asked for once, waits, is used once', async () => {
    const tenant = await scene.tenant();
    const request = thing(tenant, {}, policy);
    expect(await scene.run(request)).toMatchObject(asked(request));
    // Six days later it still waits, and is reminded of no more; asking again asks nothing new.
    const later = { ...request, nowMs: request.nowMs + 6 * 24 * hour };
    expect(await scene.run(later)).toMatchObject({
      approval: { expiresAtMs: request.nowMs + 7 * 24 * hour },
      untilMs: request.nowMs + 7 * 24 * hour,
    });
    expect(await openApprovals(scene.pool, tenant)).toHaveLength(1);
    expect(scene.remote.arrived).not.toContain(idOf(request));
    expect(await decide(request, { nowMs: later.nowMs })).toMatchObject({ result: 'decided' });
    expect(await scene.run(later)).toMatchObject({ outcome: 'applied' });
    expect(await stateOf(request)).toBe('used');
    expect(await decide(request, { nowMs: later.nowMs })).toMatchObject({ result: 'over' });
  });

  it('lets exactly the effect through that it was given for', async () => {
    const tenant = await scene.tenant();
    const request = thing(tenant, {}, policy);
    await scene.run(request);
    await decide(request);
    for (const other of [
      { ...request, step: 'another' },
      { ...request, precondition: 'another head' },
      { ...request, requester: 'another remedy' },
      { ...request, target: 'another' },
      { ...request, step: 'content', input: { id: idOf(request), title: 'another' } },
    ])
      expect(await scene.run(other)).toMatchObject({ ...asked(other), status: 'hold' });
    expect(scene.remote.arrived).not.toContain(idOf(request));
    expect(await scene.run(request)).toMatchObject({ outcome: 'applied' });
  });

  it('is void with its reason when the evidence, read again, has changed', async () => {
    const tenant = await scene.tenant();
    const request = thing(tenant, { changed: 'the head is at b now' }, policy);
    await scene.run(request);
    await decide(request);
    expect(await scene.run(request)).toMatchObject({ outcome: 'stale', reason: 'the head is at b now' });
    expect(await stateOf(request)).toBe('void');
    expect(await decide(request)).toMatchObject({
      result: 'over',
      message: expect.stringContaining('is void'),
    });
  });

  it('is void when the plan has changed meanwhile', async () => {
    const tenant = await scene.tenant();
    const request = thing(tenant, {}, policy);
    await scene.run(request);
    await decide(request);
    const voided = await voidApprovals(scene.pool, {
      tenant,
      requester: request.requester,
      keepPrecondition: 'new plan',
      kinds: [request.kind],
      reason: 'the plan changed',
    });
    expect(voided).toBe(1);
    expect(await scene.run(request)).toMatchObject({
      status: 'refused',
      guard: 'approval',
      reason: 'approval void: the plan changed',
    });
  });

  it('that was rejected refuses, by whomever over whatever', async () => {
    const request = thing(await scene.tenant(), {}, policy);
    await scene.run(request);
    await decide(request, { decision: 'reject', channel: 'cli', reason: 'not today' });
    expect(await scene.run(request)).toMatchObject({
      status: 'refused',
      reason: 'rejected by maria: not today',
    });
    expect(await decide(request)).toMatchObject({ result: 'over' });
  });

  it('expires after seven days, asked or approved', async () => {
    const tenant = await scene.tenant();
    const [unanswered, unused, late] = [0, 1, 2].map(() => thing(tenant, {}, policy)) as [
      EffectRequest,
      EffectRequest,
      EffectRequest,
    ];
    for (const request of [unanswered, unused, late]) await scene.run(request);
    await decide(unused);
    const at = (request: EffectRequest) => ({ ...request, nowMs: request.nowMs + 7 * 24 * hour });
    expect(await scene.run(at(unanswered))).toMatchObject({ status: 'refused', guard: 'approval' });
    expect(await scene.run(at(unused))).toMatchObject({ status: 'refused', guard: 'approval' });
    expect(await decide(late, { nowMs: at(late).nowMs })).toMatchObject({ result: 'over' });
    await expireApprovals(scene.pool, tenant, at(late).nowMs);
    expect(await stateOf(unused)).toBe('expired');
    expect(await openApprovals(scene.pool, tenant)).toEqual([]);
  });

  it('over an unverified channel is not enough, and is raised by a verified one', async () => {
    const request = thing(await scene.tenant(), {}, policy);
    await scene.run(request);
    await decide(request, { channel: 'cli' });
    const held = (await scene.run(request)) as EffectAnswer;
    // The hash is in the answer, so that whoever waits says what to approve.
    expect(held).toMatchObject({ ...asked(request), reason: expect.stringContaining('over "cli"') });
    await decide(request, { channel: 'ui' });
    expect(await scene.run(request)).toMatchObject({ status: 'hold' });
    await decide(request, { channel: 'github' });
    expect(await scene.run(request)).toMatchObject({ outcome: 'applied' });
  });

  it('over an unverified channel is enough where the tenant says so, but never for what is destructive', async () => {
    const tenant = await scene.tenant('autonomy: { default: act }\napprovals: { channels: { cli: true } }');
    const mutating = thing(tenant, {}, policy);
    await scene.run(mutating);
    await decide(mutating, { channel: 'cli' });
    expect(await scene.run(mutating)).toMatchObject({ outcome: 'applied' });
    const destructive = thing(tenant, { risk: 'destructive' });
    expect(await scene.run(destructive)).toMatchObject(asked(destructive));
    await decide(destructive, { channel: 'cli' });
    expect(await scene.run(destructive)).toMatchObject({ status: 'hold', guard: 'approval' });
    await decide(destructive, { channel: 'slack' });
    expect(await scene.run(destructive)).toMatchObject({ outcome: 'applied' });
  });

  it('is given back when the write certainly did not happen, and is there for its next attempt after a crash', async () => {
    const request = thing(await scene.tenant(), {}, policy);
    await scene.run(request);
    await decide(request);
    const atPoint = (): void => {
      throw new Error('crashed');
    };
    await outcome(scene.run(request, { atPoint }));
    expect(await stateOf(request)).toBe('used');
    scene.remote.faults.set(idOf(request), { kind: 'instead', status: 429 });
    expect(await scene.finish(request)).toMatchObject({ outcome: 'applied' });
    expect(scene.remote.arrived.filter((id) => id === idOf(request))).toHaveLength(2);
    expect(scene.remote.count(idOf(request))).toBe(1);
    expect(await stateOf(request)).toBe('used');
  });

  it('by the beginning of its hash; not by a part that could be two, or none', async () => {
    const request = thing(await scene.tenant(), {}, policy);
    await scene.run(request);
    expect(await decide(request, { hash: hashOf(request).slice(0, 5) })).toMatchObject({ result: 'unknown' });
    expect(await decide(request, { hash: "%' or true --" })).toMatchObject({ result: 'unknown' });
    expect(await decide(request, { hash: hashOf(request), workspace: 'api' })).toMatchObject({
      result: 'unknown',
    });
    expect(await decide(request, { hash: hashOf(request).slice(0, 8) })).toMatchObject({ result: 'decided' });
    await scene.pool.query(
      `insert into approvals select tenant, 'abcdef' || n, workspace, kind, target, precondition, risk, describe, requester, fingerprint, 'asked',
         asked_ms, expires_ms, remind_ms from approvals, generate_series(1, 2) n where tenant = $1`,
      [request.tenant],
    );
    expect(await decide(request, { hash: 'abcdef' })).toMatchObject({ result: 'ambiguous' });
  });
});

it('a pause, the cap and the autonomy are asked before a person is, or hold what was approved', async () => {
  const tenant = await scene.tenant('autonomy: { default: propose }');
  const request = thing(tenant, {}, policy);
  expect(await scene.run(request)).toMatchObject({ status: 'refused', guard: 'autonomy' });
  expect(await openApprovals(scene.pool, tenant)).toEqual([]);
});
