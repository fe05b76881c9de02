// What Railway answers with, as far as it is used. A word that is not known here is kept as it is: status.ts says what it means.
import * as z from 'zod';

const time = z
  .string()
  .refine((text) => !Number.isNaN(Date.parse(text)), 'is no time')
  .transform((text) => Date.parse(text));
const word = z.string().min(1).max(100);

const DeploymentShape = z.object({
  id: z.string().min(1),
  serviceId: z.string().nullable(),
  status: word,
  deploymentStopped: z.boolean(),
  createdAt: time,
  updatedAt: time,
  statusUpdatedAt: time.nullable(),
  canRollback: z.boolean(),
  // Railway promises nothing about it.
  meta: z
    .object({ image: z.string().max(500), commitHash: z.string().max(100) })
    .partial()
    .nullable()
    .catch(null),
  instances: z.array(z.object({ status: word })),
});
export type DeploymentShape = z.output<typeof DeploymentShape>;

const ServiceShape = z.object({
  serviceId: z.string().min(1),
  serviceName: z.string().min(1),
  deletedAt: time.nullable(),
  cronSchedule: z.string().nullable(),
  healthcheckPath: z.string().nullable(),
  restartPolicyType: word,
  numReplicas: z.int().nullable(),
  domains: z.object({
    serviceDomains: z.array(z.object({ domain: z.string() })),
    customDomains: z.array(z.object({ domain: z.string() })),
  }),
  latestDeployment: DeploymentShape.nullable(),
  activeDeployments: z.array(DeploymentShape),
});
export type ServiceShape = z.output<typeof ServiceShape>;

const PageInfo = z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() });
const Log = z.object({ timestamp: time, severity: z.string().max(50).nullable(), message: z.string() });
export type LogShape = z.output<typeof Log>;

export const shapes = {
  projectToken: z.object({
    projectToken: z.object({ projectId: z.string().min(1), environmentId: z.string().min(1) }),
  }),
  overview: z.object({
    project: z.object({ name: z.string() }),
    environment: z.object({
      name: z.string(),
      serviceInstances: z.object({ edges: z.array(z.object({ node: ServiceShape })), pageInfo: PageInfo }),
    }),
  }),
  deployments: z.object({ deployments: z.object({ edges: z.array(z.object({ node: DeploymentShape })) }) }),
  latestDeployment: z.object({
    serviceInstance: z.object({ latestDeployment: z.object({ id: z.string().min(1) }).nullable() }),
  }),
  buildLogs: z.object({ buildLogs: z.array(Log) }),
  deploymentLogs: z.object({ deploymentLogs: z.array(Log) }),
  variableNames: z.object({
    environment: z.object({
      variables: z.object({
        edges: z.array(z.object({ node: z.object({ name: z.string(), serviceId: z.string().nullable() }) })),
        pageInfo: PageInfo,
      }),
    }),
  }),
  template: z.object({ template: z.object({ id: z.string().min(1), serializedConfig: z.json() }) }),
  workflowStatus: z.object({ workflowStatus: z.object({ status: word, error: z.string().nullable() }) }),
  restart: z.object({ deploymentRestart: z.boolean() }),
  redeploy: z.object({ deploymentRedeploy: z.object({ id: z.string().min(1) }) }),
  rollBack: z.object({ deploymentRollback: z.boolean() }),
  remove: z.object({ deploymentRemove: z.boolean() }),
  setVariable: z.object({ variableUpsert: z.boolean() }),
  createService: z.object({ serviceCreate: z.object({ id: z.string().min(1) }) }),
  updateService: z.object({ serviceInstanceUpdate: z.boolean() }),
  deployService: z.object({ serviceInstanceDeployV2: z.string().min(1) }),
  deployTemplate: z.object({ templateDeployV2: z.object({ workflowId: z.string().min(1).nullable() }) }),
} as const;
