// Which of the kept lines name the cause, the best first: one line of each block before a second one that says no more.
import type { Blocks } from './blocks.ts';
import { isNoise, type LineScores } from './line-scores.ts';

export type Cause = { readonly at: number /** In (0, 1]. */; readonly score: number };

const MAX_CAUSES = 10;
/** Below this a rule has not found a cause. */
const NAMED_SCORE = 40;
const GUESSED_LINES = 15;
const MAX_GUESSES = 3;
const GUESS_SCORE = 0.2;
/** What else a block names comes after what other blocks name as clearly, and before what they only hint at. */
const OF_SAME_BLOCK = 0.6;
/** A first line of a block is preferred to a slightly better one below it. */
const FIRST_LINE_BONUS = 2;

export function rankCauses(texts: readonly string[], scores: LineScores, blocks: Blocks): readonly Cause[] {
  const order = [...texts.keys()]
    .filter((at) => (scores.score[at] ?? 0) > 0 && texts[at] !== '')
    .sort((a, b) => worth(b) - worth(a) || a - b);
  const usedKinds = new Set<number>();
  const usedBlocks = new Set<number>();
  const first: number[] = [];
  const second: number[] = [];
  for (const at of order) {
    const kind = scores.template[at] ?? 0;
    if (usedKinds.has(kind)) continue;
    const block = blocks.block[at] ?? -1;
    const fresh = block === -1 || !usedBlocks.has(block);
    if ((fresh ? first : second).length >= MAX_CAUSES) {
      if (first.length >= MAX_CAUSES) break;
      continue;
    }
    usedKinds.add(kind);
    usedBlocks.add(block);
    (fresh ? first : second).push(at);
  }
  const others = new Set(second);
  const rank = (at: number): number => worth(at) * (others.has(at) ? OF_SAME_BLOCK : 1);
  const named = [...first, ...second]
    .sort((a, b) => rank(b) - rank(a) || a - b)
    .slice(0, MAX_CAUSES)
    .filter((at) => (scores.score[at] ?? 0) >= NAMED_SCORE);
  if (named.length === 0) return guesses();
  return named.map((at) => ({ at, score: Math.round(scores.score[at] ?? 0) / 100 }));

  /** No rule knows what was said: then it is what was said last, before the step failed. */
  function guesses(): readonly Cause[] {
    return [...texts.keys()]
      .filter((at) => {
        const left = scores.toEnd[at] ?? -1;
        const isOwn = scores.isEnd[at] === 0 && scores.known[at] === 0;
        return (
          left >= 0 &&
          left <= GUESSED_LINES &&
          isOwn &&
          /\w/.test(texts[at] ?? '') &&
          !isNoise(texts[at] ?? '')
        );
      })
      .sort((a, b) => (scores.toEnd[a] ?? 0) - (scores.toEnd[b] ?? 0) || b - a)
      .slice(0, MAX_GUESSES)
      .map((at, index) => ({ at, score: Math.round(100 * GUESS_SCORE - index) / 100 }));
  }

  function worth(at: number): number {
    return (scores.score[at] ?? 0) + (blocks.block[at] === at ? FIRST_LINE_BONUS : 0);
  }
}
