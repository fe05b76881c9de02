// Why a run failed (CI-2): a class with a confidence and the lines that speak for it. Rules only, no model, no state: the same log gives
// the same answer. What was learnt from other runs of the same job (CI-3, CI-4) is judged elsewhere.
import { basename } from 'node:path';
import type { FailureClass } from './classify/rule.ts';
import { linesOf, type ScannedLog, scanLog } from './classify/scan.ts';
import { type Verdict, verdictOf } from './classify/verdict.ts';
import type { LogFile, LogLine } from './lines.ts';

export type Classification = {
  readonly class: FailureClass | 'unknown';
  /** 0 to 1. */
  readonly confidence: number;
  /** Best first; with several logs, `file` names the one. */
  readonly evidence: readonly (LogLine & { readonly file?: string })[];
  /** Names of the logs whose job failed, cancelled ones too. */
  readonly failingJobs: readonly string[];
};

const MAX_EVIDENCE = 12;

/**
 * @param files logs of one run, a job each
 * @param options.passing logs of green runs of the same jobs: what they say too is no evidence
 */
export async function classifyLog(
  files: readonly LogFile[],
  options: { readonly passing?: readonly LogFile[] } = {},
): Promise<Classification> {
  const known = await linesOf(options.passing ?? []);
  const logs: ScannedLog[] = [];
  for (const file of files) logs.push(await scanLog(file, known));
  const failing = failingLogs(logs);
  // Jobs that were stopped because another one failed say nothing about why.
  const stopped = failing.filter((log) => !log.end.cancelled);
  const judged = (stopped.length > 0 ? stopped : failing).map((log) => ({ log, verdict: verdictOf(log) }));
  const winner = strongest(judged.map(({ verdict }) => verdict));
  const evidence = judged
    .filter(({ verdict }) => verdict.class === winner.class)
    .flatMap(({ log, verdict }) =>
      verdict.hits.map(({ n, text }) => (files.length > 1 ? { n, text, file: log.name } : { n, text })),
    );
  return {
    class: winner.class,
    confidence: winner.confidence,
    evidence: evidence.slice(0, MAX_EVIDENCE),
    failingJobs: failing.map(({ name }) => (files.length > 1 ? name : basename(name))),
  };
}

/** A single log is the failing one, unless it says that it passed. */
function failingLogs(logs: readonly ScannedLog[]): readonly ScannedLog[] {
  if (logs.length === 1) return logs.filter(({ end }) => end.verdict !== 'passed');
  const failed = logs.filter(({ end }) => end.verdict === 'failed');
  return failed.length > 0 ? failed : logs.filter(({ end }) => end.verdict === 'likely');
}

/** The class with the most confidence over all jobs; a change at fault wins a tie. */
function strongest(verdicts: readonly Verdict[]): Pick<Verdict, 'class' | 'confidence'> {
  const sums = new Map<Verdict['class'], { sum: number; best: number }>();
  for (const { class: name, confidence } of verdicts) {
    const before = sums.get(name) ?? { sum: 0, best: 0 };
    sums.set(name, { sum: before.sum + confidence, best: Math.max(before.best, confidence) });
  }
  const known = [...sums].filter(([name]) => name !== 'unknown');
  const ranked = (known.length > 0 ? known : [...sums]).sort(
    ([a, x], [b, y]) => y.sum - x.sum || Number(b === 'regression') - Number(a === 'regression'),
  );
  const top = ranked[0];
  return top ? { class: top[0], confidence: top[1].best } : { class: 'unknown', confidence: 0.05 };
}
