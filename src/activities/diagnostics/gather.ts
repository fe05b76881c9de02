// What a question in a comment or a terminal reads (DIAG-1, DIAG-2): services, the logs that are asked for, the checks involved, the numbers of the
// backend. Reads only; what cannot be read is said, never thrown. Words from outside are cleaned and without secrets when they leave this file.

import picomatch from 'picomatch';
import type { DiagnosisRequest } from '../../contract/ops/diagnosis.ts';
import type { DiagnosticRequest } from '../../contract/ops/diagnostics.ts';
import type { HealthCheck } from '../../contract/ops/health-settings.ts';
import type { LogLine, Overview } from '../../contract/ops/platform.ts';
import type { SecretReference, WorkspaceConfig } from '../../contract/tenant-config.ts';
import { createDevopsApi } from '../../integrations/devops-api/client.ts';
import { type CheckReading, runCheck } from '../../integrations/health/run-check.ts';
import type { Provider } from '../../integrations/provider/provider.ts';
import { cleanText } from '../../logs/clean-text.ts';
import type { DiagnosticView } from '../../policy/ops/diagnostics/diagnostic-answer.ts';
import { checksFor, logsFor } from '../../policy/ops/diagnostics/what-to-read.ts';
import { serviceHealth } from '../../policy/ops/ladder/health-spans.ts';
import { devopsAccess } from '../devops-access.ts';
import { messageOf } from '../message-of.ts';

export type GatherParts = {
  readonly workspace: WorkspaceConfig;
  readonly provider: () => Promise<Provider>;
  readonly resolve: (reference: SecretReference, field: string) => Promise<string>;
  /** Takes secrets out of text, known ones and those that show by their form. */
  readonly redact: (text: string) => string;
  readonly version: string;
  readonly signal: AbortSignal;
};

const withinMs = 40_000;
const databaseWithinMs = 10_000;
const logLines = 30;
const shownNumbers = 12;
const lineChars = 2_000;

export async function gather(
  request: DiagnosticRequest,
  { nowMs, asked }: Pick<DiagnosisRequest, 'nowMs' | 'asked'>,
  parts: GatherParts,
): Promise<DiagnosticView> {
  const bounded = { ...parts, signal: AbortSignal.any([parts.signal, AbortSignal.timeout(withinMs)]) };
  const problems: string[] = [];
  const orSay = async <T>(what: string, otherwise: T, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      parts.signal.throwIfAborted();
      const why = bounded.signal.aborted ? `no answer within ${withinMs / 1_000} s` : messageOf(error);
      problems.push(`${what}: ${parts.redact(why)}`);
      return otherwise;
    }
  };
  const { workspace } = parts;
  const [overview, checks, numbers] = await Promise.all([
    orSay('services', null, () => overviewOf(bounded)),
    orSay<readonly CheckReading[]>('checks', [], () => readChecks(request, bounded)),
    orSay<DiagnosticView['findings']>('DevOps API', [], () => numbersOf(request, bounded)),
  ]);
  const watched = [...(workspace.services?.watch ?? [])];
  const services = (overview?.services ?? [])
    .filter(({ name }) => picomatch.isMatch(name, watched))
    .map((service) => ({
      id: service.id,
      name: service.name,
      health: serviceHealth(service, failingOf(service.name, workspace, checks)),
      rawStatus: service.latest?.rawStatus ?? 'no deployment',
      sinceMs: service.latest?.statusChangedAtMs ?? null,
      image: (service.live ?? service.latest)?.image ?? null,
    }));
  const logsOf = logsFor(request, services);
  const logs =
    logsOf === null || overview === null
      ? null
      : await orSay(`logs of ${logsOf}`, null, () => readLogs(logsOf, services, bounded));
  const environment = workspace.services?.environment ?? overview?.environment ?? 'production';
  return {
    request,
    version: parts.version,
    atMs: nowMs,
    where: `${workspace.services?.provider.kind === 'railway' ? 'Railway' : workspace.name}, ${environment}`,
    services: services.map(({ id: _id, ...service }) => service),
    checks: checks.map(({ name, state, reason, latencyMs }) => ({
      name,
      state: state === 'ok' ? 'passing' : state === 'failed' ? 'failing' : 'unknown',
      reason: parts.redact(reason),
      latencyMs,
    })),
    findings: [...numbers, ...missing(request, workspace, checks)],
    logs,
    problems,
    answer: null,
    mention: workspace.diagnostics?.mention ?? '@devops',
    ...(asked === undefined ? {} : { asked }),
  };
}

