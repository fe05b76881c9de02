// HEALTH-1: a canary user can log in: requests in order, with cookies, and with values of earlier answers in later requests. Its password and
// what the answers give (tokens) are known to the redactor before anything is said.

import type { CookieJar } from 'tough-cookie';
import type { LoginCheck, LoginStep, TakenValue } from '../../contract/ops/health-settings.ts';
import type { CheckContext, Verdict } from './check.ts';
import { ask } from './http/ask.ts';
import { createJar, type Exchange } from './http/exchange.ts';
import { parsedJson, valueAt } from './http/json-path.ts';

const longestValue = 8192;

/** @throws CheckUnusable when a secret cannot be sent as the settings say */
export async function checkLogin(settings: LoginCheck, context: CheckContext): Promise<Verdict> {
  const values = new Map<string, string>();
  for (const [name, reference] of Object.entries(settings.secrets))
    values.set(name, context.value(reference));
  const jar = createJar();
  for (const [index, step] of settings.steps.entries()) {
    const failed = await run(step, values, jar, context);
    if (failed === undefined) continue;
    const facts = { ...failed.facts, step: step.name, stepNumber: index + 1 };
    return { ok: false, reason: `step "${step.name}": ${failed.reason}`, facts };
  }
  const count = settings.steps.length;
  return {
    ok: true,
    reason: `logged in (${count} ${count === 1 ? 'step' : 'steps'})`,
    facts: { steps: count },
  };
}

/** What is wrong, or undefined; then the values that the step takes are known. */
async function run(
  step: LoginStep,
  values: Map<string, string>,
  jar: CookieJar,
  context: CheckContext,
): Promise<Verdict | undefined> {
  const { verdict, got } = await ask({ settings: step, values, jar, quoteContent: false }, context);
  if (!verdict.ok || got === undefined) return verdict;
  for (const taken of step.take) {
    const value = await take(taken, got, jar, context.value(step.url));
    const problem = value === undefined ? 'missing' : problemOf(value);
    if (value === undefined || problem !== undefined)
      return {
        ...verdict,
        ok: false,
        reason: `answered ${got.status}, with ${taken.from} "${taken.at}" ${problem}`,
      };
    context.redactor.register(taken.name, value);
    values.set(taken.name, value);
  }
  return undefined;
}

async function take(
  { from, at }: TakenValue,
  got: Exchange,
  jar: CookieJar,
  address: string,
): Promise<string | undefined> {
  switch (from) {
    case 'json': {
      const found = valueAt(parsedJson(got.text)?.value, at);
      return typeof found === 'string' || typeof found === 'number' ? String(found) : undefined;
    }
    case 'header': {
      const found = got.headers[at.toLowerCase()];
      return Array.isArray(found) ? found[0] : found;
    }
    case 'cookie':
      return (await jar.getCookies(address, { allPaths: true })).find(({ key }) => key === at)?.value;
  }
}

/** A value that cannot be sent on is the server's mistake, not a setting's. */
function problemOf(value: string): string | undefined {
  if (value === '') return 'empty';
  if (value.length > longestValue) return `longer than ${longestValue} characters`;
  if (!value.isWellFormed()) return 'holding half characters';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what no header and no cookie may hold
  return /[\u0000-\u001f\u007f]/.test(value) ? 'holding control characters' : undefined;
}
