// DEPLOY-1: every word of Railway in ours, as a table; `deploymentStopped` and the instances stand beside the status.
import { describe, expect, it } from 'vitest';
import { type Expected, expectedOf, statusOf } from '../../../src/integrations/railway/status.ts';

const server: Expected = { serves: true, replicas: 2 };
const job: Expected = { serves: false, replicas: null };

describe('DEPLOY-1 what a deployment is', () => {
  it.each([
    ['INITIALIZING', false, [], 'deploying'],
    ['QUEUED', false, [], 'deploying'],
    ['WAITING', false, [], 'deploying'],
    ['NEEDS_APPROVAL', false, [], 'deploying'],
    ['BUILDING', false, [], 'deploying'],
    ['DEPLOYING', false, ['INITIALIZING', 'CREATED'], 'deploying'],
    ['SUCCESS', false, ['RUNNING', 'RUNNING'], 'running'],
    ['SUCCESS', false, [], 'running'],
    ['SUCCESS', false, ['RUNNING', 'INITIALIZING'], 'running'],
    ['SUCCESS', false, ['RUNNING', 'CREATED'], 'running'],
    ['SUCCESS', false, ['RUNNING', 'RESTARTING'], 'degraded'],
    ['SUCCESS', false, ['RUNNING', 'CRASHED'], 'degraded'],
    ['SUCCESS', false, ['RESTARTING', 'RESTARTING'], 'degraded'],
    ['SUCCESS', false, ['RUNNING', 'REMOVED'], 'degraded'],
    ['SUCCESS', false, ['RUNNING'], 'degraded'],
    ['SUCCESS', true, ['EXITED', 'EXITED'], 'crashed'],
    ['SUCCESS', true, ['CRASHED', 'EXITED'], 'crashed'],
    ['SUCCESS', true, ['STOPPED', 'STOPPED'], 'stopped'],
    ['SUCCESS', true, [], 'stopped'],
    ['CRASHED', true, ['CRASHED', 'CRASHED'], 'crashed'],
    ['CRASHED', false, ['CRASHED', 'RUNNING'], 'degraded'],
    ['CRASHED', false, [], 'crashed'],
    ['FAILED', true, [], 'failed'],
    ['REMOVING', false, ['REMOVING'], 'stopped'],
    ['REMOVED', true, [], 'stopped'],
    ['SLEEPING', true, [], 'stopped'],
    ['SKIPPED', true, [], 'stopped'],
    ['HIBERNATING', false, ['RUNNING', 'RUNNING'], 'unknown'],
    ['success', false, ['RUNNING', 'RUNNING'], 'unknown'],
    ['constructor', false, [], 'unknown'],
  ] as const)('%s, stopped %s, instances %j: %s', (status, deploymentStopped, words, expected) => {
    const instances = words.map((one) => ({ status: one }));
    expect(statusOf({ status, deploymentStopped, instances }, server)).toBe(expected);
  });

  it('a job that is done is none', () => {
    const ended = { status: 'SUCCESS', deploymentStopped: true, instances: [{ status: 'EXITED' }] };
    expect(statusOf(ended, job)).toBe('stopped');
    expect(statusOf({ ...ended, instances: [{ status: 'CRASHED' }] }, job)).toBe('crashed');
  });

  it.each([
    ['an address', { domains: ['shop.example'] }, true],
    ['a health check', { healthcheckPath: '/health' }, true],
    ['started again whatever happens', { restartPolicyType: 'ALWAYS' }, true],
    ['none of them', {}, false],
    ['a cron job, even with an address', { domains: ['shop.example'], cronSchedule: '0 3 * * *' }, false],
  ])('serves: %s', (_name, more, serves) => {
    const { domains = [], ...rest } = more as { domains?: readonly string[] };
    const service = {
      serviceId: 's',
      serviceName: 'backend',
      deletedAt: null,
      cronSchedule: null,
      healthcheckPath: null,
      restartPolicyType: 'ON_FAILURE',
      numReplicas: 3,
      domains: { serviceDomains: domains.map((domain) => ({ domain })), customDomains: [] },
      latestDeployment: null,
      activeDeployments: [],
      ...rest,
    };
    expect(expectedOf(service)).toEqual({ serves, replicas: 'cronSchedule' in more ? null : 3 });
  });
});
