// What an incident waits for, in words for people, and when it is looked at again. Pure.
import type { IncidentLevel } from '../../../contract/ops/settings.ts';
import type { LadderTurn } from './services/ladder.ts';
import type { IncidentState } from './state.ts';

/** At other times than those at which cycles are due, which nudge. */
const lookMs = 47_000;
/** While only people can do something. */
const lookSeldomMs = 281_000;
/** What is due at the time of a cycle comes after it: by then it is known what that cycle read. */
const afterCycleMs = 7_000;

/** Whether nothing goes on by itself: every service is well, or a person's. */
export function waitsForPeople(ladders: readonly LadderTurn[]): boolean {
  return ladders.every(
    ({ step, due, answered }) =>
      due === null &&
      (step.do === 'well' ||
        step.do === 'person' ||
        answered.some(({ outcome, approval }) => outcome === 'held' && approval !== null)),
  );
}

/** The severity, who has it, what each service waits for, and how often what failed. */
export function waitingWords(
  state: IncidentState,
  ladders: readonly LadderTurn[],
  now: { readonly people: boolean; readonly issue: number | null },
): string {
  const { severity, escalation, checks } = state;
  if (state.recoveredMs !== null) return 'recovered: the closing is told';
  const services = ladders
    .filter(({ step }) => step.do !== 'well')
    .map(({ service, step, answered }) => {
      const held = answered.find(({ outcome }) => outcome === 'held');
      if (held?.approval) return `${service}: ${held.kind} needs approval (/approve ${held.approval.hash})`;
      return `${service}: ${held?.reason ?? ('reason' in step ? step.reason : step.do)}`;
    });
  const counts = Object.entries(checks)
    .filter(([, { failures }]) => failures > 1)
    .map(([name, { failures }]) => `${name} failed ${failures} times`);
  const has =
    escalation.acknowledged === null ? 'nobody has acknowledged' : `${escalation.acknowledged.by} has it`;
  return [
    `${now.people ? 'a person: ' : ''}${levelWord(severity.level)}, ${has}`,
    ...(now.issue === null ? [] : [`issue #${now.issue}`]),
    ...services,
    ...counts,
  ]
    .join('; ')
    .slice(0, 900);
}

function levelWord(level: IncidentLevel | null): string {
  return level === null ? 'nothing fails any more, to be seen whether it stays so' : level.toUpperCase();
}

/** The nearest of all times at which something may be due. */
export function nextLookMs(
  state: IncidentState,
  ladders: readonly LadderTurn[],
  times: { readonly nowMs: number; readonly escalationMs: number | null; readonly people: boolean },
): number {
  const { nowMs, escalationMs, people } = times;
  const all = [
    nowMs + (people ? lookSeldomMs : lookMs),
    ...(escalationMs === null ? [] : [escalationMs + afterCycleMs]),
    ...state.planned.map(({ notBeforeMs }) => notBeforeMs),
    ...ladders.flatMap(({ step, answered }) => [
      ...(step.do === 'wait' ? [step.untilMs + afterCycleMs] : []),
      ...answered.filter(({ outcome }) => outcome === 'held').map(({ againMs }) => againMs),
    ]),
  ];
  return Math.min(...all.filter((at) => at > nowMs));
}
