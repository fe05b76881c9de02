// `untilgreen approve`: says yes to exactly one held effect (LOOP-13). An unverified channel: enough only where the tenant's file says so.
import type { Command } from 'commander';
import type { Frame } from '../frame.ts';
import { decideCommand } from './decide.ts';

export function approveCommand(program: Command, frame: Frame): void {
  const command = program
    .command('approve')
    .description('approve one held effect by its hash; exit code 3 when a verified channel is still needed');
  decideCommand(command, frame, 'approve');
}
