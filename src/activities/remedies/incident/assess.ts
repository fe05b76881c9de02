// One turn of an incident: reads what is known and what the platform says, then decides in one transaction what is due. All of it is in Postgres,
// so that a turn can be taken again after any crash, by a workflow that knows nothing (DUR-2).
import type { FindingRef } from '../../../contract/activities.ts';
import type { RemedyOutcome } from '../../../contract/loop.ts';
import type { DueEffect, IncidentQuestion, IncidentTurn } from '../../../contract/ops/activities.ts';
import { nextEscalation } from '../../../policy/ops/incident/escalation.ts';
import { incidentBody } from '../../../policy/ops/incident/incident-issue.ts';
import { type Queryable, transaction } from '../../../store/database.ts';
import { readMemory, setFindingStatus } from '../../../store/findings.ts';
import {
  type IncidentRow,
  keepIncident,
  lockIncident,
  openIncident,
  readEvents,
} from '../../../store/ops/incidents.ts';
import { lockStories } from '../../../store/ops/stories.ts';
import { readTenant } from '../../../store/tenants.ts';
import { operatorState } from '../operator/when.ts';
import { takeAnswers } from './answers.ts';
import { type Draft, note } from './draft.ts';
import {
  noteLadder,
  planChannels,
  planClose,
  planClosing,
  planComments,
  planEscalation,
  planIssue,
} from './due.ts';
import { planCleanUp, planCodeAgent } from './help.ts';
import { type IncidentParts, type Known, readKnown, servicesOf } from './parts.ts';
import type { PlatformView } from './platform.ts';
import type { LadderTurn } from './services/ladder.ts';
import { turnServices } from './services/services-now.ts';
import { judgeSeverity } from './severity-now.ts';
import { asDue, failedOf, IncidentState, plain } from './state.ts';
import { inherit, inheritIssue, silentTurn, toldBy } from './story.ts';
import { nextLookMs, waitingWords, waitsForPeople } from './waiting.ts';

/** An issue of an incident that begins anew so soon is opened again. */
const sameIssueMs = 24 * 3_600_000;
const remindSev1Ms = 15 * 60_000;
const maxPerTurn = 12;

type Read = {
  readonly known: Known;
  readonly platform: PlatformView | null;
  readonly base: string | null;
};

export async function assessIncident(
  parts: IncidentParts,
  question: IncidentQuestion,
  signal: AbortSignal,
): Promise<IncidentTurn> {
  const { pool } = parts.services;
  const known = await readAll(parts, question);
  if (typeof known === 'string') return over('gone', known);
  const before = await transaction(pool, (tx) => lockIncident(tx, question));
  const isNew = before === null || !before.open;
  if (isNew && known.finding.status === 'resolved') return over('green', 'it is over already');
  // For its issue, and once more when that is open: whether the evidence points to code.
  const once = isNew ? [] : IncidentState.parse(before.state).once;
  const withLogs = isNew || (before.issue !== null && !once.includes('evidence'));
  const platform = await parts.platform(known.workspace, {
    tenant: question.tenant,
    names: servicesOf(known.finding),
    withLogs,
    nowMs: question.nowMs,
    signal,
  });
  const base =
    withLogs && !isNew && known.workspace.incidents.codeAgent
      ? await parts.baseBranch(known.workspace, signal).catch(() => null)
      : null;
  return transaction(pool, (tx) => decide(tx, parts, question, { known, platform, base }));
}

/** Or why there is nothing left to work on. */
async function readAll(
  parts: IncidentParts,
  { tenant, workspace, ...ref }: FindingRef,
): Promise<Known | string> {
  const { services } = parts;
  const row = await readTenant(services.pool, tenant);
  const found = row?.config.workspaces.find(({ name }) => name === workspace);
  if (!row || row.removed || !found) return 'its workspace is not in the settings any more';
  await services.learn(row);
  const known = await readKnown(
    services.pool,
    { ...ref, tenant, workspace },
    { config: row.config, workspace: found },
  );
  return known ?? 'the finding is not known';
}

