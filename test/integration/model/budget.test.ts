// MODEL-3: caps that hold whoever asks at the same time, the change of the day, the warning, what two tenants and two findings have to do with each
// other.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readAudit } from '../../../src/store/audit.ts';
import { type ModelRig, midnightMs, now, nowMs, openRig } from './rig.ts';

let rig: ModelRig;
beforeAll(async () => {
  rig = await openRig();
  rig.claude.script(any);
});
afterAll(async () => {
  await rig.stop();
});

const isAbout = (word: string) => (body: { messages: unknown }) =>
  JSON.stringify(body.messages).includes(word);
const any = {
  name: 'any',
  when: isAbout('any'),
  replies: [{ text: 'ok', outputTokens: 10 }],
  repeatLast: true,
};
const small = { maxTokens: { triage: 1_000, implement: 1_000, verify: 1_000 } };

it('50 callers in five processes never exceed a cap, and use what they may', async () => {
  const limit = 60_000;
  const tenant = await rig.tenant({ ...small, budgets: { tokensPerDay: limit } });
  // Half of them answer with all the output that they may.
  const reply = (body: { messages: unknown }) => ({
    text: 'ok',
    outputTokens: isAbout('long')(body) ? 1_000 : 10,
  });
  rig.claude.script({ name: 'parallel', when: isAbout('question'), replies: [reply], repeatLast: true });
  const requests = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      rig.question(tenant, {
        text: `${index % 2 === 0 ? 'long' : 'short'} question ${index} ${'x'.repeat(1_000)}`,
        fingerprint: `f${index}`,
      }),
    ),
  );
  let most = 0;
  const watch = setInterval(() => {
    rig.pool
      .query('select sum(coalesce(tokens, reserved_tokens)) as held from model_attempts where tenant = $1', [
        tenant,
      ])
      .then(({ rows }) => {
        most = Math.max(most, rows[0].held ?? 0);
      })
      .catch(() => {});
  }, 5);
  const processes = Array.from({ length: 5 }, (_, index) =>
    rig.start({
      requests: requests.slice(index * 10, index * 10 + 10),
      nowMs,
      leaseMarginMs: 60_000,
      tries: 400,
    }),
  );
  const ends = (await Promise.all(processes.map((one) => one.ends))).flat();
  clearInterval(watch);
  const attempts = await rig.attempts(tenant);
  const used = attempts.reduce((sum, { tokens }) => sum + (tokens ?? 0), 0);
  expect(used).toBeLessThanOrEqual(limit);
  expect(most).toBeLessThanOrEqual(limit);
  const answered = ends.filter((end) => 'answer' in end && end.answer.result === 'answered').length;
  const refused = ends.filter((end) => 'answer' in end && end.answer.result === 'unavailable').length;
  expect([answered + refused, answered]).toEqual([50, attempts.length]);
  // What is left is less than one call may need: nobody was turned away for what others only reserved.
  if (refused > 0) expect(limit - used).toBeLessThan(Math.max(...attempts.map(({ reserved }) => reserved)));
  expect(answered).toBeGreaterThan(limit / Math.max(...attempts.map(({ reserved }) => reserved)));
}, 120_000);

it('the day is over: unavailable until midnight UTC, and resumed then, whatever the day before left open', async () => {
  const tenant = await rig.tenant({ ...small, budgets: { tokensPerDay: 6_000 } });
  const ask = async (text: string, atMs: number) =>
    rig.caller()(await rig.question(tenant, { text, fingerprint: text }), now(atMs));
  expect(await ask('any, first of the day', nowMs)).toMatchObject({ result: 'answered' });
  await rig.pool.query('update model_attempts set tokens = 4000 where tenant = $1', [tenant]);
  expect(await ask('any, second of the day', nowMs)).toEqual({
    result: 'unavailable',
    reason: expect.stringMatching(
      /may need \d+ tokens, and 4000 of model\.budgets\.tokensPerDay \(6000\) are used/,
    ),
    untilMs: midnightMs,
  });
  expect(await ask('any, second of the day', midnightMs - 1)).toMatchObject({ untilMs: midnightMs });
  expect(await ask('any, second of the day', midnightMs)).toMatchObject({ result: 'answered' });
  expect((await rig.attempts(tenant)).map(({ day }) => day)).toEqual(['2026-11-21', '2026-11-22']);
});

