// An incident while one turn decides about it: what is kept, what happened now, what is planned. Written back at the end of the turn, in the
// same transaction.
import type { FindingRef } from '../../../contract/activities.ts';
import { remedyWorkflowId } from '../../../contract/names.ts';
import type { DueEffect } from '../../../contract/ops/activities.ts';
import { appendAudit } from '../../../store/audit.ts';
import type { Queryable } from '../../../store/database.ts';
import type { FindingRow } from '../../../store/findings.ts';
import { addEvent, type IncidentEvent } from '../../../store/ops/incidents.ts';
import type { IncidentState } from './state.ts';

export type Draft = {
  readonly tx: Queryable;
  readonly ref: FindingRef;
  readonly finding: FindingRow;
  readonly repository: string;
  readonly opening: number;
  readonly detectedMs: number;
  readonly nowMs: number;
  state: IncidentState;
  issue: number | null;
  events: readonly IncidentEvent[];
};

/** Who asks for what belongs to the incident itself: the same in every run of its remedy, another one when it begins anew. */
export function requesterOf({ ref, finding, opening }: Pick<Draft, 'ref' | 'finding' | 'opening'>): string {
  return `${remedyWorkflowId({ ...ref, kind: finding.kind })}#${opening}`;
}

/** All alerts of one opening of an incident have one id. */
export function aboutOf(of: {
  readonly fingerprint: string;
  readonly occurrence: number;
  readonly opening: number;
}): string {
  return `${of.fingerprint.slice(0, 24)}/${of.occurrence}/${of.opening}`;
}

/** Plans an effect once: from now on it has this content until it has an answer. */
export function plan(
  draft: Draft,
  effect: Pick<DueEffect, 'name' | 'kind' | 'target' | 'input'> &
    Partial<Pick<DueEffect, 'step' | 'precondition'>>,
): void {
  if (draft.state.planned.some(({ name }) => name === effect.name)) return;
  draft.state = {
    ...draft.state,
    planned: [
      ...draft.state.planned,
      {
        precondition: draft.ref.fingerprint,
        step: effect.name,
        ...effect,
        requester: requesterOf(draft),
        notBeforeMs: 0,
      },
    ],
  };
}

/** True the first time. */
export function once(draft: Draft, what: string): boolean {
  if (draft.state.once.includes(what)) return false;
  draft.state = { ...draft.state, once: [...draft.state.once, what] };
  return true;
}

/** A line of the timeline, once per key; `comment` goes to the issue in place of the line. */
export async function note(
  draft: Draft,
  event: Pick<IncidentEvent, 'key' | 'kind' | 'text'> & {
    readonly atMs?: number;
    readonly comment?: string | null;
  },
): Promise<void> {
  if (draft.events.some(({ key }) => key === event.key)) return;
  const whole = { atMs: draft.nowMs, comment: null, ...event };
  await addEvent(draft.tx, draft.ref, draft.opening, whole);
  await appendAudit(draft.tx, {
    tenant: draft.ref.tenant,
    atMs: whole.atMs,
    actor: 'incident',
    action: `incident.${event.kind}`,
    workspace: draft.ref.workspace,
    fingerprint: draft.ref.fingerprint,
    subject: draft.finding.title,
    reason: event.text,
  });
  draft.events = [...draft.events, { ...whole, commented: false }];
}
