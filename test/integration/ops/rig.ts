// Sources and effects over what runs, as a worker has them: real Postgres, the source activities, the door, and stand-ins for Railway and production,
// on a clock that the test sets.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createDoor, type Door } from '../../../src/activities/effects/door.ts';
import { createEffectDefinitions } from '../../../src/activities/index.ts';
import { createServices, type Services } from '../../../src/activities/services.ts';
import type { SourceDefinition } from '../../../src/activities/sources/definition.ts';
import { createChannelsSource } from '../../../src/activities/sources/ops/channels.ts';
import { createDeploymentsSource } from '../../../src/activities/sources/ops/deployments.ts';
import { createHealthSource } from '../../../src/activities/sources/ops/health.ts';
import { createVersionsSource } from '../../../src/activities/sources/ops/versions.ts';
import { createSourceActivities } from '../../../src/activities/sources/read.ts';
import { createSecretResolver } from '../../../src/config/secrets.ts';
import { parseTenantFile } from '../../../src/config/tenant-file.ts';
import type { EffectKind, EffectRequest, Json } from '../../../src/contract/effect.ts';
import type { Observation, SourceKind } from '../../../src/contract/finding.ts';
import type { ReadRequest } from '../../../src/contract/loop.ts';
import { createRedactor } from '../../../src/logs/redact/redact-values.ts';
import { type AuditRecord, readAudit } from '../../../src/store/audit.ts';
import { applyTenant } from '../../../src/store/tenants.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type Railway, startRailway } from '../../support/railway/railway.ts';
import type { ProjectRow, ServiceSpec } from '../../support/railway/world.ts';

export const minute = 60_000;
export const startMs = Date.parse('2026-03-02T03:00:00Z');
const times = { leaseMs: 8_000, writeMs: 6_000, settleMs: 1_500 };

export type OpsRig = {
  readonly railway: Railway;
  readonly database: TestDatabase;
  readonly services: Services;
  readonly secrets: Record<string, string>;
  readonly door: Door;
  /** The clock of Railway and of the policies. */
  readonly clock: { nowMs: number };
  /** A project of its own, a secret with its token, and the lines of YAML that watch it. */
  readonly project: (
    name: string,
    services: readonly ServiceSpec[],
  ) => { readonly shop: ProjectRow; readonly yaml: string };
  /** @param workspace YAML of the workspace, indented by four. @param apiUrl of GitHub, which is not asked here */
  readonly tenant: (name: string, workspace: string, apiUrl?: string) => Promise<void>;
  readonly read: (tenant: string, source: SourceKind, definition?: SourceDefinition) => Promise<Observation>;
  readonly effect: (
    tenant: string,
    kind: EffectKind,
    target: string,
    input: Json,
    more?: Partial<EffectRequest>,
  ) => EffectRequest;
  /** Oldest first. */
  readonly events: (tenant: string, prefix: string) => Promise<readonly AuditRecord[]>;
  readonly stop: () => Promise<void>;
};

export async function startOpsRig(): Promise<OpsRig> {
  const clock = { nowMs: startMs };
  const directory = await mkdtemp(join(tmpdir(), 'untilgreen-ops-'));
  const railway = await startRailway({ now: () => clock.nowMs });
  const database = await createTestDatabase();
  const secrets: Record<string, string> = { GITHUB_TOKEN: 'not-asked-here-0001' };
  const redactor = createRedactor();
  const services = createServices({
    pool: database.pool,
    redactor,
    secrets: createSecretResolver({ env: secrets, redactor }),
    cacheDir: directory,
  });
  const door = createDoor({
    pool: database.pool,
    redactor,
    times,
    definitions: createEffectDefinitions(services, () => {}),
  });
  const own = [
    createDeploymentsSource(services),
    createHealthSource({ resolve: services.secrets.resolve, confirmWithinMs: 3_300 }),
    createVersionsSource(services),
    createChannelsSource(services),
  ];
  let cycle = 0;
  return {
    railway,
    database,
    services,
    secrets,
    door,
    clock,
    project: (name, specs) => {
      const shop = railway.world.addProject({ project: name, services: specs });
      const token = `RAILWAY_${name.replaceAll('-', '_').toUpperCase()}`;
      secrets[token] = shop.projectToken;
      const yaml = `    services:\n      provider: { kind: railway, token: env:${token}, apiUrl: "${railway.url}" }\n`;
      return { shop, yaml };
    },
    tenant: async (name, workspace, apiUrl = railway.url) => {
      const text = `
tenant: ${name}
autonomy: { default: act }
workspaces:
  - name: shop
    github: { repository: acme/${name}, apiUrl: "${apiUrl}" }
${workspace}`;
      const parsed = parseTenantFile(text, { fileName: 'tenant.yaml' });
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
      await applyTenant(database.pool, parsed.config, 'test', clock.nowMs, parsed.source);
    },
    read: async (tenant, source, definition) => {
      cycle += 1;
      const definitions = definition ? [definition] : own;
      const activities = createSourceActivities(services, definitions, 4);
      const request: ReadRequest = {
        tenant,
        workspace: 'shop',
        source,
        cycle,
        runId: 'r',
        dueAtMs: clock.nowMs,
        timeoutMs: 60_000,
        trigger: 'schedule',
        nowMs: clock.nowMs,
      };
      return new MockActivityEnvironment().run(activities[`source.${source}`], request);
    },
    effect: (tenant, kind, target, input, more = {}) => ({
      tenant,
      workspace: 'shop',
      kind,
      target,
      precondition: 'planned',
      requester: `remedy/${tenant}/incident/1/1`,
      step: kind,
      input,
      nowMs: clock.nowMs,
      actor: 'test',
      ...more,
    }),
    events: async (tenant, prefix) =>
      (await readAudit(database.pool, { tenant, limit: 10_000 }))
        .filter(({ action }) => action.startsWith(prefix))
        .reverse(),
    stop: async () => {
      await railway.close();
      await database.drop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
