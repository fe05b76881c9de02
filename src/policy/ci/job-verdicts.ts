// What the jobs of one run say (CI-1, CI-10). A job that was skipped or cancelled says nothing: neither that it fails nor that it passes.
// Pure; source and remedy judge by the same rules.
import { stableName, verdictOf } from './ci-runs.ts';

export type JobEnd = {
  readonly name: string;
  readonly status: string;
  readonly conclusion: string | null;
};

/** Stands for all jobs: of a run that failed before it had any. */
export const everyJob = '*';

/** `gone`: the run has jobs, and none that is this one or stands for it. */
export type NameVerdict = 'red' | 'green' | 'silent' | 'gone';

/** Several jobs may have one name: one that failed is enough for red, and only all of them make it green. */
export function verdictOfName(jobs: readonly JobEnd[], name: string): NameVerdict {
  const named = jobs.filter((job) => stableName(job.name) === stableName(name));
  const verdicts = named.map(verdictOf);
  if (verdicts.includes('red')) return 'red';
  if (named.length > 0) return verdicts.every((verdict) => verdict === 'green') ? 'green' : 'silent';
  return silentNames(jobs).some((said) => standsFor(said, name)) ? 'silent' : 'gone';
}

/** Names of jobs that neither failed nor passed, each once. */
export function silentNames(jobs: readonly JobEnd[]): readonly string[] {
  if (jobs.length === 0) return [everyJob];
  const silent = new Set(jobs.filter((job) => verdictOf(job) === null).map(({ name }) => name));
  for (const job of jobs) if (verdictOf(job) === 'red') silent.delete(job.name);
  return [...silent];
}

/**
 * Whether a name that a run shows is that of a job, or of what the job is a part of: a matrix that was skipped is shown once, as `test` or
 * `test (${{ matrix.node }})`, not by its legs; a workflow that was not called as `build`, not as `build / test`.
 */
export function standsFor(said: string, name: string): boolean {
  if (said === everyJob) return true;
  const [shown, job] = [stableName(said), stableName(name)];
  if (shown === job || job.startsWith(`${shown} (`) || job.startsWith(`${shown} / `)) return true;
  return shown.includes('${{') && fits(shown.split(/\$\{\{[^}]*\}\}/), job);
}

/** Whether a text begins and ends with the first and the last of these parts, and has the others between them, in their order. */
function fits(parts: readonly string[], text: string): boolean {
  const [first = '', ...rest] = parts;
  const last = rest.pop() ?? '';
  if (!text.startsWith(first)) return false;
  let from = first.length;
  for (const part of rest) {
    const at = text.indexOf(part, from);
    if (at === -1) return false;
    from = at + part.length;
  }
  return text.length - last.length >= from && text.endsWith(last);
}
