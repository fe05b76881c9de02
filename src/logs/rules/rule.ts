// What a rule over one line is. Patterns see the line's body (`bodyOf`: without indentation and the prefixes that tools put
// around each other's output), cut to `MAX_MATCHED_CHARS`. Logs are written by strangers: a pattern has no nested
// repetition and no two open repetitions of the same characters in a row, so that matching stays linear.

/** How telling a line is, 0 to 100: 90 and more names the cause, about 50 says that something failed, 30 is a hint. */
export type Rule = readonly [score: number, pattern: RegExp];

export const MAX_MATCHED_CHARS = 400;

/** The score of the best rule that fits. */
export function bestScore(rules: readonly Rule[], body: string): number {
  let best = 0;
  for (const [score, pattern] of rules) if (score > best && pattern.test(body)) best = score;
  return best;
}
