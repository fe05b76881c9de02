// DEPLOY-4: newer versions and missing or old backups are notices, never changes; asked with an ETag, and what cannot be told is not taken for well.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createVersionsSource } from '../../../src/activities/sources/ops/versions.ts';
import { minute, type OpsRig, startMs, startOpsRig } from './rig.ts';

let rig: OpsRig;
let names = 0;
let newest = '1.5.0';
let status = 200;
const asked: { readonly etag: string | undefined; readonly answered: number }[] = [];
const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  const etag = `"${newest}"`;
  response.setHeader('etag', etag);
  response.statusCode = status !== 200 ? status : request.headers['if-none-match'] === etag ? 304 : 200;
  asked.push({ etag: request.headers['if-none-match'], answered: response.statusCode });
  response.end(response.statusCode === 200 ? JSON.stringify({ info: { version: newest } }) : '');
});

beforeAll(async () => {
  rig = await startOpsRig();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rig.stop();
});
beforeEach(() => {
  rig.clock.nowMs = startMs;
  newest = '1.5.0';
  status = 200;
  asked.splice(0);
});

async function tenantWith(
  image: string,
  more: readonly string[] = [],
  versions?: readonly string[],
): Promise<string> {
  names += 1;
  const tenant = `versions-${names}`;
  const { yaml } = rig.project(tenant, [{ name: `backend-${names}`, image }]);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/backend`;
  const rows = versions ?? [
    `{ name: backend, service: backend-${names}, url: "${url}", path: info.version }`,
  ];
  await rig.tenant(
    tenant,
    `${yaml}      versions: [${rows.join(', ')}]\n      backups: [${more.join(', ')}]\n`,
  );
  return tenant;
}
const printing = (ms: number): string =>
  `{ name: shop, command: "echo ${new Date(ms).toISOString()}", maxAge: 24h }`;

it('a newer version is told by the tag of the image that runs, and an unchanged answer is asked for by its ETag', async () => {
  const tenant = await tenantWith('shop/backend:1.4.2');
  const first = await rig.read(tenant, 'versions');
  expect(first.findings).toMatchObject([
    {
      kind: 'notice',
      target: 'version backend',
      severity: 'info',
      detail: { about: 'version', level: 'info', text: expect.stringContaining('1.4.2, 1.5.0 is out') },
    },
  ]);
  expect((await rig.read(tenant, 'versions')).findings).toEqual(first.findings);
  expect(asked).toEqual([
    { etag: undefined, answered: 200 },
    { etag: '"1.5.0"', answered: 304 },
  ]);
  expect(rig.railway.writes()).toEqual([]);
});

it('a major version behind is a warning; the same version is nothing', async () => {
  newest = '2.0.0';
  expect(await rig.read(await tenantWith('shop/backend:1.4.2'), 'versions')).toMatchObject({
    state: 'red',
    findings: [{ severity: 'info', detail: { level: 'warning' } }],
  });
  expect(await rig.read(await tenantWith('shop/backend:2.0.0'), 'versions')).toMatchObject({
    state: 'green',
    findings: [],
    reason: '1 versions, 0 backups; all well',
  });
});

it.each<[string, () => string, object | null]>([
  ['a young backup', () => printing(startMs - 60 * minute), null],
  [
    'an old one',
    () => printing(startMs - 25 * 60 * minute),
    { signature: 'backup old', detail: { level: 'warning' } },
  ],
  [
    'none',
    () => '{ name: shop, command: "true" }',
    { signature: 'backup missing', detail: { level: 'warning' } },
  ],
  [
    'a command that fails',
    () => '{ name: shop, command: "echo secret; exit 3" }',
    { title: 'backup shop: its age cannot be told: its command exited with 3' },
  ],
  ['no time', () => '{ name: shop, command: "echo soon" }', { signature: 'backup unknown' }],
])('backups: %s', async (_name, backup, finding) => {
  const { findings } = await rig.read(await tenantWith('x:1', [backup()], []), 'versions');
  expect(findings).toMatchObject(
    finding === null ? [] : [{ target: 'backup shop', severity: 'info', ...finding }],
  );
});

/** A workspace with `databases`, and `services` only where it has backups of its own. */
async function tenantOf(databases: readonly string[], backups?: readonly string[]): Promise<string> {
  names += 1;
  const tenant = `databases-${names}`;
  const { yaml } = rig.project(tenant, [{ name: `backend-${names}`, image: 'x:1' }]);
  const services = backups === undefined ? '' : `${yaml}      backups: [${backups.join(', ')}]\n`;
  await rig.tenant(tenant, `${services}    databases: [${databases.join(', ')}]\n`);
  return tenant;
}
const hours = (age: number): string => `echo ${new Date(startMs - age * 60 * minute).toISOString()}`;
const database = (name: string, command: string, maxAge = '24h'): string =>
  `{ name: ${name}, url: "env:${name.toUpperCase()}_URL", backup: { command: "${command}", maxAge: ${maxAge} } }`;
const watched = (name: string, command: string, maxAge = '24h'): string =>
  `{ name: ${name}, command: "${command}", maxAge: ${maxAge} }`;

it.each<[string, readonly string[], readonly string[] | undefined, readonly string[]]>([
  ['a young one', [database('shop', hours(1))], undefined, []],
  ['an old one', [database('shop', hours(25))], undefined, ['backup shop: the latest is 25 h old']],
  ['none', [database('shop', 'true')], undefined, ['backup shop: there is none']],
  ['a command that fails', [database('shop', 'exit 3')], undefined, ['backup shop: its age cannot be told']],
  [
    'two databases',
    [database('shop', hours(25)), database('mail', hours(30))],
    undefined,
    ['backup shop: the latest is 25 h old', 'backup mail: the latest is 30 h old'],
  ],
  [
    'the same command as a backup of services: one, by the stricter age',
    [database('shop', hours(25), '24h')],
    [watched('nightly', hours(25), '48h')],
    ['backup nightly: the latest is 25 h old'],
  ],
  [
    'the same name as a backup of services: one, and none that is bad is silent',
    [database('shop', 'true')],
    [watched('shop', hours(1))],
    ['backup shop: there is none'],
  ],
  [
    'beside another of services',
    [database('shop', 'true')],
    [watched('files', hours(1))],
    ['backup shop: there is none'],
  ],
])('DEPLOY-4 MIG-2: backups of databases: %s', async (_name, databases, backups, expected) => {
  const tenant = await tenantOf(databases, backups);
  const { findings } = await rig.read(tenant, 'versions');
  expect(findings).toMatchObject(
    expected.map((text) => ({
      kind: 'notice',
      target: `backup ${/^backup (\w+)/.exec(text)?.[1]}`,
      severity: 'info',
      title: expect.stringContaining(text),
      detail: { kind: 'notice', about: 'backup', level: 'warning' },
    })),
  );
});

it('DEPLOY-4: databases without backup settings, and no services, are no source', async () => {
  const source = createVersionsSource(rig.services);
  const [workspace, config] = [{ databases: [{ name: 'shop' }] }, {}] as unknown as Parameters<
    typeof source.targets
  >;
  expect(source.targets(workspace, config)).toEqual([]);
});

it('LOOP-2: an address that does not answer leaves what was known; where nothing is known it is unknown', async () => {
  const tenant = await tenantWith('shop/backend:1.4.2');
  await rig.read(tenant, 'versions');
  status = 500;
  expect(await rig.read(tenant, 'versions')).toMatchObject({
    state: 'unknown',
    reason: expect.stringContaining('answered 500'),
  });
  expect(
    await rig.read(await tenantWith('shop/backend:1.4.2', [printing(startMs)]), 'versions'),
  ).toMatchObject({
    state: 'green',
    reason: expect.stringMatching(/1 versions, 1 backups; all well; versions of backend: .* answered 500/),
  });
});
