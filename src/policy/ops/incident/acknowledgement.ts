// Whether somebody says on the issue that an incident is his (INC-4). Pure. Apart from the timers, which run in workflows and need no parser.
import { liveLines } from '../diagnostics/live-text.ts';

/** Whether a comment acknowledges: a line `/ack`, with or without words behind it, which is its author's own. */
export function isAcknowledgement(body: string): boolean {
  return liveLines(body).some((line) => /^\/ack(?:\s+\S.*)?$/.test(line));
}
