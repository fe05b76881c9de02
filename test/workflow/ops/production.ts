// A scripted production for workflow tests: a platform with services whose deployments crash and recover, health checks that fail, things to know.
// Real source definitions and the real effects on services over plain state; what is written is in the world's journal.

import * as z from 'zod';
import { defineEffect, type EffectDefinition } from '../../../src/activities/effects/definition.ts';
import { createServiceEffects } from '../../../src/activities/effects/ops/services.ts';
import type { SourceDefinition, SourceReading } from '../../../src/activities/sources/definition.ts';
import type { ObservedFinding } from '../../../src/contract/finding.ts';
import type { DiagnosticRequest } from '../../../src/contract/ops/diagnostics.ts';
import type { Deployment, Service, ServiceStatus } from '../../../src/contract/ops/platform.ts';
import type { IncidentLevel } from '../../../src/contract/ops/settings.ts';
import { type Provider, ProviderFailure } from '../../../src/integrations/provider/provider.ts';

export type ScriptedService = {
  /** Oldest first; the last one is the newest. */
  deployments: { id: string; status: ServiceStatus; commitSha?: string; createdAtMs?: number }[];
  /** Of the one that serves; absent: the newest. */
  live?: string;
  log: string[];
  /** What a restart, redeployment, rollback makes of it: the new status; absent: it stays as it is. */
  heals: { restart?: ServiceStatus; redeploy?: ServiceStatus; rollBack?: ServiceStatus };
};

export type Production = {
  services: { [name: string]: ScriptedService };
  /** Failing health checks. */
  failing: { [check: string]: { level: IncidentLevel; services: string[]; reason?: string } };
  notices: { [name: string]: string };
  /** Comments that ask, until they are taken out, or for 30 min. */
  mentions: { commentId: number; author: string; request: DiagnosticRequest; seenAtMs?: number }[];
  /** `down`: the platform's API fails; `hang`: it never answers. */
  platform: 'up' | 'down' | 'hang';
  /** What was asked of the platform, in order. */
  asked: string[];
};

export function newProduction(): Production {
  return { services: {}, failing: {}, notices: {}, mentions: [], platform: 'up', asked: [] };
}

type Of = (tenant: string, workspace: string) => Production;

export function productionSources(of: Of): readonly SourceDefinition[] {
  const source = (
    kind: SourceDefinition['kind'],
    there: (workspace: Parameters<SourceDefinition['targets']>[0]) => boolean,
    read: (production: Production, nowMs: number) => readonly ObservedFinding[],
  ): SourceDefinition => ({
    kind,
    timeoutMs: () => 5_000,
    targets: (workspace) => (there(workspace) ? [undefined] : []),
    read: async ({ config, workspace, nowMs }): Promise<SourceReading> => {
      const findings = read(of(config.tenant, workspace.name), nowMs);
      return { state: findings.length > 0 ? 'red' : 'green', reason: `${findings.length} found`, findings };
    },
  });
  return [
    source(
      'health',
      (workspace) => workspace.health !== undefined,
      ({ failing }, nowMs) => incident(failing, nowMs),
    ),
    source(
      'deployments',
      (workspace) => workspace.services !== undefined,
      ({ services }, nowMs) =>
        Object.entries(services).flatMap(([name, service]) => deployment(name, service, nowMs)),
    ),
    source(
      'versions',
      (workspace) => workspace.services !== undefined,
      ({ notices }) => Object.entries(notices).map(([name, text]) => notice(name, text)),
    ),
    source(
      'mentions',
      (workspace) => workspace.diagnostics !== undefined,
      ({ mentions }, nowMs) => mentions.flatMap((one) => mention(one, nowMs)),
    ),
  ];
}

function incident(failing: Production['failing'], nowMs: number): readonly ObservedFinding[] {
  const checks = Object.entries(failing);
  if (checks.length === 0) return [];
  const level = checks.map(([, check]) => check.level).sort()[0] ?? 'sev2';
  return [
    {
      kind: 'incident',
      target: 'production',
      signature: 'health',
      ruleVersion: 1,
      severity: level === 'sev1' ? 'critical' : 'warning',
      title: `production: ${checks.map(([name]) => name).join(', ')}`,
      detail: {
        kind: 'incident',
        environment: 'production',
        level,
        failed: checks.map(([name, check]) => ({
          name,
          reason: check.reason ?? '503',
          level: check.level,
          sinceMs: nowMs,
        })),
        services: [...new Set(checks.flatMap(([, check]) => check.services))],
      },
    },
  ];
}

function deployment(name: string, service: ScriptedService, nowMs: number): readonly ObservedFinding[] {
  const { latest, live } = viewOf(name, service);
  if (latest === null) return [];
  const { status } = latest;
  const serving = live !== null && live.id !== latest.id && live.status === 'running';
  if (status !== 'crashed' && status !== 'failed' && status !== 'degraded') return [];
  return [
    {
      kind: 'deployment',
      target: `production/${name}`,
      signature: 'deployment',
      ruleVersion: 1,
      severity: 'warning',
      title: `${name} is ${status}`,
      detail: {
        kind: 'deployment',
        environment: 'production',
        service: name,
        serviceId: `id-${name}`,
        deploymentId: latest.id,
        status,
        rawStatus: status.toUpperCase(),
        serving,
        level: serving ? 'sev3' : 'sev2',
        sinceMs: nowMs,
      },
    },
  ];
}

function notice(name: string, text: string): ObservedFinding {
  return {
    kind: 'notice',
    target: name,
    signature: 'version',
    ruleVersion: 1,
    severity: 'info',
    title: `${name} is not the newest`,
    detail: { kind: 'notice', about: 'version', name, level: 'info', text },
  };
}

