// The command line's entry: wires the process to the program and sets the exit code. Run by bin/untilgreen.
import { runCommands } from './run-commands.ts';
import { textCommandNames, textGroup } from './text-commands.ts';

const stop = new AbortController();
let listening = false;

/** From the first look at it on, Ctrl-C asks to stop, and a second one ends at once; until then it ends as usual. */
function stopped(): AbortSignal {
  if (!listening) {
    listening = true;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (stop.signal.aborted) process.exit(130);
        stop.abort();
      });
    }
  }
  return stop.signal;
}

// A reader that has seen enough (`| head`) is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
}

const args = process.argv.slice(2);
const parts = {
  env: process.env,
  stdout: (text: string) => void process.stdout.write(text),
  stderr: (text: string) => void process.stderr.write(text),
  stopped,
};

process.exitCode = textCommandNames.includes(args[0] ?? '')
  ? await runCommands(args, [textGroup], parts)
  : await runAll();

async function runAll(): Promise<number> {
  const [{ runProgram }, { upCommand }, { watchdogCommand }, { workerCommand }] = await Promise.all([
    import('./program.ts'),
    import('./set-up/up.ts'),
    import('./set-up/watchdog.ts'),
    import('./set-up/worker.ts'),
  ]);
  return runProgram(args, [upCommand, workerCommand, watchdogCommand], parts);
}
