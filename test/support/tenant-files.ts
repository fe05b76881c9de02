// Tenant files for tests: the smallest, arbitrary ones, and a config written back as a file.
import fc from 'fast-check';
import { effectKinds } from '../../src/contract/effect.ts';
import type { TenantConfig } from '../../src/contract/tenant-config.ts';

export const minimalFile: Record<string, unknown> = {
  tenant: 'acme',
  workspaces: [{ name: 'shop', github: { repository: 'acme/shop' } }],
};

/** The file that says every setting of the config: `redMs: 300000` becomes `red: 300000ms`. */
export function asFile(config: TenantConfig): unknown {
  return written(config);
}

function written(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(written);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      if (key.endsWith('Bytes')) return [key.slice(0, -5), `${item}B`];
      if (!key.endsWith('Ms')) return [key, written(item)];
      const text = (ms: unknown): string => `${ms}ms`;
      const durations = Array.isArray(item)
        ? item.map(text)
        : typeof item === 'number'
          ? text(item)
          : mapValues(item, text);
      return [key.slice(0, -2), durations];
    }),
  );
}

function mapValues(value: unknown, change: (item: unknown) => unknown): unknown {
  return Object.fromEntries(Object.entries(value ?? {}).map(([key, item]) => [key, change(item)]));
}

const name = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,20}$/);
const reference = fc.oneof(
  fc.stringMatching(/^env:[A-Z][A-Z0-9_]{0,10}$/),
  fc.stringMatching(/^file:\/[a-z]{1,8}\/[a-z]{1,8}$/),
);
const minutes = fc.integer({ min: 1, max: 120 }).map((count) => `${count}m`);
const shell = fc.constantFrom(
  'npm run format',
  'make "x: y" # not a comment',
  "printf '%s\\n' {a,b}",
  'a\nb',
  '- x',
  'no',
);
const glob = fc
  .constantFrom('**', '*.ts', 'src/**', '!', '[a]*', '{a,b}', 'yes', '1.0')
  .filter((one) => one !== '!');
const some = <Value>(item: fc.Arbitrary<Value>) => fc.array(item, { maxLength: 3 });
const part = <Shape extends object>(shape: { [Key in keyof Shape]: fc.Arbitrary<Shape[Key]> }) =>
  fc.record<Partial<Shape>>(shape as never, { requiredKeys: [] });
const byName = <Value extends { name: string }>(item: fc.Arbitrary<Value>) =>
  fc.uniqueArray(item, { maxLength: 3, selector: (one) => one.name });

const fixer = fc.record({
  name,
  match: fc.record(
    { job: glob, log: fc.constantFrom('^error', 'a\\.b|c: d', '\\d+ #') },
    { requiredKeys: ['job'] },
  ),
  command: shell,
  paths: some(glob),
});
const database = fc.record(
  {
    name,
    url: reference,
    environment: name,
    migrations: fc.constantFrom('db', '/srv/db', '.'),
    policy: fc.constantFrom('auto', 'approval'),
    backup: fc.record({ command: shell, maxAge: fc.constantFrom('24h', '1.5h', '7d') }),
    lockTimeout: minutes.filter((one) => Number.parseInt(one, 10) <= 60),
  },
  { requiredKeys: ['name', 'url'] },
);
const drift = fc.record(
  {
    environment: name,
    preset: fc.constantFrom('hybrid', 'opentofu', 'terraform'),
    plan: shell,
    export: fc.record({ command: shell, paths: fc.array(glob, { minLength: 1, maxLength: 2 }) }),
    env: fc.dictionary(
      fc.stringMatching(/^[A-Z][A-Z]{0,5}$/),
      fc.oneof(reference, fc.constantFrom('1', '', 'true', 'a: b', ' x')),
    ),
    timeout: minutes,
  },
  { requiredKeys: ['environment', 'preset'] },
);
const workspace = fc.record(
  {
    name,
    github: fc.record(
      {
        repository: fc.tuple(name, name).map((both) => both.join('/').replaceAll(/-+(?=\/)/g, '')),
        token: reference,
        activityIssue: fc.boolean(),
      },
      { requiredKeys: ['repository'] },
    ),
    ci: part({
      branches: some(glob),
      pullRequests: fc.oneof(fc.boolean(), some(glob)),
      fixers: byName(fixer),
      sandbox: part({ timeout: minutes, memory: fc.constantFrom('2GiB', '1.5GiB', '100MiB') }),
    }),
    drift: fc.uniqueArray(drift, { maxLength: 3, selector: (one) => one.environment }),
    databases: fc
      .uniqueArray(database, { maxLength: 3, selector: (one) => one.url })
      .map((list) => list.map((one, index) => ({ ...one, name: `${one.name}.${index}` }))),
  },
  { requiredKeys: ['name', 'github'] },
);

/** Files as people may write them: valid, with more or fewer settings left out. */
export const tenantFileInput = fc.record(
  {
    tenant: name,
    timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York'),
    enabled: fc.boolean(),
    autonomy: part({
      default: fc.constantFrom('observe', 'propose', 'act'),
      effects: fc.dictionary(fc.constantFrom(...effectKinds), fc.constantFrom('observe', 'propose', 'act')),
    }),
    cadence: part({ red: minutes, perSource: part({ ciRuns: minutes, drift: minutes }) }),
    limits: part({
      mutatingPer5Min: fc.integer({ min: 1, max: 5 }),
      cooldowns: fc.dictionary(fc.constantFrom(...effectKinds), minutes),
    }),
    approvals: part({
      githubApprovers: some(fc.stringMatching(/^[a-z][a-z0-9-]{0,10}$/)),
      channels: part({ cli: fc.boolean() }),
    }),
    model: part({
      enabled: fc.boolean(),
      apiKey: reference,
      prices: fc.dictionary(
        fc.constantFrom('claude-opus-5-5', 'claude-sonnet-4-6'),
        fc.constant({ input: 1.5, output: 2, cacheRead: 0, cacheWrite: 0.125 }),
      ),
      timeout: fc.constantFrom('1m', '90s'),
      budgets: part({ tokensPerDay: fc.integer({ min: 20_000, max: 10_000_000 }) }),
    }),
    workspaces: fc.uniqueArray(workspace, { minLength: 1, maxLength: 2, selector: (one) => one.name }),
  },
  { requiredKeys: ['tenant', 'workspaces'] },
);
