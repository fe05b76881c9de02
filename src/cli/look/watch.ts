// `untilgreen watch`: the status again whenever it changes, until Ctrl-C. On a terminal it redraws; elsewhere it prints what changed.
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Status } from '../../client/look/status.ts';
import type { Untilgreen } from '../../client.ts';
import { exitCodeOfStates } from '../exit-codes.ts';
import type { CommonOptions, Frame } from '../frame.ts';
import { withCommon } from '../options.ts';
import { shorten, shortId } from '../text/table.ts';
import { parseDuration } from '../text/time.ts';
import { statusText } from './status-text.ts';

type WatchOptions = CommonOptions & { readonly every: string; readonly untilGreen?: boolean };

export function watchCommand(program: Command, frame: Frame): void {
  withCommon(program.command('watch'))
    .argument('[tenant]', 'default: the only one')
    .option('--every <time>', 'how often to look', '2s')
    .option('--until-green', 'end when green (exit code 0), or when only people can go on (exit code 3)')
    .description('follow a tenant; --json prints one JSON document per line')
    .action((tenant: string | undefined, options: WatchOptions) =>
      frame.ask(options, async (client) => {
        const everyMs = parseDuration('--every', options.every);
        const last = await follow(client, tenant, {
          everyMs,
          stopped: frame.stopped,
          onStatus: (status, lines) => {
            if (options.json) frame.writeJson(status, { oneLine: true });
            else if (process.stdout.isTTY)
              frame.write(`\u001b[H\u001b[2J${statusText(status, Date.now())}\n`);
            else for (const line of lines) frame.write(`${line}\n`);
            return (
              options.untilGreen === true &&
              (status.state === 'green' || (status.state === 'waiting' && status.loop === 'running'))
            );
          },
        });
        const exitCode = last === undefined ? 0 : exitCodeOfStates([last.state]);
        return options.untilGreen && !options.json ? { json: null, text: '', exitCode } : undefined;
      }),
    );
}

/** Looks until stopped, or until `onStatus` says that it is enough; called when something changed, with the changes in words. */
export async function follow(
  client: Pick<Untilgreen, 'status'>,
  tenant: string | undefined,
  options: {
    readonly everyMs: number;
    readonly stopped: AbortSignal;
    readonly onStatus: (status: Status, lines: readonly string[]) => boolean;
  },
): Promise<Status | undefined> {
  let before: Status | undefined;
  while (!options.stopped.aborted) {
    const status = await client.status(tenant);
    const lines = changes(before, status);
    if (lines.length > 0 && options.onStatus(status, lines)) return status;
    before = status;
    await delay(options.everyMs, undefined, { signal: options.stopped }).catch(() => {});
  }
  return before;
}

/** What is different, a line each. Pure. */
export function changes(before: Status | undefined, now: Status): readonly string[] {
  const time = new Date().toISOString().slice(11, 19);
  const lines: string[] = [];
  const at = (text: string): void => {
    lines.push(`${time} ${now.tenant} ${text}`);
  };
  if (before?.state !== now.state || before.summary !== now.summary)
    at(`${now.state} (cycle ${now.cycle}): ${now.summary}`);
  for (const finding of now.findings) {
    const known = before?.findings.find(
      (one) => one.fingerprint === finding.fingerprint && one.occurrence === finding.occurrence,
    );
    const same =
      known !== undefined &&
      known.status === finding.status &&
      known.waitingFor === finding.waitingFor &&
      known.lastAction?.effect === finding.lastAction?.effect &&
      known.lastAction?.outcome === finding.lastAction?.outcome;
    if (same) continue;
    const waits = finding.waitingFor === null ? '' : `, ${shorten(finding.waitingFor, 100)}`;
    const action = finding.lastAction;
    const did = action === null ? '' : ` [${shorten(action.what, 80)}: ${action.outcome ?? 'under way'}]`;
    at(`${shortId(finding.fingerprint)} ${finding.status}${waits}: ${shorten(finding.title, 80)}${did}`);
  }
  for (const gone of before?.findings ?? []) {
    if (!now.findings.some(({ fingerprint }) => fingerprint === gone.fingerprint))
      at(`${shortId(gone.fingerprint)} resolved: ${shorten(gone.title, 80)}`);
  }
  if (before !== undefined && before.paused !== now.paused) at(now.paused ? 'paused' : 'resumed');
  if (before !== undefined && before.breaker.state !== now.breaker.state)
    at(`circuit breaker ${now.breaker.state}`);
  for (const note of now.notes) if (!before?.notes.includes(note)) at(`note: ${note}`);
  return lines;
}
