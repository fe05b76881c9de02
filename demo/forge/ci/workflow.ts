// Reads a workflow file into jobs, and decides whether an event starts it. Pure.
// Only what the runner can do is accepted; anything else is an error that names it.
import { parse } from 'yaml';
import { z } from 'zod';

const Scalar = z
  .union([z.string(), z.number(), z.boolean(), z.null()])
  .transform((value) => (value === null ? '' : String(value)));
const Environment = z.record(z.string(), Scalar).default({});
const List = z.union([z.string().transform((name) => [name]), z.array(z.string())]);
const Names = List.default([]);
const Defaults = z
  .object({
    run: z.object({ shell: z.string().optional(), 'working-directory': z.string().optional() }).default({}),
  })
  .default({ run: {} });

const Step = z.looseObject({
  name: z.string().optional(),
  id: z.string().optional(),
  if: Scalar.optional(),
  uses: z.string().optional(),
  run: z.string().optional(),
  with: Environment,
  env: Environment,
  shell: z.string().optional(),
  'working-directory': z.string().optional(),
  'continue-on-error': z.boolean().default(false),
});

const Job = z.looseObject({
  name: z.string().optional(),
  needs: Names,
  if: Scalar.optional(),
  env: Environment,
  defaults: Defaults,
  'timeout-minutes': z.number().default(30),
  strategy: z.looseObject({ matrix: z.record(z.string(), z.array(Scalar)).default({}) }).optional(),
  container: z.never({ error: 'the forge runs no containers' }).optional(),
  services: z.never({ error: 'the forge runs no services' }).optional(),
  steps: z.array(Step).min(1),
});

const Filter = z
  .looseObject({
    branches: z.array(z.string()).optional(),
    'branches-ignore': z.array(z.string()).optional(),
    paths: z.array(z.string()).optional(),
    'paths-ignore': z.array(z.string()).optional(),
    tags: z.array(z.string()).optional(),
    types: List.optional(),
  })
  .nullable()
  .transform((value) => value ?? {});

const WorkflowFile = z.looseObject({
  name: z.string().optional(),
  on: z.union([
    z.string().transform((event) => ({ [event]: {} as z.output<typeof Filter> })),
    z
      .array(z.string())
      .transform((events) =>
        Object.fromEntries(events.map((event) => [event, {} as z.output<typeof Filter>])),
      ),
    z.record(
      z.string(),
      z.union([Filter, z.array(z.unknown()).transform(() => ({}) as z.output<typeof Filter>)]),
    ),
  ]),
  env: Environment,
  defaults: Defaults,
  jobs: z.record(z.string(), Job),
});

export type StepDefinition = z.output<typeof Step>;

export interface JobDefinition {
  /** The job's key in the file; with a matrix, the values follow in parentheses. */
  readonly key: string;
  readonly name: string;
  readonly needs: readonly string[];
  readonly condition: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly matrix: Readonly<Record<string, string>>;
  readonly shell: string | undefined;
  readonly workingDirectory: string | undefined;
  readonly timeoutMs: number;
  readonly steps: readonly StepDefinition[];
}

export interface WorkflowDefinition {
  readonly name: string;
  readonly on: z.output<typeof WorkflowFile>['on'];
  readonly jobs: readonly JobDefinition[];
}

/** Parses a workflow file; throws with all problems when it is not one that the forge can run. */
export function parseWorkflow(path: string, text: string): WorkflowDefinition {
  const file = WorkflowFile.parse(parse(text));
  for (const [name, value] of Object.entries(file.on.repository_dispatch ?? {}))
    if (name !== 'types' && value !== undefined)
      throw new Error(`on.repository_dispatch: "${name}" is not known, it takes "types"`);
  const jobs = Object.entries(file.jobs).flatMap(([key, job]) =>
    combinations(job.strategy?.matrix ?? {}).map((matrix): JobDefinition => {
      const values = Object.values(matrix);
      const suffix = values.length === 0 ? '' : ` (${values.join(', ')})`;
      return {
        key: `${key}${suffix}`,
        name: `${job.name ?? key}${suffix}`,
        needs: job.needs,
        condition: job.if ?? 'success()',
        environment: { ...file.env, ...job.env },
        matrix,
        shell: job.defaults.run.shell ?? file.defaults.run.shell,
        workingDirectory: job.defaults.run['working-directory'] ?? file.defaults.run['working-directory'],
        timeoutMs: job['timeout-minutes'] * 60_000,
        steps: job.steps,
      };
    }),
  );
  return { name: file.name ?? path, on: file.on, jobs };
}

