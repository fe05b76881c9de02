// What every command runs in: where output goes (stdout is data, stderr is for people), what is never printed, how errors become exit codes.
// All text passes the redactor here; no command writes by itself.
import { userInfo } from 'node:os';
import type { Untilgreen } from '../client.ts';
import { namesSecret } from '../config/secret-shapes.ts';
import { createSecretResolver } from '../config/secrets.ts';
import type { Json } from '../contract/effect.ts';
import { createRedactor, type Redactor } from '../logs/redact/redact-values.ts';
import { type ExitCode, exitCodeOf, exitCodes, isForPeople } from './exit-codes.ts';
import { printable } from './text/table.ts';

export type CommonOptions = {
  readonly json?: boolean;
  /** Folder of a running `up`. */
  readonly data?: string;
};

export type Answer = {
  /** The one document of `--json`. */
  readonly json: unknown;
  /** For people. */
  readonly text: string;
  /** Default: done. */
  readonly exitCode?: ExitCode;
};

export type Frame = {
  readonly env: NodeJS.ProcessEnv;
  readonly redactor: Redactor;
  /** Aborted by the first Ctrl-C, for commands that wait. Whoever looks at it takes Ctrl-C over. */
  readonly stopped: AbortSignal;
  /** A line for people, on stderr. */
  readonly say: (line: string) => void;
  /** Data, on stdout. */
  readonly write: (text: string) => void;
  readonly writeJson: (value: unknown, options?: { readonly oneLine?: boolean }) => void;
  /** Runs a command that needs no connection. */
  readonly run: (options: CommonOptions, work: () => Promise<Answer | undefined>) => Promise<void>;
  /** Runs a command on a connected client, and closes it. */
  readonly ask: (
    options: CommonOptions,
    work: (client: Untilgreen) => Promise<Answer | undefined>,
  ) => Promise<void>;
  readonly exitCode: () => ExitCode;
};

export type FrameParts = {
  readonly env: NodeJS.ProcessEnv;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly stopped: () => AbortSignal;
};

export function createFrame(parts: FrameParts): Frame {
  const { env } = parts;
  let stopped: AbortSignal | undefined;
  const redactor = redactorOf(env);
  let exitCode: ExitCode = exitCodes.done;
  const write = (text: string): void => parts.stdout(redactor.redact(text));
  const say = (line: string): void => parts.stderr(`${redactor.redact(printable(line))}\n`);
  const writeJson = (value: unknown, options: { readonly oneLine?: boolean } = {}): void => {
    // What JSON cannot hold (undefined, dates) is settled before the redactor walks over it.
    const plain = JSON.parse(JSON.stringify(value ?? null)) as Json;
    parts.stdout(`${JSON.stringify(redactor.redactDeep(plain), null, options.oneLine ? 0 : 2)}\n`);
  };
  const run: Frame['run'] = async (options, work) => {
    try {
      const answer = await work();
      if (answer === undefined) return;
      exitCode = answer.exitCode ?? exitCodes.done;
      if (options.json) writeJson(answer.json);
      else if (answer.text !== '') write(`${answer.text}\n`);
    } catch (error) {
      if (stopped?.aborted && isAbort(error)) {
        exitCode = exitCodes.red;
        say('stopped waiting; the work goes on');
        return;
      }
      exitCode = exitCodeOf(error);
      const message = isForPeople(error) ? error.message : stackOf(error);
      if (options.json) writeJson({ error: { type: errorType(error), message, exitCode } });
      say(`untilgreen: ${message}`);
    }
  };
  return {
    env,
    redactor,
    get stopped() {
      stopped ??= parts.stopped();
      return stopped;
    },
    say,
    write,
    writeJson,
    run,
    ask: (options, work) =>
      run(options, async () => {
        // Loaded when it is needed: commands over text alone start at once.
        const [{ findEndpoints }, { connectUntilgreen }] = await Promise.all([
          import('../client/endpoints.ts'),
          import('../client.ts'),
        ]);
        const where = { env, ...(options.data === undefined ? {} : { dataDir: options.data }) };
        registerUrl(redactor, (await findEndpoints(where)).databaseUrl);
        const client = await connectUntilgreen(where);
        try {
          return await work(client);
        } finally {
          await client.close();
        }
      }),
    exitCode: () => exitCode,
  };
}

/** Who acts: the user of the operating system. */
export function osUser(env: NodeJS.ProcessEnv): string {
  try {
    return userInfo().username;
  } catch {
    return env.USER || 'unknown';
  }
}

/** Knows the usual secrets (OPS-2), and what else by its name is one. */
function redactorOf(env: NodeJS.ProcessEnv): Redactor {
  const redactor = createRedactor();
  createSecretResolver({ env, redactor });
  for (const [name, value] of Object.entries(env)) {
    if (value && namesSecret(name)) redactor.register(name, value);
  }
  return redactor;
}

export function registerUrl(redactor: Redactor, databaseUrl: string): void {
  createSecretResolver({ env: { DATABASE_URL: databaseUrl }, redactor });
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || error.message.includes('aborted'));
}

function errorType(error: unknown): string {
  return error instanceof Error ? error.name : 'Error';
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
