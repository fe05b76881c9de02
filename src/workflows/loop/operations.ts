// An order of a person (OPS-1) as a workflow of its own, which outlives this run of the loop.
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, startChild, WorkflowIdReusePolicy } from '@temporalio/workflow';
import { operationWorkflowId, workflowTypes } from '../../contract/names.ts';
import type { OperateInput, OperationInput } from '../../contract/ops/operation.ts';
import type { Loop } from './loop.ts';

/** The same request again is the same workflow. */
export async function startOperation(loop: Loop, order: OperateInput): Promise<string> {
  const { tenant, queues } = loop.state;
  const workflowId = operationWorkflowId(tenant, order.requestId);
  const input: OperationInput = { ...order, tenant, queues };
  try {
    await startChild(workflowTypes.operation, {
      workflowId,
      args: [input],
      taskQueue: queues.workflows,
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      staticSummary: `${order.operation} ${order.service ?? ''} by ${order.by}`.slice(0, 180),
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
  return workflowId;
}
