// How an incident and everything around it stands now, for the operator model (MODEL-2): the view that it is shown, and the facts that its proposals are
// judged by. Read only; what is shown and what is judged come from the same reading.
import picomatch from 'picomatch';
import type { FindingRef } from '../../../contract/activities.ts';
import type { EffectKind } from '../../../contract/effect.ts';
import type { LadderState, Rung } from '../../../contract/ops/ladder.ts';
import type { Service } from '../../../contract/ops/platform.ts';
import type { ServicesSettings } from '../../../contract/ops/settings.ts';
import type { InfrastructureView, WorkspaceView } from '../../../policy/ops/infrastructure-summary.ts';
import {
  failedBeside,
  rollBackTarget,
  rungTarget,
  serviceHealth,
} from '../../../policy/ops/ladder/health-spans.ts';
import { opsCap } from '../../../policy/ops/ladder/ops-cap.ts';
import { judgeOutage, outageHold } from '../../../policy/ops/ladder/outage.ts';
import { rungOf } from '../../../policy/ops/operator-proposals.ts';
import { livePauses } from '../../../store/claims.ts';
import { transaction } from '../../../store/database.ts';
import { activeFindings } from '../../../store/findings.ts';
import { type IncidentRow, lockIncident } from '../../../store/ops/incidents.ts';
import { cooldownsOf, receiptsOnService } from '../../../store/ops/ladders.ts';
import { countChanges, openLadders } from '../../../store/ops/operator.ts';
import { readWatches } from '../../../store/ops/watches.ts';
import { workspaceOf } from '../../services.ts';
import { type IncidentParts, type Known, readKnown, servicesOf } from '../incident/parts.ts';
import type { PlatformView } from '../incident/platform.ts';
import { IncidentState, LadderMemory } from '../incident/state.ts';

export type OperatorParts = Pick<IncidentParts, 'services' | 'platform' | 'baseBranch'>;

export type KnownService = {
  readonly name: string;
  readonly service: Service;
  readonly watched: boolean;
  readonly ladder: LadderState | null;
  /** Who asks for the steps of its ladder; null: nobody does. */
  readonly requester: string | null;
};

export type Situation = {
  readonly known: Known;
  readonly incident: IncidentRow;
  readonly state: IncidentState;
  readonly platform: PlatformView | null;
  readonly services: readonly KnownService[];
  readonly view: InfrastructureView;
};

const hourMs = 3_600_000;
const rungEffects = Object.keys(rungOf) as readonly (keyof typeof rungOf)[];
const serviceEffects: readonly EffectKind[] = [
  ...rungEffects,
  'removeDeployment',
  'updateService',
  'cleanUp',
];

/** Or why there is nothing to look at. */
export async function readSituation(
  parts: OperatorParts,
  ref: FindingRef,
  now: { readonly nowMs: number; readonly withLogs: boolean; readonly signal: AbortSignal },
): Promise<Situation | string> {
  const { pool } = parts.services;
  const known = await readKnown(pool, ref, await workspaceOf(parts.services, ref.tenant, ref.workspace));
  const incident = await transaction(pool, (tx) => lockIncident(tx, ref));
  if (known === null || incident === null || !incident.open) return 'the incident is not open any more';
  const { workspace } = known;
  const key = { ...ref, environment: workspace.services?.environment ?? '' };
  const ladders = workspace.services ? await openLadders(pool, key) : [];
  const names = [...new Set([...servicesOf(known.finding), ...ladders.map(({ service }) => service)])].sort();
  const platform = await parts.platform(workspace, { ...now, tenant: ref.tenant, names });
  const hold = await holdOf(parts, ref, known, platform, now.nowMs);
  const watched = picomatch([...(workspace.services?.watch ?? [])]);
  const services = await Promise.all(
    (platform?.overview?.services ?? []).map(async (service): Promise<KnownService> => {
      const ladder = ladders.find((one) => one.service === service.name);
      const base = { name: service.name, service, watched: watched(service.name) };
      if (ladder === undefined || !workspace.services || platform === null)
        return { ...base, ladder: null, requester: null };
      const state = await ladderOf(parts, ref, workspace.services, { service, ladder, platform, hold });
      return { ...base, ladder: state, requester: ladder.requester };
    }),
  );
  const state = IncidentState.parse(incident.state);
  const read = { known, incident, state, platform, services };
  return { ...read, view: await viewOf(parts, ref, read, hold, now.nowMs) };
}

/** Why nothing may be changed: what the source says of an outage, or what this reading does. */
async function holdOf(
  { services }: OperatorParts,
  { tenant, workspace: name }: FindingRef,
  { workspace }: Known,
  platform: PlatformView | null,
  nowMs: number,
): Promise<LadderState['hold']> {
  if (platform === null) return null;
  const outage = (await readWatches(services.pool, tenant)).find((one) => one.workspace === name)?.outage;
  if (outage) return outageHold(outage, nowMs);
  const provider = workspace.services?.provider.kind === 'railway' ? 'Railway' : 'the platform';
  const health = (platform.overview?.services ?? []).map((service) => ({
    name: service.name,
    health: serviceHealth(service, null),
  }));
  return judgeOutage(null, { provider, services: health, apiFailure: platform.failure }, nowMs).hold;
}

