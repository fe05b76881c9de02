// `untilgreen logs classify FILE`: why a run failed, by rules over its log or archive (CI-2). Needs no server and no tenant.
import type { Command } from 'commander';
import { type Classification, classifyLog } from '../../logs/classify.ts';
import { redactText } from '../../logs/redact/redact-text.ts';
import type { Frame } from '../frame.ts';
import { printable } from '../text/table.ts';
import { openArgument } from './log-argument.ts';

type Options = { readonly passing?: string; readonly json?: boolean };

export function classifyCommand(logs: Command, frame: Frame): void {
  logs
    .command('classify')
    .description(
      'why a run failed: flake, regression, env, config, infra or unknown, with the lines that say so',
    )
    .argument('<file>', 'a log, or the archive of all logs as GitHub gives it')
    .option('--passing <file>', 'log or archive of a green run: what it says too is no evidence')
    .option('--json', 'one JSON document on stdout')
    .action((file: string, options: Options) =>
      frame.run(options, async () => {
        const passing = options.passing === undefined ? [] : await openArgument(options.passing, '--passing');
        const result = await classifyLog(await openArgument(file, 'FILE'), { passing });
        const clean = {
          ...result,
          evidence: result.evidence.map((line) => ({ ...line, text: redactText(line.text, frame.redactor) })),
        };
        return { json: clean, text: forPeople(clean) };
      }),
    );
}

function forPeople(result: Classification): string {
  const percent = Math.round(result.confidence * 100);
  const lines = result.evidence.map(({ n, text, file }) =>
    printable(`  ${file === undefined ? '' : `${file}:`}${n}  ${text.trim().slice(0, 200)}`),
  );
  return [
    `${result.class} (${percent} % sure)`,
    ...(lines.length > 0 ? ['Because of:', ...lines] : ['No line says why.']),
    ...(result.failingJobs.length > 0
      ? ['Failing jobs:', ...result.failingJobs.map((name) => printable(`  ${name}`))]
      : []),
  ].join('\n');
}
