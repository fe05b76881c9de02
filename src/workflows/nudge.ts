// Wakes another workflow so that it looks again. Nothing hangs on it: what waits also wakes by a timer.
import { getExternalWorkflowHandle, log } from '@temporalio/workflow';
import { signals } from '../contract/names.ts';

/** A message to a workflow that has ended is no error: its end is known by its report. @returns whether it runs */
export async function nudge(workflowId: string): Promise<boolean> {
  try {
    await getExternalWorkflowHandle(workflowId).signal(signals.nudge);
    return true;
  } catch (error) {
    log.info('nothing to nudge', { workflowId, reason: String(error) });
    return false;
  }
}
