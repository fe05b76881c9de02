// The records of a tenant: its history newest first, and one cycle, finding, effect or piece of evidence in full (LOOP-6, SEE-5).
import { listCycles } from '../../store/cycles.ts';
import { loadEvidence } from '../../store/evidence.ts';
import { findFinding } from '../../store/findings.ts';
import { effectsOfCycle, findEffect, listAudit, listEffects, readCycle } from '../../store/history.ts';
import type { TenantRow } from '../../store/tenants.ts';
import type { Context } from '../context.ts';
import { NotFoundError, UsageError } from '../errors.ts';
import { clip, requireFinding } from '../names.ts';
import { viewFindings } from './findings.ts';
import {
  type CycleView,
  cycleView,
  type EffectView,
  type EventView,
  effectView,
  eventView,
  type FindingView,
} from './views.ts';

export type HistoryOptions = {
  /** Beginning of a fingerprint, or the id of a run. */
  readonly finding?: string;
  readonly sinceMs?: number;
  /** Of each list; default 50. */
  readonly limit?: number;
};

export type History = {
  readonly tenant: string;
  readonly finding: string | null;
  /** Empty when a finding is named. */
  readonly cycles: readonly CycleView[];
  /** The audit trail. */
  readonly events: readonly EventView[];
  readonly effects: readonly EffectView[];
};

export async function readHistory(
  context: Context,
  tenant: TenantRow,
  options: HistoryOptions,
): Promise<History> {
  const { pool } = context;
  const { limit = 50, sinceMs } = options;
  const finding =
    options.finding === undefined ? undefined : await requireFinding(pool, tenant.tenant, options.finding);
  const filter = { tenant: tenant.tenant, fingerprint: finding?.fingerprint, sinceMs, limit };
  const [cycles, events, effects] = await Promise.all([
    finding ? [] : listCycles(pool, tenant.tenant, limit),
    listAudit(pool, filter),
    listEffects(pool, filter),
  ]);
  return {
    tenant: tenant.tenant,
    finding: finding?.fingerprint ?? null,
    cycles: cycles.filter((cycle) => sinceMs === undefined || cycle.startedMs >= sinceMs).map(cycleView),
    events: events.map(eventView),
    effects: effects.map(effectView),
  };
}

export type Shown =
  | {
      readonly type: 'cycle';
      readonly tenant: string;
      readonly cycle: CycleView;
      readonly effects: readonly EffectView[];
    }
  | {
      readonly type: 'finding';
      readonly tenant: string;
      readonly finding: FindingView;
      readonly effects: readonly EffectView[];
      readonly events: readonly EventView[];
    }
  | { readonly type: 'effect'; readonly tenant: string; readonly effect: EffectView }
  | { readonly type: 'evidence'; readonly tenant: string; readonly sha256: string; readonly body: string };

/** `12` or `#12` is a cycle; 6 hex digits or more are the beginning of a finding or an effect, 64 also a piece of evidence. */
export async function readRecord(context: Context, tenant: TenantRow, id: string): Promise<Shown> {
  const { pool } = context;
  const name = tenant.tenant;
  const text = id.toLowerCase();
  if (/^[0-9a-f]{6,64}$/.test(text)) {
    const [findings, effects] = await Promise.all([
      findFinding(pool, name, text),
      findEffect(pool, name, text),
    ]);
    if (findings.length + effects.length > 1)
      throw new UsageError(`"${text}" is the beginning of more than one record: give more of it`);
    const [finding] = findings;
    if (finding) {
      const filter = { tenant: name, fingerprint: finding.fingerprint, limit: 100 };
      const [views, ofFinding, events] = await Promise.all([
        viewFindings(context, pool, tenant, [finding]),
        listEffects(pool, filter),
        listAudit(pool, filter),
      ]);
      const [view] = views;
      if (view)
        return {
          type: 'finding',
          tenant: name,
          finding: view,
          effects: ofFinding.map(effectView),
          events: events.map(eventView),
        };
    }
    if (effects[0]) return { type: 'effect', tenant: name, effect: effectView(effects[0]) };
    const body = text.length === 64 ? await loadEvidence(pool, name, text) : undefined;
    if (body !== undefined) return { type: 'evidence', tenant: name, sha256: text, body };
  }
  const cycle = /^#?(\d{1,15})$/.exec(text)?.[1];
  const row = cycle === undefined ? undefined : await readCycle(pool, name, Number(cycle));
  if (row) {
    const effects = await effectsOfCycle(pool, name, row.cycle);
    return { type: 'cycle', tenant: name, cycle: cycleView(row), effects: effects.map(effectView) };
  }
  throw new NotFoundError(
    `"${clip(id)}" is no cycle, finding, effect or evidence of tenant ${name}: give the number of a cycle, or at least 6 hex digits. Run "untilgreen history ${name}"`,
  );
}
