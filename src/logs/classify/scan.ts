// One log, read once: which rules its lines match and where, which step failed, which tests. Streaming; what is kept is bounded.
import { createFailedTests } from '../failed-tests.ts';
import { failingTestAt, isEcho, isHandedIn, isLogged, isMinor, saysAgain } from '../line-kinds.ts';
import { type LogFile, readLines } from '../lines.ts';
import { changeTables, testRules } from './change-rules.ts';
import { configRules } from './config-rules.ts';
import { envRules } from './env-rules.ts';
import { chanceRules, flakeMarks } from './flake-rules.ts';
import { infraRules, platformRules } from './infra-rules.ts';
import { createJobEnd, type JobEnd } from './job-end.ts';
import type { Rule, RuleTable } from './rule.ts';

export type Hit = {
  readonly table: RuleTable;
  readonly rule: Rule;
  /** The last line that matched, which stands nearest to the failure. */
  readonly n: number;
  readonly text: string;
  readonly step: number;
  readonly count: number;
  /** It stands in the report of a failing test. */
  readonly reported: boolean;
  /** The weight of the rule, less for what a tool tries again, only warns of, or says on green runs too. */
  readonly weight: number;
};

export type ScannedLog = {
  readonly name: string;
  readonly hits: readonly Hit[];
  readonly end: JobEnd;
  readonly failedTests: readonly string[];
  /** How many failed first, and passed when they were tried again. */
  readonly recoveredTests: number;
  readonly totalLines: number;
};

const tables: readonly RuleTable[] = [
  platformRules,
  infraRules,
  ...changeTables,
  envRules,
  configRules,
  flakeMarks,
  chanceRules,
];

const MAX_LINE = 600;
const MAX_HITS = 4_000;
const MAX_FIRST = 2_000;
const MAX_LAST = 10_000;
const MAX_KNOWN_LINES = 300_000;
const AGAIN_REACHES = 2;
/** Lines that the report of a failing test may have, as far as its error goes. */
const REPORT_LINES = 30;
/** Of two lines for the same, the one in a report is better evidence. */
const UNREPORTED = 0.98;

/** No rule matches a line without one of these. */
const PROMISING =
  /err|fail|fatal|exception|cannot|can't|could ?n[o']t|unable|not |no |timed? ?out|timeout|kill|denied|invalid|missing|unknown|unexpected|expected|required?|refused|reset|exceed|found|violation|offense|warning|panic|abort|unsupported|mismatch|conflict|undefined|unresolved|assert|flak|race|exit|error|lost|stopped|shutdown|cancel|too many|\b[45]\d\d\b|^E:|^In |[!✖✘✗×]|e:|SC\d{4}|CVE|disk|space|memory|ECONN|EPIPE|EADDR|EACCES|EBUSY|\.(?:py|js|ts|go|rb|c|cpp|h):\d|reformat|format|differ|out of date|dirty|deadlock|locked|stale|closed|leaks?|Traceback|Problem 1|is (?:empty|required)|--- |LNK|CMake|sudo|which:|clean|unbound|variable|disconnect|terminat|preempt|interrupt|\bbad\b|EOF|hung up|limit|unreachable|unauthori|already|PUBKEY|broken|hook id|forg[eo]t|offline|incompatible|unmet|^diff |SIG[A-Z]|segmentation|sanitizer|multiple|duplicate|ambiguous|banned|lock ?file|frozen|integrity|checksum|license|coverage|wrong|malformed|corrupt|outage|temporar|install(?:ed)? |credential|secret|token|actual|received|which is|lookup |misbehav|crash|reach | != |satisfied|throttl|\bgot\b|\bwant|left *:|right *:|!==|should|different|identical/i;

