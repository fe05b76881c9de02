// An incident that is open, its services on a scripted platform, and the scripted Claude: for the activities of the operator model (MODEL-2).
import { MockActivityEnvironment } from '@temporalio/testing';
import { createActivities } from '../../../src/activities/index.ts';
import { createServices } from '../../../src/activities/services.ts';
import { createSecretResolver } from '../../../src/config/secrets.ts';
import { parseTenantFile } from '../../../src/config/tenant-file.ts';
import type { ModelActivities } from '../../../src/contract/model.ts';
import type { ServiceHealth } from '../../../src/contract/ops/ladder.ts';
import type { OperatorActivities, OperatorRef } from '../../../src/contract/ops/operator.ts';
import type { Conversation } from '../../../src/integrations/anthropic/conversation.ts';
import { createRedactor } from '../../../src/logs/redact/redact-values.ts';
import { readAudit } from '../../../src/store/audit.ts';
import { createPool, type Pool } from '../../../src/store/database.ts';
import { readConversation } from '../../../src/store/model/conversations.ts';
import { openIncident } from '../../../src/store/ops/incidents.ts';
import { keepLadder, lockLadder } from '../../../src/store/ops/ladders.ts';
import { applyTenant } from '../../../src/store/tenants.ts';
import { type Claude, startClaude } from '../../support/claude.ts';
import { createTestDatabase } from '../../support/database.ts';
import { newProduction, type Production, scriptedProvider } from '../../workflow/ops/production.ts';

const minuteMs = 60_000;
/** In the night. */
export const nowMs = Date.UTC(2026, 10, 21, 3, 12);
export const requester = 'untilgreen/acme/remedy/backend#1';

export type Activities = OperatorActivities & ModelActivities;

export type OperatorRig = {
  readonly pool: Pool;
  readonly claude: Claude;
  readonly production: Production;
  /** An incident in a tenant of its own. */
  readonly incident: (given?: Given) => Promise<OperatorRef>;
  readonly run: <Name extends keyof Activities>(
    name: Name,
    request: Parameters<Activities[Name]>[0],
    env?: Readonly<Record<string, string>>,
  ) => ReturnType<Activities[Name]>;
  readonly conversation: (tenant: string, address: string) => Promise<Conversation>;
  /** What the model did, oldest first. */
  readonly trail: (tenant: string) => Promise<readonly string[]>;
  readonly stop: () => Promise<void>;
};

export type Given = {
  readonly model?: object;
  /** How the backend is; it is watched, and for how long. */
  readonly health?: ServiceHealth;
  readonly forMs?: number;
  /** Null: nothing fails any more. */
  readonly level?: 'sev1' | null;
  readonly incidents?: object;
};

export async function openOperatorRig(secrets: Readonly<Record<string, string>> = {}): Promise<OperatorRig> {
  const claude = await startClaude();
  const database = await createTestDatabase();
  const pool = createPool(database.url);
  const redactor = createRedactor();
  const production = newProduction();
  const withKey = { ANTHROPIC_API_KEY: claude.apiKey, ...secrets };
  let tenants = 0;
  const activities = (env: Readonly<Record<string, string>>): Activities => {
    const services = {
      ...createServices({
        pool,
        redactor,
        secrets: createSecretResolver({ env, redactor }),
        cacheDir: 'none',
      }),
      provider: async () => scriptedProvider(production),
    };
    const options = { console: () => {}, maxCycles: 1, baseBranch: async () => 'main' };
    return createActivities(services, options) as unknown as Activities;
  };
  return {
    pool,
    claude,
    production,
    incident: async (given = {}) => {
      tenants += 1;
      const tenant = `operator-${tenants}`;
      await applyIncident(pool, tenant, claude.url, given);
      const state = 'a'.repeat(64);
      return { tenant, workspace: 'shop', fingerprint: 'f'.repeat(64), occurrence: 1, nowMs, state };
    },
    run: (name, request, env = withKey) => {
      const activity: (asked: never) => unknown = activities(env)[name];
      const environment = new MockActivityEnvironment({ scheduledTimestampMs: Date.now() });
      return environment.run(activity as never, request) as ReturnType<Activities[typeof name]>;
    },
    conversation: (tenant, address) => readConversation({ db: pool }, tenant, address),
    trail: async (tenant) => {
      const lines = await readAudit(pool, { tenant, limit: 200 });
      return lines
        .filter(({ actor }) => actor === 'model')
        .map(({ action, subject, reason }) => `${action} ${subject}: ${reason}`)
        .reverse();
    },
    stop: async () => {
      await pool.end();
      await database.drop();
      await claude.close();
    },
  };
}

async function applyIncident(pool: Pool, tenant: string, baseUrl: string, given: Given): Promise<void> {
  const { model = {}, health = 'unhealthy', forMs = 6 * minuteMs, level = 'sev1', incidents = {} } = given;
  const file = {
    tenant,
    autonomy: { default: 'act' },
    model: { baseUrl, ...model },
    workspaces: [
      {
        name: 'shop',
        github: { repository: 'acme/shop', token: 'env:PLANTED' },
        services: {
          provider: { kind: 'command', status: 'true', logs: 'true', restart: 'true' },
          watch: ['backend', 'frontend'],
        },
        health: {
          checks: [{ kind: 'http', name: 'backend', url: 'https://shop.example', services: ['backend'] }],
        },
        incidents,
      },
    ],
  };
  const parsed = parseTenantFile(JSON.stringify(file), { fileName: 'operator.yaml' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  await applyTenant(pool, parsed.config, 'test', nowMs, parsed.source);
  const detail = {
    kind: 'incident',
    environment: 'production',
    level: 'sev1',
    failed: [{ name: 'backend', reason: 'HTTP 503', level: 'sev1', sinceMs: nowMs - forMs }],
    services: ['backend'],
  };
  const key = { tenant, fingerprint: 'f'.repeat(64), occurrence: 1 };
  await pool.query(
    `insert into findings (tenant, fingerprint, occurrence, workspace, source, kind, target, signature, rule_version, severity, title, detail,
       status, first_seen_ms, last_seen_ms) values ($1, $2, 1, 'shop', 'health', 'incident', 'production', 'health', 1, 'critical', $3, $4, $5, $6, $6)`,
    [
      tenant,
      key.fingerprint,
      'production: backend',
      JSON.stringify(detail),
      level === null ? 'resolved' : 'working',
      nowMs - forMs,
    ],
  );
  const read = { workspace: 'shop', source: 'health', reason: '', readAtMs: nowMs, findings: 1 };
  await pool.query(
    `insert into cycles (tenant, cycle, run_id, trigger, state, observations, started_ms, finished_ms)
     values ($1, 1, 'r', 'timer', 'completed', $2, $3, $3)`,
    [tenant, JSON.stringify([{ ...read, state: level === null ? 'green' : 'red' }]), nowMs],
  );
  const detectedMs = nowMs - forMs;
  const state = {
    severity: {
      level,
      failing: level === null ? [] : ['backend'],
      belowSinceMs: { sev1: null, sev2: null, sev3: null },
    },
    escalation: { detectedMs, level, sent: [], acknowledged: null },
  };
  await openIncident(pool, key, { workspace: 'shop', opening: 1, detectedMs, issue: 7, state });
  if (health === 'healthy') return;
  const ladder = { tenant, workspace: 'shop', environment: 'production', service: 'backend' };
  await lockLadder(pool, ladder);
  await keepLadder(pool, ladder, {
    sinceMs: detectedMs,
    requester,
    state: { spans: [{ health, fromMs: detectedMs, toMs: nowMs }] },
  });
}
