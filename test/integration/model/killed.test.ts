// MODEL-3, DUR-2: a process that is killed in a call: what was stored is not asked again, what was not is asked once more at most, and all that may have
// been used is paid for.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ModelRig, nowMs, openRig } from './rig.ts';

let rig: ModelRig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(async () => {
  await rig.stop();
});

const leaseMarginMs = 1_500;
/** With the timeout of a call, the lease is 2.5 s: the second process waits it out. */
const model = { timeout: '1s' };
const tries = 60;

it.each([
  // `sent`: requests that the provider saw, in all.
  { killAt: 'reserved', sent: 1, outcomes: ['lapsed', 'answered'] },
  { killAt: 'answered', sent: 2, outcomes: ['lapsed', 'answered'] },
  { killAt: 'stored', sent: 1, outcomes: ['answered'] },
] as const)('SIGKILL at "$killAt"', async ({ killAt, sent, outcomes }) => {
  const tenant = await rig.tenant(model);
  const word = `killed at ${killAt}`;
  const replies = Array.from({ length: sent }, (_, index) => ({ text: `answer ${index + 1}` }));
  rig.claude.script({ name: word, when: (body) => JSON.stringify(body).includes(word), replies });
  const requests = [await rig.question(tenant, { text: word })];
  const first = rig.start({ requests, nowMs, leaseMarginMs, killAt });
  expect(await first.ended).toBe('SIGKILL');
  const second = rig.start({ requests, nowMs, leaseMarginMs, tries });
  const [end] = await second.ends;
  expect(end).toMatchObject({ answer: { result: 'answered' } });
  rig.claude.verify();
  const attempts = await rig.attempts(tenant);
  expect(attempts.map(({ outcome }) => outcome)).toEqual(outcomes);
  for (const { outcome, tokens, reserved } of attempts)
    if (outcome === 'lapsed') expect(tokens).toBe(reserved);
    else expect(tokens).toBeGreaterThan(0);
  if (killAt === 'stored') expect(end).toMatchObject({ answer: { tokens: 0 } });
});

it('SIGKILL of the repetition, too: not a third time', async () => {
  const tenant = await rig.tenant(model);
  const word = 'killed twice';
  rig.claude.script({
    name: word,
    when: (body) => JSON.stringify(body).includes(word),
    replies: [{ text: 'one' }, { text: 'two' }],
  });
  const requests = [await rig.question(tenant, { text: word })];
  for (const again of [false, true]) {
    const run = rig.start({
      requests,
      nowMs,
      leaseMarginMs,
      killAt: 'answered',
      ...(again ? { tries } : {}),
    });
    expect(await run.ended).toBe('SIGKILL');
  }
  const [end] = await rig.start({ requests, nowMs, leaseMarginMs, tries }).ends;
  expect(end).toEqual({
    answer: { result: 'failed', reason: expect.stringMatching(/^2 attempts ended without an answer/) },
  });
  rig.claude.verify();
  expect((await rig.attempts(tenant)).map(({ outcome }) => outcome)).toEqual(['lapsed', 'lapsed']);
});

it('SIGSTOP for longer than the lease: the frozen process asks nothing late, and is settled in full', async () => {
  const tenant = await rig.tenant(model);
  const word = 'frozen';
  const when = (body: unknown): boolean => JSON.stringify(body).includes(word);
  let arrived = (): void => {};
  const asked = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  let answer = (): void => {};
  const after = new Promise<void>((resolve) => {
    answer = resolve;
  });
  rig.claude.script({
    name: word,
    when,
    replies: [
      () => {
        arrived();
        return { text: 'late', after };
      },
      { text: 'in time' },
    ],
  });
  const requests = [await rig.question(tenant, { text: word })];
  const frozen = rig.start({ requests, nowMs, leaseMarginMs });
  await asked;
  frozen.child.kill('SIGSTOP');
  const [end] = await rig.start({ requests, nowMs, leaseMarginMs, tries }).ends;
  expect(end).toMatchObject({ answer: { result: 'answered' } });
  answer();
  frozen.child.kill('SIGCONT');
  // Its own time is over; what it would have been told is the other's answer by now.
  expect(await frozen.ends).toEqual([{ again: expect.any(String), type: 'Model.Busy' }]);
  const attempts = await rig.attempts(tenant);
  expect(attempts.map(({ outcome }) => outcome)).toEqual(['lapsed', 'answered']);
  expect(attempts[0]?.tokens).toBe(attempts[0]?.reserved);
  rig.claude.verify();
});
