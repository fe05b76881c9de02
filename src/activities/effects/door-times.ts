// The times of the door's protocol: lease, write, settle (DUR-1).

export type DoorTimes = {
  /** How long a claim is kept for an attempt that says nothing any more. */
  readonly leaseMs: number;
  /** One write ends before this; shorter than the lease. */
  readonly writeMs: number;
  /** How long after its last moment a write may still land; before that, absent does not count. */
  readonly settleMs: number;
  /** After so long in doubt without an answer from the probe the outcome is `unknown`. */
  readonly giveUpMs: number;
};

export const defaultDoorTimes: DoorTimes = {
  leaseMs: 30_000,
  writeMs: 20_000,
  settleMs: 30_000,
  giveUpMs: 30 * 60_000,
};
