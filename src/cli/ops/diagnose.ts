// `untilgreen diagnose`: what `@devops` answers on GitHub, in the terminal (DIAG-2, OPS-1). It reads and changes nothing.
import type { Command } from 'commander';
import type { Untilgreen } from '../../client.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Frame } from '../frame.ts';
import { type ByOptions, byOf, withBy } from '../options.ts';
import { facts, paragraphs, printable, table } from '../text/table.ts';
import { type PlaceOptions, withPlace } from './order.ts';

type Seen = NonNullable<Awaited<ReturnType<Untilgreen['inspect']>>['diagnosis']>;

export function diagnoseCommand(program: Command, frame: Frame): void {
  withBy(withPlace(program.command('diagnose')))
    .argument(
      '[question...]',
      'status, check database, check user NAME, check logs SERVICE, or words of your own; default: status',
    )
    .option('--markdown', 'as it would stand on GitHub')
    .description('how production is, and what a question about it is answered')
    .action((words: string[], options: PlaceOptions & ByOptions & { markdown?: boolean }) =>
      frame.ask(options, async (client) => {
        const seen = await client.inspect(
          options,
          { what: 'diagnosis', question: words.join(' ') },
          byOf(options, frame),
        );
        const { diagnosis } = seen;
        if (diagnosis === undefined) return { json: seen, text: 'nothing' };
        const bad =
          diagnosis.services.some(({ health }) => health === 'unhealthy') ||
          diagnosis.checks.some(({ state }) => state === 'failing');
        return {
          json: seen,
          text: options.markdown ? printable(diagnosis.markdown) : textOf(diagnosis),
          exitCode: bad || diagnosis.problems.length > 0 ? exitCodes.red : exitCodes.done,
        };
      }),
    );
}

function textOf({ services, checks, findings, logs, problems, answer, request }: Seen): string {
  return paragraphs(
    facts([['asked', request]]),
    answer === null ? '' : printable(answer),
    table(
      ['service', 'health', 'platform says', 'since', 'image'],
      services.map(({ name, health, rawStatus, sinceMs, image }) => [
        name,
        health,
        rawStatus,
        sinceMs === null ? null : new Date(sinceMs).toISOString().slice(0, 16),
        image,
      ]),
    ),
    table(
      ['check', 'state', 'ms', 'reason'],
      checks.map(({ name, state, latencyMs, reason }) => [name, state, latencyMs, reason]),
    ),
    ...findings.map(({ title, lines }) =>
      [title, ...lines.map((line) => `  ${line}`)].map(printable).join('\n'),
    ),
    logs === null ? '' : [`logs of ${logs.service}`, ...logs.lines.map(lineOf)].map(printable).join('\n'),
    problems.map((problem) => printable(`not read: ${problem}`)).join('\n'),
  );
}

function lineOf({ atMs, severity, text }: NonNullable<Seen['logs']>['lines'][number]): string {
  return `  ${new Date(atMs).toISOString()} ${severity} ${text}`;
}
