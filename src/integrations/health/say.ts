// Reasons for people. Text of a server in them is cleaned, redacted and short: it ends up in issues, alerts and histories.
import { redactText } from '../../logs/redact/redact-text.ts';
import type { Redactor } from '../../logs/redact/redact-values.ts';
import { oneLine } from '../http-failure.ts';

const maxRead = 64 * 1024;
/** Longer than the secrets that are usual: what was cut in the middle is not recognised, so that the end is not shown. */
const unsureTail = 8 * 1024;
const maxQuote = 200;
const maxReason = 400;

/** Control characters that are no white space, and what turns the direction of text or hides in it. */
const invisible = /(?!\s)[\p{Cc}\p{Cf}]/gu;
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is taken out
const escapes = /\u001b\[[0-?]{0,32}[ -/]{0,4}[@-~]/g;

/** Fields of a JSON, in a text of a JSON too, that hold something nobody else may have: a token that is not known to the redactor. */
const telling =
  /(\\*"[^"\\]{0,64}(?:token|secret|passw|session|cookie|csrf|jwt|otp|api_?key)[^"\\]{0,64}\\*"\s{0,8}:\s{0,8}\\*")(?!\[(?:secret|redacted):)(?:[^"\\]|\\[^"\\])+/gi;

/** The start of what a server said, in quotes. Empty when there is nothing to show. */
export function quote(text: string, redactor: Redactor): string {
  const known = redactText(text.slice(0, maxRead), redactor);
  const sure = text.length > maxRead ? known.slice(0, -unsureTail) : known;
  // Again after the cleaning: a secret may have been split by what is taken out.
  const plain = redactText(oneLine(clean(sure).replace(telling, '$1[redacted:field]')), redactor);
  if (plain === '') return '';
  return `"${plain.length > maxQuote ? `${plain.slice(0, maxQuote).toWellFormed()}…` : plain}"`;
}

/** A whole reason, whatever went into it. */
export function sayable(reason: string, redactor: Redactor): string {
  const plain = redactText(clean(reason).replace(/\s+/g, ' ').trim(), redactor);
  return plain.length > maxReason ? `${plain.slice(0, maxReason).toWellFormed()}…` : plain;
}

function clean(text: string): string {
  return text.toWellFormed().replace(escapes, '').replace(invisible, '').replace(/\s/g, ' ');
}
