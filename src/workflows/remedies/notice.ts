// Something to know (DEPLOY-4): told once, watched until it is gone, and told to be over when somebody was told.
import type { RemedyInput, RemedyResult } from '../../contract/loop.ts';
import { incidentActivities } from '../activities.ts';
import { asRemedy } from './remedy.ts';
import { untilTurnsEnd } from './turns.ts';

export async function noticeRemedy(input: RemedyInput): Promise<RemedyResult> {
  const { assessNotice } = incidentActivities(input.queues, input.finding.title.slice(0, 180));
  return asRemedy(input, (remedy) => untilTurnsEnd(remedy, assessNotice));
}
