// A scripted world for workflow tests: what sources read, what effects write, what remedies see. Real source and effect definitions over plain
// state; the door, the store and the workflows around them are the real ones. Writes are journaled by their marker.
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import {
  defineEffect,
  type EffectDefinition,
  type EffectResult,
  NotWritten,
} from '../../src/activities/effects/definition.ts';
import type { SourceDefinition, SourceReading } from '../../src/activities/sources/definition.ts';
import type { CiActivities, CiDiagnosis, WorkspaceActivities } from '../../src/contract/activities.ts';
import { type AutonomyLevel, type EffectKind, effectKinds, type Risk } from '../../src/contract/effect.ts';
import type { ObservedFinding } from '../../src/contract/finding.ts';
import type { CiTriage, TriageActivities } from '../../src/contract/triage.ts';
import type { Provider } from '../../src/integrations/provider/provider.ts';
import { decideApproval } from '../../src/store/approvals.ts';
import { type Pool, sha256 } from '../../src/store/database.ts';
import { ciFinding, driftFinding, migrationFinding } from './findings.ts';
import {
  newProduction,
  type Production,
  productionEffects,
  productionSources,
  scriptedProvider,
} from './ops/production.ts';

/** One workspace of one tenant; tests change it while loops run. */
export type Place = {
  /** Failing jobs of the newest run; more than one: as many findings. */
  ci: {
    jobs: string[];
    runId: number;
    headSha: string;
    rerunning: boolean;
    /** What the remedy sees is green, whatever the source says. */
    green?: boolean;
    fixer: string | null;
    mayRerun: boolean;
    /** A person's pull request that fails, in place of main. */
    pullRequest: number | null;
    mayPush: boolean;
    /** CI starts for nothing that is pushed. */
    silent?: boolean;
    /** The last commit that was pushed. */
    pushedSha: string | null;
    fixes?: number;
    whileFixing?: () => void;
    /** What triage says, when it is not by fixer and rerun. */
    next?: CiTriage['next'];
  };
  pull: { number: number; state: 'open' | 'closed'; merged: boolean } | null;
  drift: { planHash: string; destroys: number } | null;
  exportsDrift: boolean;
  /** Pending migrations by database. */
  pending: { [database: string]: readonly string[] };
  /** `/approve` comments of maintainers. */
  comments: { hash: string; decision: 'approve' | 'reject'; by: string }[];
  /** By source key: how it misbehaves. */
  sources: { [key: string]: 'hang' | 'throw' | undefined };
  reads: { [key: string]: number };
  /** How long each read takes. */
  readMs: number;
  production: Production;
  /** By kind: how its writes misbehave. `doubt`: the answer says nothing, and nothing was written. */
  effects: { [kind in EffectKind]?: 'refuse' | 'doubt' | 'landsAndThrows' | 'hang' | undefined };
};

export type Written = {
  readonly kind: EffectKind;
  readonly tenant: string;
  readonly target: string;
  readonly marker: string;
  readonly input: { readonly [name: string]: unknown };
};

export type ScriptedWorld = {
  readonly place: (tenant: string, workspace?: string) => Place;
  readonly journal: Written[];
  readonly writes: (kind: EffectKind, tenant?: string) => readonly Written[];
  readonly sources: (pool: Pool) => readonly SourceDefinition[];
  readonly definitions: readonly EffectDefinition[];
  readonly provider: (tenant: string, workspace: string) => Provider;
  readonly activities: CiActivities & TriageActivities & WorkspaceActivities;
};

const proposing: readonly EffectKind[] = [
  'pushBranch',
  'openPullRequest',
  'closePullRequest',
  'closeIssue',
  'commentOnIssue',
];
const mutating: readonly EffectKind[] = [
  'rerunFailedJobs',
  'applyDrift',
  'applyMigrations',
  'mergePullRequest',
];

export function createScriptedWorld(): ScriptedWorld {
  const places = new Map<string, Place>();
  const journal: Written[] = [];
  const place = (tenant: string, workspace = 'shop'): Place => {
    const key = `${tenant}/${workspace}`;
    const known = places.get(key);
    if (known) return known;
    const made: Place = {
      ci: {
        jobs: [],
        runId: 1,
        headSha: sha256(key).slice(0, 40),
        rerunning: false,
        fixer: null,
        mayRerun: false,
        pullRequest: null,
        mayPush: false,
        pushedSha: null,
      },
      pull: null,
      drift: null,
      exportsDrift: false,
      pending: {},
      comments: [],
      sources: {},
      reads: {},
      readMs: 0,
      production: newProduction(),
      effects: {},
    };
    places.set(key, made);
    return made;
  };
  const production = (tenant: string, workspace: string): Production => place(tenant, workspace).production;
  const services = productionEffects(production, (kind, tenant, target, marker, input) =>
    journal.push({ kind, tenant, target, marker, input }),
  );
  const own = new Set(services.map(({ kind }) => kind));
  return {
    place,
    journal,
    provider: (tenant, workspace) => scriptedProvider(production(tenant, workspace)),
    writes: (kind, tenant) =>
      journal.filter((one) => one.kind === kind && (tenant === undefined || one.tenant === tenant)),
    sources: (pool) => [...scriptedSources(place, pool), ...productionSources(production)],
    definitions: [
      ...services,
      ...effectKinds.filter((kind) => !own.has(kind)).map((kind) => scriptedEffect(kind, place, journal)),
    ],
    activities: scriptedActivities(place),
  };
}

