// What a model proposes about an incident, judged (MODEL-2, GUARD-1, SEC-1). Pure. A proposal passes when the rules would allow it at this moment:
// a model may say that it is time, not that the rules do not count. What it says about itself, or read in a log, is not looked at.

import type { LadderState, RungKind } from '../../contract/ops/ladder.ts';
import { type OperatorTool, operatorTools } from '../../contract/ops/operator.ts';
import type { LadderSettings } from '../../contract/ops/settings.ts';
import { nextStep } from './ladder/ladder.ts';
import { spanWords } from './span-words.ts';

/** A call of one of the tools, read by its schema. */
export type OperatorCall =
  | { readonly tool: 'getInfrastructureOverview' }
  | {
      readonly tool: 'sendAlert';
      readonly workspaceId: string;
      readonly severity: 'critical' | 'warning' | 'info';
      readonly title: string;
      readonly body: string;
    }
  | {
      readonly tool: 'recordAction';
      readonly action: string;
      readonly reasoning: string;
      readonly result: string;
    }
  | {
      readonly tool: 'restartService' | 'redeployService' | 'rollBackService' | 'startCodeAgent';
      readonly service: string;
      readonly reason: string;
    }
  | { readonly tool: 'cleanUp'; readonly what: string; readonly reason: string };

/** What the model asked for; `call` is null when its input does not fit the tool, with the problem. */
export type AskedCall = {
  readonly tool: string;
  readonly call: OperatorCall | null;
  readonly problem: string;
};

export type OperatorFacts = {
  readonly nowMs: number;
  readonly workspace: string;
  /** All that the state showed. */
  readonly services: readonly {
    readonly name: string;
    /** The settings name it. */
    readonly watched: boolean;
    /** Null: no fault of it is known. */
    readonly ladder: LadderState | null;
  }[];
  /** Null: the workspace has no platform in its settings. */
  readonly settings: Pick<LadderSettings, 'enabled' | 'unhealthyForMs' | 'healthyForMs' | 'restarts'> | null;
  /** Why not; null: it may be. */
  readonly cleanUp: string | null;
  readonly codeAgent: string | null;
  /** What was not refused before, in the same incident. */
  readonly made: readonly {
    readonly tool: string;
    readonly subject: string;
    readonly mutating: boolean;
  }[];
  readonly maxEffects: number;
};

export type OperatorVerdict = {
  readonly verdict: 'passed' | 'refused';
  readonly reason: string;
  /** The same tool on the same subject is the same proposal. */
  readonly subject: string;
  readonly mutating: boolean;
};

/** The step of the ladder that an effect is. */
export const rungOf = {
  restartService: 'restart',
  redeployService: 'redeploy',
  rollBackService: 'rollBack',
} as const satisfies { readonly [tool in OperatorTool]?: RungKind };

const words = { restart: 'restart', redeploy: 'redeployment', rollBack: 'rollback' } as const;
/** Fixed, of one incident. */
const mostAlerts = 2;
const mostNotes = 8;
/** A reading that is older says nothing about now. */
const freshMs = 10 * 60_000;

export function judgeProposal({ tool, call, problem }: AskedCall, facts: OperatorFacts): OperatorVerdict {
  if (!isTool(tool)) return refused('', notInList(tool));
  if (call === null) return refused('', problem);
  switch (call.tool) {
    case 'getInfrastructureOverview':
      return { verdict: 'passed', reason: 'a read', subject: '', mutating: false };
    case 'recordAction':
      return limited(call.tool, call.action, mostNotes, facts);
    case 'sendAlert':
      if (call.workspaceId !== facts.workspace)
        return refused(call.title, `workspaceId is "${facts.workspace}" here, and no other`);
      return limited(call.tool, call.title, mostAlerts, facts);
    case 'cleanUp':
      return judgeCleanUp(call.what, facts);
    case 'startCodeAgent':
      return judgeCodeAgent(call.service, facts);
    case 'restartService':
    case 'redeployService':
    case 'rollBackService':
      return judgeRung(rungOf[call.tool], call.tool, call.service, facts);
  }
}

function isTool(name: string): name is OperatorTool {
  return operatorTools.some((tool) => tool === name);
}

