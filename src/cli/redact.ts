// `untilgreen redact`: stdin to stdout without secrets (SEC-2): the values that the environment names, and what has the form of a secret.
// Streams: text of any size in bounded memory. With --json the places instead of the text.
import { once } from 'node:events';
import type { Command } from 'commander';
import { redactStream } from '../logs/redact/redact-text.ts';
import type { Frame } from './frame.ts';

export function redactCommand(program: Command, frame: Frame): void {
  program
    .command('redact')
    .description('stdin to stdout without secrets')
    .option('--json', 'the places of secrets in the input, instead of the text')
    .action((options: { readonly json?: boolean }) =>
      frame.run(options, async () => {
        const stream = redactStream(frame.redactor);
        for await (const text of process.stdin.setEncoding('utf8')) {
          const ready = stream.push(String(text));
          if (options.json || ready === '') continue;
          frame.write(ready);
          if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain');
        }
        const rest = stream.end();
        if (!options.json) {
          frame.write(rest);
          return undefined;
        }
        return { json: { spans: stream.found() }, text: '' };
      }),
    );
}
