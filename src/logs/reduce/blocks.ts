// From telling lines to telling blocks: a line that names a failure takes what belongs to it along (compiler notes and source
// excerpts, the head of a stack, the difference of an assertion), and lends a little to what stands around.
import { indentOf } from '../body.ts';
import { boundary, continues, details, heading } from '../rules/shape.ts';
import { isNoise, type LineScores } from './line-scores.ts';

export type Blocks = {
  /** 0 to 100: how much a line is worth keeping. */
  readonly priority: Float32Array;
  /** Index of the line that a line's block begins with; -1 outside of blocks. */
  readonly block: Int32Array;
};

const ANCHOR_SCORE = 40;
const MAX_BLOCK_LINES = 160;
const MAX_UP_LINES = 40;
const AROUND_BEFORE = 6;
const AROUND_AFTER = 10;
/** The very end of the failed step is kept next to whatever the rules find. */
const LAST_LINES = 12;
const LAST_PRIORITY = 58;
/** The end of the failed step, or of the log, for failures that no rule knows. */
const TAIL_LINES = 60;
const TAIL_PRIORITY = 20;
/** What else the failed step said, the later the better: the budget is there to be used. */
const REST_PRIORITY = 10;
/** A line that the log of a run that passed has not, and that no rule knows. */
const NEW_PRIORITY = 14;

export function findBlocks(texts: readonly string[], scores: LineScores, compared: boolean): Blocks {
  const count = texts.length;
  const priority = Float32Array.from(scores.worth);
  const block = new Int32Array(count).fill(-1);
  const indents = Int32Array.from(texts, indentOf);
  const shape = shapes(texts);
  const raise = (at: number, value: number): void => {
    const worth = scores.known[at] === 1 ? value * 0.5 : value;
    if (at >= 0 && at < count && worth > (priority[at] ?? 0)) priority[at] = worth;
  };
  const noise = new Int8Array(count);
  const noisy = (at: number): boolean => {
    if (noise[at] === 0) noise[at] = isNoise(texts[at] ?? '') ? 1 : -1;
    return noise[at] === 1;
  };
  const around = (at: number, value: number): void => {
    if (at >= 0 && at < count && value > (priority[at] ?? 0) && !noisy(at)) raise(at, value);
  };
  for (let at = 0; at < count; at++) {
    const score = scores.score[at] ?? 0;
    if (score < ANCHOR_SCORE) continue;
    const first = upward(at, score);
    const root = block[first] === -1 ? first : (block[first] ?? first);
    for (let line = first; line <= at; line++) block[line] = root;
    const last = downward(at, score, root);
    for (let line = 1; line <= AROUND_BEFORE; line++) around(first - line, score * (0.5 - 0.06 * line));
    for (let line = 1; line <= AROUND_AFTER; line++) around(last + line, score * (0.46 - 0.035 * line));
  }
  for (let at = 0; at < count; at++) {
    const left = scores.toEnd[at] ?? -1;
    if (left < 0 || (priority[at] ?? 0) >= LAST_PRIORITY || noisy(at)) continue;
    if (left <= LAST_LINES) raise(at, LAST_PRIORITY - left);
    else raise(at, left <= TAIL_LINES ? TAIL_PRIORITY - left * 0.15 : REST_PRIORITY / (1 + left / 1000));
    if (compared && scores.known[at] === 0) raise(at, NEW_PRIORITY);
  }
  // Nothing but noise: its end is still the best there is.
  if (!priority.some((value) => value > 0)) {
    for (let at = Math.max(0, count - TAIL_LINES); at < count; at++) priority[at] = TAIL_PRIORITY;
  }
  return { priority, block };

  /** Where the block of this line begins: a traceback's head, the heading of a test, "in function". */
  function upward(at: number, score: number): number {
    let first = at;
    const indent = indents[at] ?? 0;
    for (let line = at - 1; line >= Math.max(0, at - MAX_UP_LINES); line--) {
      const kind = shape[line] ?? 0;
      if (kind & BOUNDARY || block[line] !== -1) break;
      const blank = (texts[line] ?? '') === '';
      const deeper = !blank && (indents[line] ?? 0) > indent;
      if (!(deeper || kind & (CONTINUES | HEADING) || (blank && at - line <= 3))) break;
      if (!blank) first = line;
      raise(line, score * (at - line <= 12 ? 0.8 : 0.62));
      if (kind & HEADING && !deeper && !(kind & CONTINUES)) break;
    }
    return first;
  }

  /** The last line that belongs to this one. */
  function downward(at: number, score: number, root: number): number {
    let last = at;
    const indent = indents[at] ?? 0;
    const tag = tagOf(texts[at] ?? '');
    for (let line = at + 1; line <= Math.min(count - 1, at + MAX_BLOCK_LINES); line++) {
      const text = texts[line] ?? '';
      const kind = shape[line] ?? 0;
      if (kind & BOUNDARY || scores.isEnd[line] === 1) break;
      if (text === '') {
        if (line - last >= 3) break;
        continue;
      }
      const belongs =
        (indents[line] ?? 0) > indent ||
        (kind & (CONTINUES | DETAILS)) !== 0 ||
        (tag !== '' && text.trimStart().startsWith(tag)) ||
        ((scores.score[line] ?? 0) >= ANCHOR_SCORE && line - last <= 2);
      if (!belongs) break;
      const worth = score * factorAt(line - at);
      for (let covered = last + 1; covered <= line; covered++) {
        block[covered] = root;
        raise(covered, worth);
      }
      last = line;
      // A line that is as telling goes on by itself.
      if ((scores.score[line] ?? 0) >= score) break;
    }
    return last;
  }
}

const CONTINUES = 1;
const DETAILS = 2;
const HEADING = 4;
const BOUNDARY = 8;
const MAX_SHAPE_CHARS = 240;

function shapes(texts: readonly string[]): Uint8Array {
  return Uint8Array.from(texts, (text) => {
    if (text === '') return 0;
    const shown = text.slice(0, MAX_SHAPE_CHARS);
    return (
      (continues.test(shown) ? CONTINUES : 0) |
      (details.test(shown) ? DETAILS : 0) |
      (heading.test(shown) ? HEADING : 0) |
      (boundary.test(shown) ? BOUNDARY : 0)
    );
  });
}

/** The word that a tool puts before each of its lines about one failure. */
function tagOf(text: string): string {
  return (
    /^\s*(\[(?:ERROR|error)\]|npm ERR!|npm error|ERROR:|error:|Error:|E:|e:|##\[error\]|PHP |#|!|│)/.exec(
      text,
    )?.[1] ?? ''
  );
}

/** Lines further down a block are worth less; deep stacks least. */
function factorAt(distance: number): number {
  if (distance <= 12) return 0.9;
  if (distance <= 30) return 0.72;
  return distance <= 70 ? 0.5 : 0.34;
}
