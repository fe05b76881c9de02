// The group `untilgreen logs`: text work on CI logs, without a server or a tenant.
import type { Command } from 'commander';
import type { Frame } from '../frame.ts';
import { classifyCommand } from './classify.ts';
import { reduceCommand } from './reduce.ts';

export function logsCommand(program: Command, frame: Frame): void {
  const logs = program.command('logs').description('what a CI log says, without a server');
  reduceCommand(logs, frame);
  classifyCommand(logs, frame);
}
