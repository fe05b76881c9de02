// Whether a turn of an incident has the operator model asked (MODEL-2): by what the turn saw, once for each state.
import { operatorQuestion } from '../../../policy/ops/operator-asked.ts';
import { canonicalJson, sha256 } from '../../../store/database.ts';
import { readConsultation } from '../../../store/ops/operator.ts';
import type { Draft } from '../incident/draft.ts';
import type { Known } from '../incident/parts.ts';
import type { LadderTurn } from '../incident/services/ladder.ts';

/** Hash of the state to ask about; null: nobody is asked. */
export async function operatorState(
  { tx, ref, state, opening, detectedMs, nowMs }: Draft,
  { config, workspace }: Known,
  ladders: readonly LadderTurn[],
): Promise<string | null> {
  const { enabled, budgets } = config.model;
  const question = operatorQuestion({
    nowMs,
    detectedMs,
    afterMs: workspace.services?.ladder.unhealthyForMs ?? 5 * 60_000,
    enabled: enabled && budgets.tokensPerDay > 0 && budgets.operatorTokens > 0,
    level: state.recoveredMs === null ? state.severity.level : null,
    failing: state.severity.failing,
    ladders: ladders.map(({ service, health, step, due, receipts, answered }) => ({
      service,
      health,
      step,
      due,
      doneMs: receipts.map(({ atMs }) => atMs),
      answered: answered.map((one) => `${one.outcome} ${one.step}`),
    })),
  });
  if (question === null) return null;
  const hash = sha256(canonicalJson(question));
  const { tenant, fingerprint, occurrence } = ref;
  const before = await readConsultation(tx, { tenant, fingerprint, occurrence, opening }, hash);
  // One that was begun and not closed was lost with its run: it is asked again, by the answers that are stored.
  return before === null || before.outcome === null ? hash : null;
}
