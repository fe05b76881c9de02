// What is asked of Railway, one document per question. A test checks each against our SDL and against Railway's own schema.

const deploymentFields = /* GraphQL */ `
fragment DeploymentFields on Deployment {
  id
  serviceId
  status
  deploymentStopped
  createdAt
  updatedAt
  statusUpdatedAt
  canRollback
  meta
  instances {
    status
  }
}
`;

const projectToken = /* GraphQL */ `
query ProjectToken {
  projectToken {
    projectId
    environmentId
  }
}`;

/** All services of an environment with their newest and their active deployments: one request for up to 500 services. */
const overview = /* GraphQL */ `
query Overview($projectId: String!, $environmentId: String!, $first: Int!, $after: String) {
  project(id: $projectId) {
    name
  }
  environment(id: $environmentId, projectId: $projectId) {
    name
    serviceInstances(first: $first, after: $after) {
      edges {
        node {
          serviceId
          serviceName
          deletedAt
          cronSchedule
          healthcheckPath
          restartPolicyType
          numReplicas
          domains {
            serviceDomains {
              domain
            }
            customDomains {
              domain
            }
          }
          latestDeployment {
            ...DeploymentFields
          }
          activeDeployments {
            ...DeploymentFields
          }
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
${deploymentFields}`;

const deployments = /* GraphQL */ `
query Deployments($input: DeploymentListInput!, $first: Int!) {
  deployments(input: $input, first: $first) {
    edges {
      node {
        ...DeploymentFields
      }
    }
  }
}
${deploymentFields}`;

const latestDeployment = /* GraphQL */ `
query LatestDeployment($environmentId: String!, $serviceId: String!) {
  serviceInstance(environmentId: $environmentId, serviceId: $serviceId) {
    latestDeployment {
      id
    }
  }
}`;

const buildLogs = /* GraphQL */ `
query BuildLogs($deploymentId: String!, $limit: Int!, $startDate: DateTime) {
  buildLogs(deploymentId: $deploymentId, limit: $limit, startDate: $startDate) {
    timestamp
    severity
    message
  }
}`;

const deploymentLogs = /* GraphQL */ `
query DeploymentLogs($deploymentId: String!, $limit: Int!, $startDate: DateTime) {
  deploymentLogs(deploymentId: $deploymentId, limit: $limit, startDate: $startDate) {
    timestamp
    severity
    message
  }
}`;

const variableNames = /* GraphQL */ `
query VariableNames($projectId: String!, $environmentId: String!, $first: Int!, $after: String) {
  environment(id: $environmentId, projectId: $projectId) {
    variables(first: $first, after: $after) {
      edges {
        node {
          name
          serviceId
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}`;

const template = /* GraphQL */ `
query Template($code: String!) {
  template(code: $code) {
    id
    serializedConfig
  }
}`;

const workflowStatus = /* GraphQL */ `
query WorkflowStatus($workflowId: String!) {
  workflowStatus(workflowId: $workflowId) {
    status
    error
  }
}`;

const restart = /* GraphQL */ `
mutation Restart($id: String!) {
  deploymentRestart(id: $id)
}`;

const redeploy = /* GraphQL */ `
mutation Redeploy($id: String!) {
  deploymentRedeploy(id: $id) {
    id
  }
}`;

const rollBack = /* GraphQL */ `
mutation RollBack($id: String!) {
  deploymentRollback(id: $id)
}`;

const remove = /* GraphQL */ `
mutation Remove($id: String!) {
  deploymentRemove(id: $id)
}`;

const setVariable = /* GraphQL */ `
mutation SetVariable($input: VariableUpsertInput!) {
  variableUpsert(input: $input)
}`;

const createService = /* GraphQL */ `
mutation CreateService($input: ServiceCreateInput!) {
  serviceCreate(input: $input) {
    id
  }
}`;

const updateService = /* GraphQL */ `
mutation UpdateService($environmentId: String!, $serviceId: String!, $input: ServiceInstanceUpdateInput!) {
  serviceInstanceUpdate(environmentId: $environmentId, serviceId: $serviceId, input: $input)
}`;

const deployService = /* GraphQL */ `
mutation DeployService($environmentId: String!, $serviceId: String!, $commitSha: String) {
  serviceInstanceDeployV2(environmentId: $environmentId, serviceId: $serviceId, commitSha: $commitSha)
}`;

const deployTemplate = /* GraphQL */ `
mutation DeployTemplate($input: TemplateDeployV2Input!) {
  templateDeployV2(input: $input) {
    workflowId
  }
}`;

export const documents = {
  projectToken,
  overview,
  deployments,
  latestDeployment,
  buildLogs,
  deploymentLogs,
  variableNames,
  template,
  workflowStatus,
  restart,
  redeploy,
  rollBack,
  remove,
  setVariable,
  createService,
  updateService,
  deployService,
  deployTemplate,
} as const;
