// The second half of a cycle in one transaction: what was read becomes known, the breaker steps, the cycle gets its record, and the next
// reads get their times (LOOP-1, LOOP-6, LOOP-7). No Temporal here.
import type { Json } from '../../contract/effect.ts';
import { type Finding, hasRemedy, isWorkable, type Observation } from '../../contract/finding.ts';
import type { OpenTenantResult, SettleRequest, SettleResult } from '../../contract/loop.ts';
import { digestLine } from '../../policy/ci/digest.ts';
import { type Breaker, breakerAfterCycle } from '../../policy/loop/breaker.ts';
import { reconcile, sourceKey } from '../../policy/loop/reconcile.ts';
import { noteOtherFailure } from '../../store/aftercare.ts';
import { expireApprovals } from '../../store/approvals.ts';
import { appendAudit } from '../../store/audit.ts';
import { pruneOutages } from '../../store/ci/outages.ts';
import { type GuardRow, lockGuard } from '../../store/claims.ts';
import { endLostCycles, finishCycle, openCycle } from '../../store/cycles.ts';
import { type Pool, type Queryable, transaction } from '../../store/database.ts';
import { pruneEvidence } from '../../store/evidence.ts';
import {
  activeFindings,
  applyChange,
  findingsToCareFor,
  fingerprintOf,
  latestOccurrences,
  readFindingRow,
  resolveUnwatched,
} from '../../store/findings.ts';
import { openIncidents } from '../../store/ops/incidents.ts';
import { pruneBudgets } from '../../store/ops/request-budget.ts';
import { readTenant, type TenantRow } from '../../store/tenants.ts';
import type { SourceDefinition } from '../sources/definition.ts';
import { allReads, nextReads } from './next-reads.ts';

/** About once a day at the usual cadence. */
const pruneEvery = 200;
/** An outage is over after an hour; what looks at an older one again still finds what was said. */
const keepOutagesMs = 24 * 3_600_000;
/** What one cycle hands to the loop at most. */
const maxFindings = 200;
const maxChanges = 20;
const maxDigestLines = 20;

export type SettleParts = { readonly pool: Pool; readonly sources: readonly SourceDefinition[] };

/** What a loop that starts anew goes on with; its limits are where they were, in Postgres (LOOP-9). */
export async function openTenant(
  parts: SettleParts,
  tenant: string,
  nowMs: number,
): Promise<OpenTenantResult> {
  return transaction(parts.pool, async (tx) => {
    const row = await readTenant(tx, tenant);
    if (!row)
      return {
        enabled: false,
        reason: `tenant "${tenant}" is not registered`,
        cycle: 0,
        schedule: [],
        adopt: [],
      };
    const reason = row.removed
      ? 'removed'
      : row.drained
        ? 'drained'
        : row.enabled
          ? 'enabled'
          : 'disabled in its settings';
    const guards = await tx.query('select cycle from guards where tenant = $1', [tenant]);
    const findings = await activeFindings(tx, tenant);
    return {
      enabled: row.enabled && !row.drained,
      reason,
      cycle: guards.rows[0]?.cycle ?? 0,
      schedule: allReads(parts.sources, row).map((read) => ({ ...read, dueAtMs: nowMs })),
      adopt: forLoop([...findings.filter(hasRemedy), ...(await openIncidentFindings(tx, tenant, findings))]),
    };
  });
}

/** An incident goes on until it is healthy for long enough: its remedy is adopted, whatever its finding says. */
async function openIncidentFindings(
  tx: Queryable,
  tenant: string,
  active: readonly Finding[],
): Promise<readonly Finding[]> {
  const known = new Set(active.filter(hasRemedy).map(({ fingerprint }) => fingerprint));
  const keys = (await openIncidents(tx, tenant)).filter(({ fingerprint }) => !known.has(fingerprint));
  const rows: Finding[] = [];
  for (const key of keys) {
    const row = await readFindingRow(tx, key);
    if (row !== undefined) rows.push(row);
  }
  return rows;
}

