// What the command lines of a command provider print, as data. Pure; an error names the setting, what was printed, and what to print instead.
import * as z from 'zod';
import type { Deployment, LogLine, Service, ServiceStatus } from '../../contract/ops/platform.ts';
import { cleanText } from '../../logs/clean-text.ts';
import { oneLine } from '../http-failure.ts';
import { boundedLine } from '../provider/log-line.ts';
import { ProviderFailure } from '../provider/provider.ts';

const statuses: ReadonlySet<string> = new Set<ServiceStatus>([
  'running',
  'deploying',
  'degraded',
  'crashed',
  'failed',
  'stopped',
]);

const version = {
  /** Absent: the service's name. */
  deployment: z.string().min(1).max(200).optional(),
  /** When it came into its state. */
  sinceMs: z.number().nonnegative().optional(),
  image: z.string().max(500).optional(),
  commitSha: z.string().max(100).optional(),
};
const Printed = z.array(
  z.object({
    name: z.string().regex(/^[^\p{C}]{1,100}$/u, 'is no name of a service'),
    status: z.string().min(1).max(100),
    ...version,
    /** What ran before and can be rolled back to, newest first. */
    previous: z
      .array(z.object({ ...version, deployment: z.string().min(1).max(200) }))
      .max(100)
      .optional(),
  }),
);
type Printed = z.output<typeof Printed>[number];

export type PrintedService = {
  readonly service: Service;
  /** Newest first, the one that runs too. */
  readonly deployments: readonly Deployment[];
};

/** @throws ProviderFailure */
export function printedServices(stdout: string, canRollBack: boolean): readonly PrintedService[] {
  const parsed = Printed.safeParse(jsonOf(stdout));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const place = issue?.path.join('.') || 'it';
    throw new ProviderFailure(
      `services.provider.status printed "${shown(stdout)}": ${place}: ${issue?.message ?? 'not readable'}; print a JSON list like [{"name":"web","status":"running"}]`,
      { kind: 'refused' },
    );
  }
  const names = parsed.data.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new ProviderFailure(
      `services.provider.status printed service "${twice}" twice; print each name once`,
      { kind: 'refused' },
    );
  return parsed.data.map((one) => serviceOf(one, canRollBack));
}

function serviceOf(printed: Printed, canRollBack: boolean): PrintedService {
  const { name, status, previous = [] } = printed;
  const newest = deploymentOf(name, status, printed, false);
  const older = previous.map((one) => deploymentOf(name, 'stopped', one, canRollBack));
  const live = ['deploying', 'failed', 'stopped'].includes(newest.status) ? null : newest;
  return { service: { id: name, name, latest: newest, live }, deployments: [newest, ...older] };
}

function deploymentOf(
  name: string,
  status: string,
  { deployment = name, sinceMs = 0, image, commitSha }: Omit<Printed, 'name' | 'status'>,
  canRollBack: boolean,
): Deployment {
  return {
    id: deployment,
    serviceId: name,
    status: statuses.has(status) ? (status as ServiceStatus) : 'unknown',
    rawStatus: status,
    createdAtMs: sinceMs,
    statusChangedAtMs: sinceMs,
    ...(image === undefined ? {} : { image }),
    ...(commitSha === undefined ? {} : { commitSha }),
    canRollBack,
  };
}

/** A line may begin with its time (RFC 3339); one without has the time of the line before, or of now. */
export function printedLines(stdout: string, nowMs: number): readonly LogLine[] {
  const lines = stdout.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  let atMs: number | undefined;
  return lines.map((line) => {
    const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))\s/.exec(line);
    const time = Date.parse(match?.[1] ?? '');
    if (Number.isNaN(time)) return { atMs: atMs ?? nowMs, severity: 'info', text: boundedLine(line) };
    atMs = time;
    return { atMs, severity: 'info', text: boundedLine(line.slice(match?.[0].length)) };
  });
}

/** The end of what was printed, on one short line. */
export function shown(text: string): string {
  const line = oneLine(cleanText(text.slice(-2_000)));
  return line.length > 200 ? `…${line.slice(-200)}` : line;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
