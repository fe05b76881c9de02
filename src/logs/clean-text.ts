// One raw line of a log as text to read and match: without what the CI system and the terminal put around it.
// Called for every line of logs of hundreds of megabytes, so it looks before it matches.

/** Characters kept of one line: one line of 200 MB must not fill the memory. */
export const MAX_LINE_CHARS = 4096;

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is taken out
const ANSI = /\u001b(?:\[[0-?]{0,32}[ -/]{0,4}[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f]+/g;
/** GitHub, Azure; GitLab (with stream number and kind); Jenkins and others in brackets. */
const TIMESTAMP =
  /\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)\]?(?: \d\d[OE][+ ]?)?[ \t]?/y;
const CLOCK = /\[\d\d:\d\d:\d\d(?:\.\d{1,6})?\] ?/y;
const MAX_PREFIX = 400;

/**
 * Takes out: a byte order mark, the timestamp that a CI system put in front, job and step of `gh run view --log`, escape
 * sequences and control characters, trailing blanks. Cuts to `MAX_LINE_CHARS`. A timestamp that a program printed in
 * another form stays.
 */
export function cleanText(raw: string): string {
  let text = raw.length > MAX_LINE_CHARS ? raw.slice(0, MAX_LINE_CHARS).toWellFormed() : raw;
  const at = afterTimestamp(text, afterMark(text, afterStep(text)));
  if (at > 0) text = text.slice(at);
  if (!CONTROL.test(text)) return text.trimEnd();
  text = text.replace(ANSI, '').replace(CONTROLS, '');
  return text.slice(afterTimestamp(text, 0)).trimEnd();
}

/** `job<TAB>step<TAB>timestamp text`: where the timestamp starts, 0 if the line is not of this form. */
function afterStep(text: string): number {
  const first = text.indexOf('\t');
  if (first <= 0 || first > MAX_PREFIX) return 0;
  const second = text.indexOf('\t', first + 1);
  if (second === -1 || second > MAX_PREFIX) return 0;
  const at = afterMark(text, second + 1);
  return afterTimestamp(text, at) > at ? at : 0;
}

function afterMark(text: string, at: number): number {
  return text.charCodeAt(at) === 0xfeff ? at + 1 : at;
}

function afterTimestamp(text: string, at: number): number {
  const bracket = text.charCodeAt(at) === 91;
  const digit = text.charCodeAt(bracket ? at + 1 : at);
  if (!(digit >= 48 && digit <= 57)) return at;
  TIMESTAMP.lastIndex = at;
  if (TIMESTAMP.test(text)) return TIMESTAMP.lastIndex;
  if (!bracket) return at;
  CLOCK.lastIndex = at;
  return CLOCK.test(text) ? CLOCK.lastIndex : at;
}
