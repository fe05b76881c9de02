// The part of Railway's GraphQL schema that is used here, in our own words: what documents.ts asks for is checked against it, and the stand-in
// server of the tests executes it. A test checks both against Railway's own schema. There is no `variableCollectionUpsert` in it, so that nothing
// here can replace a collection of variables.
export const railwaySdl = /* GraphQL */ `
scalar DateTime
scalar DeploymentMeta
scalar SerializedTemplateConfig

type Query {
  "What the project token of the request is for."
  projectToken: ProjectToken!
  project(id: String!): Project!
  environment(id: String!, projectId: String): Environment!
  serviceInstance(environmentId: String!, serviceId: String!): ServiceInstance!
  deployments(input: DeploymentListInput!, first: Int, after: String): QueryDeploymentsConnection!
  "Newest lines up to the limit, oldest first."
  buildLogs(deploymentId: String!, limit: Int, startDate: DateTime): [Log!]!
  deploymentLogs(deploymentId: String!, limit: Int, startDate: DateTime): [Log!]!
  template(code: String): Template!
  workflowStatus(workflowId: String!): WorkflowResult!
}

type Mutation {
  "The same container again: no build, no new deployment."
  deploymentRestart(id: String!): Boolean!
  "A new deployment of the same source."
  deploymentRedeploy(id: String!): Deployment!
  "A new deployment of what an older one ran, with its variables."
  deploymentRollback(id: String!): Boolean!
  deploymentRemove(id: String!): Boolean!
  variableUpsert(input: VariableUpsertInput!): Boolean!
  serviceCreate(input: ServiceCreateInput!): Service!
  serviceInstanceUpdate(environmentId: String, serviceId: String!, input: ServiceInstanceUpdateInput!): Boolean!
  "Gives the id of the new deployment; without a commit, the one that the service is on."
  serviceInstanceDeployV2(environmentId: String!, serviceId: String!, commitSha: String): String!
  templateDeployV2(input: TemplateDeployV2Input!): TemplateDeployPayload!
}

type PageInfo {
  hasNextPage: Boolean!
  endCursor: String
}

type ProjectToken {
  projectId: String!
  environmentId: String!
}

type Project {
  id: ID!
  name: String!
}

type Environment {
  id: ID!
  name: String!
  projectId: String!
  serviceInstances(first: Int, after: String): EnvironmentServiceInstancesConnection!
  "Names and places, never values."
  variables(first: Int, after: String): EnvironmentVariablesConnection!
}

type EnvironmentServiceInstancesConnection {
  edges: [EnvironmentServiceInstancesConnectionEdge!]!
  pageInfo: PageInfo!
}

type EnvironmentServiceInstancesConnectionEdge {
  node: ServiceInstance!
}

type EnvironmentVariablesConnection {
  edges: [EnvironmentVariablesConnectionEdge!]!
  pageInfo: PageInfo!
}

type EnvironmentVariablesConnectionEdge {
  node: Variable!
}

type Variable {
  name: String!
  "Null: shared by all services of the environment."
  serviceId: String
}

type Service {
  id: ID!
  name: String!
}

type ServiceInstance {
  serviceId: String!
  serviceName: String!
  deletedAt: DateTime
  cronSchedule: String
  healthcheckPath: String
  restartPolicyType: RestartPolicyType!
  numReplicas: Int
  domains: AllDomains!
  latestDeployment: Deployment
  activeDeployments: [Deployment!]!
}

enum RestartPolicyType {
  ALWAYS
  NEVER
  ON_FAILURE
}

type AllDomains {
  serviceDomains: [ServiceDomain!]!
  customDomains: [CustomDomain!]!
}

type ServiceDomain {
  domain: String!
}

type CustomDomain {
  domain: String!
}

type Deployment {
  id: ID!
  serviceId: String
  status: DeploymentStatus!
  "All of its instances have ended, whatever the status says."
  deploymentStopped: Boolean!
  createdAt: DateTime!
  updatedAt: DateTime!
  statusUpdatedAt: DateTime
  canRollback: Boolean!
  meta: DeploymentMeta
  instances: [DeploymentDeploymentInstance!]!
}

enum DeploymentStatus {
  BUILDING
  CRASHED
  DEPLOYING
  FAILED
  INITIALIZING
  NEEDS_APPROVAL
  QUEUED
  REMOVED
  REMOVING
  SKIPPED
  SLEEPING
  SUCCESS
  WAITING
}

type DeploymentDeploymentInstance {
  id: String!
  status: DeploymentInstanceStatus!
}

enum DeploymentInstanceStatus {
  CRASHED
  CREATED
  EXITED
  INITIALIZING
  REMOVED
  REMOVING
  RESTARTING
  RUNNING
  SKIPPED
  STOPPED
}

type QueryDeploymentsConnection {
  edges: [QueryDeploymentsConnectionEdge!]!
  pageInfo: PageInfo!
}

type QueryDeploymentsConnectionEdge {
  node: Deployment!
}

input DeploymentListInput {
  projectId: String
  environmentId: String
  serviceId: String
}

type Log {
  "RFC 3339, down to nanoseconds."
  timestamp: String!
  message: String!
  severity: String
}

input VariableUpsertInput {
  projectId: String!
  environmentId: String!
  "Absent: shared by all services of the environment."
  serviceId: String
  name: String!
  value: String!
}

input ServiceCreateInput {
  projectId: String!
  environmentId: String
  name: String
  source: ServiceSourceInput
}

input ServiceSourceInput {
  image: String
  repo: String
}

input ServiceInstanceUpdateInput {
  numReplicas: Int
  source: ServiceSourceInput
}

type Template {
  id: ID!
  code: String!
  serializedConfig: SerializedTemplateConfig
}

input TemplateDeployV2Input {
  projectId: String
  environmentId: String
  templateId: String!
  serializedConfig: SerializedTemplateConfig!
}

type TemplateDeployPayload {
  projectId: String!
  workflowId: String
}

type WorkflowResult {
  status: WorkflowStatus!
  error: String
}

enum WorkflowStatus {
  Complete
  Error
  NotFound
  Running
}
`;