/** What says nothing any more. */
async function prune(tx: Queryable, { tenant, nowMs }: SettleRequest): Promise<void> {
  await pruneEvidence(tx);
  await pruneOutages(tx, tenant, nowMs - keepOutagesMs);
  await pruneBudgets(tx);
}

/** Idempotent: what happens once per cycle is kept with its record, for the attempt that comes after a lost answer. */
export async function settleCycle(parts: SettleParts, request: SettleRequest): Promise<SettleResult> {
  return transaction(parts.pool, async (tx) => {
    const guard = await lockGuard(tx, request.tenant);
    const tenant = await readTenant(tx, request.tenant);
    if (!guard || !tenant) throw new Error(`tenant "${request.tenant}" is not known`);
    await openCycle(tx, request);
    const before = await settledOf(tx, request);
    if (before === null) await assertNotOver(tx, request);
    const settled = before ?? (await settleOnce(tx, parts, request, tenant, guard));
    const { breaker, failure } = settled;
    const findings = await activeFindings(tx, request.tenant);
    const workable = findings.filter(isWorkable);
    const outcome = failure !== null ? 'failed' : workable.length > 0 ? 'red' : 'green';
    const summary = failure ?? summarise(findings, request.observations);
    if (!before) {
      await finishCycle(tx, request, {
        state: failure === null ? 'completed' : 'failed',
        outcome,
        summary,
        observations: request.observations,
        findings: findings.map(
          (f): Json => ({
            fingerprint: f.fingerprint,
            occurrence: f.occurrence,
            kind: f.kind,
            title: f.title,
            status: f.status,
          }),
        ),
        finishedMs: request.nowMs,
        settled,
      });
    }
    const probeAtMs =
      breaker.sinceMs === null
        ? {}
        : { probeAtMs: breaker.sinceMs + tenant.config.limits.breaker.probeAfterMs };
    return {
      enabled: tenant.enabled && !tenant.drained,
      outcome,
      summary,
      findings: forLoop(findings),
      schedule: await nextReads(
        tx,
        parts.sources,
        tenant,
        request,
        workable.length > 0 || anyUnknown(request),
      ),
      breaker: { state: breaker.state, failures: breaker.failures, ...probeAtMs },
      ...(settled.opened ? { breakerOpened: { reason: failure ?? 'cycles failed' } } : {}),
      ...(settled.moved ? { breakerMoved: true } : {}),
      ...(settled.digest === undefined ? {} : { digest: settled.digest }),
      changed: settled.changed,
      ...(settled.decided?.length ? { decided: settled.decided } : {}),
      aftercare: forLoop(await findingsToCareFor(tx, tenant.config)),
    };
  });
}

/** An attempt of a worker that was frozen until the loop had gone on: what it read is older than what is known. */
async function assertNotOver(tx: Queryable, { tenant, cycle }: SettleRequest): Promise<void> {
  const { rows } = await tx.query('select cycle from guards where tenant = $1 and cycle > $2', [
    tenant,
    cycle,
  ]);
  if (rows[0] !== undefined)
    throw new Error(`cycle ${cycle} is over: the loop went on with ${rows[0].cycle}`);
}

/** Once per cycle, whatever becomes of the answer. */
async function settleOnce(
  tx: Queryable,
  parts: SettleParts,
  request: SettleRequest,
  tenant: TenantRow,
  guard: GuardRow,
): Promise<Settled> {
  await endLostCycles(tx, request);
  const watched = new Set(
    allReads(parts.sources, tenant).map((read) => `${read.workspace}/${sourceKey(read)}`),
  );
  const seen = await applyObservations(tx, request);
  const left = await resolveUnwatched(tx, request.tenant, watched, request.nowMs);
  await expireApprovals(tx, request.tenant, request.nowMs);
  const failure = await cycleFailure(tx, request, watched);
  const { breaker, opened } = await stepBreaker(tx, request, tenant, guard, failure);
  if (failure !== null) {
    await appendAudit(tx, {
      tenant: request.tenant,
      atMs: request.nowMs,
      actor: 'loop',
      action: 'cycle.failed',
      subject: `cycle ${request.cycle}`,
      reason: failure,
    });
  }
  if (request.cycle % pruneEvery === 0) await prune(tx, request);
  const { fingerprints, operations } = await decidedInComments(tx, request);
  const digest = await dueDigest(tx, tenant, request.nowMs);
  return {
    ...(digest === null ? {} : { digest }),
    failure,
    breaker,
    opened,
    moved: breaker.state !== guard.breakerState,
    changed: [...seen, ...left, ...fingerprints],
    ...(operations.length === 0 ? {} : { decided: operations }),
  };
}