type PlaceOf = ScriptedWorld['place'];

function scriptedSources(placeOf: PlaceOf, pool: Pool): readonly SourceDefinition[] {
  const source = (
    kind: SourceDefinition['kind'],
    targets: SourceDefinition['targets'],
    read: (place: Place, target: string | undefined, tenant: string, nowMs: number) => Promise<SourceReading>,
  ): SourceDefinition => ({
    kind,
    timeoutMs: () => 1_000,
    targets,
    read: async ({ config, workspace, target, nowMs }) => {
      const here = placeOf(config.tenant, workspace.name);
      const key = target === undefined ? kind : `${kind}:${target}`;
      here.reads[key] = (here.reads[key] ?? 0) + 1;
      if (here.readMs > 0) await delay(here.readMs);
      if (here.sources[key] === 'hang') return new Promise<never>(() => {});
      if (here.sources[key] === 'throw') throw new Error(`${key} broke`);
      return read(here, target, config.tenant, nowMs);
    },
  });
  return [
    source(
      'ciRuns',
      (workspace) => (workspace.ci.enabled ? [undefined] : []),
      async ({ ci }) =>
        reading(
          ci.jobs.map((job, index) => ciFinding(job, index, ci)),
          `run ${ci.runId}`,
        ),
    ),
    source(
      'drift',
      (workspace) => workspace.drift.map((drift) => drift.environment),
      async ({ drift }, target = '') => reading(drift ? [driftFinding(target, drift)] : [], 'planned'),
    ),
    source(
      'migrations',
      (workspace) => workspace.databases.map((database) => database.name),
      async ({ pending }, target = '') =>
        reading(
          pending[target]?.length ? [migrationFinding(target, pending[target])] : [],
          `${pending[target]?.length ?? 0} pending`,
        ),
    ),
    source(
      'approvals',
      () => [undefined],
      async ({ comments }, _target, tenant, nowMs) => {
        for (const comment of comments.splice(0))
          await decideApproval(pool, { ...comment, tenant, channel: 'github', reason: '', nowMs });
        return reading([], 'comments read');
      },
    ),
  ];
}

function reading(findings: readonly ObservedFinding[], reason: string): SourceReading {
  return { state: findings.length > 0 ? 'red' : 'green', reason, findings };
}

const AnyInput = z.record(z.string(), z.unknown());
type AnyInput = z.output<typeof AnyInput>;

function scriptedEffect(kind: EffectKind, placeOf: PlaceOf, journal: Written[]): EffectDefinition {
  const risk = (input: AnyInput): Risk => {
    if (kind === 'applyDrift' && Number(input.destroys) > 0) return 'destructive';
    if (mutating.includes(kind)) return 'mutating';
    if (input.incident === true) return 'safe';
    return proposing.includes(kind) ? 'proposing' : 'safe';
  };
  const level: AutonomyLevel = mutating.includes(kind) ? 'act' : kind === 'sendAlert' ? 'observe' : 'propose';
  return defineEffect<AnyInput>({
    kind,
    schema: AnyInput,
    delivery:
      kind === 'sendAlert' ? 'atLeastOnce' : kind === 'rerunFailedJobs' ? 'atMostOnce' : 'exactlyOnce',
    autonomy: () => level,
    risk,
    describe: (_input, request) => `${kind} ${request.target}`,
    needsApproval: (input, workspace) => {
      const policy =
        kind === 'applyDrift'
          ? workspace.drift.find((drift) => drift.environment === input.environment)?.policy
          : kind === 'applyMigrations'
            ? workspace.databases.find((database) => database.name === input.database)?.policy
            : 'auto';
      return policy === 'approval' && input.approvedByMerge !== true ? `the policy is approval` : undefined;
    },
    precondition: async ({ request }, input) => {
      if (kind !== 'applyDrift') return null;
      const now = placeOf(request.tenant, request.workspace).drift?.planHash ?? 'clean';
      return now === input.planHash ? null : `the plan is ${now} now`;
    },
    probe: async ({ marker }) => {
      const found = journal.findIndex((one) => one.marker === marker);
      return found === -1 ? null : resultOf(kind, found);
    },
    apply: async ({ request, marker, assertMayWrite, signal }, input) => {
      const here = placeOf(request.tenant, request.workspace);
      const mode = here.effects[kind];
      assertMayWrite();
      if (mode === 'refuse') throw new NotWritten(`${kind} is refused by the remote`, { permanent: true });
      if (mode === 'doubt') throw new Error('502 without a word');
      if (mode === 'hang')
        await new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(new Error('cut off')), { once: true }),
        );
      journal.push({ kind, tenant: request.tenant, target: request.target, marker, input });
      write(kind, here, input);
      const result = resultOf(kind, journal.length - 1);
      if (typeof result.commitSha === 'string') here.ci.pushedSha = result.commitSha;
      if (mode === 'landsAndThrows') throw new Error('502 after the write');
      return result;
    },
  });
}

