// How many tokens a model would count, estimated without a model: words by length, digits in threes, signs one by one.
// Compared with a byte-pair encoder over real CI logs it is a few percent above, so that a budget holds.

const CHARS_PER_WORD_TOKEN = 4.6;
const DIGITS_PER_TOKEN = 3;

/** An estimate for one line with its line end. */
export function estimateTokens(text: string): number {
  let tokens = 1;
  let letters = 0;
  let digits = 0;
  let previous = 0;
  for (let at = 0; at <= text.length; at++) {
    const code = at < text.length ? text.charCodeAt(at) : 0;
    const upper = code >= 65 && code <= 90;
    const isLetter = upper || (code >= 97 && code <= 122);
    const isDigit = code >= 48 && code <= 57;
    // `camelCase` is two words.
    const startsWord = upper && previous >= 97 && previous <= 122;
    if (letters > 0 && (!isLetter || startsWord)) {
      tokens += Math.ceil(letters / CHARS_PER_WORD_TOKEN) * 0.5 + letters / CHARS_PER_WORD_TOKEN / 2;
      letters = 0;
    }
    if (digits > 0 && !isDigit) {
      tokens += Math.ceil(digits / DIGITS_PER_TOKEN);
      digits = 0;
    }
    if (isLetter) letters++;
    else if (isDigit) digits++;
    else if (code > 127) tokens += 1;
    else if (code > 32 && code !== previous) tokens += 0.7;
    else if (code === 32 && previous === 32) tokens += 0.04;
    previous = code;
  }
  return Math.ceil(tokens);
}
