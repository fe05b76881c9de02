// What a pasted secret looks like, so that a tenant file that holds one is refused and the message does not repeat it.
// Pure. Not the redactor (src/logs/redact/redact-values.ts): this one judges a whole value that a person wrote.

const shapes: readonly RegExp[] = [
  /\bgh[pousr]_[A-Za-z0-9]{16,}/,
  /\bgithub_pat_[A-Za-z0-9_]{16,}/,
  /\bglpat-[A-Za-z0-9_-]{16,}/,
  /\bsk-[A-Za-z0-9_-]{16,}/,
  /\bxox[abeoprs]-[A-Za-z0-9-]{8,}/,
  /\bA(?:KIA|SIA)[A-Z0-9]{12,}/,
  /\bAIza[A-Za-z0-9_-]{30,}/,
  /\b[rs]k_(?:live|test)_[A-Za-z0-9]{10,}/,
  /\bnpm_[A-Za-z0-9]{30,}/,
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}/,
  /-----BEGIN [A-Z ]*PRIVATE KEY/,
  /hooks\.slack\.com\/(?:services|workflows|triggers)\/\S{8,}/,
  /:\/\/[^\s:@/]*:[^\s/@$][^\s/]*@/,
];

/** True when some part of the value has the form of a known credential, or is a URL with a password in it. */
export function hasCredential(value: string): boolean {
  return shapes.some((shape) => shape.test(value));
}

const tellingName =
  /(?:^|_)(?:tokens?|secrets?|pass(?:word|wd|phrase)?|(?<=_)pwd|api_?key|private_?key|access_?key|credentials?)(?:_|$)/i;
const pointingName = /_(?:file|path|dir|name|id|ttl|url)$/i;

/** True when a variable of this name usually holds a secret (`DB_PASSWORD`, not `DB_PASSWORD_FILE` or the shell's `PWD`). */
export function namesSecret(variable: string): boolean {
  return tellingName.test(variable) && !pointingName.test(variable);
}

/** Says how long a value is and nothing else of it. */
export function mask(value: string): string {
  return `****** (${value.length} characters)`;
}

/** A value for a message: JSON, one line, clipped; masked when it has the form of a secret. */
export function show(value: unknown): string {
  if (
    typeof value === 'string' &&
    (hasCredential(value) || looksRandom(value) || /:\/\/.*[@?]/.test(value))
  ) {
    return mask(value);
  }
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return `a map of ${Object.keys(value).length}`;
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** One word of 20 characters or more that mixes letters and digits: more likely a key than a name. */
function looksRandom(value: string): boolean {
  return /^[A-Za-z0-9+=_-]{20,}$/.test(value) && /[0-9]/.test(value) && /[A-Za-z]/.test(value);
}
