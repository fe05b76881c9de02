// A remedy tells the loop of its tenant how it stands, by workflow id without a run: whichever run of the loop is there hears it.
import { getExternalWorkflowHandle, log, workflowInfo } from '@temporalio/workflow';
import type { RemedyInput, RemedyReport } from '../../contract/loop.ts';
import { signals, tenantWorkflowId } from '../../contract/names.ts';

export async function reportTo(
  input: RemedyInput,
  state: RemedyReport['state'],
  watchApprovals = false,
): Promise<void> {
  const { fingerprint, workspace, source } = input.finding;
  const report: RemedyReport = {
    workflowId: workflowInfo().workflowId,
    fingerprint,
    workspace,
    source,
    state,
    watchApprovals,
  };
  try {
    await getExternalWorkflowHandle(tenantWorkflowId(input.tenant)).signal(signals.remedyReport, report);
  } catch (error) {
    // The loop is drained or not there; when it starts again it adopts what is open.
    log.info('no loop to report to', { reason: String(error) });
  }
}
