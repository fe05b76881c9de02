// Takes in what came of the effects of an incident: what has an answer is planned no more, what failed is asked for again.
import type { DoneEffect } from '../../../contract/ops/activities.ts';
import { markCommented } from '../../../store/ops/incidents.ts';
import { type Draft, note } from './draft.ts';

const againMs = 60_000;
const heldMs = 10 * 60_000;

export async function takeAnswers(draft: Draft, done: readonly DoneEffect[]): Promise<void> {
  for (const one of done) {
    const planned = draft.state.planned.find(({ name, step }) => name === one.name && step === one.step);
    if (planned === undefined) continue;
    const { answer } = one;
    const later = (notBeforeMs: number): void => {
      const planned = draft.state.planned.map((p) => (p.name === one.name ? { ...p, notBeforeMs } : p));
      draft.state = { ...draft.state, planned };
    };
    if (answer.status === 'failed') {
      later(one.atMs + againMs);
      continue;
    }
    if (answer.status === 'hold') {
      later(Math.max(answer.untilMs ?? one.atMs + heldMs, one.atMs + againMs));
      continue;
    }
    draft.state = { ...draft.state, planned: draft.state.planned.filter((p) => p !== planned) };
    if (answer.status === 'refused') {
      await note(draft, {
        key: `refused-${one.step}`,
        kind: 'note',
        text: `${planned.kind} is not allowed here: ${answer.reason}`,
      });
    }
    await take(draft, one);
  }
}

async function take(draft: Draft, { name, answer, atMs }: DoneEffect): Promise<void> {
  const [what = '', rest = ''] = [name.split('/')[0], name.slice(name.indexOf('/') + 1)];
  const landed = answer.status === 'receipt' && answer.outcome !== 'refused' && answer.outcome !== 'stale';
  if (what === 'comment') {
    // What cannot be written is not tried for ever: the issue may have been deleted.
    await markCommented(draft.tx, draft.ref, draft.opening, [rest]);
    draft.events = draft.events.map((event) => (event.key === rest ? { ...event, commented: true } : event));
  }
  if (what === 'issue' && answer.status === 'receipt' && typeof answer.result.number === 'number')
    draft.issue = answer.result.number;
  if (landed && (what === 'told' || (what === 'comment' && rest.startsWith('told-'))))
    countTold(draft, Number(/(\d+)$/.exec(name)?.[1] ?? 0), atMs);
  if (landed && (name === 'codeAgent' || name === 'cleanUp')) {
    const said = answer.status === 'receipt' ? answer.result : {};
    await note(draft, {
      key: name,
      kind: 'action',
      text:
        name === 'codeAgent'
          ? 'Started the code agent'
          : `Cleared stale sessions (${Number(said.removed ?? 0)} removed)`,
      comment: '',
    });
  }
}

/** Channels and the mention on the issue are two ways to the same person: the first that lands counts. */
function countTold(draft: Draft, number: number, atMs: number): void {
  const { escalation, severity, worst } = draft.state;
  if (number !== escalation.sent.length + 1) return;
  const sent = [...escalation.sent, { atMs, level: severity.level ?? worst }];
  draft.state = { ...draft.state, escalation: { ...escalation, sent } };
}
