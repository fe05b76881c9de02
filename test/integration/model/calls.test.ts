// MODEL-1, MODEL-3: one call after the other against the scripted Claude: the stored answer, the cache, what is missing, what the provider says.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TryAgain } from '../../../src/activities/effects/door-failure.ts';
import { freePort } from '../../../src/embedded/machine/ports.ts';
import {
  type Conversation,
  lastText,
  lastToolCalls,
} from '../../../src/integrations/anthropic/conversation.ts';
import { readConversation } from '../../../src/store/model/conversations.ts';
import { type ModelRig, now, openRig } from './rig.ts';

let rig: ModelRig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(async () => {
  await rig.stop();
});

const editor = { type: 'text_editor_20250728', name: 'str_replace_based_edit_tool' } as const;
const bash = { type: 'bash_20250124', name: 'bash' } as const;
const isAbout = (word: string) => (body: { messages: unknown }) =>
  JSON.stringify(body.messages).includes(word);

describe('a call', () => {
  it('is made once for the same question; the stored answer costs nothing (MODEL-3)', async () => {
    const tenant = await rig.tenant();
    rig.claude.script({
      name: 'once',
      when: isAbout('once-only'),
      replies: [{ text: 'a flake', outputTokens: 40 }],
    });
    const request = await rig.question(tenant, { text: 'once-only' });
    const first = await rig.caller()(request, now());
    if (first.result !== 'answered') throw new Error(JSON.stringify(first));
    expect(first).toMatchObject({ stopReason: 'end_turn', toolCalls: [] });
    expect(first.tokens).toBeGreaterThan(40);
    // Haiku: 0.1 and 0.5 dollars per million, so that a token of output is half a millionth.
    expect(first.costMicroUsd).toBe(Math.ceil((first.tokens - 40) * 0.1 + 40 * 0.5));
    const again = await rig.caller()(request, now());
    expect(again).toEqual({ ...first, tokens: 0, costMicroUsd: 0 });
    const [attempt, ...more] = await rig.attempts(tenant);
    expect(more).toEqual([]);
    expect(attempt).toMatchObject({ outcome: 'answered', tokens: first.tokens, day: '2026-11-21' });
    const said = await readConversation({ db: rig.pool }, tenant, first.conversation);
    expect(lastText(said)).toBe('a flake');
    // The stored answer needs no key either.
    expect(await rig.caller({ env: {} })(request, now())).toMatchObject({ result: 'answered', tokens: 0 });
    rig.claude.verify();
  });

  it('goes on over turns with tools; the second turn reads the prompt cache, thinking goes back unchanged', async () => {
    const tenant = await rig.tenant();
    rig.claude.script({
      name: 'turns',
      when: isAbout('many turns'),
      replies: [
        { thinking: 'look first', tools: [{ name: 'bash', input: { command: 'ls' } }] },
        { text: 'done' },
      ],
    });
    const conversation: Conversation = {
      system: `You fix. ${'Rules of the house. '.repeat(200)}`,
      tools: [bash, editor],
      messages: [{ role: 'user', content: 'many turns' }],
    };
    const first = await rig.caller()(
      await rig.question(tenant, { purpose: 'implement', conversation }),
      now(),
    );
    if (first.result !== 'answered') throw new Error(JSON.stringify(first));
    expect(first).toMatchObject({ stopReason: 'tool_use', toolCalls: [{ name: 'bash' }] });
    const said = await readConversation({ db: rig.pool }, tenant, first.conversation);
    const [call] = lastToolCalls(said);
    expect(call?.input).toEqual({ command: 'ls' });
    const next: Conversation = {
      ...said,
      messages: [
        ...said.messages,
        {
          role: 'user',
          // In the wrong order, and with an empty text: the API refuses both, so they are put right.
          content: [
            { type: 'text', text: '' },
            { type: 'tool_result', tool_use_id: call?.id ?? '', content: 'src' },
          ],
        },
      ],
    };
    const second = await rig.caller()(
      await rig.question(tenant, { purpose: 'implement', conversation: next }),
      now(),
    );
    expect(second).toMatchObject({ result: 'answered', stopReason: 'end_turn' });
    rig.claude.verify();
    const { rows } = await rig.pool.query(
      'select usage, reserved_tokens as reserved, tokens from model_attempts where tenant = $1 order by id',
      [tenant],
    );
    expect(rows[0].usage.cacheWrite).toBeGreaterThan(600);
    expect(rows[1].usage.cacheRead).toBe(rows[0].usage.cacheWrite);
    // What the first call used is known, so that the second reserves little more than that and its own answer.
    expect(rows[1].reserved - 16_000).toBeLessThan(rows[0].tokens + 2_500);
    for (const { reserved, tokens } of rows) expect(reserved).toBeGreaterThanOrEqual(tokens);
  });

  it('keeps a tool call that is no JSON, and says so to whoever judges it (DUR-4)', async () => {
    const tenant = await rig.tenant();
    rig.claude.script({
      name: 'malformed',
      when: isAbout('malformed'),
      replies: [{ tools: [{ name: 'bash', input: '{"command": "ls' }] }],
    });
    const conversation: Conversation = {
      system: '',
      tools: [bash],
      messages: [{ role: 'user', content: 'malformed' }],
    };
    const answer = await rig.caller()(await rig.question(tenant, { conversation }), now());
    if (answer.result !== 'answered') throw new Error(JSON.stringify(answer));
    const said = await readConversation({ db: rig.pool }, tenant, answer.conversation);
    expect(lastToolCalls(said)[0]?.input).toEqual({ INVALID_JSON: '{"command": "ls' });
    rig.claude.verify();
  });

  it('sends no secret, and stores none (SEC-2)', async () => {
    const tenant = await rig.tenant();
    const key = rig.claude.apiKey;
    rig.claude.script({
      name: 'secret',
      when: isAbout('leak'),
      replies: [{ text: `the key is ${key}`, thinking: `I saw ${key}` }],
    });
    const request = await rig.question(tenant, { text: 'no leak' });
    const answer = await rig.caller()(request, now());
    if (answer.result !== 'answered') throw new Error(JSON.stringify(answer));
    const said = await readConversation({ db: rig.pool }, tenant, answer.conversation);
    expect(JSON.stringify(said)).not.toContain(key);
    expect(said.messages.at(-1)?.content).toEqual([
      { type: 'text', text: 'the key is [secret:ANTHROPIC_API_KEY]' },
    ]);
    const { rows } = await rig.pool.query('select * from evidence, model_calls, model_attempts, audit');
    expect(JSON.stringify(rows)).not.toContain(key);
  });

  it('sends no secret that became known after it was stored (SEC-2)', async () => {
    const tenant = await rig.tenant();
    const late = 'value-of-a-rotated-secret';
    rig.claude.script({ name: 'late', when: isAbout('rotated'), replies: [{ text: 'ok' }] });
    const request = await rig.question(tenant, { text: `rotated: ${late}` });
    rig.redactor.register('ROTATED', late);
    expect(await rig.caller()(request, now())).toMatchObject({ result: 'answered' });
    const sent = rig.claude.requests().at(-1)?.bytes.toString();
    expect(sent).toContain('rotated: [secret:ROTATED]');
    expect(sent).not.toContain(late);
  });
});

