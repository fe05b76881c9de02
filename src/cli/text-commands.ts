// Commands that work on text alone. They load neither Temporal nor Postgres, so that they start at once and their memory is for the log.
import { logsCommand } from './logs/logs.ts';
import { redactCommand } from './redact.ts';
import type { CommandGroup } from './run-commands.ts';

export const textGroup: CommandGroup = { title: 'Logs:', commands: [logsCommand, redactCommand] };

/** First words of command lines that need no more than `textGroup`. */
export const textCommandNames: readonly string[] = ['logs', 'redact'];
