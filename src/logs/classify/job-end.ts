// How a job ended, by what its CI system writes around the steps: whether it failed, in which step, or was only cancelled. Streaming, pure.
import type { LogLine } from '../lines.ts';

export type JobEnd = {
  /** `unknown`: the log does not say. `likely`: an error stands in it, and steps went on after it. */
  readonly verdict: 'failed' | 'likely' | 'passed' | 'unknown';
  /** The only thing that went wrong is that somebody stopped it. */
  readonly cancelled: boolean;
  /** Numbers of the steps that failed, the first and the last, counted from 0 by the lines that start one. */
  readonly failedSteps: { readonly from: number; readonly to: number } | null;
  /** The line that says how it ended. */
  readonly line: LogLine | null;
};

type Ending = { readonly step: number; readonly line: LogLine };

const MAX_COMMANDS = 1_000;

const STEP =
  /^\$ |^##\[group\]Run |^##\[section\]Starting: |^travis_fold:start:|^section_start:\d+:|^Post job cleanup\.$/;
/** Steps that run after a failure as well, by their usual names. */
const ALWAYS =
  /upload|artifact|report|publish|notif|slack|codecov|coveralls|summar|save|clean ?up|teardown|stop|down\b|logs?\b|always|failure|comment|annotat|tail |cat |echo|tmate|discord|telegram|dump|print|collect|exit 1|cache|junit|results|Finalize|Checkout|Post /i;
/** Where a log has lost its carriage returns, these stand before what a person sees. */
const TRAVIS =
  /^(?:travis_time:start:[0-9a-f]{8}|travis_time:end:[0-9a-f]{8}:start=\d+,finish=\d+,duration=\d+)+/;
const CANCELLED = /The operation was cancell?ed|job was cancell?ed|Canceling since|Finished: ABORTED/i;
const FAILED =
  /^The command ".{0,400}" (?:failed and )?exited with [1-9]|Your build exited with [1-9]|^ERROR: Job failed|^Finished: (?:FAILURE|UNSTABLE|ABORTED)|^Exited with code|Command exited with code [1-9]|The command exited with status [1-9]|^Process exited with code [1-9]|^Build (?:step .{1,100} )?(?:marked build as failure|FAILED)|^Error: Process completed with exit code [1-9]|^BUILD FAILED|exited with (?:code|status) [1-9]\d*\.?$|^make(?:\[\d+\])?: \*\*\* /;
const PASSED = /^Job succeeded$|Your build exited with 0|^Finished: SUCCESS|^Build success$/;

export function createJobEnd(): {
  /** Gives the number of the step that the line stands in. */
  readonly push: (line: LogLine) => number;
  readonly settle: () => JobEnd;
} {
  let step = 0;
  let lastOrdinary = 0;
  let afterJob = false;
  let passed = false;
  let signal: Ending | null = null;
  /** What Travis ran, and in which step; and the steps of its first command that failed. */
  const commands = new Map<string, number>();
  let failedCommand: JobEnd['failedSteps'] = null;
  const errors: Ending[] = [];

  return {
    push: (line) => {
      const text = line.text.replace(TRAVIS, '');
      if (STEP.test(text)) {
        step += 1;
        if (text.startsWith('$ ') && commands.size < MAX_COMMANDS) commands.set(text.slice(2), step);
        if (text.startsWith('Post job')) afterJob = true;
        if (!afterJob && text.startsWith('##[group]Run ') && !ALWAYS.test(text)) lastOrdinary = step;
      } else if (text.startsWith('##[error]')) {
        if (errors.length < 500) errors.push({ step, line });
        else errors[errors.length - 1] = { step, line };
      } else if (FAILED.test(text)) {
        signal = { step, line };
        const command = /^The command "(.*)" (?:failed and )?exited with/.exec(text)?.[1];
        const from = command === undefined ? undefined : commands.get(command);
        if (from !== undefined) failedCommand ??= { from, to: step };
      } else if (PASSED.test(text)) {
        passed = true;
      }
      return step;
    },
    settle: () => {
      const final = errors.filter((one) => one.step >= lastOrdinary);
      const first = final[0];
      const decisive = final.filter((one) => !CANCELLED.test(one.line.text));
      const cancelled = errors.length > 0 && decisive.length === 0 && final.length > 0;
      if (first) {
        const at = decisive[0] ?? first;
        return {
          verdict: 'failed',
          cancelled,
          failedSteps: { from: at.step, to: at.step },
          line: final.at(-1)?.line ?? at.line,
        };
      }
      if (errors.length > 0 && signal === null) {
        const last = errors.at(-1);
        return {
          verdict: 'likely',
          cancelled: false,
          failedSteps: last ? { from: last.step, to: last.step } : null,
          line: last?.line ?? null,
        };
      }
      if (signal)
        return { verdict: 'failed', cancelled: false, failedSteps: failedCommand, line: signal.line };
      return { verdict: passed ? 'passed' : 'unknown', cancelled: false, failedSteps: null, line: null };
    },
  };
}
