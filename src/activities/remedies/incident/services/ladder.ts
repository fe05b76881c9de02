// One turn of the ladder of one service, inside the transaction of the incident's turn: takes in what was read and answered, and says what is to
// be done. All remedies that are about the service share its row, so that between them there is one ladder with one set of limits.
import type { FindingRef } from '../../../../contract/activities.ts';
import type { EffectKind } from '../../../../contract/effect.ts';
import { remedyWorkflowId } from '../../../../contract/names.ts';
import type { DoneEffect, DueEffect } from '../../../../contract/ops/activities.ts';
import type {
  LadderState,
  LadderStep,
  Rung,
  RungKind,
  ServiceHealth,
} from '../../../../contract/ops/ladder.ts';
import type { Service } from '../../../../contract/ops/platform.ts';
import type { LadderSettings } from '../../../../contract/ops/settings.ts';
import {
  addReading,
  failedBeside,
  rollBackTarget,
  rungTarget,
  serviceHealth,
} from '../../../../policy/ops/ladder/health-spans.ts';
import { nextStep } from '../../../../policy/ops/ladder/ladder.ts';
import type { Queryable } from '../../../../store/database.ts';
import {
  cooldownsOf,
  keepLadder,
  type LadderKey,
  lockLadder,
  receiptsOnService,
  type ServiceReceipt,
} from '../../../../store/ops/ladders.ts';
import type { PlatformView } from '../platform.ts';
import { type Answered, LadderMemory } from '../state.ts';
import { lookAtHeld, noteAnswer } from './held-steps.ts';

const effectOf: { readonly [kind in RungKind]: EffectKind } = {
  restart: 'restartService',
  redeploy: 'redeployService',
  rollBack: 'rollBackService',
};
const rungOf = new Map(Object.entries(effectOf).map(([rung, effect]) => [effect, rung as RungKind]));
/** Readings come on a grid that trembles: five minutes of them are five minutes. */
const trembleMs = 5_000;

export type LadderQuestion = {
  readonly ref: FindingRef & { readonly kind: string };
  readonly key: LadderKey;
  readonly settings: LadderSettings;
  readonly platform: PlatformView;
  /** Whether a health check that is about it fails, and when that was read; null: none is about it. */
  readonly check: { readonly failing: boolean; readonly readAtMs: number } | null;
  readonly hold: LadderState['hold'];
  readonly done: readonly DoneEffect[];
  readonly nudged: boolean;
  readonly nowMs: number;
};

export type LadderTurn = {
  readonly service: string;
  readonly health: ServiceHealth;
  /** The reading it is known by. */
  readonly asOfMs: number;
  readonly failedBeside: boolean;
  readonly step: LadderStep | { readonly do: 'well' };
  readonly due: DueEffect | null;
  /** Steps that the door did not let through. */
  readonly answered: readonly Answered[];
  /** What was done to it since its fault began. */
  readonly receipts: readonly (ServiceReceipt & { readonly rung: RungKind })[];
  /** Since when it is not well; null: it is. */
  readonly sinceMs: number | null;
};