describe('without', () => {
  it.each([
    ['a key', {}, /^model\.apiKey: env:ANTHROPIC_API_KEY is not set\. Fix: set ANTHROPIC_API_KEY/],
    ['permission: it is switched off', { enabled: false }, /^model\.enabled is false/],
    ['a budget', { budgets: { tokensPerDay: 0 } }, /^model\.budgets\.tokensPerDay is 0/],
  ])('%s: unavailable, nothing is asked (MODEL-1)', async (_, model, reason) => {
    const before = rig.claude.requests().length;
    const tenant = await rig.tenant(model);
    const env = Object.keys(model).length === 0 ? { env: {} } : {};
    const answer = await rig.caller(env)(await rig.question(tenant, {}), now());
    expect(answer).toEqual({ result: 'unavailable', reason: expect.stringMatching(reason), untilMs: null });
    expect(rig.claude.requests()).toHaveLength(before);
    expect(await rig.attempts(tenant)).toEqual([]);
  });

  it('a conversation: failed, since nothing would bring it back', async () => {
    const tenant = await rig.tenant();
    const request = { ...(await rig.question(tenant, {})), conversation: '0'.repeat(64) };
    expect(await rig.caller()(request, now())).toMatchObject({
      result: 'failed',
      reason: expect.stringContaining('retention.evidence'),
    });
  });
});

