// Whether the channels over which people are told take alerts (DEPLOY-2). Nothing is sent to find out: what counts is whether a channel's references can be
// resolved, and what its last delivery came to. Pure.

/** So long a failed delivery counts; the end of the notice is an alert of its own, which tries the channel again. */
const countsMs = 24 * 3_600_000;

export type ChannelFacts = {
  /** For people, unique in the tenant: `slack`, `webhook (2)`. */
  readonly name: string;
  /** Why its references cannot be resolved; null: they can be. */
  readonly unresolved: string | null;
  /** Null: nothing was sent over it yet. */
  readonly last: { readonly atMs: number; readonly problem: string | null } | null;
};

/** What is wrong with it, in a sentence; null: nothing is known to be. */
export function judgeChannel({ name, unresolved, last }: ChannelFacts, nowMs: number): string | null {
  if (unresolved !== null) return `alert channel ${name} cannot be used: ${unresolved}`;
  if (last === null || last.problem === null || nowMs - last.atMs > countsMs) return null;
  return `alert channel ${name} did not take its last alert: ${last.problem}`;
}

/** Kinds as names; several of one kind are numbered. */
export function channelNames(kinds: readonly string[]): readonly string[] {
  const seen = new Map<string, number>();
  return kinds.map((kind) => {
    const number = (seen.get(kind) ?? 0) + 1;
    seen.set(kind, number);
    return number === 1 ? kind : `${kind} (${number})`;
  });
}
