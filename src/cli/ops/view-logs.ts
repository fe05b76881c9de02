// `untilgreen view-logs`: the newest lines of a service, redacted; --follow goes on until Ctrl-C (OPS-1).
import { setTimeout as delay } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import type { Untilgreen } from '../../client.ts';
import type { Frame } from '../frame.ts';
import { type ByOptions, byOf, withBy } from '../options.ts';
import { printable } from '../text/table.ts';
import { type PlaceOptions, withPlace } from './order.ts';

type LogOptions = PlaceOptions &
  ByOptions & { readonly lines: number; readonly build?: boolean; readonly follow?: boolean };
type Line = NonNullable<Awaited<ReturnType<Untilgreen['inspect']>>['logs']>[number];

const followEveryMs = 3_000;

export function viewLogsCommand(program: Command, frame: Frame): void {
  withBy(withPlace(program.command('view-logs')))
    .argument('<service>', 'its name')
    .option('-n, --lines <count>', 'newest so many, at most 500', lineCount, 100)
    .option('--build', 'of its newest build')
    .option('-f, --follow', 'go on with new lines until Ctrl-C')
    .description('the newest lines of a service, with secrets taken out')
    .action((service: string, options: LogOptions) =>
      frame.ask(options, async (client) => {
        const { lines, build = false } = options;
        const read = (sinceMs?: number) =>
          client.inspect(
            options,
            { what: 'logs', service, lines, build, ...(sinceMs === undefined ? {} : { sinceMs }) },
            byOf(options, frame),
          );
        const seen = await read();
        if (options.follow)
          return follow(frame, options, seen.logs ?? [], async (sinceMs) => (await read(sinceMs)).logs ?? []);
        const text = (seen.logs ?? []).map(lineOf).join('\n');
        return { json: seen, text: text || 'no lines' };
      }),
    );
}

async function follow(
  frame: Frame,
  options: LogOptions,
  first: readonly Line[],
  read: (sinceMs: number) => Promise<readonly Line[]>,
): Promise<undefined> {
  // Lines of the same millisecond are told apart by their text.
  let shown = new Set<string>();
  let sinceMs = 0;
  const show = (lines: readonly Line[]): void => {
    for (const line of lines) {
      const id = `${line.atMs} ${line.text}`;
      if (line.atMs < sinceMs || shown.has(id)) continue;
      if (line.atMs > sinceMs) shown = new Set();
      shown.add(id);
      sinceMs = line.atMs;
      if (options.json) frame.writeJson(line, { oneLine: true });
      else frame.write(`${lineOf(line)}\n`);
    }
  };
  show(first);
  while (!frame.stopped.aborted) {
    await delay(followEveryMs, undefined, { signal: frame.stopped }).catch(() => {});
    if (frame.stopped.aborted) break;
    show(await read(sinceMs));
  }
  return undefined;
}

function lineOf({ atMs, severity, text }: Line): string {
  const level = severity === '' || severity === 'info' ? '' : `${severity.toUpperCase()} `;
  return `${new Date(atMs).toISOString()} ${level}${printable(text)}`;
}

function lineCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 500)
    throw new InvalidArgumentError('Fix: give a number from 1 to 500.');
  return count;
}