it('a finding has a budget of its own, that no midnight fills up; triage and fix are apart, and so are tenants', async () => {
  const model = { ...small, budgets: { triageTokens: 5_000, fixTokens: 5_000 } };
  const [tenant, other] = [await rig.tenant(model), await rig.tenant(model)];
  const ask = async (of: string, text: string, more: object = {}, atMs = nowMs) =>
    rig.caller()(await rig.question(of, { text, ...more }), now(atMs));
  expect(await ask(tenant, 'any one')).toMatchObject({ result: 'answered' });
  await rig.pool.query('update model_attempts set tokens = 4000 where tenant = $1', [tenant]);
  const out = {
    result: 'unavailable',
    reason: expect.stringContaining('model.budgets.triageTokens'),
    untilMs: null,
  };
  expect(await ask(tenant, 'any two')).toEqual(out);
  expect(await ask(tenant, 'any two', {}, midnightMs)).toEqual(out);
  expect(await ask(tenant, 'any two', { fingerprint: 'f2' })).toMatchObject({ result: 'answered' });
  expect(await ask(tenant, 'any two', { purpose: 'implement' })).toMatchObject({ result: 'answered' });
  expect(await ask(other, 'any two')).toMatchObject({ result: 'answered' });
  // Drafts and verdicts are one budget.
  await rig.pool.query(`update model_attempts set tokens = 4000 where tenant = $1 and budget = 'fix'`, [
    tenant,
  ]);
  expect(await ask(tenant, 'any three', { purpose: 'verify' })).toMatchObject({
    result: 'unavailable',
    reason: expect.stringContaining('model.budgets.fixTokens'),
  });
});

it('findings of pull requests use half of a day, however many ask at once; main has the rest', async () => {
  const limit = 40_000;
  const tenant = await rig.tenant({ ...small, budgets: { tokensPerDay: limit } });
  const fingerprints = Array.from({ length: 20 }, (_, index) => `pull${index}`);
  for (const fingerprint of fingerprints) await ofPull(tenant, fingerprint);
  const ask = async (fingerprint: string) => {
    const request = await rig.question(tenant, { text: `any ${fingerprint}`, fingerprint });
    for (;;) {
      const answer = await rig
        .caller()(request, now())
        .catch((error: unknown) => error);
      if (!(answer instanceof Error)) return answer as Awaited<ReturnType<ReturnType<typeof rig.caller>>>;
      if (!answer.message.includes('tokens of')) throw answer;
      await delay(20);
    }
  };
  // Each answered call came to as much as it might.
  await rig.pool.query(
    `create function full_price() returns trigger language plpgsql as $$ begin new.tokens := new.reserved_tokens; return new; end $$`,
  );
  await rig.pool.query(
    `create trigger full_price before update on model_attempts for each row when (new.outcome = 'answered' and new.tenant = '${tenant}')
     execute function full_price()`,
  );
  const ends = await Promise.all(fingerprints.map(ask));
  const used = (await rig.attempts(tenant)).reduce((sum, { tokens }) => sum + (tokens ?? 0), 0);
  expect(used).toBeLessThanOrEqual(limit / 2);
  const refused = ends.filter(({ result }) => result === 'unavailable');
  expect(refused.length).toBeGreaterThan(0);
  expect(refused[0]).toEqual({
    result: 'unavailable',
    reason: expect.stringContaining('the share of pull requests in model.budgets.tokensPerDay (20000)'),
    untilMs: midnightMs,
  });
  expect(await ask('main')).toMatchObject({ result: 'answered' });
});

async function ofPull(tenant: string, fingerprint: string): Promise<void> {
  await rig.pool.query(
    `insert into findings (tenant, fingerprint, occurrence, workspace, source, kind, target, signature, rule_version, severity, title, detail, status,
       first_seen_ms, last_seen_ms)
     values ($1, $2, 1, 'shop', 'ciRuns', 'ci', $2, '', 1, 'warning', '', '{"kind": "ci", "pullRequest": 7}', 'working', 0, 0)`,
    [tenant, fingerprint],
  );
}

it('warns once when most of the day is used, and keeps it in the audit trail', async () => {
  const tenant = await rig.tenant({ ...small, budgets: { tokensPerDay: 20_000 } });
  const ask = async (text: string, atMs = nowMs) =>
    rig.caller()(await rig.question(tenant, { text, fingerprint: text }), now(atMs));
  expect(await ask('any quiet')).not.toHaveProperty('warning');
  await rig.pool.query('update model_attempts set tokens = 15990 where tenant = $1', [tenant]);
  expect(await ask('any loud')).toMatchObject({
    warning: expect.stringMatching(/^80 % of the model budget of 2026-11-21 is used: \d+ of 20000 tokens$/),
  });
  expect(await ask('any quiet again')).not.toHaveProperty('warning');
  const lines = await readAudit(rig.pool, { tenant, limit: 20 });
  expect(lines.filter(({ action }) => action === 'budget.warning')).toHaveLength(1);
});

it('the same question by two at once is asked once', async () => {
  const tenant = await rig.tenant(small);
  let answer = (): void => {};
  const after = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const before = rig.claude.requests().length;
  const request = await rig.question(tenant, { text: 'twice at once' });
  const { claude } = rig;
  claude.script({ name: 'held', when: isAbout('twice at once'), replies: [{ text: 'ok', after }] });
  const first = rig.caller()(request, now());
  await expect.poll(() => claude.requests().length).toBe(before + 1);
  await expect(rig.caller()(request, now())).rejects.toMatchObject({ type: 'Model.Busy' });
  answer();
  expect(await first).toMatchObject({ result: 'answered' });
  expect(await rig.caller()(request, now())).toMatchObject({ result: 'answered', tokens: 0 });
  expect(claude.requests()).toHaveLength(before + 1);
});
