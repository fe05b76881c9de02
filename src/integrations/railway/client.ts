// Asks Railway: one request at a time, bounded in time and size, inside the budget of its token, never retried. Every answer is parsed before anybody
// sees it. Knows nothing of Temporal; never logs, never shows its token or the value of a variable.
import * as z from 'zod';
import type { RequestBudget } from '../../policy/ops/request-budget.ts';
import { boundedText } from '../bounded-text.ts';
import { type ProviderCall, ProviderFailure, type WriteCall } from '../provider/provider.ts';
import { documents } from './documents.ts';
import { connectionFailure, faultFailure, statusFailure } from './errors.ts';
import { shapes } from './shapes.ts';

export type ClientOptions = {
  readonly apiUrl: string;
  readonly tokenKind: 'project' | 'account';
  readonly token: string;
  readonly budget: RequestBudget;
  readonly fetch?: typeof fetch;
  /** Of one request, answer included; default 15 s, shorter than a write may take. */
  readonly timeoutMs?: number;
};

type Name = keyof typeof documents;
type Variables = { readonly [name: string]: unknown };

export type Client = {
  /** @throws ProviderFailure */
  readonly read: <N extends Name>(
    name: N,
    variables: Variables,
    call: ProviderCall,
  ) => Promise<z.output<(typeof shapes)[N]>>;
  /**
   * A request that changes something. `hidden`: what must not stand in a message, whatever Railway repeats.
   * @throws ProviderFailure, of kind `doubt` where it may have been done
   */
  readonly write: <N extends Name>(
    name: N,
    variables: Variables,
    call: WriteCall,
    hidden?: string,
  ) => Promise<z.output<(typeof shapes)[N]>>;
};

const maxAnswerBytes = 32_000_000;
/** So much of a limit per second is waited for here. */
const maxWaitMs = 5_000;

const Answer = z.object({
  data: z.unknown(),
  errors: z
    .array(
      z.object({
        message: z.string(),
        path: z.array(z.union([z.string(), z.number()])).optional(),
        extensions: z.object({ code: z.unknown() }).optional(),
      }),
    )
    .optional(),
});

export function createClient(options: ClientOptions): Client {
  const { apiUrl, tokenKind, token, budget } = options;
  const fetcher = options.fetch ?? fetch;
  const timeoutMs = options.timeoutMs ?? 15_000;

  const takeRequest = async (what: string, call: ProviderCall): Promise<void> => {
    for (let waitedMs = 0; ; ) {
      call.signal.throwIfAborted();
      const taken = await budget.take({ forIncident: call.forIncident === true }).catch((cause: unknown) => {
        throw new ProviderFailure(`Railway ${what}: its request budget cannot be read`, {
          kind: 'unreached',
          cause,
        });
      });
      if (taken.granted) return;
      const { retryAfterMs, reason } = taken;
      if (waitedMs + retryAfterMs > maxWaitMs)
        throw new ProviderFailure(`Railway ${what}: not asked, ${reason}`, { kind: 'limited', retryAfterMs });
      waitedMs += retryAfterMs;
      await new Promise((resolve) => setTimeout(resolve, retryAfterMs));
    }
  };

  const send = async (
    name: Name,
    variables: Variables,
    signal: AbortSignal,
    hidden?: string,
  ): Promise<unknown> => {
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    let response: Response;
    let text: string;
    try {
      response = await fetcher(apiUrl, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json',
          'user-agent': 'untilgreen',
          ...(tokenKind === 'project'
            ? { 'project-access-token': token }
            : { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify({ query: documents[name], variables }),
        redirect: 'manual',
        signal: bounded,
      });
      text = await boundedText(
        response,
        maxAnswerBytes,
        () =>
          new ProviderFailure(`Railway: the answer is larger than ${maxAnswerBytes} bytes`, {
            kind: 'doubt',
          }),
      );
    } catch (error) {
      if (error instanceof ProviderFailure) throw error;
      throw connectionFailure(name, error);
    }
    const answer = answerOf(text);
    if (response.status !== 200 || answer === undefined) {
      if (response.status === 200)
        throw new ProviderFailure(
          `Railway ${name}: the answer is not GraphQL; check services.provider.apiUrl and that nothing in between answers instead`,
          { kind: 'doubt' },
        );
      const said = answer?.errors?.map(({ message }) => message).join('; ') ?? text;
      const failure = statusFailure(
        name,
        response.status,
        said,
        response.headers.get('retry-after'),
        Date.now(),
        hidden,
      );
      // What Railway says counts for every worker; that it cannot be written down changes nothing about this answer.
      if (failure.kind === 'limited') await budget.pause(failure.retryAfterMs ?? 0).catch(() => {});
      throw failure;
    }
    if (answer.errors !== undefined && answer.errors.length > 0)
      throw faultFailure(name, answer.errors, hidden);
    return answer.data;
  };

  const parse = <N extends Name>(name: N, data: unknown): z.output<(typeof shapes)[N]> => {
    const parsed = shapes[name].safeParse(data);
    if (parsed.success) return parsed.data as z.output<(typeof shapes)[N]>;
    const issue = parsed.error.issues[0];
    const place = issue?.path.join('.') || 'the answer';
    throw new ProviderFailure(`Railway ${name}: ${place}: ${issue?.message ?? 'not readable'}`, {
      kind: 'doubt',
    });
  };

  return {
    read: async (name, variables, call) => {
      await takeRequest(name, call);
      return parse(name, await send(name, variables, call.signal));
    },
    write: async (name, variables, call, hidden) => {
      await takeRequest(name, call);
      call.signal.throwIfAborted();
      call.assertMayWrite();
      return parse(name, await send(name, variables, call.signal, hidden));
    },
  };
}

function answerOf(text: string): z.output<typeof Answer> | undefined {
  try {
    return Answer.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
