// How telling each line is by itself: rules, dampers, the step it is in, how often its like comes, and whether a log of a
// run that passed has it too.
import { bodyOf } from '../body.ts';
import { isLivedThrough, saysAgain } from '../line-kinds.ts';
import { compilerRules } from '../rules/compilers.ts';
import { sectionEnd, sectionStart } from '../rules/ends.ts';
import { dampers, emptyWords } from '../rules/noise.ts';
import { bestScore, MAX_MATCHED_CHARS, type Rule } from '../rules/rule.ts';
import { runtimeRules } from '../rules/runtime.ts';
import { testRules } from '../rules/tests.ts';
import { templateOf } from '../template.ts';
import { findRegions } from './regions.ts';

export type LineScores = {
  /** 0 to 100: how clearly it names a cause. */
  readonly score: Float32Array;
  /** 0 to 100: what it is worth where it stands, in the failing part of a report; at least `score`. */
  readonly worth: Float32Array;
  /** Lines of one kind have one number (`templateOf`). */
  readonly template: Int32Array;
  readonly toEnd: Int32Array;
  readonly isEnd: Uint8Array;
  /** Some step is said to have failed. */
  readonly failed: boolean;
  /** 1 where a log of a run that passed has the like; all 0 without one. */
  readonly known: Uint8Array;
};

