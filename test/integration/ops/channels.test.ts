// DEPLOY-2, INC-4, INC-6: whether people can be told is known before the night: references of alert channels, and what their last deliveries came to. A line on
// the worker's console has told nobody where there is another channel.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createChannelsSource } from '../../../src/activities/sources/ops/channels.ts';
import { parseTenantFile } from '../../../src/config/tenant-file.ts';
import { minute, type OpsRig, startMs, startOpsRig } from './rig.ts';

let rig: OpsRig;
let status = 200;
let names = 0;
const server = createServer((request, response) => {
  request.resume();
  response.statusCode = status;
  response.end();
});

beforeAll(async () => {
  rig = await startOpsRig();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  Object.assign(rig.secrets, { PAGER_URL: url, PAGER_SECRET: 'pager-secret-0001' });
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rig.stop();
});
beforeEach(() => {
  rig.clock.nowMs = startMs;
  status = 200;
});

const pager = '{ kind: webhook, url: env:PAGER_URL, secret: env:PAGER_SECRET }';

async function tenantWith(...channels: readonly string[]): Promise<string> {
  names += 1;
  const tenant = `channels-${names}`;
  const { yaml } = rig.project(tenant, [{ name: `backend-${names}` }]);
  await rig.tenant(tenant, `${yaml}alerts: { channels: [${channels.join(', ')}] }\n`);
  return tenant;
}
const alert = (tenant: string, step: string) =>
  rig.door.run(
    rig.effect(tenant, 'sendAlert', 'shop', { severity: 'critical', title: 'Broken', body: '' }, { step }),
    AbortSignal.timeout(20_000),
  );
const told = async (tenant: string) =>
  (await rig.read(tenant, 'channels')).findings.map(({ title }) => title);

it('DEPLOY-2: a channel that did not take its last alert is a notice until it takes one, or a day later', async () => {
  const tenant = await tenantWith(pager, '{ kind: slack, webhookUrl: env:PAGER_URL }');
  expect(await rig.read(tenant, 'channels')).toMatchObject({ state: 'green', findings: [] });
  status = 404;
  await expect(alert(tenant, 'first')).rejects.toThrow();
  expect(await rig.read(tenant, 'channels')).toMatchObject({
    state: 'red',
    findings: [
      {
        kind: 'notice',
        target: 'channel webhook',
        severity: 'info',
        detail: { about: 'channel', level: 'warning' },
      },
      { target: 'channel slack' },
    ],
  });
  expect(await told(tenant)).toEqual([
    'alert channel webhook did not take its last alert: alert channel webhook: answered 404',
    'alert channel slack did not take its last alert: alert channel slack: answered 404',
  ]);
  rig.clock.nowMs += 25 * 60 * minute;
  expect(await told(tenant)).toEqual([]);
  await expect(alert(tenant, 'second')).rejects.toThrow();
  expect(await told(tenant)).toHaveLength(2);
  status = 200;
  expect(await alert(tenant, 'third')).toMatchObject({ outcome: 'applied' });
  expect(await told(tenant)).toEqual([]);
});

it('DEPLOY-2: a reference that is not set is told before anything has to be sent, without its value', async () => {
  const tenant = await tenantWith('{ kind: slack, webhookUrl: env:SLACK_WEBHOOK }', pager);
  const [title, ...more] = await told(tenant);
  expect(title).toMatch(
    /^alert channel slack cannot be used: .*alerts\.channels\.0\.webhookUrl.*SLACK_WEBHOOK/,
  );
  expect(more).toEqual([]);
});

it('INC-4, INC-6: a line on the console is no word to a person where there is another channel; alone it is', async () => {
  const both = await tenantWith('{ kind: console }', pager);
  status = 503;
  await expect(alert(both, 'lost')).rejects.toThrow(/answered 503/);
  status = 200;
  expect(await alert(both, 'taken')).toMatchObject({
    outcome: 'applied',
    result: { sent: ['console', 'webhook'], failed: [] },
  });
  expect(await alert(await tenantWith('{ kind: console }'), 'alone')).toMatchObject({ outcome: 'applied' });
});

it('DEPLOY-2: once per tenant, with the first workspace that has a production; none where only the console is told', () => {
  const source = createChannelsSource(rig.services);
  const config = (channels: string) => {
    const workspaces = ['ci', 'shop', 'more'].map((name) => {
      const health =
        name === 'ci' ? '' : ', health: { checks: [{ kind: http, name: up, url: "https://shop.example" }] }';
      return `  - { name: ${name}, github: { repository: acme/${name} }${health} }`;
    });
    const text = `tenant: t\nalerts: { channels: [${channels}] }\nworkspaces:\n${workspaces.join('\n')}\n`;
    const parsed = parseTenantFile(text, { fileName: 'tenant.yaml' });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    return parsed.config;
  };
  const targets = (channels: string) => {
    const of = config(channels);
    return of.workspaces.map((workspace) => source.targets(workspace, of).length);
  };
  expect(targets(pager)).toEqual([0, 1, 0]);
  expect(targets('{ kind: console }')).toEqual([0, 0, 0]);
});