type Settled = {
  readonly digest?: string;
  readonly failure: string | null;
  readonly breaker: Breaker;
  readonly opened: boolean;
  readonly moved: boolean;
  readonly changed: readonly string[];
  readonly decided?: readonly string[];
};

/** CI-11: what fails and how far it is, when the tenant wants to hear of it again. */
async function dueDigest(tx: Queryable, tenant: TenantRow, nowMs: number): Promise<string | null> {
  const everyMs = tenant.config.alerts.digestEveryMs;
  if (everyMs === undefined) return null;
  const failing = (await activeFindings(tx, tenant.tenant)).filter((finding) => finding.kind === 'ci');
  if (failing.length === 0) return null;
  const due = await tx.query(
    'update guards set digest_ms = $2 where tenant = $1 and (digest_ms is null or digest_ms <= $3) returning tenant',
    [tenant.tenant, Math.round(nowMs), Math.round(nowMs - everyMs)],
  );
  if (due.rows.length === 0) return null;
  const lines = failing
    .slice(0, maxDigestLines)
    .map((finding) => digestLine(finding, tenant.config.limits.attempts));
  const more = failing.length > maxDigestLines ? [`and ${failing.length - maxDigestLines} more`] : [];
  return [...lines, ...more].join('\n');
}

async function settledOf(tx: Queryable, request: SettleRequest): Promise<Settled | null> {
  const { rows } = await tx.query('select settled from cycles where tenant = $1 and cycle = $2 for update', [
    request.tenant,
    request.cycle,
  ]);
  return rows[0]?.settled ?? null;
}

/** A payload is limited: what can be worked on comes first, and lists inside a finding are cut (all of it is in the store). */
function forLoop(findings: readonly Finding[]): readonly Finding[] {
  const first = [...findings].sort((a, b) => Number(isWorkable(b)) - Number(isWorkable(a)));
  return first.slice(0, maxFindings).map((finding) => {
    const { detail } = finding;
    return detail.kind === 'drift' && detail.changes.length > maxChanges
      ? { ...finding, detail: { ...detail, changes: detail.changes.slice(0, maxChanges) } }
      : finding;
  });
}

async function applyObservations(tx: Queryable, request: SettleRequest): Promise<readonly string[]> {
  const workspaceOf = new Map(
    request.observations.flatMap((o) => o.findings.map((f) => [f, o.workspace] as const)),
  );
  const print = (observed: Observation['findings'][number]): string =>
    fingerprintOf(request.tenant, workspaceOf.get(observed) ?? '', observed);
  const observed = request.observations.flatMap((o) => o.findings.map(print));
  const known = await latestOccurrences(tx, request.tenant, observed);
  const changes = reconcile(known, request.observations, print, request.nowMs);
  const moved: string[] = [];
  for (const change of changes) {
    if (await applyChange(tx, request.tenant, change, request.nowMs)) moved.push(change.fingerprint);
    if (change.change === 'appear')
      await noteOtherFailure(tx, request.tenant, { ...change.observed, ...change }, request.nowMs);
  }
  return moved;
}

