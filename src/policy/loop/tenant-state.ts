// The one word for how a tenant is, from what is recorded of it. Pure. What waits for people never makes red (LOOP-3), and what could not be
// read never makes green (LOOP-2).
import { type Finding, isWorkable } from '../../contract/finding.ts';

export type TenantStateName = 'green' | 'waiting' | 'red' | 'unknown' | 'failed' | 'drained' | 'disabled';

export type TenantFacts = {
  readonly enabled: boolean;
  readonly drained: boolean;
  /** The latest finished cycle; null before the first one. */
  readonly lastCycle: { readonly state: 'running' | 'completed' | 'failed' } | null;
  readonly findings: readonly Pick<Finding, 'status' | 'severity'>[];
  /** The latest reading of each source that the settings still name. */
  readonly reads: readonly { readonly state: 'green' | 'red' | 'unknown' }[];
};

export function tenantStateOf(facts: TenantFacts): TenantStateName {
  if (!facts.enabled) return 'disabled';
  if (facts.drained) return 'drained';
  if (facts.lastCycle === null) return 'unknown';
  if (facts.lastCycle.state === 'failed') return 'failed';
  if (facts.findings.some(isWorkable)) return 'red';
  if (facts.reads.some((read) => read.state === 'unknown')) return 'unknown';
  return facts.findings.some(({ status }) => status === 'waiting' || status === 'escalated')
    ? 'waiting'
    : 'green';
}
