// What is broken about a service, and how it is said (DEPLOY-2, DEPLOY-3). Pure.
import type { ObservedFinding } from '../../../contract/finding.ts';
import type { Deployment, Service, ServiceStatus } from '../../../contract/ops/platform.ts';
import type { ServicesSettings } from '../../../contract/ops/settings.ts';
import type { DeploymentsMemory } from './deployments-memory.ts';

const ruleVersion = 1;
const maxWord = 60;

export type Fault = {
  /** The newest one. */
  readonly latest: Deployment;
  /** The one that is broken. */
  readonly broken: Deployment;
  readonly status: 'degraded' | 'crashed' | 'failed' | 'unknown';
  readonly serving: boolean;
  readonly sinceMs: number;
};

/** Null: it runs, is on its way up, or somebody took it down. */
export function faultOf(
  { latest, live }: Service,
  before: DeploymentsMemory['bad'][string] | undefined,
): Fault | null {
  const serves = live ?? latest;
  if (latest === null || serves === null) return null;
  const fault = (broken: Deployment, status: Fault['status'], serving: boolean): Fault => ({
    latest,
    broken,
    status,
    serving,
    sinceMs: before?.sinceMs ?? broken.statusChangedAtMs,
  });
  const down = badStatus(serves.status);
  if (down !== null) return fault(serves, down, false);
  const newest = latest.id === serves.id ? null : badStatus(latest.status);
  if (newest !== null) return fault(latest, newest, serves.status === 'running');
  // It was down, and what is to heal it is on its way.
  return before !== undefined && serves.status === 'deploying' ? fault(serves, before.status, false) : null;
}

function badStatus(status: ServiceStatus): Fault['status'] | null {
  return status === 'degraded' || status === 'crashed' || status === 'failed' || status === 'unknown'
    ? status
    : null;
}

export function findingOf(settings: ServicesSettings, service: Service, fault: Fault): ObservedFinding {
  const { environment } = settings;
  const { latest, broken, status, serving, sinceMs } = fault;
  const level = settings.level.byService[service.name] ?? settings.level.default;
  const rawStatus = broken.rawStatus.slice(0, maxWord);
  const words = {
    degraded: 'is degraded',
    crashed: 'crashed',
    failed: 'failed to deploy',
    unknown: 'is in a state that is not known here',
  };
  const what = broken.status === 'deploying' ? 'was down and is on its way up' : words[status];
  return {
    kind: 'deployment',
    target: `${environment}/${service.name}`,
    // One per service: how it is broken may change while it is worked on.
    signature: 'deployment',
    ruleVersion,
    severity: !serving && level === 'sev1' && status !== 'unknown' ? 'critical' : 'warning',
    title: `${service.name} ${what} (${rawStatus})${serving ? ', an older deployment serves' : ''}`,
    detail: {
      kind: 'deployment',
      environment,
      service: service.name,
      serviceId: service.id,
      deploymentId: latest.id,
      status,
      rawStatus,
      serving,
      level,
      sinceMs,
    },
  };
}
