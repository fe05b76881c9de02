// HEALTH-1: the backend answers, and a page of the frontend loads.
import type { ContentCheck, HttpCheck } from '../../contract/ops/health-settings.ts';
import type { CheckContext, Verdict } from './check.ts';
import { ask } from './http/ask.ts';
import { createJar } from './http/exchange.ts';

export async function checkHttp(settings: HttpCheck, context: CheckContext): Promise<Verdict> {
  const { verdict } = await ask(
    { settings, values: new Map(), jar: createJar(), quoteContent: true },
    context,
  );
  return verdict;
}

/** HTML with the expected text. */
export async function checkContent(settings: ContentCheck, context: CheckContext): Promise<Verdict> {
  const question = { settings, values: new Map(), jar: createJar(), page: true, quoteContent: true };
  return (await ask(question, context)).verdict;
}