function resultOf(kind: EffectKind, index: number): EffectResult {
  if (kind === 'openPullRequest' || kind === 'openIssue') return { number: index + 1 };
  return kind === 'pushBranch' ? { commitSha: sha256(String(index)).slice(0, 40) } : {};
}

function write(kind: EffectKind, place: Place, input: AnyInput): void {
  if (kind === 'applyMigrations') place.pending[String(input.database)] = [];
  if (kind === 'applyDrift') place.drift = null;
  if (kind === 'openPullRequest') place.pull = { number: 1, state: 'open', merged: false };
  if (kind === 'closePullRequest' && place.pull) place.pull.state = 'closed';
  if (kind === 'rerunFailedJobs') Object.assign(place.ci, { mayRerun: false, jobs: [] });
}

function scriptedActivities(placeOf: PlaceOf): CiActivities & TriageActivities & WorkspaceActivities {
  const at = (ref: { readonly tenant: string; readonly workspace: string }): Place =>
    placeOf(ref.tenant, ref.workspace);
  return {
    diagnoseCi: async (ref): Promise<CiDiagnosis> => {
      const { ci } = at(ref);
      return {
        red: ci.jobs.length > 0 && ci.green !== true,
        runId: ci.runId,
        runAttempt: 1,
        headSha: ci.headSha,
        running: ci.rerunning,
        fixer: ci.fixer,
        why: ci.fixer === null ? 'no fixer is for it' : `fixer ${ci.fixer}`,
        mayRerun: ci.mayRerun,
        mayPush: ci.mayPush,
        repository: 'acme/shop',
        baseBranch: 'main',
      };
    },
    triageCi: async ({ diagnosis, ...ref }) => {
      const { next = diagnosis.fixer !== null ? 'fix' : diagnosis.mayRerun ? 'rerun' : 'person' } =
        at(ref).ci;
      return { next, class: 'unknown', confidence: 0, why: diagnosis.why, report: '', untilMs: null };
    },
    noteGreen: async () => ({ flake: false, why: 'its commit is another', quarantine: null }),
    readPullRequest: async (ref) => {
      const { pull, ci } = at(ref);
      return {
        state: pull?.state ?? 'closed',
        merged: pull?.merged ?? false,
        headSha: ci.pushedSha ?? ci.headSha,
        mergeCommitSha: pull?.merged ? ci.headSha : null,
      };
    },
    patchComment: async ({ report }) => ({ body: `${report}\n\n## Take it` }),
    ownBranch: async (ref) => {
      const { pull } = at(ref);
      return { sha: null, ours: true, pullRequest: pull?.state === 'open' ? pull.number : null };
    },
    ciStarted: async (ref) => ({ started: at(ref).ci.silent !== true }),
    fixCi: async (ref) => {
      const { ci } = at(ref);
      ci.fixes = (ci.fixes ?? 0) + 1;
      ci.whileFixing?.();
      return {
        result: 'verified',
        patchEvidence: 'evidence',
        treeSha: 'f00d'.repeat(10),
        files: 1,
        lines: 1,
        // What commands say of themselves differs each time they run.
        report: `## Evidence\n\nran ${ci.fixes} s`,
      };
    },
    driftPolicy: async (ref) => ({
      hasExport: at(ref).exportsDrift,
      autoMerge: false,
      policy: 'approval',
      repository: 'acme/shop',
      baseBranch: 'main',
    }),
    planDrift: async (ref) => {
      const { drift } = at(ref);
      return drift
        ? { state: 'drifted', ...drift, summary: '1 to change', reason: '' }
        : { state: 'clean', planHash: 'clean', destroys: 0, summary: 'clean', reason: '' };
    },
    exportDrift: async (ref) => {
      const { exportsDrift, drift } = at(ref);
      if (!exportsDrift) return { result: 'noChange', reason: 'nothing to export' };
      const planAfter = { planHash: 'clean', destroys: 0, summary: 'clean', reason: '' };
      return {
        result: 'exported',
        patchEvidence: 'evidence',
        baseSha: 'b'.repeat(40),
        treeSha: sha256(drift?.planHash ?? '').slice(0, 40),
        planAfter: { ...planAfter, state: 'clean' },
        files: ['infra/main.tf'],
      };
    },
    readMigrations: async (ref) => ({
      pending: [...(at(ref).pending[ref.database] ?? [])],
      missingOnDisk: [],
      backupProblem: null,
    }),
  };
}