/** Whose approval was decided in a comment, and not taken up yet: remedies by their finding, orders of people (OPS-1) by their workflow. */
async function decidedInComments(
  tx: Queryable,
  request: SettleRequest,
): Promise<{ readonly fingerprints: readonly string[]; readonly operations: readonly string[] }> {
  if (!request.observations.some((o) => o.source === 'approvals'))
    return { fingerprints: [], operations: [] };
  const { rows } = await tx.query(
    `select fingerprint, split_part(requester, '#', 1) as "workflowId" from approvals
     where tenant = $1 and state in ('approved', 'rejected') and decided_ms > $2`,
    [request.tenant, Math.round(request.nowMs - 3_600_000)],
  );
  const decided = rows as readonly { readonly fingerprint: string | null; readonly workflowId: string }[];
  return {
    fingerprints: [...new Set(decided.flatMap(({ fingerprint }) => fingerprint ?? []))],
    operations: [
      ...new Set(decided.map(({ workflowId }) => workflowId).filter((id) => id.startsWith('operation/'))),
    ],
  };
}

/** What could not be read is not green: it is read again at the red cadence. */
function anyUnknown(request: SettleRequest): boolean {
  return request.observations.some((observation) => observation.state === 'unknown');
}

// LOOP-7.
async function cycleFailure(
  tx: Queryable,
  request: SettleRequest,
  watched: ReadonlySet<string>,
): Promise<string | null> {
  // What the settings lost while it was read is not a source that could not be read.
  const due = request.observations.filter(
    (o) => o.source === 'approvals' || watched.has(`${o.workspace}/${sourceKey(o)}`),
  );
  // The channels are read from our own records: that they can be says nothing of the world.
  const outside = due.filter((o) => o.source !== 'channels');
  if (outside.length > 0 && outside.every((o) => o.state === 'unknown'))
    return `every due source is unknown: ${outside[0]?.reason ?? ''}`;
  const unknown = await tx.query(
    `update effects set counted = true where tenant = $1 and outcome = 'unknown' and not counted and risk in ('mutating', 'destructive') returning describe`,
    [request.tenant],
  );
  if (unknown.rows[0]) return `a mutating effect ended unknown: ${unknown.rows[0].describe}`;
  return null;
}

function breakerOf(guard: GuardRow): Breaker {
  return {
    state: guard.breakerState,
    failures: guard.breakerFailures,
    sinceMs: guard.breakerSinceMs,
    reason: guard.breakerReason,
  };
}

async function stepBreaker(
  tx: Queryable,
  request: SettleRequest,
  tenant: TenantRow,
  guard: GuardRow,
  failure: string | null,
): Promise<{ breaker: Breaker; opened: boolean }> {
  let before = breakerOf(guard);
  const settings = tenant.config.limits.breaker;
  let opened = false;
  for (let lost = 0; lost < request.unrecordedFailures; lost += 1) {
    const step = breakerAfterCycle(
      before,
      { scheduled: true, failure: 'a cycle could not be recorded' },
      settings,
      request.nowMs,
    );
    opened ||= step.opened;
    before = step.breaker;
  }
  const step = breakerAfterCycle(
    before,
    { scheduled: request.trigger === 'schedule', failure },
    settings,
    request.nowMs,
  );
  opened ||= step.opened;
  const { breaker } = step;
  const changed = breaker.state !== guard.breakerState;
  const anew = changed && breaker.state !== 'halfOpen';
  await tx.query(
    `update guards set breaker_state = $2, breaker_failures = $3, breaker_since_ms = $4, breaker_reason = $5,
       breaker_probe_key = case when $6 then null else breaker_probe_key end where tenant = $1`,
    [request.tenant, breaker.state, breaker.failures, breaker.sinceMs, breaker.reason, anew],
  );
  if (changed) {
    await appendAudit(tx, {
      tenant: request.tenant,
      atMs: request.nowMs,
      actor: 'loop',
      action: `breaker.${breaker.state}`,
      subject: request.tenant,
      reason: breaker.reason ?? 'a cycle succeeded',
    });
  }
  return { breaker, opened };
}

function summarise(findings: readonly Finding[], observations: readonly Observation[]): string {
  const unknown = observations.filter((o) => o.state === 'unknown').length;
  const workable = findings.filter(isWorkable).length;
  const parts = [
    workable > 0 ? `${workable} not green` : undefined,
    findings.length > workable ? `${findings.length - workable} waiting` : undefined,
    unknown > 0 ? `${unknown} not readable` : undefined,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? 'all clear' : parts.join(', ');
}