async function decide(
  tx: Queryable,
  parts: IncidentParts,
  question: IncidentQuestion,
  { known, platform, base }: Read,
): Promise<IncidentTurn> {
  await lockStories(tx, question);
  const row = await lockIncident(tx, question);
  const near = await toldBy(tx, question, known.finding, row);
  if (near !== null) {
    const own = row?.open === true ? await goOn(tx, question, known, row) : null;
    return silentTurn(tx, refOf(question), question, near, own);
  }
  const draft = await beginOrGoOn(tx, question, known, row);
  await takeAnswers(draft, question.done);
  const { ladders, checks } = await turnServices(draft, known, platform, question);
  if (draft.state.recoveredMs === null) {
    await judgeSeverity(draft, known, ladders, checks);
    await planTurn(draft, parts, known, platform, ladders, base);
  }
  planComments(draft, known.workspace.incidents.mention);
  planClose(draft);
  return finish(draft, known, ladders);
}

async function planTurn(
  draft: Draft,
  parts: IncidentParts,
  known: Known,
  platform: PlatformView | null,
  ladders: readonly LadderTurn[],
  base: string | null,
): Promise<void> {
  if (isRecovered(draft, ladders)) return planClosing(draft);
  const { config } = known;
  const { isOpening } = await inheritIssue(draft);
  planChannels(draft);
  if (!isOpening)
    planIssue(draft, bodyOf(draft, parts, known, platform), config.autonomy.effects.openIssue !== 'observe');
  await planEscalation(draft, known);
  for (const ladder of ladders)
    await noteLadder(draft, ladder, { remindAfterMs: config.approvals.remindAfterMs, remindSev1Ms });
  planCleanUp(draft, known);
  await planCodeAgent(draft, known, platform, base);
}

/** DEPLOY-3: nothing fails, for as long as a severity needs to fall, and every service is well for as long as its ladder wants. */
function isRecovered({ state, finding }: Draft, ladders: readonly LadderTurn[]): boolean {
  return (
    state.severity.level === null &&
    finding.status === 'resolved' &&
    ladders.every(
      ({ step, health }) =>
        step.do === 'well' ||
        step.do === 'recovered' ||
        health === 'stopped' ||
        health === 'gone' ||
        health === 'unknown',
    )
  );
}

async function beginOrGoOn(
  tx: Queryable,
  question: IncidentQuestion,
  known: Known,
  row: IncidentRow | null,
): Promise<Draft> {
  // One that was told by another, and is not any more, begins anew.
  if (row?.open === true && IncidentState.parse(row.state).handedTo === null)
    return goOn(tx, question, known, row);
  const begun = await begin(tx, refOf(question), row, known, question.nowMs);
  return { ...placeOf(tx, question, known), ...begun };
}

async function goOn(
  tx: Queryable,
  question: IncidentQuestion,
  known: Known,
  row: IncidentRow,
): Promise<Draft> {
  const { opening, detectedMs, issue } = row;
  const draft: Draft = {
    ...placeOf(tx, question, known),
    opening,
    detectedMs,
    issue,
    state: IncidentState.parse(row.state),
    events: await readEvents(tx, question, opening),
  };
  await takeAcknowledgement(draft, row);
  return draft;
}

function refOf({ tenant, workspace, fingerprint, occurrence }: IncidentQuestion): FindingRef {
  return { tenant, workspace, fingerprint, occurrence };
}

function placeOf(
  tx: Queryable,
  question: IncidentQuestion,
  { finding, workspace }: Known,
): Pick<Draft, 'tx' | 'ref' | 'finding' | 'repository' | 'nowMs'> {
  const { repository } = workspace.github;
  return { tx, ref: refOf(question), finding, repository, nowMs: question.nowMs };
}

