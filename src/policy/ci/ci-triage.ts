// What happens next with a failing job (CI-2, CI-3, CI-4, CI-13): a table of rules over what its log, its commit and other tenants say. Pure.
// Careful on both sides: what is called flake, infra or outage is not fixed, so each needs evidence beyond a word in a log, or ends in a fix.
import type { CiClass, CiTriage } from '../../contract/triage.ts';

export type TriageFacts = {
  readonly job: string;
  readonly runId: number;
  /** Where the same job passed on the same commit, in words: `attempt 2 of run 12`; null: nowhere. */
  readonly passedIn: string | null;
  /** By rules over the log, or by a model for what they leave unknown. */
  readonly class: CiClass;
  readonly confidence: number;
  /** The line that says it, redacted; null: the log says nothing. */
  readonly headline: string | null;
  /** The workflow file itself is wrong: no job ran, or the log names the file. */
  readonly workflowFile: boolean;
  readonly failedTests: readonly string[];
  /** Every failed test, at least one, is in the ledger; or none is named, and the ledger has this very error. */
  readonly knownFlake: boolean;
  /** Failed runs of the workflow on the branch since the last green one, on different commits. */
  readonly redCommitsInARow: number;
  readonly mass: MassFailure | null;
  readonly outage: Outage | null;
  readonly mayRerun: boolean;
  /** The failed jobs were rerun for this finding already. */
  readonly rerunUsed: boolean;
  /** CI-13. */
  readonly fixWorkflows: boolean;
};

export type MassFailure = { readonly failed: number; readonly ran: number; readonly otherJob: string };
export type Outage = {
  readonly tenants: number;
  readonly of: number;
  /** Policy time at which the last of them saw it. */
  readonly lastMs: number;
};

export type TriageDecision = Omit<CiTriage, 'report'>;

const minuteMs = 60_000;
/** An outage is looked at again so often, and is over when nobody saw it for so long. */
const outageLookMs = 10 * minuteMs;
export const outageOverMs = 60 * minuteMs;
/** A test that is known to be flaky and fails on so many commits in a row is broken. */
const brokenAfterCommits = 3;
const chanceLookMs = 60 * minuteMs;

export function triage(facts: TriageFacts, nowMs: number): TriageDecision {
  return (
    flakeByEvidence(facts) ??
    outageElsewhere(facts, nowMs) ??
    massFailure(facts) ??
    workflowFile(facts) ??
    knownFlake(facts) ??
    byClass(facts, nowMs)
  );
}

// CI-3: the only proof of a flake is the same commit, once red and once green.
function flakeByEvidence(facts: TriageFacts): TriageDecision | null {
  if (facts.passedIn === null) return null;
  const why = `flake: ${facts.job} failed in run ${facts.runId} and passed in ${facts.passedIn}, on the same commit`;
  return decided(facts.mayRerun ? 'rerun' : 'watch', 'flake', 0.99, why);
}

function outageElsewhere(facts: TriageFacts, nowMs: number): TriageDecision | null {
  const { outage } = facts;
  if (outage === null) return null;
  const said = facts.headline === null ? '' : `: ${facts.headline}`;
  const why = `outage: the same error in ${outage.tenants} of ${outage.of} tenants within 10 min${said}`;
  if (nowMs < outage.lastMs + outageOverMs) {
    const untilMs = Math.min(nowMs + outageLookMs, outage.lastMs + outageOverMs);
    return { ...decided('wait', 'infra', 0.95, why), untilMs };
  }
  return handOver(facts, 'infra', 0.9, `${why}, an hour ago and more`);
}

function massFailure(facts: TriageFacts): TriageDecision | null {
  const { mass } = facts;
  if (mass === null) return null;
  const why = `infra: ${mass.failed} of ${mass.ran} tests fail in ${facts.job}, and as many in ${mass.otherJob}, at once`;
  return handOver(facts, 'infra', 0.85, why);
}

function workflowFile(facts: TriageFacts): TriageDecision | null {
  if (!facts.workflowFile) return null;
  const said = facts.headline === null ? 'no job could start' : facts.headline;
  const why = `config: the workflow file itself is wrong: ${said}`;
  const confidence = Math.max(0.7, facts.confidence);
  if (facts.fixWorkflows) return decided('fix', 'config', confidence, why);
  return decided('person', 'config', confidence, `${why}; ci.fixWorkflows does not allow a fix`);
}

function knownFlake(facts: TriageFacts): TriageDecision | null {
  if (!facts.knownFlake || facts.redCommitsInARow >= brokenAfterCommits) return null;
  const what =
    facts.failedTests.length === 0
      ? 'with an error of the flake ledger'
      : `in ${named(facts.failedTests)} only, which ${facts.failedTests.length === 1 ? 'is' : 'are'} in the flake ledger`;
  const why = `flake: ${facts.job} fails ${what}`;
  return decided(facts.mayRerun ? 'rerun' : 'watch', 'flake', 0.9, why);
}

function byClass(facts: TriageFacts, nowMs: number): TriageDecision {
  const { confidence } = facts;
  const said = facts.headline === null ? 'the log says nothing that tells why' : facts.headline;
  const why = `${facts.class}: ${said}`;
  switch (facts.class) {
    case 'infra':
      return handOver(facts, 'infra', confidence, why);
    case 'env':
      return decided('person', 'env', confidence, `${why}; what is missing is outside of the repository`);
    case 'regression':
    case 'config':
      return decided('fix', facts.class, confidence, why);
    case 'flake':
    case 'unknown':
      return afterRerun(facts, why, nowMs);
  }
}

