// Triage over a real forge and a real Postgres: runs are made by hand, findings come from the source, diagnoses from the remedy's own reading.
import { MockActivityEnvironment } from '@temporalio/testing';
import * as z from 'zod';
import { createAlertEffects } from '../../../src/activities/effects/alert.ts';
import { createDoor } from '../../../src/activities/effects/door.ts';
import { createGitHubEffects } from '../../../src/activities/effects/github/github-effects.ts';
import { createCiActivities } from '../../../src/activities/remedies/ci.ts';
import {
  createTriageActivities,
  type TriageOptions,
} from '../../../src/activities/remedies/triage/triage.ts';
import { createServices } from '../../../src/activities/services.ts';
import { createCiRunsSource } from '../../../src/activities/sources/ci-runs.ts';
import { createSecretResolver } from '../../../src/config/secrets.ts';
import type { CiDiagnosis, FindingRef } from '../../../src/contract/activities.ts';
import type { TenantConfig } from '../../../src/contract/tenant-config.ts';
import type { CiTriage } from '../../../src/contract/triage.ts';
import { createRedactor } from '../../../src/logs/redact/redact-values.ts';
import { reconcile } from '../../../src/policy/loop/reconcile.ts';
import { applyChange, fingerprintOf, latestOccurrences, readMemory } from '../../../src/store/findings.ts';
import { applyTenant } from '../../../src/store/tenants.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { at, type GitHubRig, nowMs, startGitHubRig } from '../github/rig.ts';

export { nowMs } from '../github/rig.ts';
export const minuteMs = 60_000;
export const dayMs = 86_400_000;

type Ci = TenantConfig['workspaces'][number]['ci'];
export type Job = {
  readonly name: string;
  readonly log: string;
  readonly conclusion?: 'failure' | 'success';
};
export type Green = Awaited<ReturnType<ReturnType<typeof createTriageActivities>['noteGreen']>>;

export type Scene = {
  readonly rig: GitHubRig;
  readonly database: TestDatabase;
  readonly addTenant: (name: string, ci?: Partial<Ci>) => Promise<void>;
  /** A completed run of main's CI: failed when one of its jobs did. */
  readonly run: (
    jobs: readonly Job[],
    more?: { readonly sha?: string; readonly event?: string; readonly branch?: string },
  ) => Promise<number>;
  /** A new attempt of a run, all its jobs with one end. */
  readonly rerun: (id: number, conclusion: 'success' | 'failure') => Promise<void>;
  /** A commit on main, or on another branch; its SHA. */
  readonly commit: (branch?: string) => Promise<string>;
  /** A branch with a commit, and a pull request from it. */
  readonly openPull: (branch: string) => Promise<void>;
  /** The issue that a proposal of quarantine opens, by the real door; its number. */
  readonly openQuarantine: (green: Green & { readonly ref: FindingRef }) => Promise<number>;
  readonly closeIssue: (number: number) => Promise<void>;
  /** What the source sees now becomes known. @returns open findings by job */
  readonly sweep: (tenant: string, atMs?: number) => Promise<ReadonlyMap<string, FindingRef>>;
  readonly ciStarted: ReturnType<typeof createCiActivities>['ciStarted'];
  readonly diagnose: (ref: FindingRef) => Promise<CiDiagnosis>;
  readonly triage: (ref: FindingRef, atMs?: number, options?: TriageOptions) => Promise<CiTriage>;
  readonly noteGreen: (ref: FindingRef, atMs?: number) => Promise<Green>;
  /** The door for alerts, and the lines that it wrote to the console. */
  readonly alerts: () => {
    readonly lines: readonly string[];
    readonly alert: NonNullable<TriageOptions['alert']>;
  };
  readonly memory: (ref: FindingRef) => ReturnType<typeof readMemory>;
  readonly stop: () => Promise<void>;
};

