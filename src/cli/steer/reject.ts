// `untilgreen reject`: says no to one held effect (LOOP-13).
import type { Command } from 'commander';
import type { Frame } from '../frame.ts';
import { decideCommand } from './decide.ts';

export function rejectCommand(program: Command, frame: Frame): void {
  decideCommand(program.command('reject').description('reject one held effect by its hash'), frame, 'reject');
}
