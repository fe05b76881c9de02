// The command line's entry: wires the process to the program and sets the exit code. Run by bin/untilgreen.
import { runProgram } from './program.ts';
import { upCommand } from './set-up/up.ts';
import { workerCommand } from './set-up/worker.ts';

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

process.exitCode = await runProgram(process.argv.slice(2), [upCommand, workerCommand], {
  env: process.env,
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  stopped,
});
