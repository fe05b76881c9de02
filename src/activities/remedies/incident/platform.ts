// What the platform says of the services involved, read once per turn and within seconds: an incident must not wait for a platform that hangs.

import type { Deployment, LogLine, Overview, Service } from '../../../contract/ops/platform.ts';
import type { WorkspaceConfig } from '../../../contract/tenant-config.ts';
import type { Provider } from '../../../integrations/provider/provider.ts';
import { redactText } from '../../../logs/redact/redact-text.ts';
import type { ServiceLog } from '../../../policy/ops/incident/incident-issue.ts';
import { messageOf } from '../../message-of.ts';
import type { Services } from '../../services.ts';

const readMs = 12_000;
const logLines = 30;
const maxLogs = 20;
const maxDeployments = 20;

export type PlatformView = {
  /** Policy time. */
  readonly readAtMs: number;
  readonly overview: Overview | null;
  /** Why it could not be read; null: it was. */
  readonly failure: string | null;
  readonly deployments: { readonly [serviceId: string]: readonly Deployment[] };
  readonly can: { readonly redeploy: boolean; readonly rollBack: boolean };
  readonly logs: readonly ServiceLog[];
};

type Reading = {
  readonly tenant: string;
  readonly names: readonly string[];
  readonly withLogs: boolean;
  readonly nowMs: number;
  readonly signal: AbortSignal;
};

/** Several turns follow each other when effects have answers: they share one reading. */
const sharedMs = 20_000;
const maxShared = 200;

export type ReadPlatform = (workspace: WorkspaceConfig, reading: Reading) => Promise<PlatformView | null>;

/** Null: the workspace has no platform in its settings. Never throws for what it reads. */
export function platformReader(services: Services): ReadPlatform {
  const shared = new Map<string, { readonly view: PlatformView; readonly steadyMs: number }>();
  return async (workspace, reading) => {
    if (!workspace.services) return null;
    const key = JSON.stringify([reading.tenant, workspace.name, reading.names]);
    const known = shared.get(key);
    if (known !== undefined && !reading.withLogs) {
      const ageMs = Math.max(reading.nowMs - known.view.readAtMs, performance.now() - known.steadyMs);
      if (ageMs < sharedMs && reading.nowMs >= known.view.readAtMs) return known.view;
    }
    const view = await readPlatform(services, workspace, reading);
    if (shared.size >= maxShared) shared.clear();
    shared.set(key, { view: { ...view, logs: [] }, steadyMs: performance.now() });
    return view;
  };
}

async function readPlatform(
  services: Services,
  workspace: WorkspaceConfig,
  { tenant, names, withLogs, nowMs, signal }: Reading,
): Promise<PlatformView> {
  const call = () => ({ signal: AbortSignal.any([signal, AbortSignal.timeout(readMs)]), forIncident: true });
  try {
    const provider = await services.provider(workspace, tenant);
    const can = { redeploy: provider.redeploy !== undefined, rollBack: provider.rollBack !== undefined };
    const overview = await provider.overview(call());
    const involved = overview.services.filter(({ name }) => names.includes(name));
    const [deployments, logs] = await Promise.all([
      Promise.all(involved.map(async (one) => [one.id, await deploymentsOf(provider, one, call())] as const)),
      withLogs
        ? Promise.all(involved.slice(0, maxLogs).map((one) => logOf(services, provider, one, call())))
        : [],
    ]);
    const byService = Object.fromEntries(deployments);
    return { readAtMs: nowMs, overview, failure: null, deployments: byService, can, logs };
  } catch (error) {
    const failure = services.redactor.redact(messageOf(error)).slice(0, 300);
    const can = { redeploy: false, rollBack: false };
    const logs = withLogs ? names.map((service) => ({ service, lines: [], problem: failure })) : [];
    return { readAtMs: nowMs, overview: null, failure, deployments: {}, can, logs };
  }
}

async function deploymentsOf(
  provider: Provider,
  service: Service,
  call: Parameters<Provider['deployments']>[2],
): Promise<readonly Deployment[]> {
  return provider.deployments(service.id, maxDeployments, call).catch(() => []);
}

async function logOf(
  services: Services,
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
