// One turn of something to know (DEPLOY-4): told once, told again only when it says something else, and told to be over only when it was told. No
// issue. What was told is in Postgres.

import * as z from 'zod';
import { remedyWorkflowId } from '../../../contract/names.ts';
import type {
  DoneEffect,
  DueEffect,
  IncidentQuestion,
  IncidentTurn,
} from '../../../contract/ops/activities.ts';
import { type Queryable, transaction } from '../../../store/database.ts';
import { type FindingRow, readFindingRow, setFindingStatus } from '../../../store/findings.ts';
import { keepIncident, lockIncident, openIncident } from '../../../store/ops/incidents.ts';
import type { IncidentParts } from './parts.ts';

const againMs = 5 * 60_000;
/** Its end comes by a nudge; this is for a lost one. */
const lookMs = 61 * 60_000;

const Told = z.object({
  title: z.string(),
  body: z.string(),
  severity: z.enum(['critical', 'warning', 'info']),
  /** Of how many of them; null: nothing is on its way. */
  number: z.number(),
  way: z.enum(['open', 'update', 'resolved']),
  sent: z.boolean(),
  notBeforeMs: z.number(),
});
type Told = z.output<typeof Told>;
const State = z.object({ told: Told.nullable().default(null), everSent: z.boolean().default(false) });

export async function assessNotice(
  { services }: IncidentParts,
  question: IncidentQuestion,
): Promise<IncidentTurn> {
  return transaction(services.pool, async (tx) => {
    const finding = await readFindingRow(tx, question);
    if (finding === undefined) return over('the finding is not known');
    const opening = await openingOf(tx, question, finding);
    if (opening === null) return over('it is over already');
    const before = answered(State.parse(opening.state), question.done);
    const gone = finding.status === 'resolved';
    if (gone && !before.everSent) return close(tx, question, before, 'over before anybody was told');
    const told = next(before.told, finding, gone);
    const state = { ...before, told };
    if (gone && told.sent) return close(tx, question, state, 'over');
    await keepIncident(tx, question, { state, issue: null, closedMs: null });
    await setFindingStatus(tx, question, {
      status: 'watched',
      waitingFor: told.sent ? 'told; watched until it is gone' : 'to be told',
    });
    const due =
      told.sent || told.notBeforeMs > question.nowMs ? [] : [dueOf(question, finding, opening.number, told)];
    return {
      due,
      waitingFor: told.sent ? 'until it is gone' : 'until it is told',
      wakeAtMs: told.sent ? question.nowMs + lookMs : Math.max(told.notBeforeMs, question.nowMs + againMs),
      watchComments: false,
      status: 'watched',
    };
  });
}

async function openingOf(
  tx: Queryable,
  question: IncidentQuestion,
  finding: FindingRow,
): Promise<{ readonly number: number; readonly state: unknown } | null> {
  const row = await lockIncident(tx, question);
  if (row?.open) return { number: row.opening, state: row.state };
  if (finding.status === 'resolved') return null;
  const opening = (row?.opening ?? 0) + 1;
  const begin = {
    workspace: question.workspace,
    opening,
    detectedMs: question.nowMs,
    issue: null,
    state: {},
  };
  await openIncident(tx, question, begin);
  return { number: opening, state: {} };
}

function answered(state: z.output<typeof State>, done: readonly DoneEffect[]): z.output<typeof State> {
  const { told } = state;
  const answer = done.find(({ name }) => name === `notice-${told?.number}`);
  if (told === null || answer === undefined) return state;
  const landed = answer.answer.status === 'receipt' || answer.answer.status === 'refused';
  if (landed) return { told: { ...told, sent: true }, everSent: true };
  return { ...state, told: { ...told, notBeforeMs: answer.atMs + againMs } };
}

/** What is to be told now: what was planned before keeps its words until it is told. */
function next(told: Told | null, finding: FindingRow, gone: boolean): Told {
  const { detail } = finding;
  const text = detail.kind === 'notice' ? detail.text : finding.title;
  const words = gone
    ? { title: `Over: ${finding.title}`, body: text, severity: 'info' as const, way: 'resolved' as const }
    : {
        title: finding.title,
        body: text,
        severity: detail.kind === 'notice' ? detail.level : ('info' as const),
        way: told === null ? ('open' as const) : ('update' as const),
      };
  const same = told !== null && told.body === words.body && (told.way === 'resolved') === gone;
  if (told !== null && (same || !told.sent)) return told;
  return { ...words, number: (told?.number ?? 0) + 1, sent: false, notBeforeMs: 0 };
}

function dueOf(
  { tenant, fingerprint, occurrence }: IncidentQuestion,
  { kind }: FindingRow,
  opening: number,
  { number, severity, title, body, way }: Told,
): DueEffect {
  return {
    name: `notice-${number}`,
    kind: 'sendAlert',
    target: fingerprint.slice(0, 12),
    precondition: fingerprint,
    requester: `${remedyWorkflowId({ tenant, kind, fingerprint, occurrence })}#${opening}`,
    step: `notice-${number}`,
    input: {
      severity,
      title: title.slice(0, 250),
      body: body.slice(0, 3_900),
      about: `${fingerprint.slice(0, 24)}/${occurrence}/${opening}`,
      state: way,
    },
  };
}

async function close(
  tx: Queryable,
  question: IncidentQuestion,
  state: z.output<typeof State>,
  summary: string,
): Promise<IncidentTurn> {
  await keepIncident(tx, question, { state, issue: null, closedMs: question.nowMs });
  return over(summary);
}

function over(summary: string): IncidentTurn {
  const end = { outcome: 'green' as const, summary };
  return { due: [], waitingFor: '', wakeAtMs: 0, watchComments: false, status: 'watched', end };
}
