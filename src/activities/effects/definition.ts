// What a kind of effect declares (one file per system, registered by kind), and the errors by which a write says how it ended.
// No Temporal here: the door calls these.
import type { z } from 'zod';
import type {
  AutonomyLevel,
  DeliveryClass,
  EffectKind,
  EffectRequest,
  Json,
  Risk,
} from '../../contract/effect.ts';
import type { TenantConfig, WorkspaceConfig } from '../../contract/tenant-config.ts';
import type { Queryable } from '../../store/database.ts';

export type EffectResult = { readonly [key: string]: Json };

export type EffectContext = {
  readonly request: EffectRequest;
  readonly config: TenantConfig;
  readonly workspace: WorkspaceConfig;
  /** Stands in everything that is written, so that a probe finds it: `untilgreen:<first 24 hex of the key>`. */
  readonly marker: string;
  /** Ends with the activity, and for a write with its lease. */
  readonly signal: AbortSignal;
};

export type WriteContext = EffectContext & {
  /** Call right before each request that writes: throws when the lease is over, so that a frozen worker cannot write late. */
  readonly assertMayWrite: () => void;
  /**
   * Holds a lock of this name in Postgres for as long as `work` runs, connection and all: a child process of a frozen worker keeps a
   * second attempt out. Throws `NotWritten` when another holds it.
   */
  readonly exclusively: <T>(name: string, work: () => Promise<T>) => Promise<T>;
};

export type EffectDefinition<Input = unknown> = {
  readonly kind: EffectKind;
  readonly schema: z.ZodType<Input>;
  /** DUR-5: the weakest of its ways to write. */
  readonly delivery: DeliveryClass;
  /** Of this very input, for a kind with more than one way; absent: `delivery`. */
  readonly deliveryOf?: (input: Input) => DeliveryClass;
  /** What the tenant must allow (LOOP-12). */
  readonly autonomy: (input: Input) => AutonomyLevel;
  readonly risk: (input: Input) => Risk;
  /** True for writes of child processes that take minutes: the lease is renewed while they run. */
  readonly longRunning?: boolean;
  /** Whether what it refuses for good ran before: then its cooldown stays. Absent: as `longRunning` says. */
  readonly refusedRan?: boolean;
  readonly describe: (input: Input, request: EffectRequest) => string;
  /** True: it may use what the caps keep for incidents (LOOP-4). */
  readonly forIncidents?: boolean;
  /** The allowlist guard: why this may never be written in this workspace, or null. */
  readonly forbidden?: (input: Input, workspace: WorkspaceConfig) => string | null;
  /** Why a person has to agree, by the policy in the tenant file. */
  readonly needsApproval?: (input: Input, workspace: WorkspaceConfig) => string | undefined;
  /**
   * A cap of this kind of effect: why it has to wait, or null. Asked inside the claim's transaction, under the lock on the tenant's guard row,
   * so that no two claims count the same.
   */
  readonly cap?: (
    tx: Queryable,
    request: EffectRequest,
    judged: {
      readonly input: Input;
      readonly workspace: WorkspaceConfig;
      /** The guard wanted an approval of a person, and there is one that is enough. */
      readonly approved: boolean;
    },
  ) => Promise<{ readonly reason: string; readonly untilMs: number } | null>;
  /** Reads whether what it was planned on still holds; a string says what changed. */
  readonly precondition?: (context: EffectContext, input: Input) => Promise<string | null>;
  /** Reads whether the effect is there already, by marker or state. */
  readonly probe?: (context: EffectContext, input: Input) => Promise<EffectResult | null>;
  readonly apply: (context: WriteContext, input: Input) => Promise<EffectResult>;
};

/** Keeps the input's type inside one definition and off the registry. */
export function defineEffect<Input>(definition: EffectDefinition<Input>): EffectDefinition {
  return definition as unknown as EffectDefinition;
}

export function classOf<Input>(definition: EffectDefinition<Input>, input: Input): DeliveryClass {
  return definition.deliveryOf?.(input) ?? definition.delivery;
}

/** The write certainly did not happen. Permanent: asking again cannot help (a 4xx, a failed migration). */
export class NotWritten extends Error {
  readonly permanent: boolean;
  readonly retryAfterMs: number | undefined;
  readonly result: EffectResult;
  constructor(
    message: string,
    options: { permanent: boolean; retryAfterMs?: number; cause?: unknown; result?: EffectResult },
  ) {
    super(message, { cause: options.cause });
    this.name = 'NotWritten';
    this.permanent = options.permanent;
    this.retryAfterMs = options.retryAfterMs;
    this.result = options.result ?? {};
  }
}

/** What the effect was planned on is not so any more; found by the remote's own condition while writing. */
export class Stale extends Error {
  override readonly name = 'Stale';
}

/** The lease of this attempt is over; nothing may be written by it any more. */
export class LeaseOver extends Error {
  override readonly name = 'LeaseOver';
}
