// A failing CI log cut to the lines that explain the failure, within a budget of tokens (CI-2).
import { type LogLine, readLines } from './lines.ts';

/** What is left of a log. */
export type ReducedLog = {
  /** In the order of the input. */
  readonly lines: readonly LogLine[];
  /** Lines that name the cause, the best first; `score` in (0, 1]. */
  readonly cause: readonly (LogLine & { readonly score: number })[];
  readonly failedTests: readonly string[];
  /** Estimated tokens of `lines`. */
  readonly tokens: number;
  readonly totalLines: number;
};

export async function reduceLog(
  input: AsyncIterable<Uint8Array>,
  _options: { readonly passing?: readonly AsyncIterable<Uint8Array>[]; readonly maxTokens?: number } = {},
): Promise<ReducedLog> {
  let totalLines = 0;
  const lines: LogLine[] = [];
  for await (const batch of readLines(input)) {
    totalLines += batch.length;
    lines.push(...batch.slice(-50));
    if (lines.length > 50) lines.splice(0, lines.length - 50);
  }
  return { lines, cause: [], failedTests: [], tokens: 0, totalLines };
}
