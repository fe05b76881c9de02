// The one door for effects (DUR-1): claim → probe → fence → write → receipt. Every write to the outside goes through `Door.run`.
// A crash at any line leaves a claim from which the next attempt goes on: not written (free), perhaps written (probe), or done.
// No Temporal here: what has to be tried again later is thrown as `TryAgain`, which the activity maps.

import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { EffectAnswer, EffectKind, EffectRequest, Receipt } from '../../contract/effect.ts';
import { failures } from '../../contract/names.ts';
import type { Redactor } from '../../logs/redact/redact-values.ts';
import { appendAudit } from '../../store/audit.ts';
import * as claims from '../../store/claims.ts';
import {
  connectBeside,
  type Pool,
  sha256,
  storable,
  storableJson,
  transaction,
} from '../../store/database.ts';
import { messageOf } from '../message-of.ts';
import { type Claimed, claimStep } from './claim-step.ts';
import {
  classOf,
  type EffectContext,
  type EffectDefinition,
  type EffectResult,
  LeaseOver,
  NotWritten,
  Stale,
  type WriteContext,
} from './definition.ts';
import { BadRequest, TryAgain } from './door-failure.ts';
import { type DoorTimes, defaultDoorTimes } from './door-times.ts';

/** Where crash tests stop the process; production passes none. */
export type DoorPoint = 'claimed' | 'fenced' | 'written' | 'settled';

export type DoorOptions = {
  readonly pool: Pool;
  readonly definitions: readonly EffectDefinition[];
  readonly redactor: Redactor;
  readonly times?: Partial<DoorTimes>;
  /** The same decisions, no outbound write (LOOP-12). */
  readonly dryRun?: boolean;
  readonly atPoint?: (point: DoorPoint, request: EffectRequest) => void | Promise<void>;
};

export type Door = {
  /**
   * Brings an effect to its end: a receipt, a hold, or a refusal.
   * @throws TryAgain when another attempt holds it, or when it is in doubt and its settle time is not over
   * @throws BadRequest when the request does not fit its kind, or its key was used for another content
   */
  readonly run: (request: EffectRequest, signal: AbortSignal) => Promise<EffectAnswer>;
};

const longestReason = 4_000;

type Attempt = {
  readonly definition: EffectDefinition;
  readonly input: unknown;
  readonly claimed: Claimed;
  readonly context: EffectContext;
};

