// A failing CI log cut to the lines that explain the failure, within a budget of tokens (CI-2). One pass over the bytes with
// bounded memory; then everything is judged on the lines that were retained. No model, no network, no files.

import { createFailedTests } from '../failed-tests.ts';
import { type LogFile, type LogLine, readLines } from '../lines.ts';
import { templateOf } from '../template.ts';
import { findBlocks } from './blocks.ts';
import { type Candidate, chooseLines } from './choose.ts';
import { scoreLines } from './line-scores.ts';
import { rankCauses } from './rank-causes.ts';
import { createRetained } from './retain.ts';

export type ReducedLine = LogLine & {
  /** Of which log of an archive; `n` counts in that log. */
  readonly file?: string;
};

/** What is left of a log. */
export type ReducedLog = {
  /** In the order of the input; a long one is cut and ends in `…`. */
  readonly lines: readonly ReducedLine[];
  /** Lines that name the cause, the best first, at most 10, all among `lines`; `score` in (0, 1]. */
  readonly cause: readonly (ReducedLine & { readonly score: number })[];
  readonly failedTests: readonly string[];
  /** Of `lines`, as `estimateTokens` counts; never more than the budget. */
  readonly tokens: number;
  readonly totalLines: number;
};

export type ReduceOptions = {
  /** Logs of the same job that passed: what they say as well explains nothing. */
  readonly passing?: readonly AsyncIterable<Uint8Array>[];
  /** Default 4,000. */
  readonly maxTokens?: number;
};

export const DEFAULT_MAX_TOKENS = 4000;
/** Templates that are remembered of passing logs: about 20 MB. */
const MAX_TEMPLATES = 400_000;
/** Lines of one kind in one log, and over all logs of an archive, whose jobs often fail alike. */
const SAME_KIND = 4;
const SAME_KIND_OF_JOBS = 1;
const MAX_CAUSES = 10;
const MAX_FAILED_TESTS = 2000;

/** Reduces one log. @throws only what an input throws */
export async function reduceLog(
  input: AsyncIterable<Uint8Array>,
  options: ReduceOptions = {},
): Promise<ReducedLog> {
  const passing = await templatesOf(options.passing ?? []);
  return plain(await reduceOne(input, passing, options.maxTokens ?? DEFAULT_MAX_TOKENS));
}

/**
 * Reduces the logs of one run, one per job, into one budget. Jobs in which no step failed are left out when there is one in
 * which a step did. A single log is reduced as by `reduceLog`.
 */
export async function reduceLogs(
  files: readonly LogFile[],
  options: ReduceOptions = {},
): Promise<ReducedLog> {
  const [only] = files;
  if (only && files.length === 1) return reduceLog(only.open(), options);
  const maxTokens = options.maxTokens ?? DEFAULT_MAX_TOKENS;
  const passing = await templatesOf(options.passing ?? []);
  const jobs: (OneLog & { readonly file: string })[] = [];
  for (const { name, open } of files)
    jobs.push({ ...(await reduceOne(open(), passing, maxTokens)), file: name });
  const failed = jobs.some((job) => job.failed) ? jobs.filter((job) => job.failed) : jobs;
  const { chosen, tokens } = chooseLines(
    failed.flatMap(({ file, chosen: own }) => own.map((one) => ({ ...one, line: { ...one.line, file } }))),
    maxTokens,
    SAME_KIND_OF_JOBS,
  );
  const kept = new Set(chosen.map(({ line }) => `${line.n} ${line.file}`));
  const kinds = new Set<number>();
  const cause = failed
    .flatMap(({ file, causes }) => causes.map((one) => ({ ...one, line: { ...one.line, file } })))
    .sort((a, b) => b.score - a.score)
    .filter(
      ({ line, template }) =>
        kept.has(`${line.n} ${line.file}`) && !kinds.has(template) && kinds.add(template),
    )
    .slice(0, MAX_CAUSES)
    .map(({ line, score }) => ({ ...line, score }));
  return {
    lines: chosen.map(({ line }) => line),
    cause,
    failedTests: [...new Set(failed.flatMap((job) => job.failedTests))].slice(0, MAX_FAILED_TESTS),
    tokens,
    totalLines: jobs.reduce((sum, job) => sum + job.totalLines, 0),
  };
}

type OneLog = {
  readonly chosen: readonly Candidate[];
  readonly causes: readonly { readonly line: LogLine; readonly score: number; readonly template: number }[];
  readonly failedTests: readonly string[];
  readonly tokens: number;
  readonly totalLines: number;
  /** A step is said to have failed. */
  readonly failed: boolean;
};

async function reduceOne(
  input: AsyncIterable<Uint8Array>,
  passing: ReadonlySet<number> | undefined,
  maxTokens: number,
): Promise<OneLog> {
  const failedTests = createFailedTests();
  const retained = createRetained(failedTests.push);
  for await (const batch of readLines(input)) retained.push(batch);
  const lines = retained.end();
  const texts = lines.map(({ text }) => text);
  const scores = scoreLines(texts, passing);
  const blocks = findBlocks(texts, scores, passing !== undefined);
  const candidates = lines.map(
    (line, at): Candidate => ({
      line,
      priority: blocks.priority[at] ?? 0,
      template: scores.template[at] ?? 0,
    }),
  );
  const { chosen, tokens } = chooseLines(candidates, maxTokens, SAME_KIND);
  const kept = new Map(chosen.map((one) => [one.line.n, one]));
  const causes = rankCauses(texts, scores, blocks).flatMap(({ at, score }) => {
    const one = kept.get(lines[at]?.n ?? 0);
    return one ? [{ line: one.line, score, template: one.template }] : [];
  });
  return {
    chosen,
    causes,
    failedTests: failedTests.names(),
    tokens,
    totalLines: retained.totalLines(),
    failed: scores.failed,
  };
}

function plain({ chosen, causes, failedTests, tokens, totalLines }: OneLog): ReducedLog {
  return {
    lines: chosen.map(({ line }) => line),
    cause: causes.map(({ line, score }) => ({ ...line, score })),
    failedTests,
    tokens,
    totalLines,
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
