// What a person orders of production, and looks at there (OPS-1). An order is an update of the tenant's loop and a workflow of its own; to look is a
// short workflow, so that a loop's history holds no logs.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowFailedError } from '@temporalio/client';
import { queries, updates, workflowTypes } from '../../contract/names.ts';
import type {
  Inspected,
  InspectInput,
  InspectionInput,
  OperateInput,
  OperateResult,
  OperationResult,
  OperationView,
} from '../../contract/ops/operation.ts';
import type { TenantRow } from '../../store/tenants.ts';
import { asTemporalError, type Context, rootMessage } from '../context.ts';
import { OrderRefused, UsageError } from '../errors.ts';
import { workflowLink } from '../look/findings.ts';
import { nearest, requireTenant } from '../names.ts';
import { order, type Waiting } from '../steer/orders.ts';

const pollMs = 500;
const inspectWithinMs = 3 * 60_000;

export type Where = { readonly tenant?: string | undefined; readonly workspace?: string | undefined };

export type Operated = {
  readonly tenant: string;
  readonly workspace: string;
  readonly workflowId: string;
  readonly link: string | null;
  /** `waiting`: it goes on by itself, see `waitingFor`. */
  readonly outcome: OperationResult['outcome'] | 'waiting';
  readonly summary: string;
  readonly waitingFor: string | null;
  /** What has to be approved, by its hash. */
  readonly approval: string | null;
  readonly receipt: string | null;
};

/** Waits for the end, or until it waits for a person. @throws OrderRefused with the loop's own words */
export async function operate(
  context: Context,
  where: Where,
  wanted: Omit<OperateInput, 'by' | 'requestId' | 'workspace'> & { readonly requestId?: string },
  by: string,
  waiting: Waiting & { readonly stopWhenWaiting?: boolean } = {},
): Promise<Operated> {
  const row = await requireTenant(context.pool, where.tenant);
  const { tenant } = row;
  const workspace = workspaceIn(row, where.workspace);
  const { requestId = randomUUID(), ...rest } = wanted;
  const { workflowId } = await order<OperateResult>(context, tenant, updates.operate, {
    ...rest,
    by,
    requestId,
    workspace,
  });
  const base = { tenant, workspace, workflowId, link: workflowLink(context, workflowId) };
  waiting.onProgress?.(`${workflowId} works on it`);
  const handle = (await context.temporal()).workflow.getHandle(workflowId);
  const over = new AbortController();
  const ended = handle
    .result()
    .then((result) => result as OperationResult)
    .catch((error: unknown) => {
      if (error instanceof WorkflowFailedError)
        throw new OrderRefused(`the order ${workflowId} failed: ${rootMessage(error)}`);
      throw asTemporalError(context.endpoints, error);
    })
    .finally(() => over.abort());
  const view = (): Promise<OperationView> => handle.query<OperationView>(queries.state);
  const first = await Promise.race([ended, untilItWaits(view, over.signal, waiting)]);
  if ('outcome' in first) return { ...base, ...first, waitingFor: null, approval: null };
  ended.catch(() => {});
  const { describe, waitingFor, approval } = first;
  return { ...base, outcome: 'waiting', summary: `${describe} waits`, waitingFor, approval, receipt: null };
}

async function untilItWaits(
  view: () => Promise<OperationView>,
  over: AbortSignal,
  waiting: Waiting & { readonly stopWhenWaiting?: boolean },
): Promise<OperationView> {
  let said = '';
  while (!over.aborted) {
    waiting.signal?.throwIfAborted();
    const seen = await view().catch(() => null);
    const now =
      seen === null ? '' : `${seen.describe}${seen.waitingFor === '' ? '' : `: waits, ${seen.waitingFor}`}`;
    if (now !== said && now !== '') waiting.onProgress?.(now);
    said = now;
    if (seen !== null && seen.waitingFor !== '' && waiting.stopWhenWaiting !== false) return seen;
    await delay(pollMs, undefined, { signal: over }).catch(() => {});
  }
  return new Promise<never>(() => {});
}

/** @throws OrderRefused with what the worker said */
export async function inspect(
  context: Context,
  where: Where,
  wanted: Omit<InspectInput, 'by' | 'workspace'>,
  by: string,
): Promise<Inspected> {
  const row = await requireTenant(context.pool, where.tenant);
  const input: InspectionInput = {
    ...wanted,
    by,
    tenant: row.tenant,
    queues: context.queues,
    workspace: workspaceIn(row, where.workspace),
  };
  const client = await context.temporal();
  try {
    return (await client.workflow.execute(workflowTypes.inspection, {
      workflowId: `inspection/${row.tenant}/${randomUUID()}`,
      taskQueue: context.queues.workflows,
      args: [input],
      workflowExecutionTimeout: inspectWithinMs,
      staticSummary: `${wanted.what} ${wanted.service ?? ''} for ${by}`.slice(0, 180),
    })) as Inspected;
  } catch (error) {
    if (error instanceof WorkflowFailedError) {
      const message = rootMessage(error);
      throw new OrderRefused(
        /timeout|timed out/i.test(message)
          ? 'no worker answered in time. Fix: see that one runs ("untilgreen worker")'
          : message,
      );
    }
    throw asTemporalError(context.endpoints, error);
  }
}

/** The one that has services, when none is named. */
export function workspaceIn(row: TenantRow, name: string | undefined): string {
  const all = row.config.workspaces;
  if (name !== undefined) {
    if (all.some((one) => one.name === name)) return name;
    const near = nearest(
      name,
      all.map((one) => one.name),
    );
    throw new UsageError(
      `workspace: "${name.slice(0, 80)}" is none of ${row.tenant}. Fix: ${near === undefined ? `name one of ${all.map((one) => one.name).join(', ')}` : `did you mean "${near}"?`}`,
    );
  }
  const deployed = all.filter((one) => one.services !== undefined || one.health !== undefined);
  const [only] = deployed;
  if (deployed.length === 1 && only) return only.name;
  if (deployed.length === 0)
    throw new UsageError(
      `workspace: none of ${row.tenant} has services. Fix: add "services" to one in the tenant file and apply it`,
    );
  throw new UsageError(
    `which workspace? Fix: --workspace with one of ${deployed.map((one) => one.name).join(', ')}`,
  );
}
