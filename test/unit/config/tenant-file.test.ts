// The tenant file: what is good, what is refused and with which words (DUR-4), defaults, and that the schema and the contract agree.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { stringify } from 'yaml';
import type * as z from 'zod';
import { formatTenantProblem, parseTenantFile } from '../../../src/config/tenant-file.ts';
import type { TenantFile } from '../../../src/config/tenant-schema.ts';
import type { TenantConfig } from '../../../src/contract/tenant-config.ts';
import { asFile, minimalFile, tenantFileInput } from '../../support/tenant-files.ts';

function parse(text: string | Uint8Array) {
  return parseTenantFile(text, { fileName: 'tenant.yaml' });
}

function configOf(text: string): TenantConfig {
  const result = parse(text);
  if (!result.ok)
    throw new Error(result.problems.map((one) => formatTenantProblem(one, 'tenant.yaml')).join('\n'));
  return result.config;
}

/** `{}` with `value` at `a.b[0].c`. */
function put(target: Record<string, unknown>, path: string, value: unknown): Record<string, unknown> {
  const copy = structuredClone(target);
  const keys = path.split(/[.[\]]+/).filter((key) => key !== '');
  let place: Record<string, unknown> = copy;
  keys.forEach((key, index) => {
    if (index === keys.length - 1) place[key] = value;
    else {
      place[key] ??= /^\d+$/.test(keys[index + 1] ?? '') ? [] : {};
      place = place[key] as Record<string, unknown>;
    }
  });
  return copy;
}

/** Health checks have a test of their own: the JSON of a body has no end. */
type ReadonlyDeep<Value> = Value extends string | number | boolean
  ? Value
  : { readonly [Key in keyof Value]: Key extends 'health' ? unknown : ReadonlyDeep<Value[Key]> };