/** Tenants are `act`, so that a rerun is allowed. */
export async function startScene(): Promise<Scene> {
  const rig = await startGitHubRig('autonomy: { default: act }');
  const database = await createTestDatabase();
  const { pool } = database;
  const redactor = createRedactor();
  const secrets = createSecretResolver({ env: { GITHUB_TOKEN: rig.token }, redactor });
  const services = createServices({ pool, redactor, secrets, cacheDir: 'none' });
  const source = createCiRunsSource({ github: async () => rig.github });
  const ci = createCiActivities(services);
  const activity = <T>(work: () => Promise<T>): Promise<T> => new MockActivityEnvironment().run(work);
  let commits = 0;
  const write = async (method: string, path: string, params: object = {}): Promise<void> => {
    await rig.github.write({
      route: `${method} /repos/{owner}/{repo}${path}`,
      params: { ...at, ...params },
      schema: z.unknown(),
      signal: rig.place.signal,
      assertMayWrite: () => {},
    });
  };
  const scene: Scene = {
    rig,
    database,
    addTenant: async (name, change = {}) => {
      const workspaces = rig.config.workspaces.map((one) => ({ ...one, ci: { ...one.ci, ...change } }));
      await applyTenant(pool, { ...rig.config, tenant: name, workspaces }, 'test', nowMs);
    },
    run: async (jobs, more = {}) => {
      const given = jobs.map((job) => {
        const conclusion = job.conclusion ?? ('failure' as const);
        return { ...job, conclusion, steps: [{ name: 'Run tests', conclusion }] };
      });
      const conclusion = given.some((job) => job.conclusion === 'failure') ? 'failure' : 'success';
      return (await rig.forge.actions.createRun({ ...at, ...more, conclusion, jobs: given })).id;
    },
    rerun: async (id, conclusion) => {
      await write('POST', `/actions/runs/${id}/rerun`);
      await rig.forge.actions.setRun({ id, status: 'completed', conclusion });
    },
    commit: async (branch = 'main') => {
      commits += 1;
      const files = { [branch === 'main' ? 'b.txt' : 'p.txt']: `${commits}\n` };
      return (await rig.forge.commitFiles({ ...at, branch, files, message: `b ${commits}` })).sha;
    },
    openPull: async (branch) => {
      await scene.commit(branch);
      await write('POST', '/pulls', { head: branch, base: 'main', title: branch });
    },
    openQuarantine: async ({ quarantine, ref }) => {
      const definitions = createGitHubEffects({
        github: async () => rig.github,
        gitRemote: async () => ({ url: '', token: rig.token }),
        cacheDir: 'none',
        redactor,
        loadEvidence: async () => undefined,
      });
      const answer = await createDoor({ pool, definitions, redactor }).run(
        {
          ...ref,
          kind: 'openIssue',
          target: 'acme/shop/flakes',
          precondition: quarantine?.test ?? '',
          requester: 'quarantine/shop',
          step: `quarantine-${ref.fingerprint.slice(0, 12)}`,
          input: { title: quarantine?.title ?? '', body: quarantine?.body ?? '' },
          nowMs: nowMs + minuteMs,
          actor: 'test',
        },
        rig.place.signal,
      );
      return answer.status === 'receipt' ? Number(answer.result.number) : 0;
    },
    closeIssue: (number) => write('PATCH', `/issues/${number}`, { state: 'closed' }),
    sweep: async (tenant, atMs = nowMs) => {
      const { state, findings } = await rig.read(source, null);
      const named = (one: (typeof findings)[number]) => fingerprintOf(tenant, 'shop', one);
      const read = {
        workspace: 'shop',
        source: 'ciRuns',
        readAtMs: atMs,
        durationMs: 1,
        reason: '',
      } as const;
      const known = await latestOccurrences(pool, tenant, findings.map(named));
      for (const change of reconcile(known, [{ ...read, state, findings }], named, atMs))
        await applyChange(pool, tenant, change, atMs);
      const { rows } = await pool.query(
        `select detail ->> 'job' as job, tenant, workspace, fingerprint, occurrence from findings where tenant = $1 and status <> 'resolved'`,
        [tenant],
      );
      return new Map(rows.map(({ job, ...ref }) => [job, ref]));
    },
    diagnose: (ref) => activity(() => ci.diagnoseCi(ref)),
    ciStarted: (request) => activity(() => ci.ciStarted(request)),
    triage: async (ref, atMs = nowMs, options = {}) => {
      const diagnosis = await scene.diagnose(ref);
      return activity(() =>
        createTriageActivities(services, options).triageCi({ ...ref, diagnosis, nowMs: atMs }),
      );
    },
    noteGreen: async (ref, atMs = nowMs) => {
      const diagnosis = await scene.diagnose(ref);
      return activity(() => createTriageActivities(services).noteGreen({ ...ref, diagnosis, nowMs: atMs }));
    },
    alerts: () => {
      const lines: string[] = [];
      const definitions = createAlertEffects(services, (line) => lines.push(line));
      const door = createDoor({ pool, definitions, redactor });
      return { lines, alert: (request, signal) => door.run(request, signal) };
    },
    memory: (ref) => readMemory(pool, ref),
    stop: async () => {
      await database.drop();
      await rig.stop();
    },
  };
  return scene;
}

/** A log as the runner writes it: what the step printed, and its end. */
export function logOf(...lines: readonly string[]): string {
  const all = [
    '##[group]Run npm test',
    'npm test',
    '##[endgroup]',
    ...lines,
    '##[error]Process completed with exit code 1.',
  ];
  return `${all.map((line, index) => `2026-03-02T10:00:0${index % 10}.0000000Z ${line}`).join('\n')}\n`;
}

/** What node's runner prints: tests by name, then its sums. */
export function nodeTests(failed: readonly string[], passed: number): readonly string[] {
  const green = Array.from({ length: passed }, (_, index) => `✔ passes ${index + 1} (1.1ms)`);
  return [
    ...green,
    ...failed.map((name) => `✖ ${name} (1.2ms)`),
    `ℹ tests ${failed.length + passed}`,
    `ℹ pass ${passed}`,
    `ℹ fail ${failed.length}`,
    '',
    '✖ failing tests:',
    ...failed.flatMap((name) => [
      '',
      'test at test/total.test.ts:3:1',
      `✖ ${name} (1.2ms)`,
      '  AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:',
      '  2 !== 3',
    ]),
  ];
}
