// What the stand-in for Railway holds: projects, services, deployments, logs, variables, templates, workflows. Plain rows in memory; what a row says at a
// moment is worked out from the clock by phases.ts. The methods are what tests arrange by, the resolvers change rows themselves.
import { randomUUID } from 'node:crypto';
import { type Behaviour, firstUpMs, type Lifetime, type Phase, phaseAt } from './phases.ts';

export type Release = {
  readonly commitSha?: string;
  readonly image?: string;
  readonly behaviour: Behaviour;
};

export type ServiceRow = {
  readonly id: string;
  readonly environmentId: string;
  readonly name: string;
  readonly cronSchedule: string | null;
  readonly healthcheckPath: string | null;
  readonly domains: readonly string[];
  replicas: number;
  restartPolicy: string;
  /** What a deploy without a commit takes. */
  release: Release;
  /** What a deploy of that commit or image behaves like; others run. */
  readonly behaviours: Map<string, Behaviour>;
  readonly source: 'image' | 'repo' | 'none';
  deletedAtMs: number | null;
};

export type DeploymentRow = {
  readonly id: string;
  readonly serviceId: string;
  readonly environmentId: string;
  readonly createdAtMs: number;
  readonly release: Release;
  readonly replicas: number;
  readonly restartsMs: number[];
  removedAtMs: number | null;
  forced: Phase | null;
  readonly logs: LogRow[];
};

export type LogRow = {
  readonly kind: 'build' | 'deploy';
  readonly atMs: number;
  readonly text: string;
  readonly severity?: string | null;
};

export type VariableRow = {
  readonly environmentId: string;
  readonly serviceId: string | null;
  readonly name: string;
  value: string;
};

export type TemplateRow = {
  readonly id: string;
  readonly code: string;
  readonly serviceName: string;
  readonly image: string;
};

export type WorkflowRow = {
  readonly id: string;
  readonly environmentId: string;
  readonly template: TemplateRow;
  readonly startedMs: number;
  done: boolean;
};

export type ProjectRow = {
  readonly projectId: string;
  readonly project: string;
  readonly environmentId: string;
  readonly environment: string;
  /** Of this environment only. */
  readonly projectToken: string;
};

export type ServiceSpec = {
  readonly name: string;
  readonly image?: string;
  readonly commitSha?: string;
  readonly behaviour?: Behaviour;
  readonly replicas?: number;
  readonly cronSchedule?: string;
  readonly healthcheckPath?: string;
  readonly domains?: readonly string[];
  readonly restartPolicy?: 'ALWAYS' | 'NEVER' | 'ON_FAILURE';
  /** False: a service that was never deployed. Default true: deployed now. */
  readonly deployed?: boolean;
};

export type World = ReturnType<typeof createWorld>;

