// What in code or settings is a secret (SEC-2), for patches: registered values, and what has the form of a token. A log is read with suspicion,
// code is not: what only names a secret, takes it from elsewhere, or is an example is none, since a fix that writes such a line must not fail.
import type { Redactor } from './redact-values.ts';
import { patternSpans } from './secret-patterns.ts';

/** `value` tells apart what has the same name: empty for a registered value, whose name says it. */
export type SecretInCode = { readonly name: string; readonly value: string };

/** Guesses from the words around a value: right in a log, too often wrong in code. */
const guesses: readonly string[] = ['password', 'connection-string', 'docker-auth'];

/** Code that reads keys names their first and last line. */
const keyMaterial = /[A-Za-z0-9+/]{40}/;

/** In order of their kind, not of the text; the same place may be there twice, under two names. */
export function secretsInCode(text: string, redactor: Pick<Redactor, 'spans'>): readonly SecretInCode[] {
  const found: SecretInCode[] = [];
  for (const { from, to, name } of redactor.spans(text)) {
    const value = text.slice(from, to);
    if (name === 'authorization') {
      if (made(value)) found.push({ name, value });
    } else if (name === 'password') {
      if (isWritten(value, text.slice(Math.max(0, from - 300), from), text.slice(to, to + 100)))
        found.push({ name, value });
    } else found.push({ name, value: '' });
  }
  for (const { from, to, name } of patternSpans(text)) {
    if (guesses.includes(name)) continue;
    const value = text.slice(from, to);
    if (isExample(value) || (name === 'npm-token' && !made(value))) continue;
    if (name === 'private-key' && !keyMaterial.test(value)) continue;
    found.push({ name, value });
  }
  return found;
}

/** Not a name, an expression or a word: as long as tokens are, letters and digits mixed. */
function made(value: string): boolean {
  return (
    /^[A-Za-z0-9_+/=~-]{16,}$/.test(value) &&
    /\d/.test(value) &&
    /[A-Za-z]/.test(value) &&
    new Set(value).size >= 8 &&
    !isExample(value)
  );
}

/** Documentation's own tokens, and rows of one character. */
function isExample(value: string): boolean {
  return /example|placeholder|dummy|redacted|changeme|your[-_]|xxxx|0123456789|1234567890|abcdefgh|(.)\1{5}/i.test(
    value,
  );
}

const localHost =
  /^@(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]|host\.docker\.internal|[\w.-]*\bexample\b)/i;
const customary =
  /^(?:pass|passwd|password|pw|pwd|secret|guest|test|admin|root|postgres|mysql|xyz|abc|bar|somepassword)$/i;

/** A password that stands in an address or after `password=`, and is no variable, no example and none of this machine. */
function isWritten(value: string, before: string, after: string): boolean {
  if (/[${}<>()[\]%*…\\]/.test(value) || isExample(value)) return false;
  if (before.endsWith('=')) return made(value);
  const user = /:\/\/([^\s:@/]*):$/.exec(before)?.[1];
  return value.length >= 4 && user !== value && !customary.test(value) && !localHost.test(after);
}