describe('a good tenant file', () => {
  it('gives what the contract says', () => {
    expectTypeOf<ReadonlyDeep<z.output<typeof TenantFile>>>().toEqualTypeOf<ReadonlyDeep<TenantConfig>>();
  });

  it('needs a tenant and a workspace with a repository, and starts at propose', () => {
    // OPS-2, LOOP-1, LOOP-4, LOOP-7, LOOP-8, LOOP-12, LOOP-13
    const config = configOf(
      'tenant: acme\nworkspaces:\n  - name: shop\n    github:\n      repository: acme/shop\n',
    );
    expect(config).toMatchObject({
      timeZone: 'UTC',
      enabled: true,
      autonomy: { default: 'propose', effects: { applyMigrations: 'propose', sendAlert: 'propose' } },
      cadence: {
        workingHours: {
          days: ['mon', 'tue', 'wed', 'thu', 'fri'],
          from: '08:00',
          to: '18:00',
          everyMs: 900_000,
        },
        redMs: 300_000,
        nightMs: 1_800_000,
        perSourceMs: {},
      },
      limits: {
        mutatingPer5Min: 5,
        reservedForIncidents: 2,
        plannerSteps: 8,
        attempts: 3,
        cooldownsMs: { applyDrift: 1_800_000, applyMigrations: 1_800_000, openIssue: 0 },
        breaker: { failures: 3, probeAfterMs: 3_600_000 },
      },
      approvals: {
        expireAfterMs: 604_800_000,
        remindAfterMs: 3_600_000,
        channels: { cli: false, ui: false },
      },
      alerts: { channels: [{ kind: 'console' }] },
    });
    expect(config.workspaces[0]).toMatchObject({
      github: {
        token: 'env:GITHUB_TOKEN',
        apiUrl: 'https://api.github.com',
        gitUrl: 'https://github.com/acme/shop.git',
        approveBy: [],
        activityIssue: true,
      },
      ci: {
        branches: ['main', 'release/*'],
        pullRequests: ['**'],
        runsPerSweep: 30,
        sandbox: { mode: 'required' },
      },
      drift: [],
      databases: [],
    });
  });

  it('may say everything: the example', () => {
    const config = configOf(readFileSync(new URL('../../../examples/tenant.yaml', import.meta.url), 'utf8'));
    expect(config.autonomy.effects).toMatchObject({ applyMigrations: 'act', applyDrift: 'propose' });
    expect(config.cadence.perSourceMs).toEqual({ ciRuns: 60_000 });
    expect(config.workspaces[0]?.drift[1]).toMatchObject({
      preset: 'command',
      autoMerge: true,
      policy: 'auto',
    });
    expect(config.workspaces[0]?.databases[0]?.backup).toEqual({
      command: './ops/latest-backup-time',
      maxAgeMs: 86_400_000,
    });
    // DEPLOY-1, HEALTH-1, INC-1
    const { services, health, incidents } = config.workspaces[0] ?? {};
    expect(services).toMatchObject({ provider: { kind: 'railway' }, ladder: { restarts: 2 } });
    expect(health?.checks.map(({ kind }) => kind)).toEqual([
      'http',
      'content',
      'login',
      'database',
      'tls',
      'devops',
    ]);
    expect(incidents?.raise).toEqual([{ checks: ['backend', 'login', 'database'], count: 2, level: 'sev1' }]);
  });

  it.each([
    ['http://127.0.0.1:4000', 'http://127.0.0.1:4000/acme/shop.git'],
    ['http://localhost:4000/', 'http://localhost:4000/acme/shop.git'],
    ['https://git.acme.example/api/v3', 'https://git.acme.example/acme/shop.git'],
  ])('makes the address for git from %s', (apiUrl, gitUrl) => {
    const config = configOf(stringify(put(minimalFile, 'workspaces[0].github.apiUrl', apiUrl)));
    expect(config.workspaces[0]?.github.gitUrl).toBe(gitUrl);
  });

  it('asks a model with list prices and a budget, unless the file says otherwise (MODEL-1, MODEL-3)', () => {
    expect(configOf(stringify(minimalFile)).model).toMatchObject({
      enabled: true,
      apiKey: 'env:ANTHROPIC_API_KEY',
      baseUrl: 'https://api.anthropic.com',
      prices: { 'claude-opus-5-5': { input: 4, output: 20, cacheRead: 0.2, cacheWrite: 5 } },
      budgets: { tokensPerDay: 1_000_000, triageTokens: 50_000, fixTokens: 200_000, warnAtPercent: 80 },
    });
    // Switched off: what is missing then does not matter.
    const off = { enabled: false, models: { triage: 'claude-unheard-of' }, budgets: { tokensPerDay: 0 } };
    expect(configOf(stringify({ ...minimalFile, model: off })).model.enabled).toBe(false);
  });

  it('leaves room for the reserve of incidents when the cap is lowered', () => {
    expect(
      configOf(stringify(put(minimalFile, 'limits.mutatingPer5Min', 2))).limits.reservedForIncidents,
    ).toBe(1);
  });

  it('survives the way to a file and back', () => {
    fc.assert(
      fc.property(tenantFileInput, fc.constantFrom('BLOCK', 'FLOW'), (input, style) => {
        const config = configOf(
          stringify(input, {
            defaultStringType: 'PLAIN',
            collectionStyle: style === 'FLOW' ? 'flow' : 'block',
          }),
        );
        expect(configOf(stringify(asFile(config)))).toEqual(config);
        expect(configOf(JSON.stringify(asFile(config)))).toEqual(config);
      }),
      { numRuns: 150 },
    );
  });
});

