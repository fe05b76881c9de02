// An incident turn by turn without a workflow: the real turns, door and store over a scripted production, the clock a number. A turn or an answer
// can be lost anywhere, as when a worker is killed: then the next turn begins with nothing but what is in Postgres.
import { createDoor, type Door } from '../../../src/activities/effects/door.ts';
import { settleCycle } from '../../../src/activities/record/settle.ts';
import { assessIncident } from '../../../src/activities/remedies/incident/assess.ts';
import type { IncidentParts } from '../../../src/activities/remedies/incident/parts.ts';
import { platformReader } from '../../../src/activities/remedies/incident/platform.ts';
import { createServices, type Services } from '../../../src/activities/services.ts';
import { createSecretResolver } from '../../../src/config/secrets.ts';
import { parseTenantFile } from '../../../src/config/tenant-file.ts';
import type { Finding, Observation } from '../../../src/contract/finding.ts';
import type { DoneEffect, IncidentTurn } from '../../../src/contract/ops/activities.ts';
import { createRedactor } from '../../../src/logs/redact/redact-values.ts';
import { decide } from '../../../src/policy/loop/decide.ts';
import type { Pool } from '../../../src/store/database.ts';
import { applyTenant, readTenant } from '../../../src/store/tenants.ts';
import { opsWorkspace } from '../../workflow/ops/scene.ts';
import { createScriptedWorld, type ScriptedWorld } from '../../workflow/world.ts';

export const minuteMs = 60_000;
const cycleMs = 5 * minuteMs;

/** Whether a worker dies now: after a turn, or after an effect, before anybody heard of it. */
export type Dies = (where: 'turn' | 'effect') => boolean;

export type Incidents = {
  readonly world: ScriptedWorld;
  readonly services: Services;
  /** The next so many minutes, cycle by cycle and turn by turn. */
  readonly run: (minutes: number, dies?: Dies) => Promise<void>;
  readonly nowMs: () => number;
  /** The answers of the last turns, by kind of finding. */
  readonly turns: ReadonlyMap<string, IncidentTurn>;
};

type Remedy = { readonly finding: Finding; wakeAtMs: number; done: DoneEffect[] };

export async function startIncidents(
  pool: Pool,
  tenant: string,
  settings: Parameters<typeof opsWorkspace>[0] = {},
): Promise<Incidents> {
  const world = createScriptedWorld();
  const redactor = createRedactor();
  const made = createServices({
    pool,
    redactor,
    secrets: createSecretResolver({ env: {}, redactor }),
    cacheDir: 'none',
  });
  const services: Services = {
    ...made,
    provider: async (workspace) => world.provider(tenant, workspace.name),
  };
  const parts: IncidentParts = {
    services,
    platform: platformReader(services),
    baseBranch: async () => 'main',
    runUrl: () => 'http://ui.example/run',
  };
  const door = createDoor({
    pool,
    redactor,
    definitions: world.definitions,
    times: { leaseMs: 5_000, writeMs: 4_000, settleMs: 10 },
  });
  const file = { tenant, autonomy: { default: 'act' }, workspaces: [opsWorkspace(settings)] };
  const parsed = parseTenantFile(JSON.stringify(file), { fileName: 'tenant.yaml' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  let nowMs = Date.UTC(2026, 10, 21, 2, 0);
  await applyTenant(pool, parsed.config, 'test', nowMs, parsed.source);
  const remedies = new Map<string, Remedy>();
  const turns = new Map<string, IncidentTurn>();
  let cycle = 0;
  let cycleAtMs = nowMs;

  async function runCycle(): Promise<void> {
    cycle += 1;
    const sources = world.sources(pool).filter(({ kind }) => kind === 'health' || kind === 'deployments');
    const row = await readTenant(pool, tenant);
    const workspace = row?.config.workspaces[0];
    if (!row || !workspace) throw new Error('no tenant');
    const observations: Observation[] = [];
    for (const source of sources) {
      const context = {
        config: row.config,
        workspace,
        target: undefined,
        nowMs,
        signal: AbortSignal.timeout(5_000),
        memory: null,
      };
      const { state, reason, findings } = await source.read(context);
      observations.push({
        workspace: 'shop',
        source: source.kind,
        readAtMs: nowMs,
        durationMs: 1,
        state,
        reason,
        findings,
      });
    }
    const run = {
      tenant,
      cycle,
      runId: `run-${cycle}`,
      trigger: 'schedule' as const,
      startedMs: nowMs,
      nowMs,
      unrecordedFailures: 0,
    };
    const settled = await settleCycle({ pool, sources: world.sources(pool) }, { ...run, observations });
    for (const { action, fingerprint } of decide(settled.findings)) {
      const finding = settled.findings.find((one) => one.fingerprint === fingerprint);
      if (action !== 'start' || !finding) continue;
      await pool.query(
        `update findings set status = 'working', remedies = remedies + 1 where tenant = $1 and fingerprint = $2 and status <> 'resolved'`,
        [tenant, fingerprint],
      );
      if (!remedies.has(fingerprint)) remedies.set(fingerprint, { finding, wakeAtMs: nowMs, done: [] });
    }
    for (const fingerprint of settled.changed) {
      const remedy = remedies.get(fingerprint);
      if (remedy) remedy.wakeAtMs = nowMs;
    }
  }

  async function takeTurn(remedy: Remedy, dies: Dies): Promise<void> {
    const { fingerprint, occurrence, kind } = remedy.finding;
    const ref = { tenant, workspace: 'shop', fingerprint, occurrence };
    const done = remedy.done.splice(0);
    const turn = await assessIncident(
      parts,
      { ...ref, nowMs, actor: 'loop', done, nudged: false },
      AbortSignal.timeout(30_000),
    );
    turns.set(kind, turn);
    if (turn.end) {
      remedies.delete(fingerprint);
      await pool.query(
        `update findings set status = 'open' where tenant = $1 and fingerprint = $2 and status <> 'resolved'`,
        [tenant, fingerprint],
      );
      return;
    }
    remedy.wakeAtMs = Math.max(turn.wakeAtMs, nowMs + 1);
    if (dies('turn')) {
      remedy.wakeAtMs = nowMs + 1_000;
      return;
    }
    for (const { name, ...due } of turn.due) {
      const answer = await ask(door, { ...due, ...ref, nowMs, actor: 'loop' });
      if (dies('effect')) {
        remedy.wakeAtMs = nowMs + 1_000;
        return;
      }
      remedy.done.push({ name, step: due.step, precondition: due.precondition, atMs: nowMs, answer });
      remedy.wakeAtMs = nowMs + 1_000;
    }
  }

  return {
    world,
    services,
    turns,
    nowMs: () => nowMs,
    run: async (minutes, dies = () => false) => {
      const endMs = nowMs + minutes * minuteMs;
      while (nowMs <= endMs) {
        if (nowMs >= cycleAtMs) {
          await runCycle();
          cycleAtMs += cycleMs;
        }
        for (const remedy of [...remedies.values()])
          if (remedy.wakeAtMs <= nowMs) await takeTurn(remedy, dies);
        const next = Math.min(cycleAtMs, ...[...remedies.values()].map(({ wakeAtMs }) => wakeAtMs));
        nowMs = Math.max(next, nowMs + 1);
      }
      nowMs = endMs;
    },
  };
}

async function ask(door: Door, request: Parameters<Door['run']>[0]): Promise<DoneEffect['answer']> {
  try {
    return await door.run(request, AbortSignal.timeout(10_000));
  } catch (error) {
    return { status: 'failed', reason: error instanceof Error ? error.message : String(error) };
  }
}