/** Rules of tools that check: what they name is wrong wherever it stands. */
const checkers: readonly Rule[] = [...compilerRules, ...testRules];
const rules: readonly Rule[] = [...checkers, ...runtimeRules];
const ERROR_LEVEL = /^\[?(?:ERROR|FATAL|SEVERE|error)\]?[\s:]/;
const ANNOTATION = /^(?:##\[error\]|::error\b)/;
const SECTION_LINES = 160;
/** A line in the failing part of a test report: worth keeping, and a cause only when nothing is clearer. */
const SECTION_PRIORITY = 54;
const SECTION_SCORE = 30;
/** JVM programs log exceptions that tests expect; one that nobody calls a failure is probably such a one. */
const LOGGED_EXCEPTION = /^(?:Caused by: |Exception in thread ".{0,60}" )?(?:[a-z]\w*\.)+[A-Z][\w$]*\b/;
const SUPPORTED_LINES = 8;
const SUPPORTED_BEFORE_END = 40;
const UNSUPPORTED = 0.8;
/** Python prints what an exception led to after it: the first one is the cause. */
const CHAINED = /^(?:During handling of the above exception|The above exception was the direct cause)/;
const CHAINED_LINES = 60;
const CHAINED_FACTOR = 0.93;
/** What a program says of itself, long before the step failed, was probably survived. */
const FAR_FROM_END = 150;
const FAR = 0.9;
const END_SCORE = 34;
/** An end that names its cause: killed, no output for too long. */
const TELLING_END = 90;
/** What was tried again, what a test made happen, and what stands before a test or a compiler says what is wrong, was survived. */
const SURVIVED = 0.6;
const BEFORE_CHECKED = 0.85;
const TRIED_LINES = 2;
/** From here on a checker's line is a verdict. */
const CHECKED = 86;
/** From here on a rule is sure that something failed. */
const STRONG = 80;

/** @param passing templates of logs of runs that passed */
export function scoreLines(texts: readonly string[], passing?: ReadonlySet<number>): LineScores {
  const { weight, toEnd, isEnd, failed } = findRegions(texts);
  const count = texts.length;
  const score = new Float32Array(count);
  const worth = new Float32Array(count);
  const template = new Int32Array(count);
  const known = new Uint8Array(count);
  const often = new Map<number, number>();
  let sectionAt = -1;
  let chainAt = -CHAINED_LINES - 1;
  let strongAt = -SUPPORTED_LINES - 1;
  const shownOf = texts.map((text) => text.slice(0, MAX_MATCHED_CHARS));
  const bodies = shownOf.map(bodyOf);
  const owns = Float32Array.from(shownOf, (shown, at) => ownScore(shown, bodies[at] ?? ''));
  const survived = survivedFactors(shownOf, bodies, owns, isEnd);
  for (let at = 0; at < count; at++) {
    const text = texts[at] ?? '';
    template[at] = templateOf(text);
    if (passing?.has(template[at] ?? 0)) known[at] = 1;
    if (text === '') continue;
    const shown = shownOf[at] ?? '';
    const body = bodies[at] ?? '';
    if (isEnd[at] === 1) {
      const said = owns[at] ?? 0;
      score[at] = worth[at] = said >= TELLING_END ? said : END_SCORE;
      sectionAt = -1;
      continue;
    }
    if (sectionStart.test(body)) sectionAt = at;
    else if (
      sectionAt !== -1 &&
      (at - sectionAt > SECTION_LINES || sectionEnd.test(shown) || sectionEnd.test(body))
    )
      sectionAt = -1;
    let own = owns[at] ?? 0;
    const left = toEnd[at] ?? -1;
    if (own >= STRONG && at - strongAt > SUPPORTED_LINES) own *= survived[at] ?? 1;
    if (own >= STRONG && LOGGED_EXCEPTION.test(body)) {
      const supported =
        at - strongAt <= SUPPORTED_LINES || sectionAt !== -1 || (left >= 0 && left <= SUPPORTED_BEFORE_END);
      if (!supported) own *= UNSUPPORTED;
    } else if (own >= STRONG && left > FAR_FROM_END && !named(body)) {
      own *= FAR;
    } else if (own >= STRONG) strongAt = at;
    if (CHAINED.test(body)) chainAt = at;
    else if (own >= STRONG && at - chainAt <= CHAINED_LINES) own *= CHAINED_FACTOR;
    const inSection = sectionAt !== -1 && own >= 0 && /\w/.test(body);
    const here = (weight[at] ?? 1) * (0.92 + 0.08 * nearness(left));
    const best = Math.max(own, inSection ? SECTION_SCORE : 0) * here;
    worth[at] = Math.max(best, inSection ? (SECTION_PRIORITY - (at - sectionAt) * 0.15) * here : 0);
    if (best <= 0) continue;
    score[at] = best;
    if (best >= 30) often.set(template[at] ?? 0, (often.get(template[at] ?? 0) ?? 0) + 1);
  }
  for (let at = 0; at < count; at++) {
    const times = often.get(template[at] ?? 0) ?? 0;
    const repeated = times > 40 ? 0.5 : times > 12 ? 0.8 : 1;
    const compared = passing === undefined ? 1 : known[at] === 1 ? 0.2 : 1.05;
    score[at] = Math.min(100, (score[at] ?? 0) * repeated * compared);
    worth[at] = Math.min(100, Math.max((worth[at] ?? 0) * compared, score[at] ?? 0));
  }
  return { score, worth, template, toEnd, isEnd, failed, known };
}

/** By rules only; below 0 for a line that a passing step prints as well. */
function ownScore(text: string, body: string): number {
  const trimmed = text.trimStart();
  const annotated = ANNOTATION.test(trimmed);
  if (body === '' || emptyWords.test(trimmed)) return ERROR_LEVEL.test(`${trimmed} `) ? 20 : 0;
  let best = Math.max(bestScore(rules, body), annotated ? 86 : 0);
  if (best < 62 && ERROR_LEVEL.test(trimmed)) best = 62;
  if (best === 0) return 0;
  let damp = 1;
  for (const [factor, pattern] of dampers) {
    if (factor < damp && (pattern.test(trimmed) || (body !== trimmed && pattern.test(body)))) damp = factor;
  }
  return damp < 0.1 ? -1 : best * damp;
}

/** Read from the end: what a program says before a checker's verdict on the same step is not why the step failed. */
function survivedFactors(
  shown: readonly string[],
  bodies: readonly string[],
  owns: Float32Array,
  isEnd: Uint8Array,
): Float32Array {
  const factors = new Float32Array(shown.length).fill(1);
  let checked = false;
  let again = Number.POSITIVE_INFINITY;
  for (let at = shown.length - 1; at >= 0; at--) {
    if (isEnd[at] === 1) checked = false;
    const text = shown[at] ?? '';
    if (saysAgain(text)) again = at;
    if ((owns[at] ?? 0) < STRONG) continue;
    const verdict = bestScore(checkers, bodies[at] ?? '');
    if (verdict >= STRONG) checked ||= verdict >= CHECKED;
    else if (again - at <= TRIED_LINES || isLivedThrough(text)) factors[at] = SURVIVED;
    else if (checked) factors[at] = BEFORE_CHECKED;
  }
  return factors;
}

function named(body: string): boolean {
  return bestScore(checkers, body) >= STRONG;
}

/** Said by runs that pass as well: downloads, passing tests, echoed commands, the CI system's own words. */
export function isNoise(text: string): boolean {
  const trimmed = text.slice(0, MAX_MATCHED_CHARS).trimStart();
  const body = bodyOf(trimmed);
  return dampers.some(([factor, pattern]) => factor <= 0.2 && (pattern.test(trimmed) || pattern.test(body)));
}

/** 1 at the end of the failed step, falling with the distance. */
function nearness(toEnd: number): number {
  return toEnd === -1 ? 0 : 1 / (1 + toEnd / 60);
}
