// Focused sessions (CI-14, LOOP-11): one failing run, or one workspace, now and watched to its end. They order what the loop would do anyway,
// through the same guards; whoever stops waiting stops nothing else.
import { setTimeout as delay } from 'node:timers/promises';
import type { AboutRun } from '../../contract/focus.ts';
import { updates } from '../../contract/names.ts';
import { standOf, waitsForPeople } from '../../policy/loop/waits-for.ts';
import { activeFindings, type FindingRow, listFindings } from '../../store/findings.ts';
import { tenantNames } from '../../store/status.ts';
import { readTenant, type TenantRow } from '../../store/tenants.ts';
import type { Context } from '../context.ts';
import { NotFoundError, UsageError } from '../errors.ts';
import { viewFindings } from '../look/findings.ts';
import { readStatus } from '../look/status.ts';
import type { FindingView } from '../look/views.ts';
import { clip, nearest, requireTenant } from '../names.ts';
import { cycleNow, order, type Remediated, remediate, type Waiting } from './orders.ts';

const pollMs = 500;
const resolvedLatelyMs = 7 * 86_400_000;

export type Focus = { readonly tenant?: string | undefined; readonly workspace?: string | undefined };

export type RunFixed = {
  readonly tenant: string;
  readonly run: number;
  /** One for each failing job of the run. */
  readonly jobs: readonly Remediated[];
  /** Jobs of the run that were red and are green already. */
  readonly green: readonly FindingView[];
};

/**
 * The remedies of every failing job of a run, now, until each ends or waits for somebody.
 * @param wanted the id of the run, or its address
 * @throws NotFoundError for a run that is no finding, with the reason
 */
export async function fixRun(
  context: Context,
  focus: Focus,
  wanted: string,
  by: string,
  waiting: Waiting & { readonly stopWhenWaiting?: boolean } = {},
): Promise<RunFixed> {
  const { runId, repository } = parseRun(wanted);
  const row = await tenantOf(context, focus, repository);
  const { tenant } = row;
  const workspaces = workspacesOf(row, focus.workspace, repository);
  let found = await findingsOfRun(context, tenant, runId, workspaces);
  if (found.active.length === 0 && found.green.length === 0) {
    waiting.onProgress?.(`run ${runId} is not known as failing: reading all sources`);
    await cycleNow(context, tenant, by, waiting);
    found = await findingsOfRun(context, tenant, runId, workspaces);
  }
  if (found.active.length === 0 && found.green.length === 0) {
    const { why } = await order<AboutRun>(context, tenant, updates.aboutRun, { by, runId, workspaces });
    throw new NotFoundError(`run ${runId} is no failing run of tenant ${tenant}: ${why}`);
  }
  const named = found.active.length > 1;
  const jobs = await Promise.all(
    found.active.map((finding) => {
      const job = finding.detail.kind === 'ci' ? finding.detail.job : finding.title;
      return remediate(context, tenant, finding.fingerprint, by, {
        ...waiting,
        onProgress: (line) => waiting.onProgress?.(named ? `${job}: ${line}` : line),
      });
    }),
  );
  return { tenant, run: runId, jobs, green: await viewFindings(context, context.pool, row, found.green) };
}

