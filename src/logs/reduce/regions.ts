// Where in a log the failure is to be looked for: in the step that failed, before its end; not in steps that went well and
// not in what puts away afterwards.
import { cleanupStart, failedEnd, goodEnd, jobEnd, stepStart } from '../rules/ends.ts';

export type Regions = {
  /** Per line: what its score is multiplied with. */
  readonly weight: Float32Array;
  /** Per line: how many lines later the step ends that failed; -1 for none. */
  readonly toEnd: Int32Array;
  /** Per line: it says that a step failed, and not why. */
  readonly isEnd: Uint8Array;
  /** Some step is said to have failed. */
  readonly failed: boolean;
};

const IN_FAILED_STEP = 1;
/** As a `Float32Array` holds it: it is compared. */
const ELSEWHERE = Math.fround(0.72);
const IN_GOOD_STEP = 0.4;
const IN_CLEANUP = 0.3;
const MAX_END_CHARS = 2100;

/** @param texts clean lines */
export function findRegions(texts: readonly string[]): Regions {
  const count = texts.length;
  const weight = new Float32Array(count).fill(ELSEWHERE);
  const toEnd = new Int32Array(count).fill(-1);
  const isEnd = new Uint8Array(count);
  let start = 0;
  let ends = 0;
  let cleanup = false;
  for (let at = 0; at < count; at++) {
    const text = (texts[at] ?? '').trimStart().slice(0, MAX_END_CHARS);
    if (text === '') continue;
    const said = failedEnd.some((pattern) => pattern.test(text));
    // GitHub and Azure print an annotation of their own only in a step that failed.
    if (said || text.startsWith('##[error]')) {
      if (said) isEnd[at] = 1;
      // After the clean-up only the whole job is said to have failed: that is not a step of its own.
      if (cleanup) continue;
      if (ends > 0 && jobEnd.test(text)) {
        weight.fill(IN_GOOD_STEP, start, at + 1);
        continue;
      }
      ends++;
      for (let line = start; line <= at; line++) {
        weight[line] = IN_FAILED_STEP;
        toEnd[line] = at - line;
      }
      start = at + 1;
    } else if (goodEnd.test(text)) {
      if (!cleanup) weight.fill(IN_GOOD_STEP, start, at + 1);
      start = at + 1;
    } else if (cleanupStart.test(text)) {
      if (!cleanup && ends === 0) closeAtCleanup(start, at);
      cleanup = true;
      start = at + 1;
    } else if (stepStart.test(text)) {
      cleanup = false;
      start = at;
    }
    if (cleanup) weight[at] = IN_CLEANUP;
  }
  if (ends === 0) fillWithoutEnds();
  return { weight, toEnd, isEnd, failed: ends > 0 || isEnd.includes(1) };

  /** A job whose clean-up begins before any step is said to have failed: the step before it did. */
  function closeAtCleanup(from: number, at: number): void {
    for (let line = from; line < at; line++) {
      weight[line] = IN_FAILED_STEP;
      toEnd[line] = at - line;
    }
  }

  function fillWithoutEnds(): void {
    for (let line = 0; line < count; line++) {
      if (weight[line] !== ELSEWHERE || toEnd[line] !== -1) continue;
      weight[line] = IN_FAILED_STEP;
      toEnd[line] = count - line;
    }
  }
}