/** As the ladder itself sees it, with what is held. */
async function ladderOf(
  { services: { pool } }: OperatorParts,
  { tenant, workspace }: FindingRef,
  { environment }: ServicesSettings,
  of: {
    readonly service: Service;
    readonly ladder: Awaited<ReturnType<typeof openLadders>>[number];
    readonly platform: PlatformView;
    readonly hold: LadderState['hold'];
  },
): Promise<LadderState> {
  const { service, ladder, platform, hold } = of;
  const memory = LadderMemory.parse(ladder.state);
  const target = `${environment}/${service.name}`;
  const receipts = await receiptsOnService(pool, {
    tenant,
    workspace,
    target,
    kinds: rungEffects,
    sinceMs: ladder.sinceMs ?? 0,
  });
  const ends = await cooldownsOf(pool, tenant, target);
  const done = receipts.map(
    (one): Rung => ({
      ...one,
      kind: rungOf[one.kind as keyof typeof rungOf],
      deploymentId: one.precondition,
    }),
  );
  const current = rungTarget(service);
  return {
    spans: memory.spans,
    rungs: [...done, ...memory.answered],
    cooldownUntilMs: Object.fromEntries(
      rungEffects.flatMap((kind) => (ends[kind] === undefined ? [] : [[rungOf[kind], ends[kind]]])),
    ),
    deployment: current,
    rollBackTo: rollBackTarget(
      platform.deployments[service.id] ?? [],
      current?.id ?? null,
      memory.seenHealthy,
      memory.seenUnhealthy,
    ),
    failedBeside: failedBeside(service),
    can: platform.can,
    hold,
  };
}

async function viewOf(
  { services: { pool } }: OperatorParts,
  { tenant }: FindingRef,
  read: Omit<Situation, 'view'>,
  hold: LadderState['hold'],
  nowMs: number,
): Promise<InfrastructureView> {
  const { config, workspace } = read.known;
  const watches = await readWatches(pool, tenant);
  const watched = watches.reduce((sum, one) => sum + one.watched, 0);
  const [inFive, inHour, pauses, active] = [
    await countChanges(pool, tenant, nowMs - 5 * 60_000),
    await countChanges(pool, tenant, nowMs - hourMs, serviceEffects),
    await livePauses(pool, tenant),
    await activeFindings(pool, tenant),
  ];
  const notices = active.flatMap(({ workspace: name, detail }) =>
    name === workspace.name && detail.kind === 'notice' ? [{ level: detail.level, text: detail.text }] : [],
  );
  return {
    atMs: nowMs,
    limits: {
      autonomy: config.autonomy.effects.restartService,
      effectsLeft: Math.max(0, config.limits.mutatingPer5Min - inFive),
      serviceChangesLeft: Math.max(0, opsCap(watched) - inHour),
      paused: pauses[0]?.reason ?? null,
    },
    workspaces: [{ ...workspaceView(read), outage: hold?.reason ?? null, notices }],
  };
}

function workspaceView({
  known,
  incident,
  state,
  services,
}: Omit<Situation, 'view'>): Omit<WorkspaceView, 'outage' | 'notices'> {
  const { workspace, red } = known;
  const { level, failing } = state.severity;
  const levels = workspace.services?.level;
  return {
    workspace: workspace.name,
    environment: workspace.services?.environment ?? 'production',
    incidents:
      level === null
        ? []
        : [{ level, failed: failing, sinceMs: incident.detectedMs, acknowledgedBy: incident.acknowledgedBy }],
    services: services
      .filter(({ watched }) => watched)
      .map(({ name, service, ladder }) => ({
        name,
        health: ladder?.spans.at(-1)?.health ?? serviceHealth(service, null),
        rawStatus: service.latest?.rawStatus ?? 'no deployment',
        deploymentId: rungTarget(service)?.id ?? null,
        level: levels?.byService[name] ?? levels?.default ?? 'sev2',
        sinceMs: ladder?.spans[0]?.fromMs ?? null,
        tried: ladder?.rungs ?? [],
        cooldownUntilMs: ladder?.cooldownUntilMs ?? {},
      })),
    checks: checksOf(known, red),
    events: [],
  };
}

/** By the last reading of each source. */
function checksOf({ workspace, readAtMs }: Known, red: Known['red']): WorkspaceView['checks'] {
  const failed = red.flatMap(({ detail }) => (detail.kind === 'incident' ? detail.failed : []));
  return (workspace.health?.checks ?? []).map(({ name, level }) => {
    const found = failed.find((one) => one.name === name);
    if (found)
      return { name, level: found.level, state: 'failing', reason: found.reason, sinceMs: found.sinceMs };
    const state = readAtMs.health === undefined ? 'unknown' : 'passing';
    return { name, level, state, reason: '', sinceMs: null };
  });
}