const pasted = 'ghp_abcdefghijklmnopqrstuvwxyz0123456789';
const ws = 'workspaces[0]';
const drifts = { environment: 'production', preset: 'opentofu' };
/** Put at a path, expected problem's path (the same when undefined), its fix. */
const bad: readonly (readonly [at: string, value: unknown, path: string | undefined, fix: RegExp])[] = [
  ...['/', '//', '/proc', '/proc/1/environ', '/sys', '/dev/mem'].map(
    (path) =>
      [
        'workspaces[0].ci.sandbox.readOnlyPaths[0]',
        path,
        undefined,
        /name the folder that is needed/,
      ] as const,
  ),
  ['tenant', undefined, undefined, /add it, like "acme"/],
  ['tenant', 'Acme Inc', undefined, /like "acme"/],
  ['tenant', 42, undefined, /quotes: "42"/],
  ['tenant', 'a'.repeat(64), undefined, /like "acme"/],
  ['tennant', 'acme', undefined, /did you mean "tenant"/],
  ['timeZone', 'Europe/Berln', undefined, /did you mean "Europe\/Berlin"/],
  ['timeZone', '+02:00', undefined, /Names are like/],
  ['enabled', 'yes', undefined, /true or false/],
  ['autonomy.default', 'acts', undefined, /did you mean "act"/],
  ['autonomy.effects.applyMigration', 'act', undefined, /did you mean "applyMigrations"/],
  ['cadence.red', '1s', undefined, /from 5s to 7d/],
  ['cadence.night', 30, undefined, /with its unit/],
  ['cadence.night', '30 minutes', undefined, /like "/],
  ['cadence.night', null, undefined, /give a value/],
  ['cadence.workingHours.from', '8:00', undefined, /like "08:00"/],
  ['cadence.workingHours.to', '07:00', undefined, /later time/],
  ['cadence.workingHours.days[0]', 'monday', undefined, /one of mon, tue/],
  ['cadence.perSource.ciRun', '1m', undefined, /did you mean "ciRuns"/],
  [`${ws}.ci.soakAfter[0]`, '3d', undefined, /from 1m to 48h/],
  [`${ws}.ci.soakAfter`, '1h', undefined, /write a list/],
  ['limits.mutatingPer5Min', 6, undefined, /at most 5/],
  ['limits.plannerSteps', 8.5, undefined, /whole number/],
  ['limits.attempts', 4, undefined, /at most 3/],
  ['limits.attempts', '3', undefined, /without quotes/],
  ['limits.cooldowns.applyDrift', 'never', undefined, /like "30m"/],
  ['limits.reservedForIncidents', 6, undefined, /at most 5/],
  ['limits', { mutatingPer5Min: 1, reservedForIncidents: 2 }, 'limits.reservedForIncidents', /0 to 1/],
  ['approvals.channels.cli', 'true', undefined, /without quotes/],
  ['approvals.githubApprovers', 'octocat', undefined, /write a list/],
  ['model.apiKey', 'sk-ant-api03-abcdefghijklmnop', undefined, /env:NAME/],
  ['model.baseUrl', 'http://models.example.com', undefined, /https:\/\/api/],
  ['model.models.triage', 'claude-unheard-of', undefined, /add model\.prices\."claude-unheard-of"/],
  ['model.maxTokens.implement', 1_000_000, undefined, /at most 128000/],
  ['model.budgets', { fixTokens: 16_000 }, 'model.maxTokens.implement', /under 16000/],
  ['model.budgets.tokensPerDay', '1M', undefined, /number/],
  [
    'model.prices',
    { 'claude-opus-5-5': { input: 4, cacheRead: 1, cacheWrite: 1 } },
    'model.prices.claude-opus-5-5.output',
    /add it/,
  ],
  ['alerts.channels[0]', { kind: 'slak' }, 'alerts.channels[0].kind', /did you mean "slack"/],
  [
    'alerts.channels[0]',
    { webhookUrl: 'env:X' },
    'alerts.channels[0].kind',
    /one of console, slack, webhook/,
  ],
  [
    'alerts.channels[0]',
    { kind: 'slack', webhookUrl: 'https://hooks.slack.com/services/T0/B0/abcdefgh' },
    'alerts.channels[0].webhookUrl',
    /env:NAME/,
  ],
  [
    'alerts.channels[0]',
    { kind: 'webhook', url: 'http://example.com', secret: 'env:X' },
    'alerts.channels[0].url',
    /https address/,
  ],
  [
    'alerts.channels[0]',
    { kind: 'webhook', url: 'https://example.com', secret: 'hunter2' },
    'alerts.channels[0].secret',
    /env:NAME/,
  ],
  ['workspaces', [], undefined, /at least 1/],
  ['workspaces', undefined, undefined, /add it/],
  [
    'workspaces[1]',
    { name: 'shop', github: { repository: 'acme/other' } },
    'workspaces[1].name',
    /name of its own/,
  ],
  [`${ws}.github.repository`, 'https://github.com/acme/shop', undefined, /like "acme\/shop"/],
  [`${ws}.github.token`, pasted, undefined, /env:NAME/],
  [`${ws}.github.token`, 'GITHUB_TOKEN', undefined, /like "env:GITHUB_TOKEN"/],
  [`${ws}.github.token`, 'env:GITHUB-TOKEN', undefined, /like "env:GITHUB_TOKEN"/],
  [`${ws}.github.token`, 'file:secrets/token', undefined, /file:\/absolute/],
  [`${ws}.github.apiUrl`, 'http://git.acme.example', undefined, /like "https/],
  [`${ws}.github.gitUrl`, 'https://user:hunter2@git.acme.example/x.git', undefined, /env:NAME/],
  [`${ws}.ci.runsPerSweep`, 10, undefined, /at least 30/],
  [
    `${ws}.ci.fixers[0]`,
    { name: 'x', match: {}, command: 'make' },
    `${ws}.ci.fixers[0].match`,
    /at least one of/,
  ],
  [
    `${ws}.ci.fixers[0]`,
    { name: 'x', match: { log: '(' }, command: 'make' },
    `${ws}.ci.fixers[0].match.log`,
    /escape/,
  ],
  [
    `${ws}.ci.fixers[0]`,
    { name: 'x', match: { job: '*' }, command: ' ' },
    `${ws}.ci.fixers[0].command`,
    /Shell line/,
  ],
  [`${ws}.ci.forbiddenPaths[0]`, '../x', undefined, /src\/generated/],
  [`${ws}.ci.sandbox.memory`, '2GB', undefined, /like "2GiB"/],
  [`${ws}.ci.sandbox.mode`, 'off', undefined, /one of required, none/],
  [`${ws}.drift[0]`, { environment: 'x', preset: 'command' }, `${ws}.drift[0].plan`, /add plan/],
  [`${ws}.drift[0]`, { ...drifts, autoMerge: true }, `${ws}.drift[0].autoMerge`, /add export/],
  [`${ws}.drift[0]`, { ...drifts, preset: 'terrafrom' }, `${ws}.drift[0].preset`, /did you mean "terraform"/],
  [`${ws}.drift[0]`, { ...drifts, directory: '/etc' }, `${ws}.drift[0].directory`, /write it like/],
  [
    `${ws}.drift[0]`,
    { ...drifts, exitCodes: { drifted: 0 } },
    `${ws}.drift[0].exitCodes.drifted`,
    /different/,
  ],
  [
    `${ws}.drift[0]`,
    { ...drifts, env: { DB_PASSWORD: 'hunter2' } },
    `${ws}.drift[0].env.DB_PASSWORD`,
    /env:DB_PASSWORD/,
  ],
  [`${ws}.drift`, [drifts, drifts], `${ws}.drift[1].environment`, /of its own/],
  [
    `${ws}.databases[0]`,
    { name: 'a', url: 'postgres://u:hunter2@h/d' },
    `${ws}.databases[0].url`,
    /env:NAME/,
  ],
  [`${ws}.databases[0]`, { name: 'a', policy: 'automatic' }, `${ws}.databases[0].policy`, /approval, auto/],
  [
    `${ws}.databases[0]`,
    { name: 'a', migrations: '../db' },
    `${ws}.databases[0].migrations`,
    /db\/migrations/,
  ],
  [`${ws}.databases`, [{ name: 'a' }, { name: 'b' }], `${ws}.databases[1].url`, /of its own/],
];

describe('a bad tenant file', () => {
  // DUR-4, SEC-2
  it.each(bad)('%s: %j', (at, value, path, fix) => {
    const text = stringify(put(minimalFile, at, value));
    const result = parse(text);
    expect(result).toMatchObject({
      ok: false,
      problems: [{ path: path ?? at, fix: expect.stringMatching(fix) }],
    });
    const words = JSON.stringify(result);
    expect(words).not.toContain('hunter2');
    expect(words).not.toContain(pasted);
  });

  const lol = [...'bcdefghij'].map(
    (name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefghij'[i]}`).join(',')}]`,
  );
  it.each<readonly [what: string, text: string | Uint8Array, message: RegExp, line: number | undefined]>([
    ['empty', '# nothing\n', /is empty/, undefined],
    ['a list', '- tenant: acme\n', /must be a map/, undefined],
    ['a tab', 'tenant: acme\nlimits:\n\tattempts: 1\n', /indented by a tab/, 3],
    ['a quote left open', 'tenant: "acme\n', /misses a character/, 2],
    ['a tag', 'tenant: !!js/function "hunter2"\n', /uses a tag/, 1],
    ['a binary tag', 'tenant: !!binary aHVudGVyMg==\n', /uses a tag/, 1],
    ['two documents', 'tenant: a\n---\ntenant: b\n', /more than one document/, 2],
    ['an alias of nothing', 'tenant: *hunter2\n', /alias without an anchor/, undefined],
    ['an alias of itself', 'tenant: &a [*a]\n', /contains itself/, undefined],
    ['a bomb of aliases', `a: &a [lol]\n${lol.join('\n')}\n`, /aliases too often/, undefined],
    ['many aliases', `a: &a x\nb: [${'*a,'.repeat(20_000)}]\n`, /aliases too often/, undefined],
    [
      'depth',
      `${'a: {'.repeat(1).concat('b: {'.repeat(50), '}'.repeat(51))}\n`,
      /nested too deeply/,
      undefined,
    ],
    ['endless depth', '['.repeat(50_000), /YAML|nested/, 1],
    ['a map as key', '? {a: 1}\n: 2\n', /key that is no text/, 1],
    ['2 MB', `tenant: ${'a'.repeat(2_000_000)}\n`, /larger than 1 MB/, undefined],
    ['invalid UTF-8', new Uint8Array([0x74, 0x3a, 0x20, 0xff, 0xfe]), /not valid UTF-8/, undefined],
  ])('%s', (_what, text, message, line) => {
    const result = parse(text);
    if (result.ok) throw new Error('accepted');
    expect(result.problems[0]?.message).toMatch(message);
    expect(result.problems[0]?.line).toBe(line);
    expect(JSON.stringify(result)).not.toContain('hunter2');
  });

  it('names a key that is there twice, with the line of the second', () => {
    const result = parse(
      'tenant: acme\nenabled: true\nworkspaces: [{name: s, github: {repository: a/b}}]\nenabled: false\n',
    );
    expect(result).toMatchObject({
      ok: false,
      problems: [{ path: 'enabled', message: 'is there twice', line: 4 }],
    });
  });

  it.each(['__proto__', 'constructor', '<<', 'toString'])('refuses the key %s', (key) => {
    const result = parse(`${stringify(minimalFile)}"${key}": {a: 1}\n`);
    expect(result).toMatchObject({ ok: false, problems: [{ path: key, message: 'is not a known key' }] });
  });

  it('gives all problems at once, with lines, in the order of the file', () => {
    const text = `tenant: acme
timezone: UTC
limits: { attempts: 9, mutatingPer5Min: 3, reservedForIncidents: 4 }
workspaces:
  - name: shop
    github: {}
    drift:
      - { environment: a, preset: command, timeout: 5, autoMerge: true }
  - name: shop
    github: { repository: a/b }
`;
    const result = parse(text);
    if (result.ok) throw new Error('accepted');
    expect(result.problems.map(({ path, line }) => `${line} ${path}`).sort()).toEqual([
      '2 timezone',
      '3 limits.attempts',
      '3 limits.reservedForIncidents',
      '6 workspaces[0].github.repository',
      '8 workspaces[0].drift[0].autoMerge',
      '8 workspaces[0].drift[0].plan',
      '8 workspaces[0].drift[0].timeout',
      '9 workspaces[1].name',
    ]);
    const lines = result.problems.map((one) => one.line ?? 0);
    expect(lines).toEqual([...lines].sort((a, b) => a - b));
    expect(
      formatTenantProblem(result.problems[0] ?? { path: '', value: '', message: '', fix: '' }, 'tenant.yaml'),
    ).toMatch(
      /^tenant\.yaml:2: timezone is not a known key \(found "timezone"\)\. Fix: did you mean "timeZone"\?/,
    );
  });

  it('never throws, and always has a message and a fix', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.object().map((one) => stringify(one)),
        ),
        (text) => {
          const result = parse(text);
          if (result.ok) return;
          expect(result.problems.length).toBeGreaterThan(0);
          for (const problem of result.problems) expect(problem.message && problem.fix).toBeTruthy();
        },
      ),
      { numRuns: 200 },
    );
  });
});
