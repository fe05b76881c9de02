// The command line of the demo: flags, help and exit codes. Decides nothing about the world.
import { parseArgs } from 'node:util';

export const exitCodes = { green: 0, failed: 1, usage: 2, escalated: 3, interrupted: 130 } as const;

export type DemoOptions = {
  /** Stay up after the loop, until Ctrl-C. */
  readonly keep: boolean;
  /** SIGKILL the worker three times. */
  readonly kill: boolean;
  readonly seed: number;
  /** The repository's workflows run by `act`, where it can be had. */
  readonly act: boolean;
  /** One JSON document on stdout; everything else goes to stderr. */
  readonly json: boolean;
};

export type ParsedOptions =
  | { readonly run: DemoOptions }
  | { readonly help: string }
  | { readonly usageError: string };

const help = `A repository whose services are down, whose CI is red, whose environment has drifted and whose database has pending
migrations turns green unattended, on this machine alone: Temporal, Postgres, the services and a GitHub of its own in a
throw-away folder.

Usage: npm run demo -- [options]

  --seed N   what is broken, and how (0 to 999999, default 0): 1, 9, 17, … have a frontend that crashed, 2, 3, 6, 7, … a
             healthy production; every fourth from 3 on (3, 7, 11, …) cannot be fixed by rule and ends with a person
  --kill     kill -9 to the worker three times on the way, then count every effect in the journals of the GitHub
             and of who runs the services
  --keep     stay up afterwards, to look around; Ctrl-C ends it
  --act      its workflows run by act (https://nektosact.com), where it can be had; else by the demo's own runner
  --json     one JSON document on stdout, progress on stderr
  --help     this text

Exit codes: 0 green, judged from outside; 1 failed; 2 usage; 3 ended with a person (escalation); 130 Ctrl-C`;

const maxSeed = 999_999;

export function parseOptions(args: readonly string[]): ParsedOptions {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        keep: { type: 'boolean', default: false },
        kill: { type: 'boolean', default: false },
        seed: { type: 'string', default: '0' },
        act: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) return { help };
    const { keep, kill, act, json } = values;
    if (!/^\d{1,6}$/.test(values.seed))
      return usage(`--seed is "${values.seed}": give a whole number from 0 to ${maxSeed}`);
    return { run: { keep, kill, act, json, seed: Number(values.seed) } };
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
}

function usage(problem: string): ParsedOptions {
  return { usageError: `${problem}\nRun "npm run demo -- --help" for all options.` };
}
