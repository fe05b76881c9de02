// How many services of a tenant may be acted on in an hour (DEPLOY-3): whatever goes wrong, the agent does not restart a whole platform. Pure.

const hourMs = 3_600_000;
/** Fixed. */
const atLeast = 3;
const share = 0.1;

/** Mutating effects on services per hour and tenant: max(3, 10 % of its services). */
export function opsCap(services: number): number {
  return Math.max(atLeast, Math.floor(services * share));
}

export type OpsCapFacts = {
  readonly services: number;
  /** Policy times of the mutating effects on services of the tenant, in any order. */
  readonly recentMs: readonly number[];
  /** A person approved exactly this one, by its hash, over a channel that is enough (LOOP-13); absent: nobody did. */
  readonly approved?: boolean;
};

/**
 * Null: one more may pass. The cap is on what goes on without anybody: what a person has just looked at does not wait for it, and takes its
 * place in it for what comes after.
 */
export function judgeOpsCap(
  facts: OpsCapFacts,
  nowMs: number,
): { readonly reason: string; readonly untilMs: number } | null {
  if (facts.approved === true) return null;
  const cap = opsCap(facts.services);
  const inHour = facts.recentMs.filter((at) => at > nowMs - hourMs).sort((a, b) => a - b);
  if (inHour.length < cap) return null;
  const reason = `${inHour.length} changes of services in the last hour, the cap is ${cap} (of ${facts.services} services)`;
  // There is room again when the one that fills the last place leaves the hour.
  const leaves = inHour[inHour.length - cap];
  return { reason, untilMs: (leaves ?? nowMs) + hourMs };
}
