// One fault, one story (INC-2): an incident that names a service which is down already goes on with that service's record; a service that an incident
// tells of says nothing itself. Inside the transaction of a turn, one turn of a workspace at a time.
import type { FindingRef } from '../../../contract/activities.ts';
import type { DoneEffect, IncidentTurn } from '../../../contract/ops/activities.ts';
import type { IncidentLevel } from '../../../contract/ops/settings.ts';
import { type OwnRecord, tellsOf, voiceOf } from '../../../policy/ops/incident/one-story.ts';
import type { Queryable } from '../../../store/database.ts';
import { type FindingKey, setFindingStatus } from '../../../store/findings.ts';
import { type IncidentRow, keepIncident, lockIncident } from '../../../store/ops/incidents.ts';
import {
  copyEvents,
  incidentsNear,
  leaveIssue,
  lockRecordsOfServices,
  type NearRow,
  passQuestions,
} from '../../../store/ops/stories.ts';
import { takeAnswers } from './answers.ts';
import { aboutOf, type Draft } from './draft.ts';
import { planAlert, planCloseIssue } from './due.ts';
import { servicesOf } from './parts.ts';
import { asDue, IncidentState, plain } from './state.ts';

/** The loop nudges when its finding moves, and the incident ends by itself: this is for a lost nudge. */
const lookSeldomMs = 281_000;
/** While the incident that will tell of it begins, or an effect from before has no answer. */
const lookMs = 47_000;

/** The incident that tells of the service this finding is about, when it is not this finding. */
export async function toldBy(
  tx: Queryable,
  ref: FindingRef,
  { detail }: Draft['finding'],
  row: IncidentRow | null,
): Promise<NearRow | null> {
  if (detail.kind !== 'deployment') return null;
  const near = tellsOf(detail.service, await incidentsNear(tx, ref));
  return voiceOf(near, recordOf(row)) === 'tells' ? null : near;
}

function recordOf(row: IncidentRow | null): OwnRecord {
  if (row === null || !row.open) return 'none';
  const { recoveredMs, handedTo } = IncidentState.parse(row.state);
  if (recoveredMs !== null) return 'closing';
  return handedTo === null ? 'open' : 'handedOver';
}

/**
 * A turn of a service that an incident tells of. What was planned for it before is asked for until it has an answer: nobody else can tell
 * whether it landed.
 * @param draft null: it has no record of its own
 */
export async function silentTurn(
  tx: Queryable,
  ref: FindingRef,
  now: { readonly nowMs: number; readonly done: readonly DoneEffect[] },
  near: NearRow,
  draft: Draft | null,
): Promise<IncidentTurn> {
  let planned: IncidentState['planned'] = [];
  if (draft !== null) {
    await takeAnswers(draft, now.done);
    if (voiceOf(near, draft.state.handedTo === null ? 'open' : 'handedOver') === 'pointsThere')
      pointThere(draft, near);
    if (draft.state.handedTo !== null) await passQuestions(tx, ref, draft.state.handedTo);
    ({ planned } = draft.state);
    // Its record ends with its last answer; until the incident has begun, it may still be taken over.
    const isOver = planned.length === 0 && draft.state.handedTo !== null;
    await keepIncident(tx, ref, {
      state: plain(draft.state),
      issue: draft.issue,
      closedMs: isOver ? now.nowMs : null,
    });
  }
  const issue = near.issue === null ? '' : ` (issue #${near.issue})`;
  const waitingFor = `part of the incident ${near.fingerprint.slice(0, 12)}${issue}`;
  await setFindingStatus(tx, ref, { status: 'waiting', waitingFor });
  const waits = planned.length > 0 || !near.isOpen || near.issue === null;
  return {
    due: planned.filter(({ notBeforeMs }) => notBeforeMs <= now.nowMs).map(asDue),
    waitingFor,
    wakeAtMs: now.nowMs + (waits ? lookMs : lookSeldomMs),
    watchComments: false,
    status: 'waiting',
  };
}

