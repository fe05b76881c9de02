// Finds the command of a failed step in the text of a GitHub workflow file, from the names that the API shows (CI-14).
// Pure. The file is a stranger's data: it is parsed, never evaluated; what needs GitHub's expressions is not guessed.
import { parseDocument } from 'yaml';

export type FailingStep =
  | {
      readonly command: string;
      /** Relative to the repository; absent for its top. */
      readonly workingDirectory?: string;
      /** Plain values of workflow, job and step; values with expressions are left out. */
      readonly env: Readonly<Record<string, string>>;
      /** `default` is `bash -e`, `bash` is `bash -eo pipefail`. */
      readonly shell: 'default' | 'bash' | 'sh';
    }
  | { readonly notFound: string };

type Fields = Readonly<Record<string, unknown>>;
type Job = { readonly key: string; readonly fields: Fields; readonly matrix: readonly string[] };

/**
 * Finds the `run:` of a step.
 *
 * @param jobName as the API shows it: the job's name or key, with the matrix values in brackets
 * @param step its name as the API shows it (`Run npm test` for a step without one), or its number in the workflow
 *   file, from 1
 */
export function failingStepCommand(
  workflowYamlText: string,
  jobName: string,
  step: string | number,
): FailingStep {
  if (workflowYamlText.length > 1_000_000) return { notFound: 'the workflow file is larger than 1 MB' };
  let root: unknown;
  try {
    const document = parseDocument(workflowYamlText, { logLevel: 'silent' });
    if (document.errors.length > 0)
      return {
        notFound: `the workflow file is not YAML: ${document.errors[0]?.message.split('\n')[0] ?? ''}`,
      };
    root = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return {
      notFound: `the workflow file cannot be read: ${error instanceof Error ? error.message : 'unknown reason'}`,
    };
  }
  const workflow = fieldsOf(root);
  const job = findJob(fieldsOf(workflow.jobs), jobName);
  if (typeof job === 'string') return { notFound: job };
  if (job.fields.uses !== undefined) return { notFound: `job "${jobName}" calls another workflow` };
  const found = findStep(
    Array.isArray(job.fields.steps) ? job.fields.steps.map(fieldsOf) : [],
    step,
    job.matrix,
  );
  if (typeof found === 'string') return { notFound: found };
  return commandOf(workflow, job, found);
}

function commandOf(workflow: Fields, job: Job, step: Fields): FailingStep {
  if (step.uses !== undefined)
    return { notFound: `the step runs the action ${String(step.uses)}, not a command` };
  if (typeof step.run !== 'string') return { notFound: 'the step has no "run"' };
  const command = withMatrix(step.run, job);
  if (command.includes('${{'))
    return { notFound: 'the command has expressions that only GitHub can evaluate' };
  const defaults = {
    ...fieldsOf(fieldsOf(workflow.defaults).run),
    ...fieldsOf(fieldsOf(job.fields.defaults).run),
  };
  const shell = String(step.shell ?? defaults.shell ?? 'default').trim();
  const windows = /windows/i.test(withMatrix(String(job.fields['runs-on'] ?? ''), job));
  if (windows && shell === 'default') return { notFound: 'the step runs in PowerShell on Windows' };
  const kind =
    shell === 'bash' || /^bash\b.*pipefail/.test(shell)
      ? 'bash'
      : shell === 'sh'
        ? 'sh'
        : /^(default|bash\s+-\w*e\w*\s+\{0\})$/.test(shell)
          ? 'default'
          : undefined;
  if (kind === undefined) return { notFound: `the shell "${shell}" is not supported` };
  const directory = step['working-directory'] ?? defaults['working-directory'];
  const workingDirectory = directory === undefined ? undefined : withMatrix(String(directory), job);
  if (workingDirectory?.includes('${{')) return { notFound: 'the working directory has expressions' };
  const env: Record<string, string> = {};
  for (const level of [workflow.env, job.fields.env, step.env]) {
    for (const [name, value] of Object.entries(fieldsOf(level))) {
      if (!['string', 'number', 'boolean'].includes(typeof value)) continue;
      const text = withMatrix(String(value), job);
      if (text.includes('${{')) delete env[name];
      else if (/^[A-Za-z_]\w*$/.test(name)) env[name] = text;
    }
  }
  return { command, env, shell: kind, ...(workingDirectory === undefined ? {} : { workingDirectory }) };
}

