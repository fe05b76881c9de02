// How telling each line is by itself: rules, dampers, the step it is in, how often its like comes, and whether a log of a
// run that passed has it too.
import { bodyOf } from './body.ts';
import { findRegions } from './regions.ts';
import { compilerRules } from './rules/compilers.ts';
import { sectionEnd, sectionStart } from './rules/ends.ts';
import { dampers, emptyWords } from './rules/noise.ts';
import { bestScore, MAX_MATCHED_CHARS, type Rule } from './rules/rule.ts';
import { runtimeRules } from './rules/runtime.ts';
import { testRules } from './rules/tests.ts';
import { templateOf } from './template.ts';

export type LineScores = {
  /** 0 to 100. */
  readonly score: Float32Array;
  /** Lines of one kind have one number (`templateOf`). */
  readonly template: Int32Array;
  readonly toEnd: Int32Array;
  readonly isEnd: Uint8Array;
  /** 1 where a log of a run that passed has the like; all 0 without one. */
  readonly known: Uint8Array;
};

const rules: readonly Rule[] = [...compilerRules, ...testRules, ...runtimeRules];
/** No rule fits a line without any of these. */
const CANDIDATE =
  /err|fail|exception|panic|fatal|assert|abort|kill|trace|can ?not|can't|unable|could|not |undefined|time|denied|segm|space|memory|exit|expect|cancel|warn|miss|invalid|unknown|unexp|confl|refus|require|illegal|mismatch|violat|problem|differ|must|reject|[:([]\d|^\s*\d+\)|^\W|^[a-zE]:? |reformat|resolve|error|diff|crash|lost|oh no|because|limit|message|reason|output|depend|broken|loading|:: ?\w|hash|unsup|runner|dubious|cover|---|===/i;
const ERROR_LEVEL = /^\[?(?:ERROR|FATAL|SEVERE|error)\]?[\s:]/;
const ANNOTATION = /^(?:##\[error\]|::error\b)/;
const SECTION_LINES = 160;
const SECTION_SCORE = 54;
const END_SCORE = 34;

/** @param passing templates of logs of runs that passed */
export function scoreLines(texts: readonly string[], passing?: ReadonlySet<number>): LineScores {
  const { weight, toEnd, isEnd } = findRegions(texts);
  const count = texts.length;
  const score = new Float32Array(count);
  const template = new Int32Array(count);
  const known = new Uint8Array(count);
  const often = new Map<number, number>();
  let sectionAt = -1;
  for (let at = 0; at < count; at++) {
    const text = texts[at] ?? '';
    template[at] = templateOf(text);
    if (passing?.has(template[at] ?? 0)) known[at] = 1;
    if (text === '') continue;
    const shown = text.slice(0, MAX_MATCHED_CHARS);
    const body = bodyOf(shown);
    if (isEnd[at] === 1) {
      score[at] = END_SCORE;
      sectionAt = -1;
      continue;
    }
    if (sectionStart.test(body)) sectionAt = at;
    else if (sectionAt !== -1 && (at - sectionAt > SECTION_LINES || sectionEnd.test(body))) sectionAt = -1;
    const own = ownScore(shown, body);
    const floor = sectionAt === -1 || own < 0 ? 0 : SECTION_SCORE - (at - sectionAt) * 0.15;
    const best = Math.max(own, floor) * (weight[at] ?? 1) * (0.94 + 0.06 * nearness(toEnd[at] ?? -1));
    if (best <= 0) continue;
    score[at] = best;
    if (best >= 30) often.set(template[at] ?? 0, (often.get(template[at] ?? 0) ?? 0) + 1);
  }
  for (let at = 0; at < count; at++) {
    const times = often.get(template[at] ?? 0) ?? 0;
    const repeated = times > 40 ? 0.5 : times > 12 ? 0.8 : 1;
    const compared = passing === undefined ? 1 : known[at] === 1 ? 0.2 : 1.05;
    score[at] = Math.min(100, (score[at] ?? 0) * repeated * compared);
  }
  return { score, template, toEnd, isEnd, known };
}

/** By rules only; below 0 for a line that a passing step prints as well. */
function ownScore(text: string, body: string): number {
  const trimmed = text.trimStart();
  const annotated = ANNOTATION.test(trimmed);
  const candidate = annotated || CANDIDATE.test(text);
  if (!candidate) return 0;
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
