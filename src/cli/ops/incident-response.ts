// `untilgreen incident-response`: for somebody who was called (OPS-1): reads production now, shows what is broken, and sees to it that each of it is
// worked on.
import type { Command } from 'commander';
import type { Untilgreen } from '../../client.ts';
import { exitCodes } from '../exit-codes.ts';
import type { CommonOptions, Frame } from '../frame.ts';
import { type ByOptions, byOf, withBy, withCommon } from '../options.ts';
import { facts, paragraphs, shorten, shortId, table } from '../text/table.ts';
import { relative } from '../text/time.ts';

type Options = CommonOptions & ByOptions & { readonly tenant?: string; readonly wait?: boolean };
type Response = Awaited<ReturnType<Untilgreen['incidentResponse']>>;

export function incidentResponseCommand(program: Command, frame: Frame): void {
  withBy(withCommon(program.command('incident-response')))
    .argument('[workspace]', 'default: the only one with services')
    .option('--tenant <name>', 'whose; default: the only one')
    .option('--wait', 'until nothing is open any more')
    .description('read production now, show open incidents, and work on each')
    .action((workspace: string | undefined, options: Options) =>
      frame.ask(options, async (client) => {
        const seen = await client.incidentResponse(
          { tenant: options.tenant, workspace },
          byOf(options, frame),
          {
            untilOver: options.wait === true,
            signal: frame.stopped,
            onProgress: frame.say,
          },
        );
        const unread = seen.read.some(({ state }) => state === 'unknown');
        const exitCode = seen.open.length > 0 || unread ? exitCodes.red : exitCodes.done;
        return { json: seen, text: textOf(seen, Date.now()), exitCode };
      }),
    );
}

function textOf({ read, open, ordered, workspace }: Response, nowMs: number): string {
  return paragraphs(
    table(
      ['read', 'state', 'what it says'],
      read.map(({ source, state, reason }) => [source, state, shorten(reason, 120)]),
    ),
    open.length === 0 ? `nothing is open in ${workspace}` : '',
    ...open.map((one) =>
      facts([
        [one.level ?? one.kind, one.title],
        ['since', relative(one.since, nowMs)],
        ['checks', one.checks.map(({ name, reason, level }) => `${name} (${level}): ${reason}`).join('; ')],
        ['services', one.services.join(', ')],
        ['status', ordered.includes(one.fingerprint) ? 'a remedy was ordered' : one.status],
        ['waits for', one.waitingFor],
        ['acknowledged', one.acknowledgedBy ?? `nobody: untilgreen ack ${shortId(one.fingerprint)}`],
        ['issue', one.issue?.url ?? null],
        ['remedy', one.link ?? one.workflowId],
      ]),
    ),
  );
}
