// The outside of all real kinds of effect, each with its own record of what landed: the forge's journal, a database that is migrated, the log
// of a drift command, and what a receiver of alerts was sent. Every effect has a tenant and a repository of its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import { connectForge, type ForgeClient } from '../../../demo/forge/client.ts';
import { parseTenantFile } from '../../../src/config/tenant-file.ts';
import type { EffectKind, EffectRequest, Json } from '../../../src/contract/effect.ts';
import { applyTenant } from '../../../src/store/tenants.ts';
import { type Production, startProduction } from '../../support/backend/production.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import type { DoorJob } from '../../support/door-process.ts';
import { type Railway, startRailway } from '../../support/railway/railway.ts';
import { type DoorProcess, startDoorProcess } from './door-child.ts';

export const nowMs = Date.parse('2026-03-02T10:00:00Z');

export type World = {
  readonly forge: ForgeClient;
  readonly agentToken: string;
  readonly database: TestDatabase;
  readonly directory: string;
  /** Ids of alerts as they came. */
  readonly alerts: { readonly id: string; readonly tenant: string }[];
  readonly alertUrl: string;
  readonly secrets: Record<string, string>;
  /** A project of its own per effect. */
  readonly railway: Railway;
  /** A production of its own; the secret of its DevOps API is in `DEVOPS_API_SECRET`. */
  readonly openProduction: () => Promise<Production>;
  /** A database of a tenant; its address is in the secret that is returned. */
  readonly tenantDatabase: () => Promise<{ readonly secret: string; readonly pool: pg.Pool }>;
  readonly run: (job: Pick<DoorJob, 'requests' | 'ask' | 'times' | 'stop'>) => DoorProcess;
  readonly stop: () => Promise<void>;
};

export async function openWorld(): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'untilgreen-door-'));
  const { forge, process: forgeProcess } = await startForgeProcess(join(directory, 'forge'));
  const agent = await forge.createUser({ login: 'untilgreen-agent', permission: 'write' });
  const database = await createTestDatabase();
  const receiver = await startReceiver();
  const railway = await startRailway();
  const productions: Production[] = [];
  const secrets: Record<string, string> = {
    GITHUB_TOKEN: agent.token,
    ALERT_SECRET: 'alerts-are-signed',
    DEVOPS_API_SECRET: 'devops-secret-of-all-shops',
  };
  const databases: { pool: pg.Pool; database: TestDatabase }[] = [];
  const children: DoorProcess[] = [];
  return {
    forge,
    agentToken: agent.token,
    database,
    directory,
    alerts: receiver.alerts,
    alertUrl: receiver.url,
    secrets,
    railway,
    openProduction: async () => {
      const opened = await startProduction({ devopsSecret: secrets.DEVOPS_API_SECRET ?? '' });
      productions.push(opened);
      return opened;
    },
    tenantDatabase: async () => {
      const made = await createTestDatabase({ empty: true });
      const secret = `TENANT_DATABASE_${databases.length}`;
      secrets[secret] = made.url;
      databases.push({ pool: made.pool, database: made });
      return { secret, pool: made.pool };
    },
    run: (job) => {
      const cacheDir = join(directory, `cache-${children.length}`);
      const child = startDoorProcess({ ...job, databaseUrl: database.url, cacheDir }, secrets);
      children.push(child);
      return child;
    },
    stop: async () => {
      for (const { child } of children) child.kill('SIGKILL');
      await Promise.all(children.map(({ ended }) => ended));
      forgeProcess.stdin?.end();
      await once(forgeProcess, 'exit');
      await receiver.stop();
      await railway.close();
      for (const one of productions) await one.close();
      for (const one of databases) await one.database.drop();
      await database.drop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function startForgeProcess(data: string): Promise<{ forge: ForgeClient; process: ChildProcess }> {
  const main = fileURLToPath(new URL('../../../demo/forge/main.ts', import.meta.url));
  const child = spawn(process.execPath, [main, '--data', data, '--with-parent'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface(child.stdout), 'line');
  return { forge: connectForge((JSON.parse(String(line)) as { url: string }).url), process: child };
}

async function startReceiver() {
  const alerts: { id: string; tenant: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      const { id, tenant } = JSON.parse(body) as { id: string; tenant: string };
      alerts.push({ id, tenant });
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    alerts,
    url: `http://127.0.0.1:${port}/alerts`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export type TenantSpec = {
  readonly name: string;
  /** YAML of the tenant. */
  readonly extra?: string;
  /** YAML of the workspace, indented by four. */
  readonly workspace?: string;
  readonly files?: Readonly<Record<string, string>>;
};

/** A tenant with one workspace `shop`, over a repository `acme/<name>`. */
export async function makeTenant(world: World, spec: TenantSpec): Promise<{ headSha: string }> {
  const { headSha } = await world.forge.createRepository({
    owner: 'acme',
    name: spec.name,
    files: spec.files ?? { 'a.txt': 'one\n' },
    ci: false,
  });
  const text = `
tenant: ${spec.name}
autonomy: { default: act }
${spec.extra ?? ''}
workspaces:
  - name: shop
    github: { repository: acme/${spec.name}, apiUrl: "${world.forge.url}", gitUrl: "${world.forge.gitUrl('acme', spec.name)}" }
${spec.workspace ?? ''}`;
  const parsed = parseTenantFile(text, { fileName: 'tenant.yaml' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  await applyTenant(world.database.pool, parsed.config, 'test', nowMs);
  return { headSha };
}

export function effectOf(
  name: string,
  kind: EffectKind,
  input: Json,
  target = `acme/${name}`,
): EffectRequest {
  return {
    tenant: name,
    workspace: 'shop',
    kind,
    target,
    precondition: 'planned',
    requester: `remedy/${name}/ci/1/1`,
    step: kind,
    input,
    nowMs,
    actor: 'test',
  };
}

export async function lines(path: string): Promise<readonly string[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.split('\n').filter(Boolean);
}
