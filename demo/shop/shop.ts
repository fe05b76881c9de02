// The sample repository "shop" of demo and tests: a catalogue, a file generated from it, environments that `hybrid` plans and applies,
// migrations, and a CI workflow that really runs. What is broken in it follows from a seed.
import type { ProductionFault } from '../production/faults.ts';
import type { Production } from '../production/production.ts';

export type Breakage = {
  /** A source file that the formatter would change. */
  readonly format: boolean;
  /** The generated price list does not match the catalogue. */
  readonly generated: boolean;
  /** The test job fails: no fixer is for it. */
  readonly test: boolean;
  /** The environment differs from the repository. */
  readonly drift: 'none' | 'export' | 'apply';
  /** Migrations that wait. */
  readonly pending: number;
  /** What is wrong with its services in production. */
  readonly production: ProductionFault;
};

/** By `seed % 8`; where a person has to fix CI, production is well. */
const productionFaults = [
  'connectionsLeak',
  'frontendCrashed',
  'none',
  'none',
  'connectionsLeak',
  'badRelease',
  'none',
  'none',
] as const;

/** Seed 0 is the plain demo; every fourth seed is one that nobody can fix by rule. */
export function breakageOf(seed: number): Breakage {
  const production = productionFaults[seed % productionFaults.length] ?? 'none';
  if (seed === 0)
    return { format: true, generated: true, test: false, drift: 'export', pending: 2, production };
  const bit = (n: number): boolean => ((seed * 2_654_435_761) >>> (n + 7)) % 2 === 1;
  return {
    format: bit(0) || !bit(1),
    generated: bit(1),
    test: seed % 4 === 3,
    drift: bit(2) ? 'export' : bit(3) ? 'apply' : 'none',
    pending: 1 + (seed % 3),
    production,
  };
}

const items = [
  { id: 'kettle', price: 2900 },
  { id: 'lamp', price: 4500 },
  { id: 'table', price: 19900 },
];

const workflow = `name: ci
on:
  push:
    branches: ['**']
jobs:
  format:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: Check formatting
        run: node tools/format.mjs --check
  generated:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: Check generated files
        run: node tools/generate.mjs --check
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: Test
        run: node test/prices.mjs
`;

const format = `// Formats src/*.json with two spaces and a newline at the end.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
let bad = 0;
for (const name of readdirSync('src').filter((n) => n.endsWith('.json'))) {
  const path = 'src/' + name;
  const text = readFileSync(path, 'utf8');
  const wanted = JSON.stringify(JSON.parse(text), null, 2) + '\\n';
  if (text === wanted) continue;
  if (process.argv.includes('--write')) { writeFileSync(path, wanted); console.log('formatted ' + path); }
  else { console.error('error: ' + path + ' is not formatted'); bad += 1; }
}
process.exit(bad > 0 ? 1 : 0);
`;

const generate = `// Writes generated/prices.txt from src/catalogue.json.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
const { items } = JSON.parse(readFileSync('src/catalogue.json', 'utf8'));
const wanted = items.map((item) => item.id + ' ' + (item.price / 100).toFixed(2)).join('\\n') + '\\n';
if (process.argv.includes('--check')) {
  if (readFileSync('generated/prices.txt', 'utf8') !== wanted) {
    console.error('error: generated/prices.txt is out of date, run tools/generate.mjs');
    process.exit(1);
  }
} else { mkdirSync('generated', { recursive: true }); writeFileSync('generated/prices.txt', wanted); console.log('wrote generated/prices.txt'); }
`;

const test = `// No price may be zero or less.
import { readFileSync } from 'node:fs';
const { items } = JSON.parse(readFileSync('src/catalogue.json', 'utf8'));
const wrong = items.filter((item) => !(item.price > 0));
for (const item of wrong) console.error('FAIL price of ' + item.id + ': expected more than 0, got ' + item.price);
console.log(items.length + ' prices checked');
process.exit(wrong.length > 0 ? 1 : 0);
`;

// Stands in for a team's own infrastructure tool: what really is deployed are files in a folder outside of the repository.
const hybrid = `import { readFileSync, writeFileSync } from 'node:fs';
const [verb, flag, env] = process.argv.slice(2);
if (flag !== '--env' || !env) { console.error('usage: hybrid drift-plan|apply|export --env NAME'); process.exit(1); }
const real = process.env.SHOP_ENVIRONMENTS + '/' + env + '.json';
const wanted = 'environments/' + env + '.json';
const read = (path) => JSON.parse(readFileSync(path, 'utf8'));
if (verb === 'drift-plan') {
  const [is, should] = [read(real), read(wanted)];
  const names = [...new Set([...Object.keys(is), ...Object.keys(should)])].sort();
  const changes = names.filter((name) => is[name] !== should[name]).map((name) => ({
    address: env + '.' + name, action: name in should ? (name in is ? 'update' : 'create') : 'delete', from: is[name], to: should[name] }));
  console.log(JSON.stringify({ drifted: changes.length > 0, changes }));
  process.exit(changes.length > 0 ? 2 : 0);
}
if (verb === 'apply') { writeFileSync(real, readFileSync(wanted)); console.log('applied ' + env); }
else if (verb === 'export') { writeFileSync(wanted, readFileSync(real)); console.log('exported ' + env); }
else { console.error('unknown: ' + verb); process.exit(1); }
`;