/** `https://github.com/acme/shop/actions/runs/123[/attempts/2][/job/4]`, or `123`. */
export function parseRun(wanted: string): {
  readonly runId: number;
  readonly repository: string | undefined;
} {
  const text = wanted.trim();
  const url =
    /^https?:\/\/[^/\s]+\/(?:[^\s]*\/)?([^/\s]+\/[^/\s]+)\/actions\/runs\/(\d{1,15})(?:[/?#]\S*)?$/.exec(
      text,
    );
  const digits = url?.[2] ?? /^\d{1,15}$/.exec(text)?.[0];
  if (digits === undefined)
    throw new UsageError(
      `run: "${clip(wanted)}" is none. Fix: give the id of a workflow run, or its address (https://github.com/OWNER/NAME/actions/runs/ID)`,
    );
  return { runId: Number(digits), repository: url?.[1] };
}

async function findingsOfRun(
  context: Context,
  tenant: string,
  runId: number,
  workspaces: readonly string[],
): Promise<{ readonly active: readonly FindingRow[]; readonly green: readonly FindingRow[] }> {
  const rows = (await listFindings(context.pool, tenant, context.clock() - resolvedLatelyMs)).filter(
    ({ detail, workspace }) =>
      detail.kind === 'ci' && detail.runId === runId && workspaces.includes(workspace),
  );
  return {
    active: rows.filter(({ status }) => status !== 'resolved'),
    green: rows.filter(({ status }) => status === 'resolved'),
  };
}

export type UntilGreen = {
  readonly tenant: string;
  readonly workspace: string;
  /** `timeout`: something still goes on, or could not be read. */
  readonly outcome: 'green' | 'waiting' | 'timeout';
  /** What is left, with what each waits for. */
  readonly left: readonly FindingView[];
  readonly unreadable: readonly string[];
};

/** Reads everything now, then watches a workspace until nothing workable is red, only people can go on, or the time is over. */
export async function untilGreen(
  context: Context,
  focus: Focus & { readonly workspace: string },
  by: string,
  waiting: Waiting & { readonly timeoutMs?: number; readonly stopWhenWaiting?: boolean } = {},
): Promise<UntilGreen> {
  const row = await tenantOf(context, focus, undefined);
  const { tenant } = row;
  const [workspace = ''] = workspacesOf(row, focus.workspace, undefined);
  const endMs = Date.now() + (waiting.timeoutMs ?? 2 * 3_600_000);
  await cycleNow(context, tenant, by, { ...waiting, timeoutMs: Math.max(1, endMs - Date.now()) });
  const said = new Map<string, string>();
  for (;;) {
    waiting.signal?.throwIfAborted();
    const { left, unreadable, stand } = await look(context, row, workspace);
    for (const line of news(said, left)) waiting.onProgress?.(line);
    const result = { tenant, workspace, left, unreadable };
    if (stand === 'green') return { ...result, outcome: 'green' };
    if (stand === 'people' && waiting.stopWhenWaiting !== false) return { ...result, outcome: 'waiting' };
    if (Date.now() >= endMs) return { ...result, outcome: 'timeout' };
    await delay(pollMs, undefined, waiting.signal ? { signal: waiting.signal } : {});
  }
}

async function look(context: Context, row: TenantRow, workspace: string) {
  const [rows, status] = await Promise.all([
    activeFindings(context.pool, row.tenant),
    readStatus(context, row),
  ]);
  const here = rows.filter((finding) => finding.workspace === workspace);
  const views = await viewFindings(context, context.pool, row, here);
  const asked = new Set(status.approvals.map(({ fingerprint }) => fingerprint));
  const waits = views.map((view) => ({ ...view, needsApproval: asked.has(view.fingerprint) }));
  const unreadable = status.sources
    .filter((source) => source.workspace === workspace && source.state === 'unknown')
    .map(({ source, target, reason }) => `${source}${target === null ? '' : `:${target}`}: ${reason}`);
  return {
    stand: standOf(waits, unreadable.length),
    // Those that only people can move come first.
    left: waits
      .sort((a, b) => Number(waitsForPeople(b)) - Number(waitsForPeople(a)))
      .map(({ needsApproval: _, ...view }) => view),
    unreadable,
  };
}

/** What moved since the last look, a line each. */
function news(said: Map<string, string>, left: readonly FindingView[]): readonly string[] {
  const lines: string[] = [];
  const now = new Map(
    left.map((one) => [
      one.fingerprint,
      `${one.fingerprint.slice(0, 12)} ${one.status}${one.waitingFor === null ? '' : `, ${one.waitingFor}`}: ${one.title}`,
    ]),
  );
  for (const [fingerprint, line] of now) if (said.get(fingerprint) !== line) lines.push(line);
  for (const fingerprint of said.keys())
    if (!now.has(fingerprint)) lines.push(`${fingerprint.slice(0, 12)} resolved`);
  said.clear();
  for (const [fingerprint, line] of now) said.set(fingerprint, line);
  return lines;
}

/** The tenant that is named, the only one, or the only one that has the workspace or the repository. */
async function tenantOf(context: Context, focus: Focus, repository: string | undefined): Promise<TenantRow> {
  const names = await tenantNames(context.pool);
  if (focus.tenant !== undefined || names.length <= 1) return requireTenant(context.pool, focus.tenant);
  const rows = (await Promise.all(names.map((name) => readTenant(context.pool, name)))).filter(
    (row): row is TenantRow => row !== undefined && row !== null && !row.removed,
  );
  const fitting = rows.filter((row) =>
    row.config.workspaces.some(
      ({ name, github }) =>
        (focus.workspace === undefined || name === focus.workspace) &&
        (repository === undefined || github.repository.toLowerCase() === repository.toLowerCase()),
    ),
  );
  const [only] = fitting;
  if (only !== undefined && fitting.length === 1) return only;
  const which = fitting.length === 0 ? names : fitting.map(({ tenant }) => tenant);
  throw new UsageError(`which tenant? Name one with --tenant: ${which.slice(0, 20).join(', ')}`);
}

/** Names of the workspaces that are meant. */
function workspacesOf(
  row: TenantRow,
  workspace: string | undefined,
  repository: string | undefined,
): readonly string[] {
  const all = row.config.workspaces;
  const names = all.map(({ name }) => name);
  if (workspace !== undefined && !names.includes(workspace)) {
    const near = nearest(workspace, names);
    const meant = near === undefined ? '' : `Did you mean "${near}"? `;
    throw new NotFoundError(
      `workspace: "${clip(workspace)}" is not one of ${row.tenant}. ${meant}Fix: name one of: ${names.join(', ')}`,
    );
  }
  const found = all.filter(
    ({ name, github }) =>
      (workspace === undefined || name === workspace) &&
      (repository === undefined || github.repository.toLowerCase() === repository.toLowerCase()),
  );
  if (found.length === 0)
    throw new NotFoundError(
      `run: ${repository} is the repository of no ${workspace === undefined ? `workspace of ${row.tenant}` : `workspace "${workspace}"`}. Fix: give a run of one of: ${all.map(({ github }) => github.repository).join(', ')}`,
    );
  return found.map(({ name }) => name);
}
