// What a failing step said, reduced to lines that can be recognised again on another machine and day (CI-6).
// Pure text work for one step's log; logs are data and are never interpreted beyond patterns. The full log reducer is
// another part; this one must stay small.

/** How a run failed. With no telling lines, only the exit code is left to compare. */
export type ErrorSignature = {
  /** Normalised lines, in order, each once, at most 50. */
  readonly errorLines: readonly string[];
  readonly exitCode?: number;
};

const MAX_LINES = 50;
const MAX_LINE_LENGTH = 500;
const MAX_TEXT = 4_000_000;
const TIMESTAMP = /^\uFEFF?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z ?/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is taken out
const ANSI = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g;
const ENDED = /^(?:##\[error\]|::error::)?Process completed with exit code (\d+)\.?$/;
/** From the strongest to the weakest: the first kind that a log has is its signature. */
const TELLING: readonly RegExp[] = [
  /error|fail|exception|panic|traceback|assert|not found|cannot|can't|could not|unable|undefined|unresolved|unexpected|invalid|missing|mismatch|fatal|denied|violation|would (?:be )?reformat|not formatted|out of date|outdated|stale|not up[- ]to[- ]date|✗|✖|✕|×|❌|●|^not ok/i,
  /expected|received|actual|differ|changed|warning|reformat|^[-+]{1,3}[^-+\s]|^diff |^@@ /i,
];
/** Levels below an error, which a passing run prints as well. */
const MINOR = /^\W*(?:warn(?:ing)?|info|debug|notice|trace)\b/i;
const NOTHING_WRONG = /\b(?:0|no) (?:errors?|failures?|failed|warnings?|problems?)\b/i;
const SOMETHING_WRONG = /\b[1-9]\d* (?:errors?|failures?|failed|failing|warnings?|problems?)\b/i;
/** What is left of a line is nothing: a count that fits every failure of the same tool. */
const SUMMARY_WORDS =
  /tests?|suites?|files?|pass(?:ed|ing)?|fail(?:ed|ing|ures?)?|total|snapshots?|errors?|skipped|pending|todo|time|problems?|warnings?|ran|run|in|of|all|and|with|code|exit|status|#|<time>|[^\p{L}]/gu;
/** Lines that any failing command may print: they tell nothing. */
const GENERIC =
  /^(?:[>$+] |checking |(?:failure: )?build failed|npm (?:err!|error)|yarn|pnpm|error command failed|info visit|make(?:\[#\])?:.*error #|error: process completed|process completed|##\[|elifecycle|error:? ?#?\.?$|fail(?:ed|ure)?:?$|errors?:? *#?$|exit(?:ed)? (?:with )?(?:code|status):? #|.*a complete log of this run|tests?:? *#|.*#% )/i;

/** Reads the signature out of a failing step's log, or of a job's log (then of its last step that failed). */
export function errorSignature(logText: string): ErrorSignature {
  const lines = cleanLines(logText);
  const ends = lines.flatMap((line, index) => (ENDED.test(line) ? [index] : []));
  const end = ends.at(-1);
  const exitCode = end === undefined ? undefined : Number(ENDED.exec(lines[end] ?? '')?.[1]);
  const said = stepOutput(lines.slice(0, end ?? lines.length));
  const plain = said.filter(
    (line) => !MINOR.test(line) && (!NOTHING_WRONG.test(line) || SOMETHING_WRONG.test(line)),
  );
  const normal = unique(plain.map(normaliseLine).filter(isTelling));
  const telling = TELLING.map((kind) => normal.filter((line) => kind.test(line))).find(
    (lines) => lines.length > 0,
  );
  const errorLines = (telling ?? normal.slice(-20)).slice(0, MAX_LINES);
  return exitCode === undefined ? { errorLines } : { errorLines, exitCode };
}

/** True when the output holds at least one of the signature's lines; without lines, when the exit code is the same. */
export function matchesSignature(
  output: string,
  signature: ErrorSignature,
  exitCode?: number | null,
): boolean {
  if (signature.errorLines.length === 0)
    return signature.exitCode !== undefined && signature.exitCode === exitCode;
  const said = new Set(cleanLines(output).map(normaliseLine));
  return signature.errorLines.some((line) => said.has(line));
}

/** True when a test runner says that it ran nothing, and none says that it ran something: no proof of anything (CI-6). */
export function ranNoTests(output: string): boolean {
  const text = cleanLines(output).join('\n');
  return NO_TESTS.test(text) && !SOME_TESTS.test(text);
}

/** The last lines for people: without timestamps, colours and progress, at most `maxLines`. */
export function lastLines(output: string, maxLines: number): readonly string[] {
  const lines = cleanLines(output).map((line) => line.slice(0, MAX_LINE_LENGTH));
  while (lines.at(-1) === '') lines.pop();
  return lines.slice(-maxLines);
}

const NO_TESTS =
  /\bno tests? (?:ran|found|were (?:found|run|executed)|collected|to run|executed|specified)|\bno test (?:files|suites?|cases?) found|\bcollected 0 items|\bran 0 tests|\brunning 0 tests|\b0 tests? (?:ran|run|executed|passed|completed)|\bTests run: 0\b|^[ \t]{0,40}0 passing\b|\[no test files\]|\b0 examples,|^# tests 0$|^ℹ tests 0$|\b0 specs\b|\bNo tests executed/im;
const SOME_TESTS =
  /\b[1-9]\d* (?:passed|passing|tests? passed|examples?,|specs?\b|assertions)|\bTests run: [1-9]|\bRan [1-9]\d* tests?|^ok[ \t]{1,40}\S+[ \t]{1,40}(?:[\d.]+s|\(cached\))|\brunning [1-9]\d* tests?|^(?:#|ℹ) tests [1-9]|\bOK \([1-9]|\bcollected [1-9]/im;

/** Lines without timestamps, colours, carriage returns of progress bars, and trailing blanks. */
function cleanLines(text: string): string[] {
  const bounded = text.length > MAX_TEXT ? text.slice(-MAX_TEXT) : text;
  return bounded.split('\n').map((line) => {
    const plain = line.replace(TIMESTAMP, '').replace(ANSI, '').replace(/\r+$/, '');
    return plain.slice(plain.lastIndexOf('\r') + 1).trimEnd();
  });
}

/** What the step itself printed: after the last header that GitHub prints before a `run:` step. */
function stepOutput(lines: readonly string[]): readonly string[] {
  const start = lines.findLastIndex((line) => line.startsWith('##[group]Run '));
  if (start === -1) return lines;
  const headerEnd = lines.findIndex((line, index) => index > start && line.startsWith('##[endgroup]'));
  return lines.slice((headerEnd === -1 ? start : headerEnd) + 1);
}

/** A line as it is on another machine and day; null when any failing command may print it. */
export function tellingLine(line: string): string | null {
  const [plain = ''] = cleanLines(line);
  const normal = normaliseLine(plain);
  return isTelling(normal) ? normal : null;
}

function isTelling(line: string): boolean {
  return line.length >= 6 && !GENERIC.test(line) && line.toLowerCase().replace(SUMMARY_WORDS, '') !== '';
}

function normaliseLine(line: string): string {
  return line
    .slice(0, MAX_LINE_LENGTH)
    .replace(/^##\[(?:error|warning|notice|debug|command)\]|^::(?:error|warning|notice)[^:]*::/, '')
    .replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<id>')
    .replace(/(^|[\s'"`(=[:,])(?:[A-Za-z]:)?(?:[\\/][\w.@~+-]+)+[\\/]([\w.@~+-]+)/g, '$1$2')
    .replace(/\b0x[0-9a-f]+\b/gi, '<hex>')
    .replace(/\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,64}\b/gi, '<hex>')
    .replace(/\b\d[\d.,]*\s?(?:ms|µs|us|ns|s|secs?|seconds?|m|mins?|minutes?|h|hours?)\b/gi, '<time>')
    .replace(/\d+(?:[.,:]\d+)*/g, '#')
    .replace(/^error:\s+/i, '')
    .replace(/\s+/g, ' ')
    .trim();
}

function unique(lines: readonly string[]): string[] {
  return [...new Set(lines)];
}
