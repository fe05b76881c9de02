// What two lines of different runs have in common: a number for the line's words, without numbers, hashes, times and
// addresses. One pass over the characters, since it is called for every line of passing logs of hundreds of megabytes.

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const LETTER = 1;
const DIGIT = 2;
const JOINER = 3;
const MAX_CHARS = 400;

/** Kind of each ASCII character: letters, digits, and what joins both to one word (`1.2.3`, `a-b`, `x_1`). */
const kinds = new Uint8Array(128);
for (let code = 48; code <= 57; code++) kinds[code] = DIGIT;
for (let code = 65; code <= 90; code++) kinds[code] = kinds[code + 32] = LETTER;
for (const char of '_-.:+') kinds[char.charCodeAt(0)] = JOINER;

/**
 * A 32-bit number that is the same for lines of the same template. A word that has a digit counts as "a number", whatever
 * it is; so a commit, a temporary folder, a port and a duration do not tell lines apart. Two different templates have the
 * same number once in four billion times.
 */
export function templateOf(text: string): number {
  const end = Math.min(text.length, MAX_CHARS);
  let hash = FNV_OFFSET;
  let word = FNV_OFFSET;
  let inWord = false;
  let hasDigit = false;
  for (let at = 0; at <= end; at++) {
    const code = at < end ? text.charCodeAt(at) : 32;
    const kind = code < 128 ? (kinds[code] ?? 0) : LETTER;
    if (kind !== 0) {
      inWord = true;
      if (kind === DIGIT) hasDigit = true;
      else word = Math.imul(word ^ code, FNV_PRIME);
      continue;
    }
    if (inWord) {
      hash = Math.imul(hash ^ (hasDigit ? 35 : word), FNV_PRIME);
      word = FNV_OFFSET;
      inWord = false;
      hasDigit = false;
    }
    if (code > 32) hash = Math.imul(hash ^ code, FNV_PRIME);
  }
  return hash | 0;
}
