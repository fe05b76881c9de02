// One call of the model (MODEL-1): stored answer → key → reservation → request → settlement. Whoever asks gets a result, never an exception, for
// what people and rules can go on without; TryAgain is for what passes.
import { setTimeout as delay } from 'node:timers/promises';
import { SecretUnavailable } from '../../config/secrets.ts';
import type { ModelCallAnswer, ModelCallRequest } from '../../contract/model.ts';
import { failures } from '../../contract/names.ts';
import type { ClaudeAnswer } from '../../integrations/anthropic/answer.ts';
import { createClaude } from '../../integrations/anthropic/client.ts';
import type { Conversation } from '../../integrations/anthropic/conversation.ts';
import { ClaudeError, claudeError } from '../../integrations/anthropic/errors.ts';
import { isAway } from '../../store/database.ts';
import { ConversationGone, cleanConversation, readConversation } from '../../store/model/conversations.ts';
import { readCall } from '../../store/model/model-calls.ts';
import { readTenant } from '../../store/tenants.ts';
import { TryAgain } from '../effects/door-failure.ts';
import type { Services } from '../services.ts';
import { type Asked, boundsOf, questionOf } from './question.ts';
import { knownAnswer, reserve } from './reserve.ts';
import { type Place, settleAnswer, settleFailure } from './settle.ts';

/** Where tests stop a process. */
export type ModelPoint = 'reserved' | 'answered' | 'stored';

export type ModelOptions = {
  /** The lease is the time of a call and this. */
  readonly leaseMarginMs?: number;
  readonly atPoint?: (point: ModelPoint) => Promise<void>;
};

export type CallContext = {
  readonly signal: AbortSignal;
  /** Policy time: whose UTC day pays. */
  readonly nowMs: number;
  /** The provider had its chances: what is busy is `unavailable` now. */
  readonly lastTry: boolean;
};

export type ModelCaller = (request: ModelCallRequest, context: CallContext) => Promise<ModelCallAnswer>;

const busyForMs = 15 * 60_000;
const storeAgainMs = 500;

/** @throws TryAgain, or the signal's reason when it was cancelled */
export function createModelCaller(
  services: Pick<Services, 'pool' | 'redactor' | 'secrets' | 'learn'>,
  options: ModelOptions = {},
): ModelCaller {
  const { pool, redactor, secrets } = services;
  const { leaseMarginMs = 60_000, atPoint = async () => {} } = options;

  async function ask(
    place: Place,
    apiKey: string,
    sinceMs: number,
    context: CallContext,
  ): Promise<ModelCallAnswer> {
    const { asked, settings } = place;
    const untilMs = sinceMs + settings.timeoutMs + leaseMarginMs;
    let answer: ClaudeAnswer;
    try {
      await atPoint('reserved');
      // A process that was frozen meanwhile would still ask when its lease is over.
      if (performance.now() - sinceMs > leaseMarginMs / 2)
        throw new ClaudeError('unsent', 'the reservation got old before it was used');
      answer = await createClaude({ apiKey, baseUrl: settings.baseUrl }).ask({
        conversation: asked.conversation,
        model: asked.question.model,
        maxTokens: asked.maxTokens,
        timeoutMs: settings.timeoutMs,
        signal: context.signal,
      });
    } catch (error) {
      return without(place, claudeError(error, Date.now()), untilMs, context);
    }
    await atPoint('answered');
    // What was paid for is not thrown away because the store is away for a moment.
    const stored = await whileAway(() => settleAnswer(place, answer), untilMs);
    await atPoint('stored');
    if (stored === undefined)
      throw new TryAgain(failures.modelBusy, 'somebody else asks the same now', 1_000);
    return stored;
  }

  async function without(
    place: Place,
    error: ClaudeError,
    untilMs: number,
    context: CallContext,
  ): Promise<ModelCallAnswer> {
    const { kind } = error;
    const outcome = kind === 'unknown' || kind === 'cancelled' ? 'unknown' : 'rejected';
    const failure = { outcome, reason: redactor.redact(error.message), forGood: kind === 'refused' } as const;
    const { mayAskAgain, reason } = await whileAway(() => settleFailure(place, failure), untilMs);
    if (kind === 'cancelled') throw context.signal.reason;
    if (kind === 'settings') {
      const { purpose } = place.asked.question;
      const fix = `check model.apiKey, model.baseUrl, model.models.${purpose}, and the account at the provider`;
      return unavailable(`${reason}. Fix: ${fix}`);
    }
    if (!mayAskAgain) return { result: 'failed', reason };
    if (context.lastTry) return unavailable(reason, context.nowMs + busyForMs);
    throw new TryAgain(failures.modelBusy, reason, error.retryAfterMs);
  }

  return async (request, context) => {
    const row = await readTenant(pool, request.tenant);
    if (!row) return { result: 'failed', reason: `tenant "${request.tenant}" is not registered` };
    await services.learn(row);
    const settings = row.config.model;
    if (!settings.enabled) return unavailable('model.enabled is false in the settings of the tenant');
    const question = questionOf(request, settings);
    const known = await knownAnswer(pool, request.tenant, await readCall(pool, question.key));
    if (known !== undefined) return known;
    let conversation: Conversation;
    try {
      conversation = await readConversation({ db: pool }, request.tenant, request.conversation);
    } catch (error) {
      if (error instanceof ConversationGone) return { result: 'failed', reason: error.message };
      throw error;
    }
    if (conversation.messages.at(-1)?.role !== 'user')
      return { result: 'failed', reason: 'the conversation does not end with a user turn' };
    let apiKey: string;
    try {
      apiKey = await secrets.resolve(settings.apiKey, 'model.apiKey');
    } catch (error) {
      if (error instanceof SecretUnavailable) return unavailable(error.message);
      throw error;
    }
    const clean = cleanConversation(redactor, conversation);
    const asked: Asked = await boundsOf(pool, redactor, question, clean, settings);
    const sinceMs = performance.now();
    const leaseMs = settings.timeoutMs + leaseMarginMs;
    const taken = await reserve(pool, asked, settings, { nowMs: context.nowMs, leaseMs });
    if ('result' in taken) return taken;
    const evidence = { redactor, retentionMs: row.config.retention.evidenceMs };
    return ask({ pool, evidence, asked, taken, settings, nowMs: context.nowMs }, apiKey, sinceMs, context);
  };
}

function unavailable(reason: string, untilMs: number | null = null): ModelCallAnswer {
  return { result: 'unavailable', reason, untilMs };
}

/** Again while Postgres is away, until the lease ends. */
async function whileAway<T>(work: () => Promise<T>, untilMs: number): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isAway(error) || performance.now() > untilMs) throw error;
      await delay(storeAgainMs);
    }
  }
}