/** The job a display name belongs to: exact name, exact key, then either with matrix values, then names with expressions. */
function findJob(jobs: Fields, jobName: string): Job | string {
  const all = Object.entries(jobs).map(([key, value]) => ({ key, fields: fieldsOf(value) }));
  const nameOf = (job: { fields: Fields }): string | undefined =>
    typeof job.fields.name === 'string' ? job.fields.name : undefined;
  const suffix = /^(.*) \(([^()]*)\)$/.exec(jobName);
  const base = suffix?.[1];
  const matrix = suffix?.[2]?.split(',').map((value) => value.trim()) ?? [];
  const levels: ((job: { key: string; fields: Fields }) => boolean)[] = [
    (job) => nameOf(job) === jobName,
    (job) => nameOf(job) === undefined && job.key === jobName,
    (job) => base !== undefined && nameOf(job) === base,
    (job) => base !== undefined && nameOf(job) === undefined && job.key === base,
    (job) => fitsExpressions(nameOf(job), jobName),
    (job) => job.key === jobName,
  ];
  for (const matches of levels) {
    const found = all.filter(matches);
    if (found.length > 1) return `job "${jobName}" fits ${found.map((job) => job.key).join(' and ')}`;
    if (found[0] !== undefined) return { ...found[0], matrix };
  }
  return jobName.includes(' / ')
    ? `job "${jobName}" is in a workflow that is called`
    : `no job is called "${jobName}"`;
}

function findStep(
  steps: readonly Fields[],
  step: string | number,
  matrix: readonly string[],
): Fields | string {
  if (typeof step === 'number') return steps[step - 1] ?? `there is no step ${step}`;
  const nameOf = (fields: Fields): string => {
    if (typeof fields.name === 'string') return fields.name;
    if (typeof fields.run === 'string') return `Run ${fields.run.trim().split('\n')[0] ?? ''}`.trim();
    return typeof fields.uses === 'string' ? `Run ${fields.uses}` : '';
  };
  const wanted = step.trim();
  let found = steps.filter((fields) => nameOf(fields).trim() === wanted);
  if (found.length === 0) found = steps.filter((fields) => fitsExpressions(nameOf(fields), wanted));
  const first = found[0];
  if (first === undefined)
    return `no step is called "${step}"${matrix.length > 0 ? ` in the job with ${matrix.join(', ')}` : ''}`;
  if (found.some((other) => other.run !== first.run || other.uses !== first.uses))
    return `several steps are called "${step}"`;
  return first;
}

/**
 * Whether a name as the API shows it fits one with expressions, such as `Test on ${{ matrix.os }}`. Each literal part is looked for
 * where the one before it ends: both names are strangers' text, which could make a pattern take for ever.
 */
function fitsExpressions(name: string | undefined, shown: string): boolean {
  if (name === undefined || !name.includes('${{')) return false;
  const [first = '', ...rest] = name.split(/\$\{\{.*?\}\}/);
  const last = rest.pop();
  if (last === undefined || [first, ...rest, last].every((part) => part.trim() === '')) return false;
  if (shown.length < first.length + last.length || !shown.startsWith(first) || !shown.endsWith(last))
    return false;
  const end = shown.length - last.length;
  let from = first.length;
  for (const part of rest) {
    const at = shown.indexOf(part, from);
    if (at < 0 || at + part.length > end) return false;
    from = at + part.length;
  }
  return true;
}

/** Puts the values of the job's name into `${{ matrix.key }}`, when there is one value per key of a plain matrix. */
function withMatrix(text: string, job: Job): string {
  const matrix = fieldsOf(fieldsOf(job.fields.strategy).matrix);
  const keys = Object.keys(matrix).filter((key) => key !== 'include' && key !== 'exclude');
  if (keys.length !== job.matrix.length || matrix.include !== undefined) return text;
  return text.replace(
    /\$\{\{\s*matrix\.([\w-]+)\s*\}\}/g,
    (whole, key: string) => job.matrix[keys.indexOf(key)] ?? whole,
  );
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}