export function createWorld(now: () => number) {
  const projects: ProjectRow[] = [];
  const services: ServiceRow[] = [];
  const deployments: DeploymentRow[] = [];
  /** The same rows by service, oldest first. */
  const byService = new Map<string, DeploymentRow[]>();
  const variables: VariableRow[] = [];
  const workflows: WorkflowRow[] = [];
  const templates: TemplateRow[] = ['postgres', 'redis'].map((code) => ({
    id: randomUUID(),
    code,
    serviceName: code === 'postgres' ? 'Postgres' : 'Redis',
    image: `${code}:latest`,
  }));
  /** How long a template takes until its service is there, and how it ends instead. */
  const templateRuns = { visibleAfterMs: 0, takesMs: 5_000, error: null as string | null };

  const lifetime = (row: DeploymentRow): Lifetime => ({ ...row, behaviour: row.release.behaviour });
  const phase = (row: DeploymentRow): Phase => phaseAt(lifetime(row), now());
  const upMs = (row: DeploymentRow): number | null => firstUpMs(lifetime(row), now());

  const deploy = (service: ServiceRow, release: Release): DeploymentRow => {
    const row: DeploymentRow = {
      id: randomUUID(),
      serviceId: service.id,
      environmentId: service.environmentId,
      createdAtMs: now(),
      release,
      replicas: service.replicas,
      restartsMs: [],
      removedAtMs: null,
      forced: null,
      logs: [],
    };
    deployments.push(row);
    byService.get(service.id)?.push(row);
    return row;
  };

  const addService = (environmentId: string, spec: ServiceSpec): ServiceRow => {
    const release: Release = {
      ...(spec.image === undefined ? {} : { image: spec.image }),
      ...(spec.commitSha === undefined ? {} : { commitSha: spec.commitSha }),
      behaviour: spec.behaviour ?? {},
    };
    const row: ServiceRow = {
      id: randomUUID(),
      environmentId,
      name: spec.name,
      cronSchedule: spec.cronSchedule ?? null,
      healthcheckPath: spec.healthcheckPath ?? null,
      domains: spec.domains ?? [],
      replicas: spec.replicas ?? 1,
      restartPolicy: spec.restartPolicy ?? 'ON_FAILURE',
      release,
      behaviours: new Map(),
      source: spec.image === undefined ? (spec.commitSha === undefined ? 'none' : 'repo') : 'image',
      deletedAtMs: null,
    };
    services.push(row);
    byService.set(row.id, []);
    if (spec.deployed !== false) deploy(row, release);
    return row;
  };

  /** Lets pass what passed since the last look: newer deployments replace older ones, templates become services. */
  const settle = (): void => {
    for (const rows of byService.values())
      for (const [index, row] of rows.entries()) {
        if (row.removedAtMs !== null) continue;
        const newer = rows.slice(index + 1).flatMap((other) => upMs(other) ?? []);
        if (newer.length > 0) row.removedAtMs = Math.min(...newer);
      }
    for (const flow of workflows) {
      if (flow.done || templateRuns.error !== null || now() < flow.startedMs + templateRuns.takesMs) continue;
      flow.done = true;
      addService(flow.environmentId, { name: flow.template.serviceName, image: flow.template.image });
    }
  };

  const serviceRow = (nameOrId: string): ServiceRow => {
    const found = services.find(({ id, name }) => id === nameOrId || name === nameOrId);
    if (found === undefined) throw new Error(`the stand-in for Railway has no service ${nameOrId}`);
    return found;
  };
  const newestFirst = (serviceId: string): readonly DeploymentRow[] =>
    (byService.get(serviceId) ?? []).toReversed();
  const deploymentsOf = (nameOrId: string): readonly DeploymentRow[] => {
    settle();
    return newestFirst(serviceRow(nameOrId).id);
  };
  const latestOf = (nameOrId: string): DeploymentRow => {
    const [latest] = deploymentsOf(nameOrId);
    if (latest === undefined) throw new Error(`service ${nameOrId} was never deployed`);
    return latest;
  };

  return {
    now,
    rows: { projects, services, deployments, variables, workflows, templates },
    templateRuns,
    lifetime,
    phase,
    upMs,
    deploy,
    settle,
    addService,
    service: serviceRow,
    /** Of a service by its name or id, newest first. */
    deploymentsOf,
    /** The same by id, as it was when the world was looked at last. */
    newestFirst,
    addProject: (spec: {
      readonly project: string;
      readonly environment?: string;
      readonly services?: readonly ServiceSpec[];
    }): ProjectRow => {
      const row: ProjectRow = {
        projectId: randomUUID(),
        project: spec.project,
        environmentId: randomUUID(),
        environment: spec.environment ?? 'production',
        projectToken: randomUUID(),
      };
      projects.push(row);
      for (const service of spec.services ?? []) addService(row.environmentId, service);
      return row;
    },
    /** As a push would: a new deployment of the service, which later deploys take too. */
    push: (nameOrId: string, release: Partial<Release>): DeploymentRow => {
      const service = serviceRow(nameOrId);
      service.release = { behaviour: {}, ...release };
      return deploy(service, service.release);
    },
    /** What the newest deployment says from now on, whatever it does; null: what it does again. */
    say: (nameOrId: string, status: string | null, more: Partial<Phase> = {}): void => {
      latestOf(nameOrId).forced =
        status === null ? null : { status, sinceMs: now(), stopped: false, instances: [], ...more };
    },
    /** Lines of the newest deployment, now unless they say when. */
    addLogs: (
      nameOrId: string,
      kind: 'build' | 'deploy',
      lines: readonly (string | Omit<LogRow, 'kind'>)[],
    ): void => {
      const rows = lines.map((line) => (typeof line === 'string' ? { atMs: now(), text: line } : line));
      latestOf(nameOrId).logs.push(...rows.map((row) => ({ kind, ...row })));
    },
    setVariable: (variable: VariableRow): void => {
      const there = variables.find(
        (one) =>
          one.environmentId === variable.environmentId &&
          one.serviceId === variable.serviceId &&
          one.name === variable.name,
      );
      if (there === undefined) variables.push({ ...variable });
      else there.value = variable.value;
    },
  };
}
