// One request of a check and what it says about production: the answer, or in words for people why there is none.
import type { CookieJar } from 'tough-cookie';
import type { HttpExpectation, HttpRequestSettings } from '../../../contract/ops/health-settings.ts';
import type { CheckContext, Verdict } from '../check.ts';
import { noAnswer } from '../no-answer.ts';
import { quote } from '../say.ts';
import { type Exchange, exchange } from './exchange.ts';
import { noPage, unmet } from './expect.ts';
import { prepare, type Values } from './placeholders.ts';
import { RequestFailed } from './request.ts';

export type Question = {
  readonly settings: HttpRequestSettings & { readonly expect: HttpExpectation };
  readonly values: Values;
  readonly jar: CookieJar;
  /** It has to be HTML. */
  readonly page?: boolean;
  /** Whether a right status is quoted when the content is wrong: answers of a login hold tokens. */
  readonly quoteContent: boolean;
};

/** `got`: the answer, when there is one. @throws CheckUnusable, or the reason of the signal */
export async function ask(
  question: Question,
  context: CheckContext,
): Promise<{ readonly verdict: Verdict; readonly got?: Exchange }> {
  const { settings, values, jar } = question;
  const prepared = prepare(settings, context.value, values);
  const got = await exchange(prepared, {
    maxRedirects: settings.redirects,
    jar,
    signal: context.signal,
  }).catch((error: unknown) => {
    if (error instanceof RequestFailed) return error;
    throw error;
  });
  if (got instanceof RequestFailed) return { verdict: noAnswer(got) };
  if ('notFollowed' in got) {
    const { notFollowed, status, redirects } = got;
    return { verdict: { ok: false, reason: `answered with ${notFollowed}`, facts: { status, redirects } } };
  }
  const facts = factsOf(got);
  const wrong = unmet(settings.expect, got) ?? (question.page === true ? noPage(got) : undefined);
  if (wrong === undefined) return { verdict: { ok: true, reason: `answered ${got.status}`, facts }, got };
  // What another host says is none of our business: it may be a machine of our own network.
  const mayQuote = context.mayQuote && !got.elsewhere && (question.quoteContent || got.status >= 400);
  const said = mayQuote ? quote(got.text, context.redactor) : '';
  return { verdict: { ok: false, reason: said === '' ? wrong : `${wrong}: ${said}`, facts }, got };
}

function factsOf(got: Exchange): Verdict['facts'] {
  return {
    status: got.status,
    bytes: got.text.length,
    firstByteMs: Math.round(got.firstByteMs),
    ...(got.redirects > 0 ? { redirects: got.redirects } : {}),
    ...(got.truncated ? { truncated: true } : {}),
  };
}
