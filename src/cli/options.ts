// Options that several commands have, said once.
import type { Command } from 'commander';
import { type Frame, osUser } from './frame.ts';

export function withCommon(command: Command): Command {
  return command
    .option('--json', 'one JSON document on stdout')
    .option('--data <dir>', 'data folder of the "untilgreen up" to talk to');
}

export function withBy(command: Command): Command {
  return command.option('--by <name>', 'who acts (default: the user of the operating system)');
}

export type ByOptions = { readonly by?: string };

export function byOf(options: ByOptions, frame: Frame): string {
  return options.by?.trim() || osUser(frame.env);
}
