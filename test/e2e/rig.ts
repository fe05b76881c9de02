// One whole world for a test: forge, tenant database, environment folder, our own database, a worker in this process, a running loop.
// A world holds only what its test needs: parts of the tenant file are changed or left out by `Change`.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { vi } from 'vitest';
import { parse, stringify } from 'yaml';
import { type Forge, startForge } from '../../demo/forge/forge.ts';
import { type Breakage, environmentOf, shopFiles, shopTenantFile } from '../../demo/shop/shop.ts';
import { type DemoWorker, launchWorker } from '../../demo/worker.ts';
import type { WorkerSettings } from '../../demo/worker-process.ts';
import { parseTenantFile } from '../../src/config/tenant-file.ts';
import type { EffectKind } from '../../src/contract/effect.ts';
import { queueNames, remedyWorkflowId, tenantWorkflowId, workflowTypes } from '../../src/contract/names.ts';
import type { TenantConfig } from '../../src/contract/tenant-config.ts';
import type { AuditRecord } from '../../src/store/audit.ts';
import { readAudit } from '../../src/store/audit.ts';
import { type FindingRow, listFindings } from '../../src/store/findings.ts';
import { type EffectRow, listEffects } from '../../src/store/history.ts';
import type { LastRead } from '../../src/store/status.ts';
import { lastReads } from '../../src/store/status.ts';
import { applyTenant } from '../../src/store/tenants.ts';
import { type RunningWorker, type StartWorkerOptions, startWorker } from '../../src/worker.ts';
import { historiesOf, keep, replay } from '../replay/histories.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type TestTemporal, testTemporal, workflowBundle } from '../support/temporal/temporal.ts';

/** Merged into a part of the tenant file; null leaves the part out. */
type Patch = Readonly<Record<string, unknown>>;
export type Change = {
  readonly tenant?: Patch;
  readonly workspace?: Patch;
  readonly ci?: Patch | null;
  readonly drift?: Patch | null;
  readonly database?: Patch | null;
  /** Further workspaces. */
  readonly workspaces?: readonly Patch[];
  /** Files of the repository in addition to the shop's. */
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Path of an `act` that runs the repository's workflows; else the forge does. */
  readonly act?: string;
};

/** Servers of the test's own, where it ends them in the middle. */
export type OwnServers = {
  readonly temporal: TestTemporal;
  readonly createDatabase: typeof createTestDatabase;
};

export type Person = {
  readonly login: string;
  readonly token: string;
  readonly comment: (issue: number, body: string) => Promise<number>;
  readonly editComment: (id: number, body: string) => Promise<void>;
  readonly request: <T>(method: string, path: string, body?: unknown) => Promise<T>;
};

export type World = {
  readonly forge: Forge;
  readonly agentToken: string;
  readonly maintainerToken: string;
  readonly maria: Person;
  readonly person: (login: string, permission: 'read' | 'write' | 'admin') => Promise<Person>;
  readonly own: TestDatabase;
  readonly shop: TestDatabase;
  readonly environments: string;
  readonly temporal: TestTemporal;
  readonly tenant: string;
  readonly config: TenantConfig;
  readonly queuePrefix: string;
  readonly env: NodeJS.ProcessEnv;
  readonly dataDir: string;
  /** Lines that the workers in this process logged; alerts are among them. */
  readonly log: readonly string[];
  readonly startWorker: (options?: Pick<StartWorkerOptions, 'door'>) => Promise<RunningWorker>;
  /** A worker in a process of its own, which can be killed; its log is `worker.log` in the data folder. */
  readonly startWorkerProcess: (
    options?: Pick<WorkerSettings, 'doorTimes' | 'killOnce'>,
  ) => Promise<DemoWorker>;
  /** Of the world's tenant, or of another one in its database. */
  readonly startLoop: (tenant?: string) => Promise<void>;
  /** Replays all that ran on the code of now (DUR-3), and keeps it under this name when histories are recorded. */
  readonly replayed: (scenario: string) => Promise<void>;
  readonly stop: () => Promise<void>;
  readonly finding: (kind: FindingRow['kind']) => Promise<FindingRow | undefined>;
  readonly findings: () => Promise<readonly FindingRow[]>;
  readonly effects: (kind?: EffectKind) => Promise<readonly EffectRow[]>;
  readonly audit: () => Promise<readonly AuditRecord[]>;
  readonly reads: () => Promise<readonly LastRead[]>;
  readonly cycle: () => Promise<number>;
  readonly alerts: () => readonly string[];
  readonly comments: (
    issue: number,
  ) => Promise<readonly { id: number; body: string; user: { login: string } }[]>;
  readonly issues: () => Promise<readonly Issue[]>;
  /** Waits until `check` gives something, or throws no more; says how the findings stand when it never does. */
  readonly until: <T>(
    what: string,
    check: () => Promise<T | undefined | null | false>,
    timeoutMs?: number,
  ) => Promise<T>;
  /** Waits for `count` whole cycles from now. */
  readonly cycles: (count: number) => Promise<void>;
};