/** @param known normalised lines of green runs, which explain nothing */
export async function scanLog(file: LogFile, known: ReadonlySet<string>): Promise<ScannedLog> {
  const tests = createFailedTests();
  const end = createJobEnd();
  const found = new Map<string, Hit>();
  /** The first and the last lines that may say something: what a rule costs does not grow with the log. */
  const kept: KeptLine[] = [];
  let totalLines = 0;
  let reportEnds = 0;
  for await (const batch of readLines(file.open())) {
    for (const line of batch) {
      tests.push(line);
      const step = end.push(line);
      const begins = failingTestAt(line.text.slice(0, MAX_LINE));
      if (begins !== undefined) reportEnds = begins ? line.n + REPORT_LINES : 0;
      if (saysAgain(line.text)) markTried(kept, line.n);
      if (line.text.length < 4 || !PROMISING.test(line.text)) continue;
      const text = line.text.length > MAX_LINE ? line.text.slice(0, MAX_LINE) : line.text;
      if (isEcho(text)) continue;
      kept.push({ n: line.n, text, step, tried: false, reported: line.n <= reportEnds });
      if (kept.length > MAX_FIRST + 2 * MAX_LAST) kept.splice(MAX_FIRST, MAX_LAST);
    }
    totalLines += batch.length;
  }
  for (const line of kept) collect(found, line, known);
  return {
    name: file.name,
    hits: [...found.values()],
    end: end.settle(),
    failedTests: tests.names(),
    recoveredTests: tests.recovered(),
    totalLines,
  };
}

type KeptLine = {
  readonly n: number;
  readonly text: string;
  readonly step: number;
  readonly reported: boolean;
  /** It was tried again. */
  tried: boolean;
};

function markTried(kept: readonly KeptLine[], n: number): void {
  for (const line of kept.slice(-AGAIN_REACHES)) if (n - line.n <= AGAIN_REACHES) line.tried = true;
}

function collect(
  found: Map<string, Hit>,
  { text, n, step, tried, reported }: KeptLine,
  known: ReadonlySet<string>,
): void {
  const isKnown = known.size > 0 && known.has(sameness(text));
  const minor = isMinor(text, tried);
  const logged = isLogged(text);
  // A problem matcher's mark stands before the tool's own words.
  const said = text.startsWith('##[error]') ? text.slice(9) : text;
  const compared = !text.startsWith('##[error]') && isComparison(said);
  for (const table of tables) {
    // What a test compared may well be the words of a network or of a machine.
    if (compared && table.class === 'infra') continue;
    for (const rule of table.rules) {
      if (!rule.pattern.test(said)) continue;
      const quiet =
        rule.id === 'assertion'
          ? minor && !/\bAssert/.test(text)
          : minor || logged || (rule.id === 'secret-missing' && isHandedIn(text));
      const excuse = table.kind === 'ordinary' && (table.class === 'infra' || table.class === 'flake');
      const factor = (quiet ? 0.45 : 1) * (isKnown ? 0.2 : 1) * (excuse && !reported ? UNREPORTED : 1);
      const key = `${table.class} ${rule.id} ${step}`;
      const before = found.get(key);
      const weight = rule.weight * factor;
      const count = (before?.count ?? 0) + 1;
      if (before && before.weight > weight) found.set(key, { ...before, count });
      else if (before || found.size < MAX_HITS)
        found.set(key, { table, rule, n, text, step, count, weight, reported });
    }
  }
}

function isComparison(said: string): boolean {
  return testRules.rules.some(({ id, pattern }) => id === 'assertion' && pattern.test(said));
}

/** Lines of green runs, for `scanLog`. At most 300,000 lines are remembered. */
export async function linesOf(files: readonly LogFile[]): Promise<ReadonlySet<string>> {
  const lines = new Set<string>();
  for (const file of files) {
    for await (const batch of readLines(file.open())) {
      for (const { text } of batch) if (PROMISING.test(text)) lines.add(sameness(text.slice(0, MAX_LINE)));
      if (lines.size > MAX_KNOWN_LINES) return lines;
    }
  }
  return lines;
}

/** Two runs print the same line with other numbers, times and ids. */
function sameness(text: string): string {
  return text
    .replace(/\b(?=[a-f]*\d)[0-9a-f]{7,64}\b/gi, '#')
    .replace(/\d+/g, '#')
    .trim();
}
