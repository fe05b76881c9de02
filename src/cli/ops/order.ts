// What the commands that order something of production have in common: their options, and how the end is told.
import type { Command } from 'commander';
import type { Untilgreen } from '../../client.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { Answer, CommonOptions, Frame } from '../frame.ts';
import { type ByOptions, byOf, withBy, withCommon } from '../options.ts';
import { facts } from '../text/table.ts';

export type PlaceOptions = CommonOptions & { readonly tenant?: string; readonly workspace?: string };
export type OrderOptions = PlaceOptions & ByOptions & { readonly toTheEnd?: boolean };
type Wanted = Parameters<Untilgreen['operate']>[1];
type Operated = Awaited<ReturnType<Untilgreen['operate']>>;

export function withPlace(command: Command): Command {
  return withCommon(command)
    .option('--tenant <name>', 'whose; default: the only one')
    .option('--workspace <name>', 'which; default: the only one with services');
}

export function withOrder(command: Command): Command {
  return withBy(withPlace(command)).option('--to-the-end', 'wait through approvals too, however long');
}

export async function orderNow(
  client: Untilgreen,
  frame: Frame,
  options: OrderOptions,
  wanted: Wanted,
): Promise<Answer> {
  const result = await client.operate(options, wanted, byOf(options, frame), {
    stopWhenWaiting: options.toTheEnd !== true,
    signal: frame.stopped,
    onProgress: frame.say,
  });
  return { json: result, text: textOf(result), exitCode: codeOf(result.outcome) };
}

function textOf(result: Operated): string {
  return facts([
    ['outcome', `${result.outcome}: ${result.summary}`],
    ['waits for', result.waitingFor],
    [
      'approve',
      result.approval === null
        ? null
        : `comment "/approve ${result.approval}" on the activity issue, or: untilgreen approve ${result.approval.slice(0, 12)}`,
    ],
    ['receipt', result.receipt],
    ['workflow', result.link ?? result.workflowId],
  ]);
}

function codeOf(outcome: Operated['outcome']): ExitCode {
  if (outcome === 'done') return exitCodes.done;
  return outcome === 'waiting' ? exitCodes.red : exitCodes.failed;
}
