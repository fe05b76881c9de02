// Whom an incident is told to, and when (INC-4): SEV1 to a person within 10 min of detection, SEV2 after 15 min, SEV3 an issue only; reminders
// until somebody acknowledges. Pure: what was sent and acknowledged is in the state, so that a lost timer costs nothing but its delay. It asks
// nobody for permission (INC-6) and runs beside the ladder.
import type { EscalationState, EscalationStep } from '../../../contract/ops/incident.ts';
import type { IncidentLevel, IncidentSettings } from '../../../contract/ops/settings.ts';
import { isWorse } from './severity.ts';

/** Fixed: a person hears of a SEV1 within 10 min of its detection, one of them kept for tries of the channels; a setting may only be shorter. */
const sev1AtMostMs = 9 * 60_000;

type Timers = IncidentSettings['escalation'];

/** The next word to a person, or until when none is due. Asked again after each change of severity, acknowledgement, and timer. */
export function nextEscalation(state: EscalationState, settings: Timers, nowMs: number): EscalationStep {
  const { level, sent, acknowledged } = state;
  if (level === null) return { do: 'nothing', reason: 'it is over' };
  const timers = timersOf(level, settings);
  if (timers === null) return { do: 'nothing', reason: `${level.toUpperCase()} is an issue only` };
  // Who has it knows how bad it was then: what is worse is told again.
  if (acknowledged !== null && !isWorse(level, acknowledged.level))
    return { do: 'nothing', reason: `acknowledged by ${acknowledged.by}` };
  const due = dueOf(state, level, timers);
  if (due.atMs > nowMs) return { do: 'wait', untilMs: due.atMs, reason: due.reason };
  return { do: 'tell', why: due.why, level, number: sent.length + 1, dueMs: due.atMs };
}

type Due = {
  readonly atMs: number;
  readonly why: Extract<EscalationStep, { do: 'tell' }>['why'];
  readonly reason: string;
};

function dueOf(state: EscalationState, level: IncidentLevel, timers: LevelTimers): Due {
  const name = level.toUpperCase();
  const last = state.sent.at(-1);
  const told = state.sent.find((one) => !isWorse(level, one.level));
  if (last === undefined) {
    const reason = `${name} is told to a person when it is not over by then`;
    return { atMs: state.detectedMs + timers.firstAfterMs, why: 'first', reason };
  }
  if (told === undefined) {
    // Somebody heard of something milder: the worse has its own time since detection, which is over as a rule.
    return {
      atMs: state.detectedMs + timers.firstAfterMs,
      why: 'raised',
      reason: `${name} is worse than what was told`,
    };
  }
  return {
    atMs: last.atMs + timers.remindEveryMs,
    why: 'reminder',
    reason: `${name} was told ${state.sent.length} times; nobody has acknowledged`,
  };
}

type LevelTimers = { readonly firstAfterMs: number; readonly remindEveryMs: number };

function timersOf(level: IncidentLevel, settings: Timers): LevelTimers | null {
  switch (level) {
    case 'sev1':
      return {
        firstAfterMs: Math.min(settings.sev1Ms, sev1AtMostMs),
        remindEveryMs: settings.remindSev1Ms,
      };
    case 'sev2':
      return { firstAfterMs: settings.sev2Ms, remindEveryMs: settings.remindSev2Ms };
    case 'sev3':
      return null;
  }
}