const migrations: readonly { readonly name: string; readonly up: string; readonly down: string }[] = [
  {
    name: '20260101000000_items',
    up: 'create table items (id text primary key, price integer not null);',
    down: 'drop table items;',
  },
  {
    name: '20260102000000_orders',
    up: 'create table orders (id bigint generated always as identity primary key, item text references items);',
    down: 'drop table orders;',
  },
  {
    name: '20260103000000_order_state',
    up: "alter table orders add column state text not null default 'new';",
    down: 'alter table orders drop column state;',
  },
  {
    name: '20260104000000_order_times',
    up: 'alter table orders add column ordered_at timestamptz not null default now();',
    down: 'alter table orders drop column ordered_at;',
  },
];

export const environmentOf = (replicas: number): string =>
  `${JSON.stringify({ region: 'eu-central', replicas }, null, 2)}\n`;

/** Migrations that are applied before the demo begins; the rest of the files waits. */
export function appliedMigrations(breakage: Breakage): Readonly<Record<string, string>> {
  return migrationFiles(migrations.length - breakage.pending);
}

function migrationFiles(count: number): Record<string, string> {
  return Object.fromEntries(
    migrations
      .slice(0, count)
      .map(({ name, up, down }) => [
        `db/migrations/${name}.sql`,
        `-- migrate:up\n${up}\n\n-- migrate:down\n${down}\n`,
      ]),
  );
}

/** The repository's files, broken as asked. */
export function shopFiles(breakage: Breakage): Readonly<Record<string, string>> {
  const catalogue = { items: breakage.test ? [...items, { id: 'gift', price: 0 }] : items };
  const text = breakage.format ? JSON.stringify(catalogue) : `${JSON.stringify(catalogue, null, 2)}\n`;
  const prices = catalogue.items.map((item) => `${item.id} ${(item.price / 100).toFixed(2)}`);
  const listed = breakage.generated ? prices.slice(1) : prices;
  return {
    'README.md': '# shop\n\nThe sample repository of the demo.\n',
    '.github/workflows/ci.yml': workflow,
    'src/catalogue.json': text,
    'generated/prices.txt': `${listed.join('\n')}\n`,
    'tools/format.mjs': format,
    'tools/generate.mjs': generate,
    'tools/hybrid.mjs': hybrid,
    'test/prices.mjs': test,
    'environments/production.json': environmentOf(2),
    ...migrationFiles(migrations.length),
  };
}

export type ShopTenant = {
  readonly tenant: string;
  readonly repository: string;
  readonly apiUrl: string;
  readonly breakage: Breakage;
  /** How often everything is read, as a duration. */
  readonly every: string;
  /** Absent: nothing that is deployed is watched. */
  readonly production?: Pick<Production, 'backendUrl' | 'frontendUrl' | 'commands'>;
};

/** The tenant file of the demo: what a team would write, with short times. */
export function shopTenantFile(shop: ShopTenant): string {
  const { tenant, repository, apiUrl, breakage, every, production } = shop;
  const exported = breakage.drift === 'export';
  return `tenant: ${tenant}
timeZone: UTC
autonomy:
  default: propose
  effects: { applyMigrations: act, applyDrift: act, mergePullRequest: act, rerunFailedJobs: act${production ? ', restartService: act, redeployService: act' : ''} }
# A key in the environment of whoever runs the demo is not for it.
model: { enabled: false }
cadence:
  perSource: { ciRuns: ${every}, drift: ${every}, migrations: ${every}${production ? `, deployments: ${every}, health: ${every}` : ''} }
workspaces:
  - name: shop
    github:
      repository: ${repository}
      token: env:SHOP_GITHUB_TOKEN
      apiUrl: ${apiUrl}
    ci:
      branches: [main]
      fixers:
        - { name: formatter, match: { job: format }, command: node tools/format.mjs --write, paths: ['src/**'] }
        - { name: generator, match: { job: generated }, command: node tools/generate.mjs, paths: ['generated/**'] }
    drift:
      - environment: production
        preset: hybrid
        plan: node tools/hybrid.mjs drift-plan --env production
        apply: node tools/hybrid.mjs apply --env production
${exported ? "        export: { command: node tools/hybrid.mjs export --env production, paths: ['environments/**'] }\n        autoMerge: true\n" : ''}        policy: auto
        env: { SHOP_ENVIRONMENTS: env:SHOP_ENVIRONMENTS }
    databases:
      - name: shop
        url: env:SHOP_DATABASE_URL
        policy: auto
${production ? productionSettings(production) : ''}`;
}

/** Short times: the demo's readers do not wait for five minutes of proof. Quoted as JSON, which is YAML. */
function productionSettings({
  backendUrl,
  frontendUrl,
  commands,
}: NonNullable<ShopTenant['production']>): string {
  return `    services:
      provider:
        kind: command
        status: ${JSON.stringify(commands.status)}
        logs: ${JSON.stringify(commands.logs)}
        restart: ${JSON.stringify(commands.restart)}
        redeploy: ${JSON.stringify(commands.redeploy)}
      level: { byService: { backend: sev1, frontend: sev1 } }
      ladder: { unhealthyFor: 10s, healthyFor: 10s }
    health:
      confirmWithin: 6s
      checks:
        - { kind: http, name: backend, url: ${JSON.stringify(backendUrl)}, path: /health, timeout: 2s, services: [backend], expect: { json: { status: ok } } }
        - { kind: content, name: frontend, url: ${JSON.stringify(frontendUrl)}, timeout: 2s, services: [frontend], expect: { contains: ['<title>Shop</title>'] } }
    incidents: { lowerAfter: 3s }
`;
}
