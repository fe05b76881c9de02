// Keeps a job's steps and log up to date with what `act` says: GitHub's step states and its lines, in their order.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Conclusion } from '../../operations.ts';
import type { JobLog } from '../job-log.ts';
import type { JobInput } from '../runner.ts';
import { closeStep, openStep, type Step } from '../runs.ts';
import { stepName } from '../steps.ts';
import type { ActEvent } from './events.ts';
import { READ_COMMAND, shellOf } from './workflow.ts';

/** Lines of act's own that say why it gave no result. */
const WORDS = 10;

interface Followed {
  take(event: ActEvent): void;
  /** Closes what is open; gives the job's conclusion, a failure where act gave none. */
  end(aborted: boolean): Conclusion;
}

/** `readFolder`: where a step that waits sees that all of its output is read. */
export function followSteps(input: JobInput, log: JobLog, readFolder: string): Followed {
  const { job, definition, now } = input;
  const { steps } = definition;
  let next = 0;
  let open: Step | undefined;
  let conclusion: Conclusion | undefined;
  const words: string[] = [];

  /** act says nothing of a step that it skips. */
  const skipTo = (index: number): void => {
    for (; next < index; next += 1) {
      const skipped = steps[next];
      if (skipped !== undefined) closeStep(openStep(job, stepName(skipped), now()), 'skipped', now());
    }
  };
  const begin = (id: string): void => {
    const index = steps.findIndex((step, at) => (step.id ?? String(at)) === id);
    const step = steps[index];
    if (step === undefined) return;
    skipTo(index);
    next = index + 1;
    open = openStep(job, stepName(step), now());
    if (step.uses !== undefined) log.action(step.uses, step.with);
    else log.command(step.run ?? '', shellOf(definition, step), { ...definition.environment, ...step.env });
  };
  const command = (name: string, value: string): void => {
    if (name === READ_COMMAND && /^\d+$/.test(value)) writeFileSync(join(readFolder, value), '');
    else if (name === 'endgroup') log.line('##[endgroup]');
    else if (['group', 'error', 'warning', 'notice'].includes(name)) log.line(`##[${name}]${value}`);
  };
  const take = (event: ActEvent): void => {
    if (event.kind === 'started') begin(event.step);
    else if (event.kind === 'output') log.line(event.text);
    else if (event.kind === 'command') command(event.name, event.value);
    else if (event.kind === 'error') log.line(`##[error]${inGitHubsWords(event.message)}`);
    else if (event.kind === 'job') conclusion = event.conclusion;
    else if (event.kind === 'act') words.push(event.message);
    else if (open !== undefined) {
      closeStep(open, event.conclusion, now());
      open = undefined;
    }
  };
  return {
    take,
    end: (aborted: boolean): Conclusion => {
      if (open !== undefined) closeStep(open, aborted ? 'cancelled' : 'failure', now());
      skipTo(steps.length);
      if (conclusion === undefined && !aborted)
        log.line(`##[error]act ended without a result: ${words.slice(-WORDS).join(' ')}`);
      return conclusion ?? 'failure';
    },
  };
}

function inGitHubsWords(message: string): string {
  const code = /^exit status (\d+)$/.exec(message)?.[1];
  return code === undefined ? message : `Process completed with exit code ${code}.`;
}