function mention(one: Production['mentions'][number], nowMs: number): readonly ObservedFinding[] {
  one.seenAtMs ??= nowMs;
  const { commentId, author, request, seenAtMs } = one;
  if (nowMs - seenAtMs >= 30 * 60_000) return [];
  const [repository, issue] = ['acme/shop', 7];
  const url = `https://github.example/acme/shop/issues/7#issuecomment-${commentId}`;
  const asked = { repository, issue, commentId, author, url, request, askedAtMs: seenAtMs, seenAtMs };
  return [
    {
      kind: 'mention',
      target: `${repository}#${issue}`,
      signature: `comment ${commentId}`,
      ruleVersion: 1,
      severity: 'info',
      title: `${author} asks on #${issue}`,
      detail: { kind: 'mention', ...asked },
    },
  ];
}

function viewOf(name: string, service: ScriptedService): Service {
  const all = service.deployments.map((one) => deploymentOf(name, one));
  const latest = all.at(-1) ?? null;
  return { id: `id-${name}`, name, latest, live: all.find(({ id }) => id === service.live) ?? latest };
}

function deploymentOf(name: string, one: ScriptedService['deployments'][number]): Deployment {
  return {
    id: one.id,
    serviceId: `id-${name}`,
    status: one.status,
    rawStatus: one.status.toUpperCase(),
    createdAtMs: one.createdAtMs ?? Number(/\d+$/.exec(one.id)?.[0] ?? 0),
    statusChangedAtMs: 0,
    ...(one.commitSha === undefined ? {} : { commitSha: one.commitSha }),
    canRollBack: one.status !== 'failed',
  };
}

/** The platform of a tenant's workspace. */
export function scriptedProvider(production: Production): Provider {
  const reach = async (asked: string, signal: AbortSignal): Promise<void> => {
    production.asked.push(asked);
    if (production.platform === 'down') throw new ProviderFailure('answers 503', { kind: 'unreached' });
    if (production.platform === 'hang')
      await new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(new ProviderFailure('no answer', { kind: 'doubt' })), {
          once: true,
        }),
      );
  };
  const serviceOf = (id: string): ScriptedService => {
    const found = production.services[id.replace(/^id-/, '')];
    if (!found) throw new ProviderFailure(`no service ${id}`, { kind: 'refused' });
    return found;
  };
  const newest = (service: ScriptedService, status: ServiceStatus | undefined): void => {
    const latest = service.deployments.at(-1);
    if (latest && status !== undefined) latest.status = status;
  };
  return {
    overview: async ({ signal }) => {
      await reach('overview', signal);
      return {
        project: 'shop',
        environment: 'production',
        dashboardUrl: 'https://platform.example/shop',
        services: Object.entries(production.services).map(([name, service]) => viewOf(name, service)),
      };
    },
    deployments: async (serviceId, _limit, { signal }) => {
      await reach(`deployments ${serviceId}`, signal);
      return serviceOf(serviceId)
        .deployments.map((one) => deploymentOf(serviceId.replace(/^id-/, ''), one))
        .reverse();
    },
    logs: async ({ serviceId, limit }, { signal }) => {
      await reach(`logs ${serviceId}`, signal);
      return serviceOf(serviceId)
        .log.slice(-limit)
        .map((text) => ({ atMs: 0, severity: 'error', text }));
    },
    restart: async ({ serviceId }, { signal, assertMayWrite }) => {
      assertMayWrite();
      await reach(`restart ${serviceId}`, signal);
      const service = serviceOf(serviceId);
      newest(service, service.heals.restart);
    },
    redeploy: async ({ serviceId }, { signal, assertMayWrite }) => {
      assertMayWrite();
      await reach(`redeploy ${serviceId}`, signal);
      const service = serviceOf(serviceId);
      const latest = service.deployments.at(-1);
      const id = `d${service.deployments.length + 1}`;
      service.deployments.push({
        ...latest,
        id,
        status: service.heals.redeploy ?? latest?.status ?? 'crashed',
      });
      return { deploymentId: id };
    },
    rollBack: async ({ id, serviceId }, { signal, assertMayWrite }) => {
      assertMayWrite();
      await reach(`rollBack ${serviceId} ${id}`, signal);
      const service = serviceOf(serviceId);
      const to = service.deployments.find((one) => one.id === id);
      service.deployments.push({
        ...to,
        id: `d${service.deployments.length + 1}`,
        status: service.heals.rollBack ?? 'crashed',
      });
    },
  };
}

/** The real ones over the scripted platform, and the two that go elsewhere. */
export function productionEffects(
  of: Of,
  written: (
    kind: 'cleanUp' | 'startCodeAgent',
    tenant: string,
    target: string,
    marker: string,
    input: { readonly [name: string]: unknown },
  ) => void,
): readonly EffectDefinition[] {
  const AnyInput = z.record(z.string(), z.unknown());
  return [
    ...createServiceEffects({
      provider: async (workspace, tenant) => scriptedProvider(of(tenant, workspace.name)),
      cap: async () => null,
    }),
    ...(['cleanUp', 'startCodeAgent'] as const).map((kind) =>
      defineEffect<z.output<typeof AnyInput>>({
        kind,
        schema: AnyInput,
        delivery: 'atMostOnce',
        autonomy: () => (kind === 'cleanUp' ? 'act' : 'propose'),
        risk: () => (kind === 'cleanUp' ? 'mutating' : 'proposing'),
        describe: () => kind,
        apply: async ({ request, marker, assertMayWrite }, input) => {
          assertMayWrite();
          written(kind, request.tenant, request.target, marker, input);
          return kind === 'cleanUp' ? { removed: 3 } : {};
        },
      }),
    ),
  ];
}
