// The typed operations on Untilgreen that the command line, webhooks and users' own programs call. It reads and writes Postgres, and talks to
// the loops over Temporal; it runs no workflow and no activity, and holds no logic of its own.

import { type Context, temporalConnector } from './client/context.ts';
import { type EndpointOptions, findEndpoints } from './client/endpoints.ts';
import { asPostgresError, UsageError } from './client/errors.ts';
import { type CiStateRow, readCiState, readFindings } from './client/look/findings.ts';
import {
  type History,
  type HistoryOptions,
  readHistory,
  readRecord,
  type Shown,
} from './client/look/records.ts';
import { readStatus, type Status } from './client/look/status.ts';
import { type ApprovalView, approvalView, type FindingView } from './client/look/views.ts';
import { readWhy, type Why } from './client/look/why.ts';
import { requireTenant } from './client/names.ts';
import { type Acknowledged, acknowledge } from './client/ops/acknowledge.ts';
import { type DatabaseAccess, databaseAccess } from './client/ops/database-access.ts';
import { type IncidentResponse, respond } from './client/ops/incident-response.ts';
import * as ops from './client/ops/operate.ts';
import * as focused from './client/steer/focus.ts';
import * as orders from './client/steer/orders.ts';
import * as pauses from './client/steer/pause.ts';
import * as tenants from './client/steer/tenants.ts';
import type { TenantSource } from './config/tenant-file.ts';
import { queueNames } from './contract/names.ts';
import type { TenantConfig } from './contract/tenant-config.ts';
import { openApprovals } from './store/approvals.ts';
import { createPool } from './store/database.ts';
import { tenantNames } from './store/status.ts';

export { NotFoundError, OrderRefused, UnreachableError, UsageError } from './client/errors.ts';
/** For `tenants.apply`. */
export { parseTenantFile, type TenantSource } from './config/tenant-file.ts';
export type { TenantConfig } from './contract/tenant-config.ts';

export type ConnectOptions = Omit<EndpointOptions, 'env'> & {
  /** Default: the environment of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** Of the task queues, as the workers have it; default: `UNTILGREEN_QUEUE_PREFIX`, else none. */
  readonly queuePrefix?: string;
};

/** `tenant` absent: the only one. Every operation may throw UnreachableError, UsageError or NotFoundError. */
export type Untilgreen = {
  readonly tenants: {
    /** `config` and `source` from `parseTenantFile`; with its source a tenant gets the defaults of settings that come later. */
    readonly apply: (config: TenantConfig, by: string, source?: TenantSource) => Promise<tenants.Applied>;
    readonly list: () => ReturnType<typeof tenants.listAll>;
    readonly show: (tenant?: string) => ReturnType<typeof tenants.show>;
    readonly remove: (tenant: string, by: string) => Promise<tenants.Removed>;
  };
  readonly pause: (target: pauses.PauseTarget, options: pauses.PauseOptions) => Promise<pauses.Paused>;
  readonly resume: (
    target: pauses.PauseTarget,
    options: { readonly by: string; readonly reason?: string },
  ) => Promise<pauses.Resumed>;
  readonly drain: (
    tenant: string | undefined,
    options: { readonly by: string; readonly reason: string },
  ) => Promise<tenants.Drained>;
  readonly start: (tenant: string | undefined, by: string) => Promise<tenants.Started>;
  readonly cycleNow: (
    tenant: string | undefined,
    by: string,
    waiting?: Parameters<typeof orders.cycleNow>[3],
  ) => ReturnType<typeof orders.cycleNow>;
  readonly remediate: (
    tenant: string | undefined,
    finding: string,
    by: string,
    waiting?: Parameters<typeof orders.remediate>[4],
  ) => Promise<orders.Remediated>;
  /** CI-14: the failing jobs of one run, now. @param run its id, or its address */
  readonly fixRun: (
    focus: focused.Focus,
    run: string,
    by: string,
    waiting?: Parameters<typeof focused.fixRun>[4],
  ) => Promise<focused.RunFixed>;
  /** CI-14: a workspace, until nothing workable is red or only people can go on. */
  readonly untilGreen: (
    focus: focused.Focus & { readonly workspace: string },
    by: string,
    waiting?: Parameters<typeof focused.untilGreen>[3],
  ) => Promise<focused.UntilGreen>;
  /** OPS-1: one order on production, through the same guards. */
  readonly operate: (
    where: ops.Where,
    order: Parameters<typeof ops.operate>[2],
    by: string,
    waiting?: Parameters<typeof ops.operate>[4],
  ) => Promise<ops.Operated>;
  /** OPS-1: services, logs, names of variables; changes nothing. */
  readonly inspect: (
    where: ops.Where,
    wanted: Parameters<typeof ops.inspect>[2],
    by: string,
  ) => ReturnType<typeof ops.inspect>;
  readonly decide: (options: orders.DecideOptions) => Promise<orders.Decided>;
  /** OPS-1: reads production now, and orders a remedy for what has none. */
  readonly incidentResponse: (
    where: ops.Where,
    by: string,
    waiting?: Parameters<typeof respond>[3],
  ) => Promise<IncidentResponse>;
  /** OPS-1: where the connection string of a database is kept; it is not read. In the audit trail. */
  readonly databaseAccess: (where: ops.Where, database: string, by: string) => Promise<DatabaseAccess>;
  /** INC-4. @param incident the beginning of its finding's fingerprint */
  readonly acknowledge: (tenant: string | undefined, incident: string, by: string) => Promise<Acknowledged>;
  readonly approvals: (tenant?: string) => Promise<readonly ApprovalView[]>;
  readonly status: (tenant?: string) => Promise<Status>;
  readonly findings: (
    tenant?: string,
    options?: { readonly resolvedWithinMs?: number },
  ) => Promise<readonly FindingView[]>;
  readonly history: (tenant?: string, options?: HistoryOptions) => Promise<History>;
  readonly why: (tenant?: string, finding?: string) => Promise<Why>;
  readonly show: (tenant: string | undefined, id: string) => Promise<Shown>;
  readonly ciState: (tenant?: string) => Promise<readonly CiStateRow[]>;
  /** Every enabled, undrained tenant has a loop afterwards (LOOP-9). */
  readonly ensureLoops: () => Promise<readonly string[]>;
  readonly close: () => Promise<void>;
};

