// What an incident has to say and to do now, planned from how it stands: alerts, the issue and its comments, words to people, what helps once.
// Everything is planned with its content, once, and asked of the door until there is an answer.

import type { IncidentLevel } from '../../../contract/ops/settings.ts';
import { nextEscalation } from '../../../policy/ops/incident/escalation.ts';
import { closingSummary, incidentTitle, timelineLine } from '../../../policy/ops/incident/incident-issue.ts';
import { spanWords } from '../../../policy/ops/span-words.ts';
import { aboutOf, type Draft, note, once, plan } from './draft.ts';
import type { Known } from './parts.ts';
import type { LadderTurn } from './services/ladder.ts';
import { failedOf } from './state.ts';
import {
  ackHint,
  alertText,
  askComment,
  askText,
  recoveredText,
  type Said,
  type Subject,
  toldLine,
  toldText,
} from './texts.ts';

const alertSeverity = { sev1: 'critical', sev2: 'warning', sev3: 'info' } as const;

export function subjectOf(draft: Draft): Subject {
  const { state, ref } = draft;
  const { level, failing } = state.severity;
  return {
    workspace: ref.workspace,
    repository: draft.repository,
    issue: draft.issue,
    level: level ?? state.worst,
    failing: failing.map((name) => ({ name, reason: state.checks[name]?.reason ?? '' })),
    detectedMs: draft.detectedMs,
    id: ref.fingerprint.slice(0, 12),
  };
}

/** To the channels, all of one incident under one id: repeats are updates, and the last one resolves it. */
export function planAlert(
  draft: Draft,
  name: string,
  level: IncidentLevel,
  state: 'open' | 'update' | 'resolved',
  { title, body }: Said,
): void {
  const about = draft.state.alerts.about ?? aboutOf({ ...draft.ref, opening: draft.opening });
  plan(draft, {
    name,
    kind: 'sendAlert',
    target: draft.ref.fingerprint.slice(0, 12),
    input: { severity: alertSeverity[level], title, body, about, state },
  });
}

/** At detection, and when it is another severity: a SEV3 of a check is an issue only (INC-1); a failed deployment is always told (DEPLOY-3). */
export function planChannels(draft: Draft): void {
  const { alerts, severity } = draft.state;
  const { level } = severity;
  if (level === null || level === alerts.level) return;
  if (alerts.sent === 0 && level === 'sev3' && draft.finding.kind === 'incident') return;
  const sent = alerts.sent + 1;
  planAlert(draft, `alert-${sent}`, level, sent === 1 ? 'open' : 'update', alertText(subjectOf(draft)));
  draft.state = { ...draft.state, alerts: { ...alerts, sent, level } };
}

