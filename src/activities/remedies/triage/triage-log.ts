// The log of a failing job, read once (CI-2): class, evidence, failed tests, signature, and the reduced log. The log comes from GitHub to a
// file of this worker, is read by rules, and goes; what leaves here is bounded and redacted.
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { CiClass } from '../../../contract/triage.ts';
import { isNotFound } from '../../../integrations/github/errors.ts';
import { type Place, streamJobLog } from '../../../integrations/github/read.ts';
import { classifyLog } from '../../../logs/classify.ts';
import { failureSignature } from '../../../logs/failure-signature.ts';
import { type LogFile, readLines } from '../../../logs/lines.ts';
import { ranTests } from '../../../logs/ran-tests.ts';
import { type ReducedLog, reduceLog } from '../../../logs/reduce/reduce.ts';
import type { FailureRow } from '../../../store/ci/ci-failures.ts';

/** What a log alone says, as it is kept; `reduced` is the reduced log itself, not its address. */
export type LogReading = Pick<
  FailureRow,
  'class' | 'confidence' | 'signature' | 'headline' | 'failedTests' | 'testsFailed' | 'testsRan' | 'evidence'
> & { readonly reduced: string };

/** What a model may say where the rules say nothing (CI-2). Null: it does not know either. */
export type Classify = (
  reduced: ReducedLog,
) => Promise<{ readonly class: CiClass; readonly confidence: number } | null>;

const maxLogBytes = 250_000_000;
/** More of a green log than this does not pay for what it takes away from a red one. */
const maxPassingBytes = 20_000_000;
const maxTests = 100;
const maxLineLength = 500;
/** Of the log's end, times and colours included. */
const tailBytes = 4_000_000;

export type LogReader = {
  readonly redact: (text: string) => string;
  /** Asked for class `unknown` only. */
  readonly classify?: Classify;
};

/**
 * @param passingJobId the same job in the newest green run; null: not known
 * @returns null when GitHub has no log of the job (any more)
 */
export async function readFailureLog(
  place: Place,
  jobId: number,
  passingJobId: number | null,
  reader: LogReader,
): Promise<LogReading | null> {
  const directory = await mkdtemp(join(tmpdir(), 'untilgreen-log-'));
  try {
    const failing = await spool(place, jobId, join(directory, 'failing.log'), maxLogBytes);
    if (failing === null) return null;
    const passing =
      passingJobId === null
        ? null
        : await spool(place, passingJobId, join(directory, 'passing.log'), maxPassingBytes);
    return await readLog(failing, passing, reader);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A log of this worker; `end`: its last part, where runners sum up. */
type Spooled = LogFile & { readonly end: () => AsyncIterable<Uint8Array> };

async function spool(place: Place, jobId: number, path: string, maxBytes: number): Promise<Spooled | null> {
  try {
    await pipeline(streamJobLog(place, jobId, maxBytes), createWriteStream(path, { mode: 0o600 }), {
      signal: place.signal,
    });
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
  const { size } = await stat(path);
  return {
    name: path,
    open: () => createReadStream(path),
    end: () => createReadStream(path, { start: Math.max(0, size - tailBytes) }),
  };
}

async function readLog(log: Spooled, passing: LogFile | null, reader: LogReader): Promise<LogReading> {
  const green = passing === null ? [] : [passing];
  const byRules = await classifyLog([log], { passing: green });
  const reduced = await reduceLog(log.open(), { passing: green.map(({ open }) => open()) });
  const { failedTests } = reduced;
  const tail: string[] = [];
  for await (const batch of readLines(log.end())) tail.push(...batch.map(({ text }) => text));
  const byModel = byRules.class === 'unknown' ? await reader.classify?.(reduced) : undefined;
  const judged = byModel ?? byRules;
  // The cause of an outage is what rules found; a regression's is the line that ranks first, not a summary.
  const outside = judged.class === 'infra' || judged.class === 'env';
  const [first, second] = outside ? [byRules.evidence, reduced.cause] : [reduced.cause, byRules.evidence];
  const lines = [...first, ...second].map(({ text }) => text);
  const signed = failureSignature(lines, failedTests);
  const headline = signed?.headline ?? lines[0] ?? null;
  return {
    class: judged.class,
    confidence: judged.confidence,
    signature: signed?.signature ?? null,
    headline: headline === null ? null : oneLine(reader.redact(headline)),
    failedTests: failedTests.slice(0, maxTests).map((test) => oneLine(reader.redact(test))),
    testsFailed: failedTests.length,
    testsRan: ranTests(tail.join('\n')).ran,
    evidence: (byRules.evidence.length > 0 ? byRules.evidence : reduced.cause).map(({ n, text }) => ({
      n,
      text: reader.redact(text).slice(0, maxLineLength),
    })),
    reduced: reader.redact(reduced.lines.map(({ n, text }) => `${n}: ${text}`).join('\n')),
  };
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, maxLineLength);
}
