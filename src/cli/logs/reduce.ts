// `untilgreen logs reduce FILE`: the lines of a failing log that explain the failure, within a budget of tokens (CI-2).
// Needs no server and no tenant.
import type { Command } from 'commander';
import { UsageError } from '../../client/errors.ts';
import { type LogFile, LogFileError, readStdin } from '../../logs/log-files.ts';
import { redactText } from '../../logs/redact/redact-text.ts';
import {
  DEFAULT_MAX_TOKENS,
  type ReducedLine,
  type ReducedLog,
  reduceLogs,
} from '../../logs/reduce/reduce.ts';
import type { Frame } from '../frame.ts';
import { printable } from '../text/table.ts';
import { openArgument } from './log-argument.ts';

type ReduceOptions = {
  readonly passing?: readonly string[];
  readonly maxTokens?: string;
  readonly json?: boolean;
};

const MIN_TOKENS = 50;
const MAX_TOKENS = 1_000_000;
const STDIN = '-';

export function reduceCommand(logs: Command, frame: Frame): void {
  logs
    .command('reduce')
    .description('the lines of a failing log that explain the failure')
    .argument('<file>', 'a log, the archive of all logs as GitHub gives it, or - for a log on stdin')
    .option('--passing <file...>', 'log or archive of a green run: what it says too explains nothing')
    .option('--max-tokens <number>', `at most so many tokens, estimated (default: ${DEFAULT_MAX_TOKENS})`)
    .option('--json', 'one JSON document on stdout')
    .action((file: string, options: ReduceOptions) =>
      frame.run(options, async () => {
        const maxTokens = tokensOf(options.maxTokens);
        const passing: LogFile[] = [];
        for (const path of options.passing ?? []) passing.push(...(await openArgument(path, '--passing')));
        const files =
          file === STDIN ? [{ name: 'stdin', open: readStdin }] : await openArgument(file, 'FILE');
        const reduced = await reduceAll(files, passing, maxTokens);
        const clean = <T extends ReducedLine>(line: T): T => ({
          ...line,
          text: redactText(line.text, frame.redactor),
        });
        const json = { ...reduced, lines: reduced.lines.map(clean), cause: reduced.cause.map(clean) };
        return { json, text: forPeople(json) };
      }),
    );
}

async function reduceAll(
  files: readonly LogFile[],
  passing: readonly LogFile[],
  maxTokens: number,
): Promise<ReducedLog> {
  try {
    return await reduceLogs(files, { passing: passing.map(({ open }) => open()), maxTokens });
  } catch (error) {
    // A broken archive shows itself while it is read.
    throw error instanceof LogFileError ? new UsageError(error.message) : error;
  }
}

function tokensOf(value: string | undefined): number {
  if (value === undefined) return DEFAULT_MAX_TOKENS;
  const tokens = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
  if (tokens >= MIN_TOKENS && tokens <= MAX_TOKENS) return tokens;
  throw new UsageError(
    `--max-tokens: ${JSON.stringify(value)} is not a number from ${MIN_TOKENS} to ${MAX_TOKENS}. Fix: for example --max-tokens ${DEFAULT_MAX_TOKENS}`,
  );
}

/** Numbers in front; `⋮` where lines are left out. */
function forPeople(log: ReducedLog): string {
  const width = String(log.lines.at(-1)?.n ?? 0).length;
  const rows: string[] = [];
  let before: ReducedLine | undefined;
  for (const line of log.lines) {
    if (line.file !== before?.file) rows.push('', printable(line.file ?? ''));
    else if (before && line.n > before.n + 1) rows.push('⋮');
    rows.push(`${String(line.n).padStart(width)}  ${printable(line.text)}`);
    before = line;
  }
  const causes = log.cause
    .slice(0, 3)
    .map(({ n, text, file }) =>
      printable(`  ${file === undefined ? '' : `${file}:`}${n}  ${text.trim().slice(0, 200)}`),
    );
  return [
    `${log.lines.length} of ${log.totalLines} lines, about ${log.tokens} tokens`,
    ...(causes.length > 0 ? ['Most telling:', ...causes] : []),
    ...(log.failedTests.length > 0
      ? ['Failed tests:', ...log.failedTests.map((name) => printable(`  ${name}`))]
      : []),
    ...rows,
  ].join('\n');
}
