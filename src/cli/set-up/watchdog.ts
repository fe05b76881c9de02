// `untilgreen watchdog`: looks from outside at every tenant's loop (INC-6), and tells the channels when one stands still. Workers do so by
// themselves; this is for a cron on another machine, which still tells when no worker is left.
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Watched } from '../../watchdog/look.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Answer, CommonOptions, Frame } from '../frame.ts';
import { registerUrl } from '../frame.ts';
import { withCommon } from '../options.ts';
import { table } from '../text/table.ts';

type WatchdogOptions = CommonOptions & { readonly once?: boolean };

const lookEveryMs = 60_000;

export function watchdogCommand(program: Command, frame: Frame): void {
  withCommon(program.command('watchdog'))
    .option('--once', 'look once; exit code 3 when a loop stands still')
    .description('look at the loops from outside, and tell the channels when one stands still')
    .action((options: WatchdogOptions) =>
      frame.run(options, async () => {
        if (options.once) return look(frame, options);
        while (!frame.stopped.aborted) {
          const answer = await look(frame, options);
          if (options.json) frame.writeJson(answer.json, { oneLine: true });
          else if (answer.exitCode !== exitCodes.done) frame.say(answer.text);
          await delay(lookEveryMs, undefined, { signal: frame.stopped }).catch(() => {});
        }
        return undefined;
      }),
    );
}

async function look(frame: Frame, options: WatchdogOptions): Promise<Answer> {
  const [{ findEndpoints }, { openWatchdog }] = await Promise.all([
    import('../../client/endpoints.ts'),
    import('../../watchdog/open.ts'),
  ]);
  const where = { env: frame.env, ...(options.data === undefined ? {} : { dataDir: options.data }) };
  const endpoints = await findEndpoints(where);
  registerUrl(frame.redactor, endpoints.databaseUrl);
  const watched = await openWatchdog(endpoints, frame.env, frame.say);
  if (watched === null)
    return { json: { looked: false, tenants: [] }, text: 'another watchdog is looking right now' };
  const red = watched.some(({ state }) => state !== 'well');
  return {
    json: { looked: true, tenants: watched },
    text: textOf(watched),
    exitCode: red ? exitCodes.red : exitCodes.done,
  };
}

function textOf(watched: readonly Watched[]): string {
  if (watched.length === 0) return 'no tenant is to be watched';
  return table(
    ['Tenant', 'Loop', 'Why', 'Last cycle', 'Told'],
    watched.map(({ tenant, state, reason, lastCycleMs, told, problem }) => [
      tenant,
      state,
      reason,
      new Date(lastCycleMs).toISOString().slice(0, 16),
      problem ?? told ?? '',
    ]),
  );
}
