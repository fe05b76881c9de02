// `untilgreen ci fix` and `untilgreen until-green`: focused sessions (CI-14, LOOP-11). The same remedies as the loop's, now, watched to their
// end; Ctrl-C stops the watching only.
import type { Command } from 'commander';
import type { FindingView } from '../../client/look/views.ts';
import type { RunFixed, UntilGreen } from '../../client/steer/focus.ts';
import type { Remediated } from '../../client/steer/orders.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { CommonOptions, Frame } from '../frame.ts';
import { type ByOptions, byOf, withBy, withCommon } from '../options.ts';
import { facts, paragraphs, shorten, shortId, table } from '../text/table.ts';
import { parseDuration } from '../text/time.ts';
import { codeOf } from './remediate.ts';

type FixOptions = CommonOptions &
  ByOptions & { readonly tenant?: string; readonly workspace?: string; readonly toTheEnd?: boolean };

/** @param ci the group of commands about workflow runs */
export function ciFixCommand(ci: Command, frame: Frame): void {
  withBy(withCommon(ci.command('fix')))
    .argument('<run>', 'the id of a failing workflow run, or its address')
    .option('--tenant <name>', 'whose; default: the only one, or the one with its repository')
    .option('--workspace <name>', 'of that tenant; default: all')
    .option('--to-the-end', 'wait through merges and approvals too, however long')
    .description('fix the failing jobs of one run now, and wait for the result')
    .action((run: string, options: FixOptions) =>
      frame.ask(options, async (client) => {
        const fixed = await client.fixRun(
          { tenant: options.tenant, workspace: options.workspace },
          run,
          byOf(options, frame),
          { stopWhenWaiting: options.toTheEnd !== true, signal: frame.stopped, onProgress: frame.say },
        );
        return { json: fixed, text: fixedText(fixed), exitCode: worst(fixed.jobs) };
      }),
    );
}

/** A failure before what is red or waits, that before green. */
function worst(jobs: readonly Remediated[]): ExitCode {
  const codes = jobs.map(({ outcome }) => codeOf(outcome));
  if (codes.includes(exitCodes.failed)) return exitCodes.failed;
  return codes.includes(exitCodes.red) ? exitCodes.red : exitCodes.done;
}

function fixedText({ tenant, jobs, green }: RunFixed): string {
  return paragraphs(
    ...jobs.map((job) =>
      facts([
        ['job', shorten(job.finding.title, 100)],
        ['outcome', `${job.outcome}: ${job.summary}`],
        ['pull request', pullOf(job.finding)],
        ['issue', job.finding.issue === null ? null : `#${job.finding.issue}`],
        ['remedy', job.link ?? job.workflowId],
        ['more', `untilgreen why ${tenant} ${shortId(job.fingerprint)}`],
      ]),
    ),
    green
      .map(({ title, resolvedAt }) => `green already since ${resolvedAt}: ${shorten(title, 100)}`)
      .join('\n'),
  );
}

type UntilOptions = CommonOptions &
  ByOptions & { readonly tenant?: string; readonly timeout: string; readonly toTheEnd?: boolean };

export function untilGreenCommand(program: Command, frame: Frame): void {
  withBy(withCommon(program.command('until-green')))
    .argument('<workspace>', 'name in the tenant file')
    .option('--tenant <name>', 'whose; default: the only one, or the one with such a workspace')
    .option('--timeout <time>', 'how long to watch', '2h')
    .option('--to-the-end', 'watch through merges and approvals too, until green or the time is over')
    .description('read everything now and watch a workspace until it is green or only people can go on')
    .action((workspace: string, options: UntilOptions) =>
      frame.ask(options, async (client) => {
        const end = await client.untilGreen({ tenant: options.tenant, workspace }, byOf(options, frame), {
          timeoutMs: parseDuration('--timeout', options.timeout),
          stopWhenWaiting: options.toTheEnd !== true,
          signal: frame.stopped,
          onProgress: frame.say,
        });
        return {
          json: end,
          text: endText(end, options.timeout),
          exitCode: end.outcome === 'green' ? exitCodes.done : exitCodes.red,
        };
      }),
    );
}

function endText(end: UntilGreen, timeout: string): string {
  const first = {
    green: `${end.workspace} is green`,
    waiting: `${end.workspace} waits for people`,
    timeout: `${end.workspace} is not green after ${timeout}; the loop goes on`,
  }[end.outcome];
  return paragraphs(
    first,
    table(
      ['finding', 'status', 'waits for', 'what'],
      end.left.map((one) => [
        shortId(one.fingerprint),
        one.status,
        one.waitingFor === null ? null : shorten(one.waitingFor, 120),
        shorten(one.title, 80),
      ]),
    ),
    end.unreadable.map((line) => `not readable: ${line}`).join('\n'),
  );
}

function pullOf({ pullRequest }: FindingView): string | null {
  return pullRequest === null ? null : (pullRequest.url ?? `#${pullRequest.number}`);
}
