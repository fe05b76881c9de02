// What the platform says of the services involved, read once per turn and within seconds: an incident must not wait for a platform that hangs.
import type { Deployment, LogLine, Overview, Service } from '../../../contract/ops/platform.ts';
import type { Provider } from '../../../integrations/provider/provider.ts';
import { redactText } from '../../../logs/redact/redact-text.ts';
import type { ServiceLog } from '../../../policy/ops/incident/incident-issue.ts';
import type { IncidentParts, Known } from './parts.ts';

const readMs = 12_000;
const logLines = 30;
const maxLogs = 20;
const maxDeployments = 20;

export type PlatformView = {
  readonly overview: Overview | null;
  /** Why it could not be read; null: it was. */
  readonly failure: string | null;
  readonly deployments: { readonly [serviceId: string]: readonly Deployment[] };
  readonly can: { readonly redeploy: boolean; readonly rollBack: boolean };
  readonly logs: readonly ServiceLog[];
};

/** Null: the workspace has no platform in its settings. Never throws for what it reads. */
export async function readPlatform(
  parts: IncidentParts,
  { workspace, config }: Pick<Known, 'workspace' | 'config'>,
  names: readonly string[],
  withLogs: boolean,
  signal: AbortSignal,
): Promise<PlatformView | null> {
  if (!workspace.services) return null;
  const call = () => ({ signal: AbortSignal.any([signal, AbortSignal.timeout(readMs)]), forIncident: true });
  try {
    const provider = await parts.services.provider(workspace, config.tenant);
    const can = { redeploy: provider.redeploy !== undefined, rollBack: provider.rollBack !== undefined };
    const overview = await provider.overview(call());
    const involved = overview.services.filter(({ name }) => names.includes(name));
    const [deployments, logs] = await Promise.all([
      Promise.all(
        involved.map(
          async (service) => [service.id, await deploymentsOf(provider, service, call())] as const,
        ),
      ),
      withLogs
        ? Promise.all(involved.slice(0, maxLogs).map((one) => logOf(parts, provider, one, call())))
        : [],
    ]);
    return { overview, failure: null, deployments: Object.fromEntries(deployments), can, logs };
  } catch (error) {
    const failure = parts.services.redactor.redact(messageOf(error)).slice(0, 300);
    const can = { redeploy: false, rollBack: false };
    const logs = withLogs ? names.map((service) => ({ service, lines: [], problem: failure })) : [];
    return { overview: null, failure, deployments: {}, can, logs };
  }
}

/** A running service needs none: nothing is rolled back. */
async function deploymentsOf(
  provider: Provider,
  service: Service,
  call: Parameters<Provider['deployments']>[2],
): Promise<readonly Deployment[]> {
  return provider.deployments(service.id, maxDeployments, call).catch(() => []);
}

async function logOf(
  { services }: IncidentParts,
  provider: Provider,
  service: Service,
  call: Parameters<Provider['logs']>[1],
): Promise<ServiceLog> {
  const read = (kind: 'build' | 'deploy') =>
    provider.logs({ serviceId: service.id, kind, limit: logLines }, call);
  const clean = (line: LogLine): LogLine => ({ ...line, text: redactText(line.text, services.redactor) });
  try {
    const first = service.latest?.status === 'failed' ? 'build' : 'deploy';
    const lines = await read(first);
    const shown = lines.length > 0 ? lines : await read(first === 'build' ? 'deploy' : 'build');
    return { service: service.name, lines: shown.slice(-logLines).map(clean), problem: null };
  } catch (error) {
    return { service: service.name, lines: [], problem: services.redactor.redact(messageOf(error)) };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
