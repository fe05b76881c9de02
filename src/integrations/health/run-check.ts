// One reading of one check, whatever its kind: secrets, timeout, words for people. What the world does is an answer, never a throw.
import type { HealthCheck } from '../../contract/ops/health-settings.ts';
import type { IncidentLevel } from '../../contract/ops/settings.ts';
import { isSecretReference, type SecretReference } from '../../contract/secret-reference.ts';
import { createRedactor } from '../../logs/redact/redact-values.ts';
import { type CheckContext, type CheckResult, CheckUnusable, type Verdict } from './check.ts';
import { checkDatabase } from './database.ts';
import { checkDevops } from './devops.ts';
import { checkContent, checkHttp } from './http-check.ts';
import { checkLogin } from './login.ts';
import { sayable } from './say.ts';
import { checkTls } from './tls.ts';

export type CheckReading = CheckResult & {
  readonly name: string;
  /** `unknown`: the check itself could not be made (a reference does not resolve), which says nothing about production. `ok` is false then. */
  readonly state: 'ok' | 'failed' | 'unknown';
  /** How bad it is when `state` is `failed`. */
  readonly level: IncidentLevel;
};

export type CheckDeps = {
  /** The value behind a reference; its rejection has a message that may be shown. */
  readonly resolve: (reference: SecretReference, field: string) => Promise<string>;
  /** Of the caller; a reading that it ends is no reading. */
  readonly signal: AbortSignal;
};

/** What the redactor cannot find in a text, since ordinary words would match. */
const shortestSecret = 6;

/** @throws the reason of `deps.signal` when it was aborted */
export async function runCheck(settings: HealthCheck, deps: CheckDeps): Promise<CheckReading> {
  const redactor = createRedactor();
  const startedMs = performance.now();
  const read = (state: CheckReading['state'], { ok, reason, facts }: Verdict): CheckReading => ({
    name: settings.name,
    state,
    level: settings.kind === 'tls' && facts.valid === false ? settings.levelInvalid : settings.level,
    ok,
    reason: sayable(reason, redactor),
    latencyMs: Math.round(performance.now() - startedMs),
    facts,
  });
  deps.signal.throwIfAborted();
  const values = new Map<string, string>();
  let mayQuote = true;
  for (const { reference, field, secret } of referencesOf(settings)) {
    try {
      const value = await deps.resolve(reference, `${settings.name}.${field}`);
      values.set(reference, value);
      if (!secret) continue;
      redactor.register(
        reference
          .slice(reference.indexOf(':') + 1)
          .split('/')
          .at(-1) ?? 'secret',
        value,
      );
      mayQuote &&= value.length >= shortestSecret;
    } catch (error) {
      deps.signal.throwIfAborted();
      const reason = error instanceof Error ? error.message : 'a reference does not resolve';
      return read('unknown', { ok: false, reason, facts: {} });
    }
  }
  const signal = AbortSignal.any([deps.signal, AbortSignal.timeout(settings.timeoutMs)]);
  const context: CheckContext = { signal, redactor, mayQuote, value: (text) => values.get(text) ?? text };
  try {
    const verdict = await byKind(settings, context);
    return read(verdict.ok ? 'ok' : 'failed', verdict);
  } catch (error) {
    deps.signal.throwIfAborted();
    if (error instanceof CheckUnusable)
      return read('unknown', { ok: false, reason: error.message, facts: {} });
    if (signal.aborted && error === signal.reason)
      return read('failed', { ok: false, reason: 'timed out', facts: { code: 'TIMEOUT' } });
    throw error;
  }
}

function byKind(settings: HealthCheck, context: CheckContext): Promise<Verdict> {
  switch (settings.kind) {
    case 'http':
      return checkHttp(settings, context);
    case 'content':
      return checkContent(settings, context);
    case 'login':
      return checkLogin(settings, context);
    case 'database':
      return checkDatabase(settings, context);
    case 'tls':
      return checkTls(settings, context);
    case 'devops':
      return checkDevops(settings, context);
  }
}

/** `secret`: its value must not appear anywhere; an address is none. */
type UsedReference = {
  readonly reference: SecretReference;
  readonly field: string;
  readonly secret: boolean;
};

function referencesOf(settings: HealthCheck): readonly UsedReference[] {
  switch (settings.kind) {
    case 'http':
    case 'content':
      return [...used('url', settings.url, false), ...usedIn('headers', settings.headers)];
    case 'login':
      return [
        ...usedIn('secrets', settings.secrets),
        ...settings.steps.flatMap((step, index) => [
          ...used(`steps[${index}].url`, step.url, false),
          ...usedIn(`steps[${index}].headers`, step.headers),
        ]),
      ];
    case 'database':
      return used('url', settings.url, true);
    case 'tls':
      return used('url', settings.url, false);
    case 'devops':
      return [...used('url', settings.url, false), ...used('secret', settings.secret, true)];
  }
}

function usedIn(field: string, values: { readonly [name: string]: string }): readonly UsedReference[] {
  return Object.entries(values).flatMap(([name, text]) => used(`${field}.${name}`, text, true));
}

function used(field: string, text: string, secret: boolean): readonly UsedReference[] {
  return isSecretReference(text) ? [{ reference: text, field, secret }] : [];
}