async function overviewOf({ workspace, provider, signal }: GatherParts): Promise<Overview | null> {
  return workspace.services ? (await provider()).overview({ signal }) : null;
}

/** What is not there is said where somebody asks for it. */
function missing(
  request: DiagnosticRequest,
  { services, databases }: WorkspaceConfig,
  checks: readonly CheckReading[],
): DiagnosticView['findings'] {
  if (request.kind === 'logs' && !services)
    return [
      { title: 'Services', lines: ['none in the settings of this workspace: there are no logs to read'] },
    ];
  if (request.kind === 'database' && databases.length === 0 && checks.length === 0)
    return [{ title: 'Databases', lines: ['none in the settings of this workspace, and no check of one'] }];
  return [];
}

async function readLogs(
  name: string,
  services: readonly { readonly id: string; readonly name: string }[],
  { provider, redact, signal }: GatherParts,
): Promise<{ readonly service: string; readonly lines: readonly LogLine[] }> {
  const service = services.find((one) => one.name === name);
  if (!service) {
    const names = services.map((one) => one.name).sort();
    throw new Error(`"${name}" is not one of: ${names.join(', ') || 'none'}`);
  }
  const lines = await (await provider()).logs(
    { serviceId: service.id, kind: 'deploy', limit: logLines },
    { signal },
  );
  return {
    service: name,
    lines: lines.slice(-logLines).map(({ atMs, severity, text }) => ({
      atMs,
      severity,
      text: redact(cleanText(text)).slice(0, lineChars),
    })),
  };
}

/** One reading each, at the same time; a failure is not confirmed here. */
function readChecks(
  request: DiagnosticRequest,
  { workspace, resolve, signal }: GatherParts,
): Promise<readonly CheckReading[]> {
  const checks = [...checksFor(request, workspace.health?.checks ?? [])];
  if (request.kind === 'database') checks.push(...databaseChecks(workspace));
  const deps = {
    signal,
    resolve: (reference: SecretReference, field: string) =>
      resolve(reference, `workspaces.${workspace.name}.health.${field}`),
  };
  return Promise.all(checks.map((check) => runCheck(check, deps)));
}

/** Databases of the settings that no check reads. */
function databaseChecks({ databases, health }: WorkspaceConfig): readonly HealthCheck[] {
  const known = (health?.checks ?? []).flatMap((check) => (check.kind === 'database' ? [check.url] : []));
  return databases
    .filter(({ url }) => !known.includes(url))
    .map(({ name, url }) => ({
      kind: 'database',
      name: `database ${name}`,
      url,
      timeoutMs: databaseWithinMs,
      level: 'sev1',
      services: [],
    }));
}

function failingOf(
  service: string,
  { health }: WorkspaceConfig,
  readings: readonly CheckReading[],
): boolean | null {
  const own = (health?.checks ?? []).filter(({ services }) => services.includes(service));
  const read = readings.filter(
    ({ name, state }) => state !== 'unknown' && own.some((one) => one.name === name),
  );
  return read.length === 0 ? null : read.some(({ state }) => state === 'failed');
}

/** What the backend says about users (DIAG-1). It has no read for one account, which is said. */
async function numbersOf(
  request: DiagnosticRequest,
  { workspace, resolve, signal }: GatherParts,
): Promise<DiagnosticView['findings']> {
  if (request.kind !== 'user') return [];
  const title = `User ${request.name}`;
  const { devopsApi } = workspace.incidents;
  if (!devopsApi)
    return [
      {
        title,
        lines: ['nothing can be read of one account: there is no incidents.devopsApi in the settings'],
      },
    ];
  const api = createDevopsApi({ ...(await devopsAccess(workspace.name, devopsApi, resolve)), signal });
  const all = Object.entries(await api.stats());
  const about = all.filter(([name]) => /user|session|account|login|auth/i.test(name));
  const shown = about.length > 0 ? about : all;
  return [
    {
      title,
      lines: [
        'the DevOps API has no read for one account; its numbers of all of them:',
        ...(shown.length === 0 ? ['none'] : []),
        ...shown.slice(0, shownNumbers).map(([name, value]) => `${name}: ${value}`),
      ],
    },
  ];
}