export function createDoor(options: DoorOptions): Door {
  const times: DoorTimes = { ...defaultDoorTimes, ...options.times };
  if (times.writeMs >= times.leaseMs)
    throw new Error(`door: writeMs ${times.writeMs} must be shorter than leaseMs ${times.leaseMs}`);
  const registry = new Map<EffectKind, EffectDefinition>(options.definitions.map((d) => [d.kind, d]));
  const { pool, redactor } = options;
  const clean = (text: string): string => storable(redactor.redact(text).slice(0, longestReason));
  const cleanMessage = (error: unknown): string => clean(messageOf(error));

  async function run(request: EffectRequest, signal: AbortSignal): Promise<EffectAnswer> {
    const definition = registry.get(request.kind);
    if (!definition)
      throw new BadRequest(failures.effectInputInvalid, `effect kind "${request.kind}" is not known here`);
    const parsed = definition.schema.safeParse(request.input);
    if (!parsed.success) {
      const problem = parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`).join('; ');
      throw new BadRequest(failures.effectInputInvalid, `input of ${request.kind}: ${clean(problem)}`);
    }
    const owner = randomUUID();
    const step = await claimStep({
      pool,
      definition,
      input: parsed.data,
      request,
      owner,
      times,
      dryRun: options.dryRun === true,
      clean,
    });
    if (step.step === 'answer') return step.answer;
    if (step.step === 'busy') {
      throw new TryAgain(failures.effectBusy, `another attempt holds ${step.describe}`, step.leaseLeftMs);
    }
    const context: EffectContext = {
      request,
      config: step.config,
      workspace: step.workspace,
      marker: markerOf(step.held.key),
      signal,
    };
    const attempt: Attempt = { definition, input: parsed.data, claimed: step, context };
    return step.inDoubt === null ? firstWrite(attempt) : resolveDoubt(attempt, step.inDoubt.ageMs);
  }

  async function resolveDoubt(attempt: Attempt, ageMs: number): Promise<EffectAnswer> {
    const { definition, context, input, claimed } = attempt;
    const stopRenewing = keepLease(claimed.held, () => {});
    try {
      if (classOf(definition, input) === 'atMostOnce') {
        return await settle(
          attempt,
          'unknown',
          'interrupted between write and receipt; counts as done, the source verifies',
          {},
        );
      }
      if (definition.probe) {
        let found: EffectResult | null;
        try {
          found = await definition.probe(context, input);
        } catch (error) {
          if (ageMs > times.giveUpMs)
            return await settle(attempt, 'unknown', `cannot find out: ${messageOf(error)}`, {});
          await claims.markDoubt(pool, claimed.held, cleanMessage(error));
          throw new TryAgain(
            failures.effectInDoubt,
            `probe of ${context.request.kind}: ${cleanMessage(error)}`,
            retryAfter(error),
            error,
          );
        }
        if (found !== null)
          return await settle(attempt, 'applied', 'found by its probe after an interruption', found);
      }
      const waitMs = definition.probe ? times.settleMs - ageMs : 0;
      if (waitMs > 0) {
        await claims.markDoubt(pool, claimed.held, 'not there yet; may still land');
        throw new TryAgain(failures.effectInDoubt, `${context.request.kind} may still land`, waitMs);
      }
      await transaction(pool, (tx) => claims.freeClaim(tx, claimed.held, 'settle time over and not there'));
    } finally {
      await stopRenewing();
    }
    // Through the whole door again: the guard judges the repeated write as it judged the first.
    return run(context.request, context.signal);
  }

  async function firstWrite(attempt: Attempt): Promise<EffectAnswer> {
    const { definition, context, input, claimed } = attempt;
    await options.atPoint?.('claimed', context.request);
    const stopRenewing = keepLease(claimed.held, () => {});
    try {
      const found =
        classOf(definition, input) === 'exactlyOnce' ? await definition.probe?.(context, input) : undefined;
      if (found) return await settle(attempt, 'alreadyApplied', 'was there before', found);
      const changed = await definition.precondition?.(context, input);
      if (changed) return await settle(attempt, 'stale', changed, {}, 'giveBack');
    } catch (error) {
      if (error instanceof TryAgain) throw error;
      if (error instanceof NotWritten && error.permanent)
        return await settle(attempt, 'refused', messageOf(error), error.result, 'giveBack');
      await giveBack(attempt, messageOf(error));
      throw new TryAgain(
        failures.effectBusy,
        `reading before ${context.request.kind}: ${cleanMessage(error)}`,
        retryAfter(error),
        error,
      );
    } finally {
      await stopRenewing();
    }
    return write(attempt);
  }

  async function write(attempt: Attempt): Promise<EffectAnswer> {
    const { definition, context, input, claimed } = attempt;
    // The time of the write counts from before the fence was asked.
    let since = clockNow();
    if (!(await claims.passFence(pool, claimed.held, times.leaseMs, claimed.risk === 'safe'))) {
      await giveBack(attempt, 'fenced: lease over, or a pause came');
      throw new TryAgain(failures.effectFenced, `${context.request.kind} was fenced before its write`, 50);
    }
    const over = new AbortController();
    const assertMayWrite = (): void => {
      if (isOver(since, times.writeMs) || over.signal.aborted) {
        over.abort(new LeaseOver('the lease is over'));
        throw new LeaseOver('the lease of this attempt is over; it must not write');
      }
    };
    const timer = setInterval(() => {
      if (isOver(since, times.writeMs)) over.abort(new LeaseOver('the write took longer than its lease'));
    }, 100);
    const stopRenewing = definition.longRunning
      ? keepLease(claimed.held, (askedAt) => {
          since = askedAt;
        })
      : async () => {};
    const writeContext: WriteContext = {
      ...context,
      signal: AbortSignal.any([context.signal, over.signal]),
      assertMayWrite,
      exclusively: (name, work) => exclusively(pool, name, work),
    };
    let result: EffectResult;
    let begun = false;
    try {
      await options.atPoint?.('fenced', context.request);
      assertMayWrite();
      begun = true;
      result = await definition.apply(writeContext, input);
      await options.atPoint?.('written', context.request);
    } catch (error) {
      if (begun || !(error instanceof LeaseOver)) return await afterFailedWrite(attempt, error);
      // Frozen between fence and write: nothing was written by this attempt.
      await giveBack(attempt, messageOf(error));
      throw new TryAgain(failures.effectFenced, cleanMessage(error), 50, error);
    } finally {
      clearInterval(timer);
      await stopRenewing();
    }
    const receipt = await settle(attempt, 'applied', 'written', result);
    await options.atPoint?.('settled', context.request);
    return receipt;
  }

  async function afterFailedWrite(attempt: Attempt, error: unknown): Promise<EffectAnswer> {
    const { context, claimed, definition } = attempt;
    const reason = cleanMessage(error);
    if (error instanceof Stale) return settle(attempt, 'stale', reason, {}, 'giveBack');
    if (error instanceof NotWritten) {
      // A child process that failed ran before it did: its cooldown stays.
      if (error.permanent)
        return settle(attempt, 'refused', reason, error.result, ran(definition) ? 'keep' : 'giveBack');
      await giveBack(attempt, reason);
      throw new TryAgain(failures.effectBusy, reason, error.retryAfterMs, error);
    }
    await claims.markDoubt(pool, claimed.held, reason);
    // The probe may find it at once; only "absent" has to wait for the settle time.
    const soon = definition.probe ? Math.min(1_000, times.settleMs) : 50;
    throw new TryAgain(
      failures.effectInDoubt,
      `${context.request.kind} may or may not have been written: ${reason}`,
      soon,
      error,
    );
  }

  async function giveBack(attempt: Attempt, reason: string): Promise<void> {
    await transaction(pool, (tx) => claims.freeClaim(tx, attempt.claimed.held, clean(reason)));
  }

  async function settle(
    attempt: Attempt,
    outcome: Receipt['outcome'],
    reason: string,
    result: EffectResult,
    limits: 'keep' | 'giveBack' = 'keep',
  ): Promise<Receipt> {
    const { context, claimed } = attempt;
    const { request } = context;
    const receipt: Receipt = {
      status: 'receipt',
      key: claimed.held.key,
      kind: request.kind,
      outcome,
      reason: clean(reason),
      result: storableJson(redactor.redactDeep(result)) as EffectResult,
      risk: claimed.risk,
    };
    const mine = await transaction(pool, async (tx) => {
      if (limits === 'giveBack') await claims.lockGuard(tx, request.tenant);
      if (!(await claims.settleClaim(tx, claimed.held, receipt))) return false;
      if (limits === 'giveBack') await claims.giveBackLimits(tx, receipt.key);
      if (outcome === 'stale' && claimed.approvalHash !== null) {
        await tx.query(`update approvals set state = 'void', reason = $3 where tenant = $1 and hash = $2`, [
          request.tenant,
          claimed.approvalHash,
          receipt.reason,
        ]);
      }
      await appendAudit(tx, {
        tenant: request.tenant,
        atMs: request.nowMs,
        actor: request.actor,
        action: `effect.${outcome}`,
        workspace: request.workspace,
        fingerprint: request.fingerprint,
        subject: claimed.describe,
        reason: receipt.reason,
        detail: { key: receipt.key, kind: request.kind, target: request.target, result: receipt.result },
      });
      return true;
    });
    if (!mine)
      throw new TryAgain(
        failures.effectBusy,
        `the claim on ${request.kind} was taken over by another attempt`,
        500,
      );
    return receipt;
  }

  /** Renews the lease while something long runs; `onRenewed` gets the local time at which the renewal was asked for. */
  function keepLease(held: claims.Held, onRenewed: (askedAt: Moment) => void): () => Promise<void> {
    const stop = new AbortController();
    const loop = (async () => {
      while (!stop.signal.aborted) {
        await delay(times.leaseMs / 3, undefined, { signal: stop.signal }).catch(() => {});
        if (stop.signal.aborted) return;
        const askedAt = clockNow();
        const renewed = await claims.renewLease(pool, held, times.leaseMs).catch(() => undefined);
        if (renewed === true) onRenewed(askedAt);
        if (renewed === false) return;
      }
    })();
    return async () => {
      stop.abort();
      await loop;
    };
  }

  return { run };
}

function ran({ refusedRan, longRunning }: EffectDefinition): boolean {
  return refusedRan ?? longRunning === true;
}

export function markerOf(key: string): string {
  return `untilgreen:${key.slice(0, 24)}`;
}

async function exclusively<T>(pool: Pool, name: string, work: () => Promise<T>): Promise<T> {
  const client = await connectBeside(pool);
  try {
    const { rows } = await client.query(`select pg_try_advisory_lock(('x' || $1)::bit(64)::bigint) as got`, [
      sha256(name).slice(0, 16),
    ]);
    if (rows[0]?.got !== true)
      throw new NotWritten(`"${name}" is being written by another attempt`, {
        permanent: false,
        retryAfterMs: 5_000,
      });
    return await work();
  } finally {
    // Closing the connection gives the lock back, whatever happened on it.
    await client.end().catch(() => {});
  }
}

function retryAfter(error: unknown): number | undefined {
  return error instanceof NotWritten ? error.retryAfterMs : undefined;
}

type Moment = { readonly steadyMs: number; readonly wallMs: number };

/** Two clocks: one runs on while the process is stopped and cannot be set back, the other while the whole machine sleeps. */
function clockNow(): Moment {
  return { steadyMs: performance.now(), wallMs: Date.now() };
}

function isOver(since: Moment, limitMs: number): boolean {
  return performance.now() - since.steadyMs >= limitMs || Date.now() - since.wallMs >= limitMs;
}