function notInList(tool: string): string {
  if (/variable|secret|env/i.test(tool)) return 'variables are set by people, never by a model';
  if (/remove|delete|drop|destroy|erase|truncate|terminate/i.test(tool))
    return 'what destroys is ordered by people, never by a model';
  return `it is not one of ${operatorTools.join(', ')}`;
}

function judgeRung(
  kind: RungKind,
  tool: OperatorTool,
  service: string,
  facts: OperatorFacts,
): OperatorVerdict {
  const found = facts.services.find(({ name }) => name === service);
  if (found === undefined) return refused(service, `no service of the state is called "${service}"`);
  if (!found.watched || facts.settings === null)
    return refused(service, `${service} is not watched: the settings do not name it`);
  const { ladder } = found;
  if (ladder === null) return refused(service, `${service} is not known to be unhealthy`);
  const readMs = ladder.spans.at(-1)?.toMs ?? 0;
  if (facts.nowMs - readMs > freshMs)
    return refused(service, `${service} was not read for ${spanWords(facts.nowMs - readMs)}`);
  const step = nextStep(ladder, facts.settings, facts.nowMs);
  if (step.do !== kind) {
    const used = restartsUsed(kind, ladder, facts.settings.restarts);
    const why =
      step.do === 'restart' || step.do === 'redeploy' || step.do === 'rollBack'
        ? `the ladder takes the ${words[step.do]} first`
        : `the ladder allows no ${words[kind]} now: ${step.reason}`;
    return refused(service, used === null ? why : `${used}; ${why}`);
  }
  const number = 1 + ladder.rungs.filter((rung) => rung.kind === kind).length;
  return onceMutating(tool, `${service}, ${words[kind]} ${number}`, facts);
}

function restartsUsed(kind: RungKind, { rungs }: LadderState, allowed: number): string | null {
  if (kind !== 'restart') return null;
  const used = rungs.filter(
    (rung) => rung.kind === 'restart' && ['applied', 'alreadyApplied', 'unknown'].includes(rung.outcome),
  ).length;
  return used >= allowed ? `${used} of ${allowed} restarts are used` : null;
}

function judgeCleanUp(what: string, facts: OperatorFacts): OperatorVerdict {
  if (what !== 'staleSessions')
    return refused(what, 'only staleSessions are cleared for a model: what orphans were is lost');
  if (facts.cleanUp !== null) return refused(what, facts.cleanUp);
  return onceMutating('cleanUp', what, facts);
}

function judgeCodeAgent(service: string, facts: OperatorFacts): OperatorVerdict {
  const found = facts.services.find(({ name }) => name === service);
  if (found === undefined) return refused(service, `no service of the state is called "${service}"`);
  if (!found.watched) return refused(service, `${service} is not watched: the settings do not name it`);
  if (facts.codeAgent !== null) return refused(service, facts.codeAgent);
  if (facts.made.some(({ tool }) => tool === 'startCodeAgent'))
    return refused(service, 'it was asked for already');
  return { verdict: 'passed', reason: 'the settings allow it', subject: service, mutating: false };
}

function onceMutating(tool: OperatorTool, subject: string, facts: OperatorFacts): OperatorVerdict {
  if (facts.made.some((one) => one.tool === tool && one.subject === subject))
    return refused(subject, 'it was asked for already');
  const made = facts.made.filter(({ mutating }) => mutating).length;
  if (made >= facts.maxEffects)
    return refused(
      subject,
      `${made} changes were let through in this incident, the cap is ${facts.maxEffects}`,
    );
  return { verdict: 'passed', reason: 'the rules allow it now', subject, mutating: true };
}

function limited(tool: OperatorTool, subject: string, most: number, facts: OperatorFacts): OperatorVerdict {
  const made = facts.made.filter((one) => one.tool === tool);
  if (made.some((one) => one.subject === subject)) return refused(subject, 'it was said already');
  if (made.length >= most) return refused(subject, `at most ${most} of ${tool} in one incident`);
  return { verdict: 'passed', reason: 'it changes nothing that runs', subject, mutating: false };
}

function refused(subject: string, reason: string): OperatorVerdict {
  return { verdict: 'refused', reason, subject, mutating: false };
}