export async function turnLadder(tx: Queryable, question: LadderQuestion): Promise<LadderTurn> {
  const { key, platform, check, nowMs } = question;
  const row = await lockLadder(tx, key);
  const memory = LadderMemory.parse(row.state);
  const service = platform.overview?.services.find(({ name }) => name === key.service);
  const health = platform.overview === null ? 'unknown' : serviceHealth(service, check?.failing ?? null);
  const running = (service?.live ?? service?.latest)?.status === 'running';
  // What our own check adds to the platform's word is as old as the check.
  const asOfMs = check !== null && running ? Math.min(check.readAtMs, nowMs) : platform.readAtMs;
  const beside = service !== undefined && failedBeside(service);
  const base = { service: key.service, health, asOfMs, failedBeside: beside };
  if (row.sinceMs === null && !beside && (health === 'healthy' || health === 'stopped'))
    return { ...base, step: { do: 'well' }, due: null, answered: [], receipts: [], sinceMs: null };

  const sinceMs = row.sinceMs ?? nowMs;
  const requester = row.requester ?? `${remedyWorkflowId(question.ref)}#${sinceMs}`;
  const target = `${key.environment}/${key.service}`;
  const receipts = await receiptsOf(tx, key, target, sinceMs);
  let answered: readonly Answered[] = memory.answered;
  for (const done of question.done) {
    const kind = /^[a-zA-Z]+/.exec(done.step)?.[0] as RungKind | undefined;
    if (kind !== undefined && kind in effectOf) answered = noteAnswer(answered, done, kind);
  }
  answered = answered.filter(
    (one) =>
      !receipts.some(
        (receipt) =>
          receipt.rung === one.kind && receipt.precondition === one.deploymentId && receipt.step === one.step,
      ),
  );
  const refused = answered.filter(({ outcome }) => outcome === 'refused');
  const seen = health === 'unhealthy' ? withTarget(memory.seenUnhealthy, service) : memory.seenUnhealthy;
  const state: LadderState = {
    spans: addReading(memory.spans, health, asOfMs),
    rungs: [...receipts.map(asRung), ...refused],
    cooldownUntilMs: await cooldowns(tx, key.tenant, target),
    deployment: service === undefined ? null : rungTarget(service),
    rollBackTo: rollBackOf(service, platform, { ...memory, seenUnhealthy: seen }),
    failedBeside: beside,
    can: platform.can,
    hold: question.hold,
  };
  const { settings } = question;
  const step = nextStep(
    state,
    {
      ...settings,
      unhealthyForMs: settings.unhealthyForMs - trembleMs,
      healthyForMs: settings.healthyForMs - trembleMs,
    },
    nowMs,
  );
  const held = answered.find(({ outcome }) => outcome === 'held');
  const look = held && (await lookAtHeld(tx, held, step, { tenant: key.tenant, ...question }));
  const kept = look?.is === 'void' ? refused : answered;
  const asks = look === undefined || look.is === 'void' || (look.is === 'meant' && look.ask);
  const due =
    asks && isRung(step)
      ? {
          name: `ladder/${key.service}`,
          kind: effectOf[step.do],
          target,
          precondition: step.deploymentId,
          requester,
          step:
            look?.is === 'meant' && held
              ? held.step
              : `${step.do}-${1 + receipts.filter(({ rung }) => rung === step.do).length}`,
          input: { service: key.service, serviceId: service?.id ?? '', deploymentId: step.deploymentId },
          ...(step.needsApproval === undefined ? {} : { needsApproval: step.needsApproval }),
        }
      : null;
  const over = step.do === 'recovered';
  await keepLadder(tx, key, {
    sinceMs: over ? null : sinceMs,
    requester: over ? null : requester,
    state: over
      ? { seenHealthy: withTarget(memory.seenHealthy, service) }
      : { ...memory, spans: [...state.spans], answered: [...kept], seenUnhealthy: seen },
  });
  return { ...base, step, due, answered: kept, receipts, sinceMs: over ? null : sinceMs };
}

function isRung(step: LadderStep): step is Extract<LadderStep, { readonly do: RungKind }> {
  return step.do in effectOf;
}

async function receiptsOf(
  tx: Queryable,
  { tenant, workspace }: LadderKey,
  target: string,
  sinceMs: number,
): Promise<LadderTurn['receipts']> {
  const kinds = Object.values(effectOf);
  const receipts = await receiptsOnService(tx, { tenant, workspace, target, kinds, sinceMs });
  return receipts.flatMap((receipt) => {
    const rung = rungOf.get(receipt.kind);
    return rung === undefined ? [] : [{ ...receipt, rung }];
  });
}

function asRung({ rung, precondition, atMs, outcome, reason }: LadderTurn['receipts'][number]): Rung {
  return { kind: rung, deploymentId: precondition, atMs, outcome, reason };
}

async function cooldowns(
  tx: Queryable,
  tenant: string,
  target: string,
): Promise<LadderState['cooldownUntilMs']> {
  const ends = await cooldownsOf(tx, tenant, target);
  return Object.fromEntries(
    Object.entries(effectOf).flatMap(([rung, kind]) =>
      ends[kind] === undefined ? [] : [[rung, ends[kind]]],
    ),
  );
}

function rollBackOf(
  service: Service | undefined,
  { deployments }: PlatformView,
  { seenHealthy, seenUnhealthy }: LadderMemory,
): string | null {
  if (service === undefined) return null;
  const current = rungTarget(service)?.id ?? null;
  return rollBackTarget(deployments[service.id] ?? [], current, seenHealthy, seenUnhealthy);
}

const keptIds = 10;

/** What serves now is the newest of them. */
function withTarget(ids: readonly string[], service: Service | undefined): string[] {
  const id = service === undefined ? undefined : rungTarget(service)?.id;
  const others = ids.filter((one) => one !== id);
  return (id === undefined ? others : [...others, id]).slice(-keptIds);
}
