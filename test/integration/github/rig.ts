// A forge with a small repository, our GitHub client, a tenant over it, and the real door on a real Postgres.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Forge, startForge } from '../../../demo/forge/forge.ts';
import { createDoor, type DoorOptions } from '../../../src/activities/effects/door.ts';
import { TryAgain } from '../../../src/activities/effects/door-failure.ts';
import { createGitHubEffects } from '../../../src/activities/effects/github/github-effects.ts';
import type { SourceDefinition, SourceReading } from '../../../src/activities/sources/definition.ts';
import { parseTenantFile } from '../../../src/config/tenant-file.ts';
import type { EffectAnswer, EffectKind, EffectRequest, Json } from '../../../src/contract/effect.ts';
import type { TenantConfig, WorkspaceConfig } from '../../../src/contract/tenant-config.ts';
import { createGitHub, type GitHub } from '../../../src/integrations/github/client.ts';
import type { Place } from '../../../src/integrations/github/read.ts';
import { createRedactor } from '../../../src/logs/redact/redact-values.ts';
import { loadEvidence, saveEvidence } from '../../../src/store/evidence.ts';
import { applyTenant } from '../../../src/store/tenants.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

export const at = { owner: 'acme', repo: 'shop' } as const;
export const repository = 'acme/shop';
export const times = { leaseMs: 4_000, writeMs: 3_000, settleMs: 1_500, giveUpMs: 20_000 };
export const nowMs = Date.parse('2026-03-02T10:00:00Z');

export type GitHubRig = {
  readonly forge: Forge;
  readonly github: GitHub;
  readonly place: Place;
  readonly token: string;
  readonly config: TenantConfig;
  readonly workspace: WorkspaceConfig;
  readonly clientFor: (token: string) => GitHub;
  readonly read: (
    source: SourceDefinition,
    memory: Json,
    change?: Partial<WorkspaceConfig['ci']> & { readonly approveBy?: readonly string[] },
  ) => Promise<SourceReading & { readonly memory: Json }>;
  readonly stop: () => Promise<void>;
};

/** @param extra lines of YAML under the tenant, e.g. `autonomy: { default: act }` */
export async function startGitHubRig(extra = ''): Promise<GitHubRig> {
  const directory = mkdtempSync(join(tmpdir(), 'untilgreen-github-'));
  const forge = await startForge({ dataDir: join(directory, 'forge') });
  const agent = await forge.createUser({ login: 'untilgreen-agent', permission: 'write' });
  await forge.createRepository({ owner: at.owner, name: at.repo, files: { 'a.txt': 'one\n' }, ci: false });
  const clientFor = (token: string): GitHub =>
    createGitHub({ apiUrl: forge.url, token, userAgent: 'untilgreen-test', timeoutMs: 2_000 });
  const github = clientFor(agent.token);
  const config = tenantConfig(forge, extra);
  const workspace = config.workspaces[0];
  if (workspace === undefined) throw new Error('no workspace');
  return {
    forge,
    github,
    place: { github, repository, signal: AbortSignal.timeout(120_000) },
    token: agent.token,
    config,
    workspace,
    clientFor,
    read: async (source, memory, change = {}) => {
      const { approveBy, ...ci } = change;
      const reading = await source.read({
        config,
        workspace: {
          ...workspace,
          ci: { ...workspace.ci, ...ci },
          github: { ...workspace.github, ...(approveBy === undefined ? {} : { approveBy }) },
        },
        target: undefined,
        nowMs,
        signal: AbortSignal.timeout(30_000),
        memory,
      });
      // What comes back from Postgres went through JSON.
      return { ...reading, memory: JSON.parse(JSON.stringify(reading.memory ?? null)) };
    },
    stop: async () => {
      expect(await forge.journal.unexpected()).toEqual([]);
      await forge.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function tenantConfig(forge: Forge, extra: string): TenantConfig {
  const text = `
tenant: acme
${extra}
workspaces:
  - name: shop
    ci: { pullRequests: ['feature/**'] }
    github:
      repository: ${repository}
      apiUrl: ${forge.url}
      gitUrl: ${forge.gitUrl(at.owner, at.repo)}
    drift:
      - { environment: production, preset: opentofu, autoMerge: true, export: { command: export, paths: [infra/**] } }
      - { environment: staging, preset: opentofu }
`;
  const parsed = parseTenantFile(text, { fileName: 'tenant.yaml' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.config;
}

export type DoorRig = {
  readonly database: TestDatabase;
  readonly run: (request: EffectRequest, options?: Partial<DoorOptions>) => Promise<EffectAnswer>;
  /** Runs until it is no TryAgain, waiting as long as it says. */
  readonly finish: (request: EffectRequest) => Promise<EffectAnswer>;
  readonly savePatch: (patch: string) => Promise<string>;
  readonly stop: () => Promise<void>;
};

export async function openDoor(rig: GitHubRig): Promise<DoorRig> {
  const database = await createTestDatabase();
  await applyTenant(database.pool, rig.config, 'test', nowMs);
  const redactor = createRedactor();
  redactor.register('TOKEN', rig.token);
  const cacheDir = mkdtempSync(join(tmpdir(), 'untilgreen-cache-'));
  const definitions = createGitHubEffects({
    github: async () => rig.github,
    gitRemote: async (workspace) => ({ url: workspace.github.gitUrl, token: rig.token }),
    cacheDir,
    redactor,
    loadEvidence: (tenant, hash) => loadEvidence(database.pool, tenant, hash),
  });
  const run: DoorRig['run'] = (request, options = {}) =>
    createDoor({ pool: database.pool, definitions, redactor, times, ...options }).run(
      request,
      AbortSignal.timeout(60_000),
    );
  return {
    database,
    run,
    finish: async (request) => {
      for (let round = 0; round < 40; round += 1) {
        try {
          return await run(request);
        } catch (error) {
          if (!(error instanceof TryAgain)) throw error;
          await new Promise((resolve) => setTimeout(resolve, error.delayMs ?? 100));
        }
      }
      throw new Error(`${request.kind} never came to its end`);
    },
    savePatch: (body) =>
      saveEvidence(database.pool, { tenant: 'acme', kind: 'patch', body, retentionMs: 3_600_000 }),
    stop: async () => {
      await database.drop();
      rmSync(cacheDir, { recursive: true, force: true });
    },
  };
}

let steps = 0;

export function effect(kind: EffectKind, input: Json, more: Partial<EffectRequest> = {}): EffectRequest {
  steps += 1;
  return {
    tenant: 'acme',
    workspace: 'shop',
    kind,
    target: `${repository}#${steps}`,
    precondition: 'planned',
    requester: 'remedy/acme/ci/1/1',
    step: `step-${steps}`,
    input,
    nowMs,
    actor: 'test',
    ...more,
  };
}

/** A patch as git writes it. */
export function patchOf(path: string, before: string, after: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'untilgreen-patch-'));
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: directory, encoding: 'utf8' });
  try {
    git('init', '-q');
    writeFileSync(join(directory, path), before);
    git('add', '--', path);
    writeFileSync(join(directory, path), after);
    return git('diff', '--binary');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