/** The incident has an issue of its own: this one says where it goes on, and its alert ends. */
function pointThere(draft: Draft, near: NearRow): void {
  const { issue, state } = draft;
  // Whether an issue is being opened is not known yet; and nobody is sent to one that is not there.
  if (state.planned.some(({ name }) => name === 'issue') || (issue !== null && near.issue === null)) return;
  const names = servicesOf(draft.finding).join(', ');
  draft.state = { ...state, handedTo: near.fingerprint };
  if (issue !== null && issue !== near.issue)
    planCloseIssue(draft, issue, `It goes on in #${near.issue}: the incident names ${names}.`);
  if (state.alerts.sent > 0) {
    const body = `The incident ${near.fingerprint.slice(0, 12)} names ${names}: it is told there.`;
    const title = `Part of another incident: ${names} in ${draft.ref.workspace}`;
    planAlert(draft, 'resolved', state.worst, 'resolved', { title, body });
  }
}

export type Inherited = {
  readonly state: IncidentState;
  readonly detectedMs: number;
  readonly issue: number | null;
  /** Its timeline comes along: asked for when there is a record to put it in. */
  readonly bringEvents: (opening: number) => Promise<void>;
};

/**
 * An incident begins, and a service that it names is down already and told of: it goes on with that record, in place of a second issue and a second
 * alert. Who was told and who has it stays known. Null: there is no such record.
 */
export async function inherit(
  tx: Queryable,
  ref: FindingRef,
  finding: Draft['finding'],
): Promise<Inherited | null> {
  if (finding.kind !== 'incident') return null;
  for (const from of await lockRecordsOfServices(tx, { ...ref, services: servicesOf(finding) })) {
    const row = await lockIncident(tx, from);
    if (row === null || recordOf(row) !== 'open') continue;
    const before = IncidentState.parse(row.state);
    const told = before.planned.flatMap(({ name }) => (name.startsWith('comment/') ? [name.slice(8)] : []));
    const handed = { ...before, handedTo: ref.fingerprint };
    await keepIncident(tx, from, { state: plain(handed), issue: null, closedMs: null });
    await passQuestions(tx, from, ref.fingerprint);
    // A word to a person that is on its way counts: it is asked for until it lands.
    const onItsWay = before.planned.filter(({ name }) => name.startsWith('told-')).length;
    const { escalation } = before;
    const level = before.severity.level ?? before.worst;
    const words = Array.from({ length: onItsWay }, () => ({ atMs: before.asOfMs, level }));
    const acknowledged = escalation.acknowledged ?? acknowledgedOf(row, level);
    const about = before.alerts.about ?? aboutOf(from);
    const state: IncidentState = {
      ...before,
      escalation: { ...escalation, sent: [...escalation.sent, ...words], acknowledged },
      alerts: { ...before.alerts, about },
      // Its issue gets this incident's title and body.
      title: { text: '', writes: 0 },
      planned: [],
      inherits: { fingerprint: from.fingerprint, occurrence: from.occurrence },
    };
    const bringEvents = (opening: number): Promise<void> => copyEvents(tx, from, { ...ref, opening }, told);
    return { state, detectedMs: row.detectedMs, issue: row.issue, bringEvents };
  }
  return null;
}

function acknowledgedOf(
  { acknowledgedBy: by, acknowledgedMs: atMs }: IncidentRow,
  level: IncidentLevel,
): IncidentState['escalation']['acknowledged'] {
  return by === null || atMs === null ? null : { atMs, by, level };
}

/** The issue that the record before was just opening; `isOpening`: nobody knows yet whether it is there, so no second one is opened. */
export async function inheritIssue(draft: Draft): Promise<{ readonly isOpening: boolean }> {
  const { inherits } = draft.state;
  if (inherits === null || draft.issue !== null) return { isOpening: false };
  const from: FindingKey = { tenant: draft.ref.tenant, ...inherits };
  const row = await lockIncident(draft.tx, from);
  if (row === null) return { isOpening: false };
  const { handedTo, planned } = IncidentState.parse(row.state);
  if (handedTo !== draft.ref.fingerprint) return { isOpening: false };
  if (row.issue !== null) {
    draft.issue = row.issue;
    await leaveIssue(draft.tx, from);
  }
  return { isOpening: row.open && planned.some(({ name }) => name === 'issue') };
}
