// One effect of each kind on what runs (DUR-5), over Railway's stand-in and a tenant's production; what a person has to approve is approved.

import type { EffectKind, EffectRequest } from '../../../src/contract/effect.ts';
import { askApproval, decideApproval } from '../../../src/store/approvals.ts';
import { approvalHash, effectDigest, effectKey } from '../../../src/store/claims.ts';
import type { RailwayRequest } from '../../support/railway/railway.ts';
import type { ProjectRow } from '../../support/railway/world.ts';
import type { Prepare } from './kinds.ts';
import { effectOf, makeTenant, nowMs, type World } from './world.ts';

type OpsKind = Extract<
  EffectKind,
  | 'restartService'
  | 'redeployService'
  | 'rollBackService'
  | 'removeDeployment'
  | 'updateService'
  | 'setVariable'
  | 'createService'
  | 'addDatabase'
  | 'cleanUp'
  | 'startCodeAgent'
>;

export const opsKinds: { readonly [Kind in OpsKind]: Prepare } = {
  restartService: (world, name) =>
    onDeployment(world, name, 'restartService', { restarts: ({ operation }) => operation === 'Restart' }),
  redeployService: (world, name) =>
    onDeployment(world, name, 'redeployService', { redeploys: ({ operation }) => operation === 'Redeploy' }),
  rollBackService: async (world, name) => {
    const { shop, service, older } = await shopOf(world, name);
    const request = effectOf(
      name,
      'rollBackService',
      { ...service, deploymentId: older },
      `production/${service.service}`,
    );
    await approve(world, request, 'mutating');
    return {
      request,
      landed: landed(world, shop, { rollbacks: ({ operation }) => operation === 'RollBack' }),
    };
  },
  removeDeployment: async (world, name) => {
    const { shop, service, newest } = await shopOf(world, name);
    const request = effectOf(
      name,
      'removeDeployment',
      { ...service, deploymentId: newest },
      `production/${service.service}`,
    );
    await approve(world, request, 'destructive');
    return { request, landed: landed(world, shop, { removals: ({ operation }) => operation === 'Remove' }) };
  },
  updateService: async (world, name) => {
    const { shop, service } = await shopOf(world, name);
    const request = effectOf(
      name,
      'updateService',
      { ...service, replicas: 2 },
      `production/${service.service}`,
    );
    await approve(world, request, 'mutating');
    return {
      request,
      landed: landed(world, shop, {
        updates: ({ operation }) => operation === 'UpdateService',
        deployments: ({ operation }) => operation === 'DeployService',
      }),
    };
  },
  setVariable: async (world, name) => {
    const { shop, service } = await shopOf(world, name);
    const input = { ...service, name: 'FEATURE', from: 'env:ALERT_SECRET' };
    return {
      request: effectOf(name, 'setVariable', input, `production/${service.service}`),
      landed: landed(world, shop, { variables: ({ operation }) => operation === 'SetVariable' }),
    };
  },
  createService: async (world, name) => {
    const { shop } = await shopOf(world, name);
    const request = effectOf(
      name,
      'createService',
      { name: 'worker', image: 'shop/worker:1' },
      'production/worker',
    );
    await approve(world, request, 'mutating');
    return {
      request,
      landed: landed(world, shop, { services: ({ operation }) => operation === 'CreateService' }),
    };
  },
  addDatabase: async (world, name) => {
    const { shop } = await shopOf(world, name);
    const request = effectOf(name, 'addDatabase', { database: 'redis' }, 'production');
    await approve(world, request, 'mutating');
    return {
      request,
      landed: landed(world, shop, { templates: ({ operation }) => operation === 'DeployTemplate' }),
    };
  },
  cleanUp: async (world, name) => {
    const production = await world.openProduction();
    const workspace = `    incidents: { devopsApi: { url: "${production.backendUrl}", secret: env:DEVOPS_API_SECRET } }`;
    await makeTenant(world, { name, workspace });
    return {
      request: effectOf(name, 'cleanUp', { what: 'staleSessions' }, 'production/stale-sessions'),
      landed: async () => ({
        cleanUps: production.requests('backend').filter(({ method }) => method === 'DELETE').length,
      }),
    };
  },
  startCodeAgent: async (world, name) => {
    const workspace = '    incidents: { codeAgent: { kind: dispatch, eventType: incident } }';
    await makeTenant(world, { name, workspace });
    const input = {
      kind: 'dispatch',
      eventType: 'incident',
      repository: `acme/${name}`,
      base: 'main',
      goal: 'make it green',
      evidence: 'Error: boom',
    };
    const after = await world.forge.journal.mark();
    return {
      request: effectOf(name, 'startCodeAgent', input),
      landed: async () => ({
        events: (await world.forge.journal.writes({ after, repository: `acme/${name}`, kind: 'dispatched' }))
          .length,
      }),
    };
  },
};

async function onDeployment(
  world: World,
  name: string,
  kind: 'restartService' | 'redeployService',
  counted: Counted,
): Promise<Awaited<ReturnType<Prepare>>> {
  const { shop, service, newest } = await shopOf(world, name);
  return {
    request: effectOf(name, kind, { ...service, deploymentId: newest }, `production/${service.service}`),
    landed: landed(world, shop, counted),
  };
}

/** A project of its own with one service that was deployed twice, and a tenant that watches it. */
async function shopOf(world: World, name: string) {
  const { railway, secrets } = world;
  const service = `backend-${name}`;
  const shop = railway.world.addProject({ project: name, services: [{ name: service, commitSha: 'a1' }] });
  railway.world.push(service, { commitSha: 'b2' });
  const token = `RAILWAY_${name.replaceAll('-', '_').toUpperCase()}`;
  secrets[token] = shop.projectToken;
  await makeTenant(world, {
    name,
    workspace: `    services: { provider: { kind: railway, token: env:${token}, apiUrl: "${railway.url}" } }`,
  });
  const [newest, older] = railway.world.deploymentsOf(service);
  const serviceId = railway.world.service(service).id;
  return { shop, service: { service, serviceId }, newest: newest?.id ?? '', older: older?.id ?? '' };
}

type Counted = { readonly [part: string]: (request: RailwayRequest) => boolean };

/** Writes that Railway did with the token of this project. */
function landed({ railway }: World, shop: ProjectRow, counted: Counted) {
  const services = () =>
    railway.world.rows.services.filter(({ environmentId }) => environmentId === shop.environmentId);
  const deployments = () =>
    railway.world.rows.deployments.filter(({ environmentId }) => environmentId === shop.environmentId);
  const isMine = ({ variables }: RailwayRequest): boolean => {
    const said = JSON.stringify(variables);
    return [shop.environmentId, ...services().map(({ id }) => id), ...deployments().map(({ id }) => id)].some(
      (id) => said.includes(id),
    );
  };
  return async () =>
    Object.fromEntries(
      Object.entries(counted).map(([part, is]) => [
        part,
        railway.writes().filter((request) => is(request) && isMine(request)).length,
      ]),
    );
}

async function approve(
  world: World,
  request: EffectRequest,
  risk: 'mutating' | 'destructive',
): Promise<void> {
  const { pool } = world.database;
  const hash = approvalHash(effectKey(request), effectDigest(request));
  await askApproval(pool, { request, hash, risk, describe: request.kind }, undefined);
  const decision = {
    tenant: request.tenant,
    hash,
    by: 'maria',
    channel: 'github',
    reason: '',
    nowMs,
  } as const;
  const decided = await decideApproval(pool, { ...decision, decision: 'approve' });
  if (decided.result !== 'decided') throw new Error(`not approved: ${decided.result}`);
}
