// Asks Claude once: streamed, bounded in time, no retries of its own (Temporal retries). Knows nothing of Temporal, of budgets, or of who asks.
import Anthropic from '@anthropic-ai/sdk';
import { type ClaudeAnswer, readAnswer } from './answer.ts';
import type { Conversation } from './conversation.ts';
import { ClaudeError, claudeError } from './errors.ts';
import { requestOf } from './request.ts';

export type Claude = {
  /**
   * Streamed, because a long answer takes minutes: something comes all the time, so that no proxy ends an idle connection, and a cancellation
   * ends the work at the provider too.
   * @throws ClaudeError
   */
  readonly ask: (question: {
    readonly conversation: Conversation;
    readonly model: string;
    readonly maxTokens: number;
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
  }) => Promise<ClaudeAnswer>;
};

export function createClaude(options: { readonly apiKey: string; readonly baseUrl: string }): Claude {
  const client = new Anthropic({
    apiKey: options.apiKey,
    baseURL: options.baseUrl,
    maxRetries: 0,
    // Its log would show what was sent.
    logLevel: 'off',
  });
  return {
    ask: async ({ conversation, model, maxTokens, timeoutMs, signal }) => {
      const timeout = AbortSignal.timeout(timeoutMs);
      try {
        const stream = await client.messages.create(requestOf(conversation, { model, maxTokens }), {
          signal: AbortSignal.any([signal, timeout]),
          timeout: timeoutMs,
        });
        return await readAnswer(stream);
      } catch (error) {
        if (signal.aborted) throw new ClaudeError('cancelled', 'cancelled');
        // The SDK ends an aborted stream as if it were complete.
        if (timeout.aborted)
          throw new ClaudeError(
            'unknown',
            `the model API gave no whole answer in ${timeoutMs / 1_000} s (model.timeout)`,
          );
        throw claudeError(error, Date.now());
      }
    },
  };
}
