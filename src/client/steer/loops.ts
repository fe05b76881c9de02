// Starts tenant loops: one per enabled, undrained tenant, found by its workflow id, so that starting twice starts one (LOOP-9).
import type { Client, WorkflowStartOptions } from '@temporalio/client';
import {
  defineSearchAttributeKey,
  SearchAttributeType,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
  WorkflowNotFoundError,
} from '@temporalio/common';
import { everySource, type TenantInput, type WakeSignal } from '../../contract/loop.ts';
import {
  type QueueNames,
  searchAttributes,
  signals,
  tenantWorkflowId,
  workflowTypes,
} from '../../contract/names.ts';
import type { Pool } from '../../store/database.ts';
import { listTenants } from '../../store/tenants.ts';
import { isNotUnderstood } from '../context.ts';

export type LoopStarter = { readonly client: Client; readonly queues: QueueNames };

const priorityOfLoops = 3;
const tenantKey = defineSearchAttributeKey(searchAttributes.tenant, SearchAttributeType.KEYWORD);
const statusKey = defineSearchAttributeKey(searchAttributes.status, SearchAttributeType.KEYWORD);

/** Starts the loop when none runs, and wakes it to read all sources, and with that its settings, either way. */
export async function startAndWake(starter: LoopStarter, tenant: string, reason: string): Promise<void> {
  const signal: WakeSignal = { reason, sources: [everySource] };
  await withAttributes(tenant, (attributes) =>
    starter.client.workflow.signalWithStart(workflowTypes.tenant, {
      ...startOptions(starter.queues, tenant),
      ...attributes,
      signal: signals.wake,
      signalArgs: [signal],
    }),
  );
}

/** Starts the loop when none runs; a running one is left alone. */
async function ensureLoop(starter: LoopStarter, tenant: string): Promise<void> {
  await withAttributes(tenant, (attributes) =>
    starter.client.workflow.start(workflowTypes.tenant, {
      ...startOptions(starter.queues, tenant),
      ...attributes,
    }),
  );
}

/** Every tenant that is to be watched has a loop afterwards. @returns their names */
export async function ensureLoops(starter: LoopStarter, pool: Pool): Promise<readonly string[]> {
  const tenants = (await listTenants(pool)).filter((row) => row.enabled && !row.drained);
  for (const { tenant } of tenants) {
    // Looking is no billable action, starting is.
    if (!(await isLoopRunning(starter.client, tenant))) await ensureLoop(starter, tenant);
  }
  return tenants.map(({ tenant }) => tenant);
}

export async function isLoopRunning(client: Client, tenant: string): Promise<boolean> {
  try {
    const { status } = await client.workflow.getHandle(tenantWorkflowId(tenant)).describe();
    return status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

function startOptions(
  queues: QueueNames,
  tenant: string,
): Omit<WorkflowStartOptions, 'args'> & { args: [TenantInput] } {
  return {
    workflowId: tenantWorkflowId(tenant),
    taskQueue: queues.workflows,
    args: [{ tenant, queues }],
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    // One tenant with much to do does not delay the others.
    priority: { priorityKey: priorityOfLoops, fairnessKey: tenant },
    staticSummary: `loop of tenant ${tenant}`,
  };
}

/** A server without our search attributes refuses a start that sets them: there it is started without (and none are written later). */
async function withAttributes(
  tenant: string,
  start: (attributes: Pick<WorkflowStartOptions, 'typedSearchAttributes'>) => Promise<unknown>,
): Promise<void> {
  try {
    await start({
      typedSearchAttributes: [
        { key: tenantKey, value: tenant },
        { key: statusKey, value: 'starting' },
      ],
    });
  } catch (error) {
    if (!isNotUnderstood(error)) throw error;
    await start({});
  }
}