function combinations(matrix: Readonly<Record<string, readonly string[]>>): Record<string, string>[] {
  let result: Record<string, string>[] = [{}];
  for (const [name, values] of Object.entries(matrix)) {
    result = result.flatMap((one) => values.map((value) => ({ ...one, [name]: value })));
  }
  return result;
}

export type EventName = 'push' | 'pull_request' | 'repository_dispatch';

/**
 * Whether an event starts the workflow: `branch` is the pushed branch, or the base of a pull request; `action` is what happened to the pull request, or
 * the event type of a repository_dispatch.
 */
export function isTriggered(
  workflow: WorkflowDefinition,
  event: { name: EventName; action?: string; branch: string; paths: readonly string[] },
): boolean {
  const filter = workflow.on[event.name];
  if (filter === undefined) return false;
  if (event.name === 'repository_dispatch')
    return filter.types === undefined || filter.types.includes(event.action ?? '');
  if (event.name === 'pull_request') {
    const types = filter.types ?? ['opened', 'synchronize', 'reopened'];
    if (!types.includes(event.action ?? '')) return false;
  }
  if (filter.tags !== undefined && filter.branches === undefined && filter['branches-ignore'] === undefined)
    return false;
  if (filter.branches !== undefined && !matchesAny(filter.branches, event.branch)) return false;
  if (filter['branches-ignore'] !== undefined && matchesAny(filter['branches-ignore'], event.branch))
    return false;
  const { paths } = filter;
  if (paths !== undefined && !event.paths.some((path) => matchesAny(paths, path))) return false;
  const ignored = filter['paths-ignore'];
  return (
    ignored === undefined ||
    event.paths.length === 0 ||
    !event.paths.every((path) => matchesAny(ignored, path))
  );
}

/** GitHub's filter patterns in order: a later `!pattern` takes back. */
function matchesAny(patterns: readonly string[], value: string): boolean {
  let matched = false;
  for (const pattern of patterns) {
    const negative = pattern.startsWith('!');
    if (globPattern(negative ? pattern.slice(1) : pattern).test(value)) matched = !negative;
  }
  return matched;
}

function globPattern(glob: string): RegExp {
  const source = glob.replace(/\*\*\/|\*\*|\*|[.+^${}()|\\]/g, (token) => {
    if (token === '**/') return '(?:.*/)?';
    if (token === '**') return '.*';
    if (token === '*') return '[^/]*';
    return `\\${token}`;
  });
  return new RegExp(`^${source}$`);
}

/**
 * The value of an `if:`. Knows status functions, `==` and `!=` between contexts and literals, `&&`, `||`, `!`;
 * throws on anything else rather than guess.
 */
export function evaluateCondition(
  condition: string,
  status: { readonly failed: boolean; readonly cancelled: boolean },
  lookUp: (context: string) => string,
): boolean {
  const text = condition.replace(/^\s*\$\{\{([\s\S]*)\}\}\s*$/, '$1').trim();
  const hasStatus = /\b(always|failure|success|cancelled)\(\)/.test(text);
  if (!hasStatus && (status.failed || status.cancelled)) return false;
  const term = (source: string): boolean => {
    const one = source.trim();
    if (one.startsWith('!') && !one.startsWith('!=')) return !term(one.slice(1));
    if (one === 'always()' || one === 'true') return true;
    if (one === 'false') return false;
    if (one === 'failure()') return status.failed;
    if (one === 'success()') return !status.failed && !status.cancelled;
    if (one === 'cancelled()') return status.cancelled;
    const match = /^([\w.-]+|'[^']*')\s*(==|!=)\s*([\w.-]+|'[^']*')$/.exec(one);
    if (match === null) throw new Error(`the forge does not understand "if: ${condition}"`);
    const value = (side: string): string => (side.startsWith("'") ? side.slice(1, -1) : lookUp(side));
    const equal = value(match[1] ?? '').toLowerCase() === value(match[3] ?? '').toLowerCase();
    return match[2] === '==' ? equal : !equal;
  };
  return text.split('||').some((side) => side.split('&&').every(term));
}

/** Replaces `${{ context }}` in a text. */
export function interpolate(text: string, lookUp: (context: string) => string): string {
  return text.replace(/\$\{\{\s*([\w.-]+)\s*\}\}/g, (_, context: string) => lookUp(context));
}

/** The value of `github.event.…` as an expression shows it: nothing where there is nothing, `Object` and `Array` for what is more than a value. */
export function eventValue(event: unknown, path: string): string {
  let value = event;
  for (const name of path.split('.').filter((part) => part !== '')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return '';
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return 'Array';
  return typeof value === 'object' ? 'Object' : String(value);
}
