// A production incident (INC-2 to INC-4), or a service that is down (DEPLOY-3): look at it, do what is due, sleep until something may be due again,
// until it is healthy for long enough. What is due is decided in an activity, from what is in Postgres; effects run beside each other and beside
// the timers, each within minutes, so that nothing that hangs or is held keeps an alert or a word to a person (INC-6).
import type { RemedyInput, RemedyResult } from '../../contract/loop.ts';
import type { IncidentTurn } from '../../contract/ops/activities.ts';
import { incidentActivities } from '../activities.ts';
import type { Remedy } from '../effects.ts';
import { asRemedy } from './remedy.ts';
import { type TakeTurn, untilTurnsEnd } from './turns.ts';

export async function incidentRemedy(input: RemedyInput): Promise<RemedyResult> {
  return asRemedy(input, (remedy) => untilTurnsEnd(remedy, assess(remedy)));
}

function assess({ input }: Remedy): TakeTurn {
  return (question): Promise<IncidentTurn> =>
    incidentActivities(input.queues, input.finding.title.slice(0, 180)).assessIncident(question);
}
