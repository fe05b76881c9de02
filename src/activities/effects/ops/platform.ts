// Effects that people order on a platform (OPS-1, DEPLOY-1): variables, services, databases. The value of a variable is a reference that the worker
// resolves while it writes: no input, history or record ever holds it.
import * as z from 'zod';
import { reference } from '../../../config/schema-fields.ts';
import type { SecretReference, WorkspaceConfig } from '../../../contract/tenant-config.ts';
import type { Provider } from '../../../integrations/provider/provider.ts';
import { messageOf } from '../../message-of.ts';
import {
  defineEffect,
  type EffectContext,
  type EffectDefinition,
  NotWritten,
  type WriteContext,
} from '../definition.ts';
import { notWatched, offered, serviceNow, writing } from './services.ts';

export type PlatformEffectParts = {
  readonly provider: (workspace: WorkspaceConfig, tenant: string) => Promise<Provider>;
  readonly resolve: (reference: SecretReference, field: string) => Promise<string>;
};

const SetVariable = z
  .object({
    /** Null: shared by the environment. */
    service: z.string().min(1).nullable(),
    serviceId: z.string().min(1).nullable(),
    name: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/),
    from: reference('env:API_KEY'),
  })
  .refine(
    ({ service, serviceId }) => (service === null) === (serviceId === null),
    'name both of service and serviceId, or neither',
  );
type SetVariable = z.output<typeof SetVariable>;
const CreateService = z.object({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}$/),
  image: z.string().min(1).max(500).optional(),
  repository: z.string().max(140).optional(),
});
type CreateService = z.output<typeof CreateService>;
const AddDatabase = z.object({ database: z.enum(['postgres', 'redis']) });
type AddDatabase = z.output<typeof AddDatabase>;

export function createPlatformEffects({
  provider,
  resolve,
}: PlatformEffectParts): readonly EffectDefinition[] {
  const of = (context: EffectContext): Promise<Provider> =>
    provider(context.workspace, context.request.tenant);
  const base = { autonomy: () => 'act' as const, forbidden: noServices, risk: () => 'mutating' as const };
  return [
    defineEffect<SetVariable>({
      ...base,
      kind: 'setVariable',
      schema: SetVariable,
      // Setting the same value again changes nothing, but deploys again: once.
      delivery: 'atMostOnce',
      forbidden: ({ service }, workspace) =>
        service === null ? noServices(null, workspace) : notWatched({ service }, workspace),
      precondition: async (context, { service, serviceId }) => {
        if (service !== null && serviceId !== null) await serviceNow(of, context, { service, serviceId });
        return null;
      },
      describe: ({ service, name, from }) => `set ${name} of ${service ?? 'the environment'} from ${from}`,
      apply: async (context, { serviceId, name, from }) => {
        const set = offered((await of(context)).setVariable, 'set variables');
        const value = await resolve(from, 'from').catch((cause: unknown) => {
          throw new NotWritten(messageOf(cause), {
            permanent: true,
            cause,
          });
        });
        await writing(() => set({ serviceId, name, value }, call(context)));
        return { name };
      },
    }),
    defineEffect<CreateService>({
      ...base,
      kind: 'createService',
      schema: CreateService,
      delivery: 'exactlyOnce',
      describe: ({ name, image, repository }) =>
        `create service ${name} from ${image ?? repository ?? 'nothing'}`,
      needsApproval: () => 'a new service costs money',
      probe: async (context, input) => {
        const { services } = await (await of(context)).overview(reading(context));
        const found = services.find(({ name }) => name === input.name);
        return found ? { serviceId: found.id } : null;
      },
      apply: async (context, { name, image, repository }) => {
        const create = offered((await of(context)).createService, 'create a service');
        const given = {
          name,
          ...(image === undefined ? {} : { image }),
          ...(repository === undefined ? {} : { repository }),
        };
        return { ...(await writing(() => create(given, call(context)))) };
      },
    }),
    defineEffect<AddDatabase>({
      ...base,
      kind: 'addDatabase',
      schema: AddDatabase,
      delivery: 'atMostOnce',
      describe: ({ database }) => `add ${database}`,
      needsApproval: () => 'a new database costs money',
      apply: async (context, { database }) => {
        const add = offered((await of(context)).addDatabase, 'add a database');
        return { ...(await writing(() => add(database, call(context)))) };
      },
    }),
  ];
}

function reading(context: EffectContext) {
  return { signal: context.signal };
}

function call(context: WriteContext) {
  return { ...reading(context), assertMayWrite: context.assertMayWrite };
}

function noServices(_input: unknown, workspace: WorkspaceConfig): string | null {
  return workspace.services ? null : 'the workspace has no services in its settings';
}