describe('the provider says', () => {
  type Want = {
    readonly again?: { readonly delayMs?: number | undefined };
    readonly result?: string;
    readonly reason?: RegExp;
  };
  const busy = (delayMs?: number): Want => ({ again: { delayMs } });
  it.each<[string, object, Want]>([
    [
      '429 with Retry-After',
      { status: 429, type: 'rate_limit_error', headers: { 'retry-after': '17' } },
      busy(17_000),
    ],
    ['529', { status: 529, type: 'overloaded_error', message: 'Overloaded' }, busy()],
    ['500', { status: 500 }, busy()],
    ['503 with an hour', { status: 503, headers: { 'retry-after': '3600' } }, busy(300_000)],
    [
      '401',
      { status: 401, type: 'authentication_error', message: 'invalid x-api-key' },
      { result: 'unavailable', reason: /401: invalid x-api-key\. Fix: check model\.apiKey/ },
    ],
    ['403', { status: 403, type: 'permission_error' }, { result: 'unavailable', reason: /Fix: check/ }],
    [
      '404',
      { status: 404, type: 'not_found_error', message: 'model: claude-x' },
      { result: 'unavailable', reason: /model\.models\.triage/ },
    ],
    ['a billing error', { status: 400, type: 'billing_error' }, { result: 'unavailable', reason: /account/ }],
    [
      '429 that waiting does not lift',
      { status: 429, headers: { 'x-should-retry': 'false' } },
      { result: 'unavailable', reason: /account/ },
    ],
    [
      '400',
      { status: 400, type: 'invalid_request_error', message: 'messages: too long' },
      { result: 'failed', reason: /400: messages: too long/ },
    ],
    ['413', { status: 413, type: 'request_too_large' }, { result: 'failed', reason: /413/ }],
  ])('%s', async (name, reply, want) => {
    const tenant = await rig.tenant();
    const word = `says ${name}`;
    rig.claude.script({ name: word, when: isAbout(word), replies: [reply as never] });
    const request = await rig.question(tenant, { text: word });
    const end = await rig
      .caller()(request, now())
      .catch((error: unknown) => error);
    if (want.again) {
      expect(end).toBeInstanceOf(TryAgain);
      expect(end).toMatchObject({ type: 'Model.Busy', delayMs: want.again.delayMs });
    } else
      expect(end).toMatchObject({ result: want.result, reason: expect.stringMatching(want.reason ?? /./) });
    // An answer that is no turn costs nothing.
    expect(await rig.attempts(tenant)).toMatchObject([{ outcome: 'rejected', tokens: 0, microUsd: 0 }]);
    if (want.result === 'failed') {
      // For good: the same request is not made again.
      expect(await rig.caller()(request, now())).toEqual(end);
      expect(await rig.attempts(tenant)).toHaveLength(1);
    } else {
      rig.claude.script({ name: `${word} later`, when: isAbout(word), replies: [{ text: 'ok' }] });
      expect(await rig.caller()(request, now())).toMatchObject({ result: 'answered' });
    }
    rig.claude.verify();
  });

  it('that it is overloaded, for too long: unavailable for a while', async () => {
    const tenant = await rig.tenant();
    rig.claude.script({ name: 'long', when: isAbout('for long'), replies: [{ status: 529 }] });
    const request = await rig.question(tenant, { text: 'for long' });
    const context = now();
    expect(await rig.caller()(request, { ...context, lastTry: true })).toMatchObject({
      result: 'unavailable',
      untilMs: context.nowMs + 15 * 60_000,
    });
  });

  it.each(['truncate', 'garbage', 'page', 'reset', 'overloadedInStream'] as const)(
    'half of an answer (%s): settled in full, asked once more, and not a third time (MODEL-3)',
    async (fault) => {
      const tenant = await rig.tenant();
      const word = `half ${fault}`;
      rig.claude.script({ name: word, when: isAbout(word), replies: [{ fault }, { fault }] });
      const request = await rig.question(tenant, { text: word });
      await expect(rig.caller()(request, now())).rejects.toMatchObject({ type: 'Model.Busy' });
      const end = await rig.caller()(request, now());
      expect(end).toMatchObject({
        result: 'failed',
        reason: expect.stringContaining('an attempt before was lost'),
      });
      expect(await rig.caller()(request, now())).toEqual(end);
      const attempts = await rig.attempts(tenant);
      expect(attempts).toHaveLength(2);
      for (const { outcome, tokens, reserved } of attempts)
        expect([outcome, tokens]).toEqual(['unknown', reserved]);
      rig.claude.verify();
    },
  );

  it('nothing in time: like half of an answer', async () => {
    const tenant = await rig.tenant({ timeout: '1s' });
    rig.claude.script({ name: 'hang', when: isAbout('hang'), replies: [{ fault: 'hang' }] });
    const request = await rig.question(tenant, { text: 'hang' });
    await expect(rig.caller()(request, now())).rejects.toThrow('no whole answer in 1 s (model.timeout)');
    expect(await rig.attempts(tenant)).toMatchObject([{ outcome: 'unknown' }]);
  });

  it('nothing: nobody is there, which costs nothing', async () => {
    const tenant = await rig.tenant({ baseUrl: `http://127.0.0.1:${await freePort()}` });
    const request = await rig.question(tenant, {});
    await expect(rig.caller()(request, now())).rejects.toThrow(
      'the model API cannot be reached (ECONNREFUSED)',
    );
    expect(await rig.attempts(tenant)).toMatchObject([{ outcome: 'rejected', tokens: 0 }]);
  });
});

it('is cancelled in the middle: the provider hears of it, and it is settled in full', async () => {
  const tenant = await rig.tenant();
  const stop = new AbortController();
  rig.claude.script({
    name: 'slow',
    when: isAbout('slow'),
    replies: [{ fault: 'hang' }, { text: 'after all' }],
  });
  const request = await rig.question(tenant, { text: 'slow' });
  const ended = rig.caller()(request, { ...now(), signal: stop.signal });
  await expect.poll(() => rig.claude.requests().at(-1)?.script).toBe('slow');
  stop.abort(new Error('the remedy was cancelled'));
  await expect(ended).rejects.toThrow('the remedy was cancelled');
  await expect.poll(() => rig.claude.requests().at(-1)?.aborted).toBe(true);
  expect(await rig.attempts(tenant)).toMatchObject([{ outcome: 'unknown' }]);
  // It may be asked again at once.
  expect(await rig.caller()(request, now())).toMatchObject({ result: 'answered' });
});