/**
 * Connects to Postgres now, and to Temporal when an operation needs it. Addresses: the options, else `TEMPORAL_ADDRESS` (with Temporal's other
 * variables) and `DATABASE_URL`, else a running `untilgreen up`, else Temporal's configuration file.
 * @throws UnreachableError when Postgres does not answer or nothing names it
 * @throws UsageError when our tables are not in the database
 */
export async function connectUntilgreen(options: ConnectOptions = {}): Promise<Untilgreen> {
  const { env = process.env } = options;
  const endpoints = await findEndpoints({ ...options, env });
  const { databaseUrl } = endpoints;
  const pool = openPool(databaseUrl);
  const temporal = temporalConnector(endpoints);
  const close = async (): Promise<void> => {
    await temporal.close();
    await pool.end();
  };
  const prefix = options.queuePrefix ?? (env.UNTILGREEN_QUEUE_PREFIX || undefined);
  const context: Context = {
    pool,
    temporal: temporal.client,
    endpoints,
    queues: queueNames(prefix),
    clock: Date.now,
  };
  const ask = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw asPostgresError(error, databaseUrl);
    }
  };
  const tenantOf = (name: string | undefined) => requireTenant(pool, name);
  try {
    await ask(() => requireTables(context));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    tenants: {
      apply: (config, by, source) => ask(() => tenants.applySettings(context, config, by, source)),
      list: () => ask(() => tenants.listAll(context)),
      show: (name) => ask(() => tenants.show(context, name)),
      remove: (name, by) => ask(() => tenants.remove(context, name, by)),
    },
    pause: (target, how) => ask(() => pauses.pause(context, target, how)),
    resume: (target, how) => ask(() => pauses.resume(context, target, how)),
    drain: (name, how) => ask(() => tenants.drain(context, name, how)),
    start: (name, by) => ask(() => tenants.start(context, name, by)),
    cycleNow: (name, by, waiting) => ask(() => orders.cycleNow(context, name, by, waiting)),
    remediate: (name, finding, by, waiting) =>
      ask(() => orders.remediate(context, name, finding, by, waiting)),
    fixRun: (where, run, by, waiting) => ask(() => focused.fixRun(context, where, run, by, waiting)),
    untilGreen: (where, by, waiting) => ask(() => focused.untilGreen(context, where, by, waiting)),
    operate: (where, order, by, waiting) => ask(() => ops.operate(context, where, order, by, waiting)),
    inspect: (where, wanted, by) => ask(() => ops.inspect(context, where, wanted, by)),
    decide: (how) => ask(() => orders.decide(context, how)),
    incidentResponse: (where, by, waiting) => ask(() => respond(context, where, by, waiting)),
    databaseAccess: (where, name, by) => ask(() => databaseAccess(context, where, name, by)),
    acknowledge: (name, incident, by) => ask(() => acknowledge(context, name, incident, by)),
    approvals: (name) => ask(() => readApprovals(context, name)),
    status: (name) => ask(async () => readStatus(context, await tenantOf(name))),
    findings: (name, how) =>
      ask(async () => readFindings(context, await tenantOf(name), how?.resolvedWithinMs ?? 0)),
    history: (name, how) => ask(async () => readHistory(context, await tenantOf(name), how ?? {})),
    why: (name, finding) => ask(async () => readWhy(context, await tenantOf(name), finding)),
    show: (name, id) => ask(async () => readRecord(context, await tenantOf(name), id)),
    ciState: (name) => ask(async () => readCiState(context, await tenantOf(name))),
    ensureLoops: () => ask(() => tenants.ensureAll(context)),
    close,
  };
}

function openPool(databaseUrl: string): Context['pool'] {
  try {
    return createPool(databaseUrl, () => {}, 5);
  } catch (error) {
    throw asPostgresError(error, databaseUrl);
  }
}

async function requireTables({ pool }: Context): Promise<void> {
  const { rows } = await pool.query(
    `select to_regclass('tenants') is not null and to_regclass('guards') is not null as there`,
  );
  if (rows[0]?.there !== true)
    throw new UsageError(
      'the database has none of our tables. Fix: run "untilgreen migrate", or point DATABASE_URL at the right one',
    );
}

/** Of one tenant, or of all. */
async function readApprovals(context: Context, name: string | undefined): Promise<readonly ApprovalView[]> {
  const names = name === undefined ? await tenantNames(context.pool) : [name];
  const rows = await Promise.all(names.map((one) => requireTenant(context.pool, one)));
  const lists = await Promise.all(
    rows.map(async (row) =>
      (await openApprovals(context.pool, row.tenant)).map((approval) => approvalView(approval, row)),
    ),
  );
  return lists.flat();
}
