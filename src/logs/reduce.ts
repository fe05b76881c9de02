// A failing CI log cut to the lines that explain the failure, within a budget of tokens (CI-2). One pass over the bytes with
// bounded memory; then everything is judged on the lines that were retained. No model, no network, no files.
import { findBlocks } from './blocks.ts';
import { type Candidate, chooseLines } from './choose.ts';
import { scoreLines } from './line-scores.ts';
import { type LogLine, readLines } from './lines.ts';
import { rankCauses } from './rank-causes.ts';
import { createRetained } from './retain.ts';
import { templateOf } from './template.ts';

/** What is left of a log. */
export type ReducedLog = {
  /** In the order of the input; a long one is cut and ends in `…`. */
  readonly lines: readonly LogLine[];
  /** Lines that name the cause, the best first, at most 10, all among `lines`; `score` in (0, 1]. */
  readonly cause: readonly (LogLine & { readonly score: number })[];
  readonly failedTests: readonly string[];
  /** Of `lines`, as `estimateTokens` counts; never more than the budget. */
  readonly tokens: number;
  readonly totalLines: number;
};

export const DEFAULT_MAX_TOKENS = 4000;
/** Templates that are remembered of passing logs: about 20 MB. */
const MAX_TEMPLATES = 400_000;

/**
 * Reduces one log. @param options `passing`: logs of the same job that passed: what they say as well explains nothing.
 * `maxTokens`: default 4,000. @throws only what an input throws
 */
export async function reduceLog(
  input: AsyncIterable<Uint8Array>,
  options: { readonly passing?: readonly AsyncIterable<Uint8Array>[]; readonly maxTokens?: number } = {},
): Promise<ReducedLog> {
  const maxTokens = options.maxTokens ?? DEFAULT_MAX_TOKENS;
  const passing = await templatesOf(options.passing ?? []);
  const retained = createRetained();
  for await (const batch of readLines(input)) retained.push(batch);
  const lines = retained.lines();
  const texts = lines.map(({ text }) => text);
  const scores = scoreLines(texts, passing);
  const blocks = findBlocks(texts, scores, passing !== undefined);
  const causes = rankCauses(texts, scores, blocks);
  const candidates = lines.map(
    (line, at): Candidate => ({
      line,
      priority: blocks.priority[at] ?? 0,
      template: scores.template[at] ?? 0,
    }),
  );
  const { chosen, tokens } = chooseLines(candidates, maxTokens);
  const kept = new Map(chosen.map(({ line }) => [line.n, line]));
  const cause = causes.flatMap(({ at, score }) => {
    const line = kept.get(lines[at]?.n ?? 0);
    return line ? [{ ...line, score }] : [];
  });
  return {
    lines: chosen.map(({ line }) => line),
    cause,
    failedTests: [],
    tokens,
    totalLines: retained.totalLines(),
  };
}

async function templatesOf(inputs: readonly AsyncIterable<Uint8Array>[]): Promise<Set<number> | undefined> {
  if (inputs.length === 0) return undefined;
  const templates = new Set<number>();
  for (const input of inputs) {
    for await (const batch of readLines(input)) {
      for (const { text } of batch) if (templates.size < MAX_TEMPLATES) templates.add(templateOf(text));
    }
  }
  return templates;
}
