// Turns one job into what `act` runs offline: a workflow file with this job alone, and actions on disk in the place of those that it would
// download. Order of jobs, conditions between them and matrices are the forge's own part. Pure.

import { needsNothing, unresolvable } from '../steps.ts';
import type { JobDefinition, StepDefinition } from '../workflow.ts';

/** Says to the forge that all output of a step is out; the number is the process that waits for the answer. */
export const READ_COMMAND = 'forge-read';
/** Variable with the folder in which the answer appears. */
export const READ_FOLDER = 'FORGE_READ';

/**
 * Runs the command of a step as GitHub does, without a terminal (act gives it one). A step that fails would lose the output that act has not
 * read by then, so it waits until the forge has it; not for long where something that it left running may still write. That dies with act.
 */
export const STEP_WRAPPER = `( trap '' HUP; while kill -0 "$PPID"; do sleep 0.2; done; kill -KILL 0 ) </dev/null >/dev/null 2>&1 &
exec 3> >(grep --text --line-buffered '')
reader=$!
"$@" </dev/null >&3 2>&1 3>&-
code=$?
exec 3>&-
for _ in {1..40}; do
  kill -0 "$reader" 2>/dev/null || break
  sleep 0.05
done
echo "::${READ_COMMAND}::$$"
for _ in {1..200}; do
  [ -e "$${READ_FOLDER}/$$" ] && break
  sleep 0.05
done
exit "$code"
`;

const SHELLS: Readonly<Record<string, readonly string[]>> = {
  '': ['bash', '-e'],
  bash: ['bash', '--noprofile', '--norc', '-e', '-o', 'pipefail'],
  sh: ['sh', '-e'],
};

/** The command of a `run:` step, without the script. Throws for a shell that the forge does not have. */
export function shellOf(definition: JobDefinition, step: StepDefinition): readonly string[] {
  const name = step.shell ?? definition.shell ?? '';
  const shell = SHELLS[name];
  if (shell === undefined) throw new Error(`the forge has no shell "${name}": use bash or sh`);
  return shell;
}

/** The workflow file; `wrapper` is the path of `STEP_WRAPPER`, without quotes in it. Throws for what the forge does not run. */
export function actWorkflow(
  definition: JobDefinition,
  workflowName: string,
  wrapper: string,
  event = 'push',
): string {
  const { environment, matrix, workingDirectory } = definition;
  const job = {
    'runs-on': 'ubuntu-latest',
    env: environment,
    ...(Object.keys(matrix).length > 0 && {
      strategy: {
        matrix: Object.fromEntries(Object.entries(matrix).map(([name, value]) => [name, [value]])),
      },
    }),
    ...(workingDirectory !== undefined && { defaults: { run: { 'working-directory': workingDirectory } } }),
    steps: definition.steps.map((step) => actStep(definition, step, wrapper)),
  };
  return JSON.stringify({ name: workflowName, on: event, jobs: { [jobId(definition)]: job } });
}

function actStep(definition: JobDefinition, step: StepDefinition, wrapper: string): object {
  if (step.run === undefined) return step;
  const { with: _inputs, ...rest } = step;
  return { ...rest, shell: wrapped(shellOf(definition, step), wrapper) };
}

/** The job's id, without the values of its matrix. */
export function jobId(definition: JobDefinition): string {
  return definition.key.replace(/ \(.*/, '');
}

export interface CheckoutSource {
  readonly repositoryPath: string;
  readonly gitUrl: string;
  readonly sha: string;
}

/** The actions that a job uses, each as the text of an `action.yml` of our own. Throws for one that the forge does not know. */
export function localActions(
  definition: JobDefinition,
  source: CheckoutSource,
  wrapper: string,
): ReadonlyMap<string, string> {
  const actions = new Map<string, string>();
  for (const { uses } of definition.steps) {
    if (uses === undefined || uses.startsWith('./')) continue;
    const action = uses.split('@')[0] ?? '';
    if (action === 'actions/checkout') actions.set(uses, checkoutAction(source, wrapper));
    else if (needsNothing(action))
      actions.set(uses, composite({}, 'echo The tools of this machine are used.', {}, wrapper));
    else throw new Error(unresolvable(uses));
  }
  return actions;
}

const CHECKOUT = `mkdir -p "$TARGET"
cd "$TARGET"
git init --quiet
git remote add origin "$ORIGIN"
depth=(--depth="$DEPTH")
[ "$DEPTH" = 0 ] && depth=()
git fetch --quiet --no-tags "\${depth[@]}" "file://$SOURCE" "$REF"
git checkout --quiet --force --detach FETCH_HEAD
echo "HEAD is now at $(git rev-parse --short=7 HEAD)"
`;

function checkoutAction(source: CheckoutSource, wrapper: string): string {
  const inputs = { ref: source.sha, path: '.', 'fetch-depth': '1' };
  const environment = {
    TARGET: input('path'),
    REF: input('ref'),
    DEPTH: input('fetch-depth'),
    SOURCE: source.repositoryPath,
    ORIGIN: source.gitUrl,
  };
  return composite(inputs, CHECKOUT, environment, wrapper);
}

function input(name: string): string {
  return `\${{ inputs.${name} }}`;
}

function composite(
  inputs: Readonly<Record<string, string>>,
  run: string,
  env: Readonly<Record<string, string>>,
  wrapper: string,
): string {
  return JSON.stringify({
    name: 'of the forge',
    inputs: Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, { default: value }])),
    runs: { using: 'composite', steps: [{ run, env, shell: wrapped(['bash', '-e'], wrapper) }] },
  });
}

function wrapped(shell: readonly string[], wrapper: string): string {
  return `bash "${wrapper}" ${shell.join(' ')} {0}`;
}