export type Issue = {
  readonly number: number;
  readonly title: string;
  readonly body: string;
  readonly state: string;
  readonly labels: readonly { readonly name: string }[];
  readonly pull_request?: unknown;
};

/** Nothing broken: a test names what it needs. */
export const whole: Breakage = {
  format: false,
  generated: false,
  test: false,
  drift: 'none',
  pending: 0,
  production: 'none',
};

let worlds = 0;

export async function createWorld(
  breakage: Breakage,
  change: Change = {},
  servers?: OwnServers,
): Promise<World> {
  worlds += 1;
  const id = `${process.pid}-${worlds}`;
  const tenant = `shop-${id}`;
  const dataDir = await mkdtemp(join(tmpdir(), 'untilgreen-e2e-'));
  const environments = join(dataDir, 'environments');
  await mkdir(environments);
  await writeFile(join(environments, 'production.json'), environmentOf(breakage.drift === 'none' ? 2 : 3));
  const forge = await startForge({ dataDir: join(dataDir, 'forge'), ...(change.act && { act: change.act }) });
  const agent = await forge.createUser({ login: 'untilgreen-agent', permission: 'write' });
  const maintainer = await forge.createUser({ login: 'maria', permission: 'admin' });
  await forge.createRepository({
    owner: 'acme',
    name: 'shop',
    files: { ...shopFiles(breakage), ...change.files },
    ci: change.ci !== null,
  });
  const create = servers?.createDatabase ?? createTestDatabase;
  const own = await create();
  const shop = await create({ empty: true });
  const temporal = servers?.temporal ?? (await testTemporal());
  const env = {
    PATH: process.env.PATH,
    SHOP_GITHUB_TOKEN: agent.token,
    SHOP_DATABASE_URL: shop.url,
    SHOP_ENVIRONMENTS: environments,
    ...change.env,
  };
  const file = shopTenantFile({ tenant, repository: 'acme/shop', apiUrl: forge.url, breakage, every: '5s' });
  const parsed = parseTenantFile(changed(file, change), { fileName: 'tenant.yaml' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  await applyTenant(own.pool, parsed.config, 'test', Date.now(), parsed.source);
  const queuePrefix = `e2e-${id}`;
  const running: RunningWorker[] = [];
  const processes: DemoWorker[] = [];
  const log: string[] = [];
  const sink = new Writable({
    write: (chunk, _encoding, done) => {
      log.push(String(chunk));
      if (process.env.TEST_LOG) process.stderr.write(chunk);
      done();
    },
  });
  const personOf = (login: string, token: string): Person => {
    const request = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
      const answer = await fetch(`${forge.url}/repos/acme/shop${path}`, {
        method,
        headers: { authorization: `token ${token}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
      return (text === '' ? undefined : JSON.parse(text)) as T;
    };
    return {
      login,
      token,
      request,
      comment: async (issue, body) =>
        (await request<{ id: number }>('POST', `/issues/${issue}/comments`, { body })).id,
      editComment: (comment, body) => request('PATCH', `/issues/comments/${comment}`, { body }),
    };
  };
  const maria = personOf('maria', maintainer.token);
  const findings = (): Promise<readonly FindingRow[]> => listFindings(own.pool, tenant, 0);
  const cycle = async (): Promise<number> => {
    const { rows } = await own.pool.query(
      `select coalesce(max(cycle), 0)::int as cycle from cycles where tenant = $1 and state <> 'running'`,
      [tenant],
    );
    return rows[0].cycle;
  };
  const until: World['until'] = async (what, check, timeoutMs = 180_000) => {
    let last: unknown;
    const found = await vi
      .waitFor(
        async () => {
          try {
            const value = await check();
            if (value === undefined || value === null || value === false) throw new Error('not yet');
            return { value };
          } catch (error) {
            last = error;
            throw error;
          }
        },
        { timeout: timeoutMs, interval: 200 },
      )
      .catch(() => undefined);
    if (found) return found.value as never;
    const stand = (await findings()).map(
      (f) => `${f.kind} ${f.status} attempts ${f.attempts}: ${f.title} | ${f.waitingFor ?? ''}`,
    );
    const seen = (await readAudit(own.pool, { tenant, limit: 60 })).map(
      (line) =>
        `${new Date(line.atMs).toISOString().slice(11, 23)} ${line.action} ${line.subject}: ${line.reason}`,
    );
    const reads = (await lastReads(own.pool, tenant)).map(
      (read) => `${read.source} ${read.target ?? ''} ${read.state}: ${read.reason}`,
    );
    throw new Error(
      [`never came: ${what} (${String(last)})`, ...stand, '', ...reads, '', ...seen].join('\n'),
    );
  };
  return {
    forge,
    agentToken: agent.token,
    maintainerToken: maintainer.token,
    maria,
    person: async (login, permission) =>
      personOf(login, (await forge.createUser({ login, permission })).token),
    own,
    shop,
    environments,
    temporal,
    tenant,
    config: parsed.config,
    queuePrefix,
    env,
    dataDir,
    log,
    startWorker: async (options = {}) => {
      const worker = await startWorker({
        databaseUrl: own.url,
        connection: { address: temporal.address, namespace: temporal.namespace },
        queuePrefix,
        dataDir,
        env,
        log: pino({ level: 'debug' }, sink),
        workflowBundle: await workflowBundle(),
        ...options,
      });
      running.push(worker);
      return worker;
    },
    startWorkerProcess: async (options = {}) =>
      launchWorker({
        settings: {
          databaseUrl: own.url,
          temporalAddress: temporal.address,
          queuePrefix,
          dataDir,
          bundlePath: (await workflowBundle()).codePath,
          ...options,
        },
        env,
        logFile: join(dataDir, 'worker.log'),
        onAlert: (alert) => log.push(JSON.stringify({ alert })),
        onSpawn: (worker) => processes.push(worker),
      }),
    startLoop: async (name = tenant) => {
      const queues = queueNames(queuePrefix);
      await temporal.client.workflow.start(workflowTypes.tenant, {
        workflowId: tenantWorkflowId(name),
        taskQueue: queues.workflows,
        args: [{ tenant: name, queues }],
      });
    },
    replayed: async (scenario) => {
      // A loop that runs on is read in the middle of its tasks: only recording, which is looked at, does it.
      if (!process.env.RECORD_HISTORIES) return;
      const workflowId = tenantWorkflowId(tenant);
      const { raw } = await temporal.client.workflow.getHandle(workflowId).describe();
      const first = raw.workflowExtendedInfo?.originalStartTime
        ? raw.workflowExecutionInfo?.firstRunId
        : undefined;
      const runId = first ?? raw.workflowExecutionInfo?.execution?.runId ?? '';
      const histories = await historiesOf(temporal.client, new Map([[workflowId, [runId]]]));
      await replay(histories);
      await keep(scenario, histories);
    },
    stop: async () => {
      for (const workflowId of await openWorkflows(own, tenant))
        await temporal.client.workflow
          .getHandle(workflowId)
          .terminate('test ends')
          .catch(() => {});
      for (const worker of running) worker.shutdown();
      await Promise.all(running.map((worker) => worker.finished.catch(() => {})));
      await Promise.all(processes.map((worker) => worker.stop()));
      if (!servers) await temporal.close();
      await forge.stop();
      await own.drop();
      await shop.drop();
      await rm(dataDir, { recursive: true, force: true });
    },
    findings,
    finding: async (kind) => (await findings()).find((finding) => finding.kind === kind),
    effects: async (kind) =>
      (await listEffects(own.pool, { tenant, limit: 500 })).filter(
        (effect) => kind === undefined || effect.kind === kind,
      ),
    audit: () => readAudit(own.pool, { tenant, limit: 500 }),
    reads: () => lastReads(own.pool, tenant),
    cycle,
    alerts: () =>
      log.flatMap((line) => {
        const { alert } = JSON.parse(line) as { alert?: string };
        return alert === undefined ? [] : [alert];
      }),
    comments: (issue) => maria.request('GET', `/issues/${issue}/comments?per_page=100`),
    issues: () => maria.request('GET', '/issues?state=all&per_page=100'),
    until,
    cycles: async (count) => {
      const from = await cycle();
      // The one that is under way may have read before now.
      await until(`${count} more cycles`, async () => (await cycle()) > from + count);
    },
  };
}

/** The loop and every remedy of the tenant. */
async function openWorkflows(own: TestDatabase, tenant: string): Promise<readonly string[]> {
  const { rows } = await own.pool
    .query('select tenant, kind, fingerprint, occurrence from findings where tenant = $1', [tenant])
    .catch(() => ({ rows: [] }));
  return [tenantWorkflowId(tenant), ...rows.map(remedyWorkflowId)];
}

function changed(file: string, change: Change): string {
  const tenant = parse(file);
  const workspace = tenant.workspaces[0];
  tenant.cadence.perSource = { ...tenant.cadence.perSource, approvals: '5s', mentions: '5s' };
  Object.assign(tenant, change.tenant);
  if (change.ci === null) workspace.ci = { enabled: false };
  else Object.assign(workspace.ci, change.ci);
  if (change.drift === null) delete workspace.drift;
  else Object.assign(workspace.drift[0], change.drift);
  if (change.database === null) delete workspace.databases;
  else Object.assign(workspace.databases[0], change.database);
  Object.assign(workspace, change.workspace);
  tenant.workspaces.push(...(change.workspaces ?? []));
  return stringify(tenant);
}
