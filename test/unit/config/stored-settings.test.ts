// LOOP-9, DUR-3: settings that another version of the program stored.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readStoredSettings } from '../../../src/config/stored-settings.ts';
import { parseTenantFile } from '../../../src/config/tenant-file.ts';

const file = {
  tenant: 'acme',
  timeZone: 'Europe/Berlin',
  autonomy: { default: 'observe', effects: { sendAlert: 'act' } },
  cadence: { red: '2m', perSource: { drift: '1h' } },
  limits: { mutatingPer5Min: 3, cooldowns: { rerunFailedJobs: '10m' } },
  workspaces: [
    {
      name: 'shop',
      github: { repository: 'acme/shop' },
      ci: {
        soakAfter: ['5m', '30m'],
        sandbox: { memory: '1GiB' },
        fixers: [{ name: 'format', match: { job: 'lint' }, command: 'npm run format' }],
      },
      drift: [{ environment: 'production', preset: 'command', plan: './plan', timeout: '1m' }],
      databases: [{ name: 'main', backup: { command: './age', maxAge: '2h' } }],
    },
    { name: 'docs', github: { repository: 'acme/docs' }, ci: { commands: { test: 'make' } } },
  ],
};
const { config, source } = valid(file);

function valid(given: unknown) {
  const parsed = parseTenantFile(JSON.stringify(given), { fileName: 'tenant.yaml' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed;
}

type Key = string | number;
/** Every place below the root that is a field of an object. */
function places(value: unknown, path: readonly Key[] = []): readonly (readonly Key[])[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const at = [...path, Array.isArray(value) ? Number(key) : key];
    return [...(Array.isArray(value) ? [] : [at]), ...places(inner, at)];
  });
}

function without<Value>(value: Value, path: readonly Key[]): Value {
  const copy = structuredClone(value);
  const owner = path.slice(0, -1).reduce<unknown>((at, key) => (at as Record<Key, unknown>)?.[key], copy);
  if (typeof owner === 'object' && owner !== null) delete (owner as Record<Key, unknown>)[path.at(-1) as Key];
  return copy;
}

function typesOf(value: unknown): unknown {
  if (Array.isArray(value)) return 'array';
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, typesOf(inner)]));
}

test('without the file, settings that cannot be written as one again stay in force', () => {
  const watched = valid({
    ...file,
    workspaces: [
      {
        ...file.workspaces[0],
        services: { provider: { kind: 'railway' } },
        health: { checks: [{ name: 'api', kind: 'http', url: 'https://shop.example' }] },
      },
    ],
  }).config;
  expect(readStoredSettings('acme', { config: watched, source: null })).toEqual({ config: watched });
  const { incidents: _, ...before } = watched.workspaces[0] ?? {};
  const stored = { ...watched, workspaces: [before] };
  expect(readStoredSettings('acme', { config: stored, source: null })).toEqual({ config: watched });
});

describe('with the file beside them', () => {
  test('what the file said counts, whatever was stored of its meaning', () => {
    const stored = { config: without(config, ['model']), source };
    expect(readStoredSettings('acme', stored)).toEqual({ config });
  });

  test('the file is kept without its schema line, and is a file again', () => {
    const withSchema = valid({ $schema: './tenant.schema.json', ...file });
    expect(withSchema.source).toEqual(file);
    expect(valid(withSchema.source).config).toEqual(config);
  });

  test.each([
    [{ ...file, wokspaces: [] }, 'wokspaces'],
    [{ ...file, timeZone: 'Mars/Base' }, 'timeZone'],
    [{ ...file, tenant: 'other' }, 'another tenant'],
  ])('a file that this version refuses says why, and what was in force stays', (later, named) => {
    const read = readStoredSettings('acme', { config, source: later });
    expect(read.config).toEqual(config);
    expect(read.problem).toContain('tenant acme');
    expect(read.problem).toContain(named);
    expect(read.problem).toContain('untilgreen tenant apply');
  });

  test('what was pasted into a refused file is not repeated', () => {
    const token = `ghp_${'Ab3'.repeat(12)}`;
    const read = readStoredSettings('acme', { config, source: { ...file, timeZone: token } });
    expect(read.problem).toBeDefined();
    expect(read.problem).not.toContain(token);
  });
});

describe('without the file', () => {
  test('settings that are whole stay as they are', () => {
    expect(readStoredSettings('acme', { config, source: null })).toEqual({ config });
  });

  test('a kind of effect that came later takes the level of the tenant, not that of a new file', () => {
    const stored = without(config, ['autonomy', 'effects', 'pushBranch']);
    expect(
      readStoredSettings('acme', { config: stored, source: null }).config.autonomy.effects.pushBranch,
    ).toBe('observe');
  });

  test('any setting that is missing gets a default of its kind, and nothing else changes', () => {
    const needed = [
      'tenant',
      'workspaces',
      'name',
      'repository',
      'environment',
      'preset',
      'command',
      'match',
      'kind',
      'github',
    ];
    const optional = new Set(['plan', 'backup', 'job', 'test']);
    const all = places(config).filter(
      (path) =>
        !needed.includes(String(path.at(-1))) &&
        !optional.has(String(path.at(-1))) &&
        !path.includes('prices') &&
        !path.includes('perSourceMs') &&
        !path.includes('backup'),
    );
    expect(all.length).toBeGreaterThan(100);
    fc.assert(
      fc.property(fc.uniqueArray(fc.constantFrom(...all), { minLength: 1, maxLength: 8 }), (gone) => {
        const stored = gone.reduce((left, path) => without(left, path), config);
        const read = readStoredSettings('acme', { config: stored, source: null });
        expect(read.problem).toBeUndefined();
        // What stood in a list that is gone as a whole does not come back.
        const text = gone.map((path) => path.join('.'));
        const highest = gone.filter((path) => !text.some((other) => path.join('.').startsWith(`${other}.`)));
        for (const path of highest) {
          const at = path.reduce<unknown>(
            (inner, key) => (inner as Record<Key, unknown>)?.[key],
            read.config,
          );
          expect(at, path.join('.')).toBeDefined();
        }
        expect(read.config).toMatchObject(stored);
      }),
      { numRuns: 200 },
    );
  });

  test.each([
    [null],
    ['text'],
    [[]],
    [{}],
    [{ tenant: 'acme', workspaces: 'none' }],
    [{ tenant: 'acme', workspaces: [{ name: 5 }] }],
    [{ workspaces: [null] }],
  ])('what is no settings at all (%j) watches nothing, and says so', (stored) => {
    const read = readStoredSettings('acme', { config: stored, source: null });
    expect(read.config).toMatchObject({ tenant: 'acme', workspaces: [], autonomy: { default: 'observe' } });
    expect(typesOf(read.config.limits)).toEqual(typesOf(config.limits));
    expect(read.problem).toContain('nothing is watched');
  });
});
