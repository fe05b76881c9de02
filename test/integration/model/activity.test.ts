// MODEL-1, MODEL-3: the activity around a call: what Temporal is told about a provider that is busy, a cancellation, and the alert at 80 % of the day.
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createActivities } from '../../../src/activities/index.ts';
import { createServices } from '../../../src/activities/services.ts';
import { createSecretResolver } from '../../../src/config/secrets.ts';
import type { ModelActivities, ModelCallAnswer, ModelCallRequest } from '../../../src/contract/model.ts';
import { type ModelRig, nowMs, openRig } from './rig.ts';

let rig: ModelRig;
const alerts: string[] = [];
beforeAll(async () => {
  rig = await openRig();
});
afterAll(async () => {
  await rig.stop();
});

const isAbout = (word: string) => (body: { messages: unknown }) =>
  JSON.stringify(body.messages).includes(word);

/** The registered activity, as a worker runs it. */
function run(environment: MockActivityEnvironment, request: ModelCallRequest): Promise<ModelCallAnswer> {
  const { pool, redactor, claude } = rig;
  const secrets = createSecretResolver({ env: { ANTHROPIC_API_KEY: claude.apiKey }, redactor });
  const activities = createActivities(createServices({ pool, redactor, secrets, cacheDir: 'none' }), {
    console: (line) => alerts.push(line),
    maxCycles: 1,
  });
  const { callModel } = activities as unknown as ModelActivities;
  return environment.run(callModel, request);
}

it('a provider that is busy: retried when it says so, with a type and without the key (MODEL-1)', async () => {
  const tenant = await rig.tenant();
  const headers = { 'retry-after': '42' };
  const busy = { status: 429, type: 'rate_limit_error', message: `slow down, ${rig.claude.apiKey}`, headers };
  rig.claude.script({ name: 'busy', when: isAbout('busy'), replies: [busy] });
  const failure = await run(
    new MockActivityEnvironment(),
    await rig.question(tenant, { text: 'busy' }),
  ).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ApplicationFailure);
  expect(failure).toMatchObject({
    type: 'Model.Busy',
    nonRetryable: false,
    nextRetryDelay: 42_000,
    message: 'the model API answered 429: slow down, [secret:ANTHROPIC_API_KEY]',
  });
});

it('the tenth try: people and rules go on', async () => {
  const tenant = await rig.tenant();
  rig.claude.script({ name: 'ten', when: isAbout('ten times'), replies: [{ status: 529 }] });
  const request = { ...(await rig.question(tenant, { text: 'ten times' })), nowMs };
  expect(await run(new MockActivityEnvironment({ attempt: 10 }), request)).toMatchObject({
    result: 'unavailable',
  });
});

it('is cancelled: the request ends at the provider', async () => {
  const tenant = await rig.tenant();
  rig.claude.script({ name: 'cancelled', when: isAbout('to be cancelled'), replies: [{ fault: 'hang' }] });
  const environment = new MockActivityEnvironment();
  const ended = run(environment, await rig.question(tenant, { text: 'to be cancelled' }));
  await expect.poll(() => rig.claude.requests().at(-1)?.script).toBe('cancelled');
  environment.cancel('CANCELLED');
  await expect(ended).rejects.toThrow();
  await expect.poll(() => rig.claude.requests().at(-1)?.aborted).toBe(true);
  expect(await rig.attempts(tenant)).toMatchObject([{ outcome: 'unknown' }]);
});

it('80 % of the day: one alert, on the channels of the tenant (MODEL-3)', async () => {
  const tenant = await rig.tenant({ budgets: { tokensPerDay: 20_000 } });
  rig.claude.script({
    name: 'much',
    when: isAbout('much'),
    replies: [{ text: 'ok', outputTokens: 10 }],
    repeatLast: true,
  });
  const ask = async (text: string) => {
    const request = { ...(await rig.question(tenant, { text, fingerprint: text })), nowMs };
    return run(new MockActivityEnvironment({ scheduledTimestampMs: Date.now() }), request);
  };
  expect(await ask('much 1')).toMatchObject({ result: 'answered' });
  expect(alerts).toEqual([]);
  await rig.pool.query(`update model_attempts set tokens = 16000 where tenant = $1`, [tenant]);
  // What is left of the day is too little for the bound of 8,000 of output.
  expect(await ask('much 2')).toMatchObject({ result: 'unavailable' });
  await rig.pool.query(
    `update tenants set config = jsonb_set(config, '{model,maxTokens,triage}', '1000') where tenant = $1`,
    [tenant],
  );
  expect(await ask('much 2')).toMatchObject({ result: 'answered', warning: expect.stringContaining('80 %') });
  expect(await ask('much 3')).toMatchObject({ result: 'answered' });
  expect(alerts).toEqual([expect.stringContaining('The model budget of the day is nearly used')]);
});
