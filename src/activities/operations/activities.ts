// The activities of operations and inspections (OPS-1): who asked for what is in the audit trail, also when nothing is changed by it.
import type { OperationActivities } from '../../contract/ops/operation.ts';
import { redactText } from '../../logs/redact/redact-text.ts';
import { appendAudit } from '../../store/audit.ts';
import { type Services, workspaceOf } from '../services.ts';
import { asActivity } from '../temporal.ts';
import { inspect } from './inspect.ts';
import { type Platform, planOperation } from './plan.ts';

export function createOperationActivities(services: Services): OperationActivities {
  const { pool, redactor } = services;
  const platformOf = async (
    { tenant, workspace: name }: { readonly tenant: string; readonly workspace: string },
    signal: AbortSignal,
  ): Promise<Platform> => {
    const { workspace } = await workspaceOf(services, tenant, name);
    return { workspace, provider: () => services.provider(workspace, tenant), signal };
  };
  return {
    planOperation: (input) =>
      asActivity(redactor, async (signal) => planOperation(input, await platformOf(input, signal))),
    serviceStatus: (input) =>
      asActivity(redactor, async (signal) => {
        const provider = await (await platformOf(input, signal)).provider();
        const { services: all } = await provider.overview({ signal });
        const latest = all.find(({ id }) => id === input.serviceId)?.latest;
        return { status: latest?.status ?? 'unknown', rawStatus: latest?.rawStatus ?? 'gone' };
      }),
    templateState: (input) =>
      asActivity(redactor, async (signal) => {
        const provider = await (await platformOf(input, signal)).provider();
        if (!provider.templateState) return { state: 'complete' as const, error: null };
        return provider.templateState(input.workflowId, { signal });
      }),
    inspect: (input) =>
      asActivity(redactor, async (signal) => {
        const seen = await inspect(input, await platformOf(input, signal), (text) =>
          redactText(text, redactor),
        );
        await appendAudit(pool, {
          tenant: input.tenant,
          atMs: Date.now(),
          actor: input.by,
          action: `looked.${input.what}`,
          workspace: input.workspace,
          subject: input.service ?? input.workspace,
          reason: 'asked by a person',
        });
        return seen;
      }),
  };
}
