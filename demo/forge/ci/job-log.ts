// The log of one job in GitHub's format, written line by line while the job runs.
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';

export interface JobLog {
  line(text: string): void;
  /** Copies a stream line by line, to its end. */
  copy(stream: NodeJS.ReadableStream): Promise<void>;
  /** How every job begins. */
  setUp(jobName: string): void;
  /** How every job ends, and why it did when it was not by itself. */
  tearDown(end: { readonly cancelled: boolean; readonly timedOutMs: number | null }): void;
  /** What stands above the output of a `run:` step; `shell` without the script. */
  command(script: string, shell: readonly string[], environment: Readonly<Record<string, string>>): void;
  /** What stands above the output of a `uses:` step. */
  action(uses: string, inputs: Readonly<Record<string, string>>): void;
  end(): Promise<void>;
}

export function createJobLog(path: string, now: () => number): JobLog {
  const file: WriteStream = createWriteStream(path);
  const stamp = (): string => new Date(now()).toISOString().replace('Z', '0000Z ');
  const line = (text: string): void => {
    file.write(`${stamp()}${text}\n`);
  };
  const table = (title: string, values: Readonly<Record<string, string>>): void => {
    if (Object.keys(values).length > 0) line(title);
    for (const [name, value] of Object.entries(values)) line(`  ${name}: ${value}`);
  };
  return {
    line,
    copy: async (stream) => {
      const decoder = new StringDecoder('utf8');
      let rest = '';
      for await (const chunk of stream) {
        const lines = (rest + decoder.write(Buffer.from(chunk))).split('\n');
        rest = lines.pop() ?? '';
        if (lines.length === 0) continue;
        const prefix = stamp();
        const flowing = file.write(lines.map((text) => `${prefix}${text}\n`).join(''));
        if (!flowing) await once(file, 'drain');
      }
      if (rest !== '') line(rest);
    },
    setUp: (jobName) => {
      line("Current runner version: '2.330.0'");
      line('##[group]Operating System');
      line('Ubuntu');
      line('##[endgroup]');
      line(`Complete job name: ${jobName}`);
    },
    tearDown: ({ cancelled, timedOutMs }) => {
      if (!cancelled && timedOutMs !== null) {
        line(`##[error]The job has exceeded the maximum execution time of ${timedOutMs / 60_000}m0s`);
      }
      if (cancelled || timedOutMs !== null) line('##[error]The operation was canceled.');
      line('Cleaning up orphan processes');
    },
    command: (script, shell, environment) => {
      const lines = script.trimEnd().split('\n');
      line(`##[group]Run ${lines[0] ?? ''}`);
      for (const text of lines) line(`\u001b[36;1m${text}\u001b[0m`);
      line(`shell: /usr/bin/${shell.join(' ')} {0}`);
      table('env:', environment);
      line('##[endgroup]');
    },
    action: (uses, inputs) => {
      line(`##[group]Run ${uses}`);
      table('with:', inputs);
      line('##[endgroup]');
    },
    end: async () => {
      file.end();
      await once(file, 'close');
    },
  };
}
