// Whether what is known of an incident points to the code of what was deployed (INC-2): then a code agent is started with it. Pure, and careful:
// a crash with an error of a connection is no fault of the code, and without a new commit nothing that was written lately is to blame.
import type { Deployment, LogLine, Service } from '../../../contract/ops/platform.ts';

/** What fails later than so long after its deployment did not fail because of it. */
const rightAfterMs = 30 * 60_000;
const shownLines = 20;

export type CodeEvidence = {
  readonly service: string;
  /** What failed; null: the platform does not say. */
  readonly commitSha: string | null;
  /** The last one that ran, where the platform says so. */
  readonly before: string | null;
  readonly why: string;
  /** Lines of the log that show it, as they were read: redacted before. */
  readonly lines: readonly string[];
};

export type CodeFacts = {
  readonly service: Service;
  /** In any order, the newest among them. */
  readonly deployments: readonly Deployment[];
  readonly logs: readonly LogLine[];
  readonly faultSinceMs: number;
};

/** Null: nothing points to code. */
export function codeEvidence({ service, deployments, logs, faultSinceMs }: CodeFacts): CodeEvidence | null {
  const { latest } = service;
  if (latest === null) return null;
  const trace = stackTrace(logs.map(({ text }) => text));
  const before = [...deployments]
    .filter((one) => one.id !== latest.id && one.createdAtMs < latest.createdAtMs)
    .sort((a, b) => b.createdAtMs - a.createdAtMs)
    .find((one) => one.status === 'running' || one.status === 'stopped' || one.canRollBack);
  const earlier = service.live !== null && service.live.id !== latest.id ? service.live : before;
  const base = {
    service: service.name,
    commitSha: latest.commitSha ?? null,
    before: earlier?.commitSha ?? null,
  };
  const isNew =
    latest.commitSha !== undefined &&
    earlier?.commitSha !== undefined &&
    latest.commitSha !== earlier.commitSha &&
    faultSinceMs - latest.createdAtMs < rightAfterMs;
  const lines = trace ?? logs.slice(-shownLines).map(({ text }) => text);
  if (isNew && latest.status === 'failed')
    return { ...base, lines, why: 'the newest deployment has another commit and failed' };
  if (isNew && (latest.status === 'crashed' || latest.status === 'degraded'))
    return { ...base, lines, why: 'the newest deployment has another commit and broke right after it' };
  if (trace !== null && latest.status !== 'running')
    return { ...base, lines: trace, why: 'the log has a stack trace of the program' };
  return null;
}

const frame = [
  // JavaScript, Java, C#: `at name (file:1:2)`.
  /^\s+at (?:async )?\S+.*[(:]\S+:\d+(?::\d+)?\)?$/,
  /^\s*File "[^"]+", line \d+, in /,
  /^\s*\S+\.go:\d+(?: \+0x[0-9a-f]+)?$/,
  /^\s+from \S+\.rb:\d+:in /,
  /^\s+\d+: .+::/,
];
const others = /node_modules\/|node:internal|site-packages\/|\/usr\/(?:lib|local\/lib)\/|\/go\/pkg\/mod\//;
/** What a program cannot help: what it talks to is away, or the machine is at its end. */
const notCode =
  /ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|ENOSPC|connection refused|could not connect|too many connections|out of memory|OOMKilled|password authentication failed/i;

/** The last stack trace with a frame of the program's own; null: none, or its error is none of the code. */
function stackTrace(lines: readonly string[]): readonly string[] | null {
  const isFrame = (line: string): boolean => frame.some((pattern) => pattern.test(line));
  const last = lines.findLastIndex((line) => isFrame(line) && !others.test(line));
  if (last === -1) return null;
  let first = last;
  while (first > 0 && isFrame(lines[first - 1] ?? '')) first -= 1;
  const shown = lines.slice(Math.max(0, first - 3), last + 3);
  return shown.some((line) => notCode.test(line)) ? null : shown.slice(0, shownLines);
}