/** A log that only looks like chance, or says nothing: another try on the same commit tells more than any reading of it. */
function afterRerun(facts: TriageFacts, why: string, nowMs: number): TriageDecision {
  const { confidence } = facts;
  if (facts.mayRerun) return decided('rerun', facts.class, confidence, why);
  const again = facts.rerunUsed || facts.redCommitsInARow >= 2;
  if (facts.class === 'flake' && !again) {
    const wait = `${why}; looks like chance, and may not be rerun: waits for the next run`;
    return { ...decided('wait', 'flake', confidence, wait), untilMs: nowMs + chanceLookMs };
  }
  // What fails again is no chance, whatever its log looks like.
  const failsAgain =
    facts.class === 'flake' ? `unknown: it looked like chance and failed again (${why})` : why;
  return decided('fix', 'unknown', Math.min(confidence, 0.5), failsAgain);
}

/** CI-4: nothing to fix in the repository; one rerun may be all it takes. */
function handOver(facts: TriageFacts, name: CiClass, confidence: number, why: string): TriageDecision {
  if (facts.mayRerun) return decided('rerun', name, confidence, why);
  const again = facts.rerunUsed ? '; it failed again after a rerun' : '';
  return decided('person', name, confidence, `${why}${again}`);
}

function decided(
  next: TriageDecision['next'],
  name: CiClass,
  confidence: number,
  why: string,
): TriageDecision {
  return { next, class: name, confidence, why, untilMs: null };
}

function named(tests: readonly string[]): string {
  const rest = tests.length - 2;
  return `${tests.slice(0, 2).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

/** What one job's runner says. `ran` null: it does not say. */
export type JobTests = { readonly failed: number; readonly ran: number | null };

/** CI-4: more than 80 % of at least 10 tests. One test that fails is no mass. */
export function failsInMass({ failed, ran }: JobTests): boolean {
  return ran !== null && ran >= 10 && failed <= ran && failed > 0.8 * ran;
}

const outageWindowMs = 10 * minuteMs;

/**
 * CI-4: the same error in at least 5 tenants and 20 % of them within 10 minutes.
 * @param seen who saw it and when; a tenant may be there several times
 * @param tenants how many there are in all
 */
export function outageOf(
  seen: readonly { readonly tenant: string; readonly atMs: number }[],
  tenants: number,
): Outage | null {
  const sorted = [...seen].sort((a, b) => a.atMs - b.atMs);
  const windows = sorted
    .map(({ atMs: lastMs }) => {
      const within = sorted.filter(({ atMs }) => atMs <= lastMs && atMs > lastMs - outageWindowMs);
      return { lastMs, count: new Set(within.map(({ tenant }) => tenant)).size };
    })
    .filter(({ count }) => count >= 5 && count >= 0.2 * tenants);
  const last = windows.at(-1);
  if (last === undefined) return null;
  const most = Math.max(...windows.map(({ count }) => count));
  return { tenants: most, of: tenants, lastMs: last.lastMs };
}

/** Lines by which GitHub and its runner name the workflow file as the cause (CI-13). */
const workflowWords =
  /\.github\/workflows\/|invalid workflow file|unrecognized (?:named-value|function)|unexpected value '|unable to resolve action|can't find 'action\.ya?ml'|not a valid (?:workflow|action)|missing download info for|(?:template|expression) is not valid/i;

export function namesWorkflowFile(name: CiClass, lines: readonly string[]): boolean {
  return name === 'config' && lines.slice(0, 3).some((line) => workflowWords.test(line));
}

export type LedgerEntry = {
  readonly test: string;
  /** Runs with a flaky failure of it. */
  readonly failures: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly signatures: readonly string[];
};

export function isKnownFlake(
  failedTests: readonly string[],
  signature: string | null,
  ledger: readonly LedgerEntry[],
): boolean {
  const known = new Set(ledger.map(({ test }) => test));
  if (failedTests.length > 0) return failedTests.every((test) => known.has(test));
  return (
    signature !== null && ledger.some(({ test, signatures }) => test === '' && signatures.includes(signature))
  );
}

/** CI-3: above the rate, with enough failures to mean something; the worst first. */
export function toQuarantine(
  ledger: readonly LedgerEntry[],
  runsSeen: number,
  settings: { readonly quarantineRate: number; readonly quarantineFailures: number },
): readonly (LedgerEntry & { readonly rate: number })[] {
  return ledger
    .map((entry) => ({ ...entry, rate: rateOf(entry.failures, runsSeen) }))
    .filter(({ failures, rate }) => failures >= settings.quarantineFailures && rate > settings.quarantineRate)
    .sort((a, b) => b.rate - a.rate || (a.test < b.test ? -1 : 1));
}

/** Whether a rate is so much over the one that people know that they are told again: by a half, and by a percentage point. */
export function isTold(told: number | null, rate: number): boolean {
  return told !== null && (rate < 1.5 * told || rate < told + 0.01);
}

function rateOf(failures: number, runs: number): number {
  return failures / Math.max(failures, runs, 1);
}