async function begin(
  tx: Queryable,
  ref: FindingRef,
  row: IncidentRow | null,
  { finding }: Known,
  nowMs: number,
): Promise<Pick<Draft, 'opening' | 'detectedMs' | 'issue' | 'state' | 'events'>> {
  const { returnedMs } = await readMemory(tx, ref);
  const seenMs = Math.min(nowMs, Math.max(finding.firstSeenMs, Number(returnedMs ?? 0)));
  const opening = (row?.opening ?? 0) + 1;
  const inherited = await inherit(tx, ref, finding);
  const own = row !== null && nowMs - (row.closedMs ?? 0) < sameIssueMs ? row.issue : null;
  const issue = inherited === null ? own : inherited.issue;
  const detectedMs = Math.min(seenMs, inherited?.detectedMs ?? seenMs);
  const state =
    inherited?.state ??
    IncidentState.parse({
      escalation: { detectedMs, level: null, sent: [], acknowledged: null },
      asOfMs: detectedMs,
    });
  await openIncident(tx, ref, { workspace: ref.workspace, opening, detectedMs, issue, state: plain(state) });
  await inherited?.bringEvents(opening);
  return { opening, detectedMs, issue, state, events: await readEvents(tx, ref, opening) };
}

/** INC-4: it speaks for the severity of its time. */
async function takeAcknowledgement(draft: Draft, row: IncidentRow): Promise<void> {
  const { acknowledgedBy: by, acknowledgedMs: atMs } = row;
  const { escalation, severity, worst } = draft.state;
  if (by === null || atMs === null || escalation.acknowledged?.atMs === atMs) return;
  const acknowledged = { atMs, by, level: severity.level ?? worst };
  draft.state = { ...draft.state, escalation: { ...escalation, acknowledged } };
  await note(draft, {
    key: `ack-${atMs}`,
    kind: 'acknowledged',
    text: `Acknowledged by ${by}`,
    atMs,
    comment: '',
  });
}

function bodyOf(
  draft: Draft,
  parts: IncidentParts,
  { workspace }: Known,
  platform: PlatformView | null,
): string {
  const { state, detectedMs, ref } = draft;
  const names = servicesOf(draft.finding);
  const [service = 'SERVICE'] = names;
  return incidentBody({
    level: state.severity.level ?? state.worst,
    failed: failedOf(state),
    detectedMs,
    platform: workspace.services?.provider.kind === 'railway' ? 'Railway' : 'Service',
    logs: platform?.logs ?? [],
    runUrl: parts.runUrl(),
    dashboardUrl: platform?.overview?.dashboardUrl ?? null,
    logsCommand: `untilgreen view-logs ${service} --tenant ${ref.tenant} --workspace ${ref.workspace}`,
  });
}

/** Writes the turn back, and says what is due and when to ask again. */
async function finish(draft: Draft, known: Known, ladders: readonly LadderTurn[]): Promise<IncidentTurn> {
  const { tx, ref, state, issue, nowMs } = draft;
  const isOver = state.recoveredMs !== null && state.planned.length === 0;
  await keepIncident(tx, ref, { state: plain(state), issue, closedMs: isOver ? nowMs : null });
  if (isOver)
    return over('green', draft.events.findLast(({ kind }) => kind === 'recovered')?.text ?? 'recovered');
  const due = state.planned.filter(({ notBeforeMs }) => notBeforeMs <= nowMs).map(asDue);
  const steps = state.recoveredMs === null ? ladders.flatMap((ladder) => ladder.due ?? []) : [];
  const people = waitsForPeople(ladders);
  const waitingFor = waitingWords(state, ladders, { people, issue });
  const status = people ? 'waiting' : 'working';
  await setFindingStatus(tx, ref, { status, waitingFor });
  const operator = await operatorState(draft, known, ladders);
  const timers = known.workspace.incidents.escalation;
  const escalation = nextEscalation(state.escalation, timers, nowMs);
  const escalationMs = escalation.do === 'wait' ? escalation.untilMs : null;
  return {
    due: [...due.sort(alertsFirst), ...steps].slice(0, maxPerTurn),
    waitingFor,
    wakeAtMs: nextLookMs(state, ladders, { nowMs, escalationMs, people }),
    watchComments: issue !== null && (people || state.escalation.acknowledged === null),
    status,
    ...(operator === null ? {} : { operator }),
  };
}

/** What wakes a person comes before everything else. */
function alertsFirst(a: DueEffect, b: DueEffect): number {
  return Number(b.kind === 'sendAlert') - Number(a.kind === 'sendAlert');
}

function over(outcome: RemedyOutcome, summary: string): IncidentTurn {
  return {
    due: [],
    waitingFor: '',
    wakeAtMs: 0,
    watchComments: false,
    status: 'working',
    end: { outcome, summary },
  };
}