/** INC-3: opened at detection; its title follows the severity and the checks. */
export function planIssue(draft: Draft, body: string, enabled: boolean): void {
  const { state, issue, repository } = draft;
  const { level } = state.severity;
  if (!enabled || level === null) return;
  const title = incidentTitle({ level, failed: failedOf(state) });
  const place = { target: `${repository}${issue === null ? '' : `#${issue}`}` };
  const writes = state.title.writes + 1;
  if (issue === null) {
    if (state.planned.some(({ name }) => name === 'issue')) return;
    const labels = ['untilgreen', 'incident', level];
    const step = `issue-${writes}`;
    plan(draft, {
      ...place,
      name: 'issue',
      step,
      kind: 'openIssue',
      input: { title, body, labels, incident: true },
    });
  } else {
    if (title === state.title.text || state.planned.some(({ name }) => name === 'title')) return;
    const again = state.title.writes === 0 ? { body, reopen: true } : {};
    const input = { number: issue, title, ...again, incident: true };
    plan(draft, { ...place, name: 'title', step: `title-${writes}`, kind: 'updateIssue', input });
  }
  draft.state = { ...draft.state, title: { text: title, writes } };
}

/** The timeline, one comment each and one after the other; what calls a person goes first. */
export function planComments(draft: Draft, mention: readonly string[]): void {
  const { issue, repository, state } = draft;
  if (issue === null || state.planned.some(({ name }) => name.startsWith('comment/'))) return;
  const left = draft.events.filter(({ comment, commented }) => comment !== null && !commented);
  const next = left.find(({ kind }) => kind === 'told') ?? left[0];
  if (next === undefined) return;
  plan(draft, {
    name: `comment/${next.key}`,
    step: `comment-${next.key}`,
    kind: 'commentOnIssue',
    target: `${repository}#${issue}`,
    input: {
      number: issue,
      body: next.comment || timelineLine(next),
      incident: true,
      ...(next.kind === 'told' ? { mention } : {}),
    },
  });
}

/** INC-4: to a person, by channels and by mention, beside whatever else goes on. @returns when the next word is due */
export async function planEscalation(draft: Draft, known: Known): Promise<number | null> {
  const { incidents } = known.workspace;
  const step = nextEscalation(draft.state.escalation, incidents.escalation, draft.nowMs);
  if (step.do === 'nothing') return null;
  if (step.do === 'wait') return step.untilMs;
  const { number, why, level } = step;
  await note(draft, {
    key: `told-${number}`,
    kind: 'told',
    text: toldLine(level, why, number),
    comment: ackHint(toldLine(level, why, number)),
  });
  planAlert(draft, `told-${number}`, level, 'update', toldText(subjectOf(draft), why));
  return null;
}

/** What was done, what is held, and what only a person can do: each once on the timeline, and to the channels when somebody has to act. */
export async function noteLadder(draft: Draft, ladder: LadderTurn, approvals: Approvals): Promise<void> {
  const { service, receipts, answered, step } = ladder;
  for (const receipt of receipts) {
    const text = `${words[receipt.rung]} of ${service}: ${receipt.outcome}${receipt.outcome === 'applied' ? '' : ` (${receipt.reason})`}`;
    const comment = `${timelineLine({ kind: 'action', text, atMs: receipt.atMs })}\n\nReceipt \`${receipt.key.slice(0, 16)}\`.`;
    await note(draft, {
      key: `effect-${receipt.key.slice(0, 16)}`,
      kind: 'action',
      text,
      atMs: receipt.atMs,
      comment,
    });
  }
  for (const one of answered) {
    const what = `${words[one.kind]} of ${service}`;
    const id = `${one.outcome}-${service}-${one.step}-${one.deploymentId}`;
    if (one.outcome === 'refused')
      await note(draft, { key: id, kind: 'note', text: `${what} is refused: ${one.reason}`, comment: '' });
    else if (one.approval === null)
      await note(draft, { key: id, kind: 'held', text: `${what} is held: ${one.reason}`, comment: '' });
    else {
      const { hash, expiresAtMs, askedMs } = one.approval;
      const asked = { what, reason: one.reason.replace(/^needs approval: /, ''), hash, expiresAtMs };
      await note(draft, {
        key: `ask-${hash}`,
        kind: 'held',
        text: `${what} waits for approval ${hash}`,
        comment: askComment(asked),
      });
      const level = draft.state.severity.level ?? draft.state.worst;
      const subject = subjectOf(draft);
      if (once(draft, `ask-${hash}`))
        planAlert(draft, `ask-${hash}`, level, 'update', askText(asked, subject, false));
      const remindMs = askedMs + (level === 'sev1' ? approvals.remindSev1Ms : approvals.remindAfterMs);
      if (draft.nowMs >= remindMs && once(draft, `remind-${hash}`))
        planAlert(draft, `remind-${hash}`, level, 'update', askText(asked, subject, true));
    }
  }
  if (step.do === 'person') await callPerson(draft, service, step.why, step.reason);
}

export type Approvals = { readonly remindAfterMs: number; readonly remindSev1Ms: number };

const words = { restart: 'Restart', redeploy: 'Redeployment', rollBack: 'Rollback' } as const;

/** The ladder is at its end: somebody is called now, whatever the timers say; a SEV3 stays an issue. */
async function callPerson(draft: Draft, service: string, why: string, reason: string): Promise<void> {
  const { level } = draft.state.severity;
  if (level === null || why === 'stopped' || why === 'gone') return;
  const text = `${service} needs a person: ${reason}`;
  const key = `person-${service}-${why}`;
  if (level === 'sev3' || why === 'failedDeployment') {
    await note(draft, { key, kind: 'note', text, comment: '' });
    return;
  }
  await note(draft, { key, kind: 'told', text, comment: ackHint(text) });
  if (once(draft, key)) {
    const { body } = alertText(subjectOf(draft));
    planAlert(draft, key, level, 'update', { title: text.slice(0, 250), body });
  }
}

/** INC-2: healthy for long enough: summary and close, and the alert is resolved. Whatever else was planned and is not said yet is not needed. */
export async function planClosing(draft: Draft): Promise<void> {
  const { nowMs, detectedMs } = draft;
  const downMs = nowMs - detectedMs;
  const counts = Object.entries(draft.state.checks)
    .filter(([, { failures }]) => failures > 1)
    .map(([name, { failures }]) => `${name} failed ${failures} times`);
  if (counts.length > 0) await note(draft, { key: 'counts', kind: 'note', text: counts.join(', ') });
  await note(draft, { key: 'recovered', kind: 'recovered', text: `Recovered after ${spanWords(downMs)}` });
  const { state } = draft;
  const kept = state.planned.filter(({ name }) => name === 'issue' || name.startsWith('comment/'));
  draft.state = { ...state, planned: kept, recoveredMs: nowMs };
  if (state.alerts.sent > 0)
    planAlert(
      draft,
      'resolved',
      state.worst,
      'resolved',
      recoveredText({ ...subjectOf(draft), level: state.worst }, downMs),
    );
}

/** When the timeline is told: an incident that is over before its issue was open closes it as well. */
export function planClose(draft: Draft): void {
  const { state, detectedMs, events, issue } = draft;
  if (issue === null || state.recoveredMs === null || state.planned.length > 0 || !once(draft, 'close'))
    return;
  const { recoveredMs, worst } = state;
  planCloseIssue(draft, issue, closingSummary({ detectedMs, recoveredMs, worst, timeline: events }));
}

/** @param comment the last word on it */
export function planCloseIssue(draft: Draft, issue: number, comment: string): void {
  plan(draft, {
    name: 'close',
    kind: 'closeIssue',
    target: `${draft.repository}#${issue}`,
    input: { number: issue, comment, incident: true },
  });
}
