// From the evidence in one log to a class (CI-2, CI-3, CI-4). Pure. Careful on one side: what is called flake or infra is not fixed, so a
// comparison that failed, a compiler's or a linter's word outweighs every network word beside it.
import type { FailureClass } from './rule.ts';
import type { Hit, ScannedLog } from './scan.ts';

export type Verdict = {
  readonly class: FailureClass | 'unknown';
  readonly confidence: number;
  readonly hits: readonly Hit[];
};

type Weighted = Hit & { readonly score: number };

/** A missing package and the like: the consequence, where the network failed before. */
const CONSEQUENCES = new Set([
  'resolution',
  'package',
  'no-module',
  'yaml',
  'library',
  'lock',
  'workflow',
  'build-file',
]);
const TRANSPORT = new Set([
  'name-resolution',
  'connection',
  'tls',
  'server-error',
  'rate-limit',
  'package-index',
  'git-transfer',
]);
/** What a program under test can say of itself as well. */
const OF_PROGRAMS = new Set(['disk', 'memory']);
/** What fails by chance before a test is named: nothing listens, nothing renders. */
const WITHOUT_TESTS = new Set(['port', 'browser']);
/** More failing tests at once than chance makes. A test that only takes too long may wait for what never comes: one alone. */
const MAX_CHANCE_TESTS = 3;
const MAX_SLOW_TESTS = 1;
const MAX_EVIDENCE = 8;
const MAX_NAMES = 200;

export function verdictOf(log: ScannedLog): Verdict {
  const hits = weighted(log).filter((hit) => !isOnlyTestName(hit, log.failedTests));
  const best = (pick: (hit: Weighted) => boolean): Weighted | undefined => {
    let top: Weighted | undefined;
    for (const hit of hits) if (pick(hit) && (!top || hit.score > top.score)) top = hit;
    return top;
  };
  const score = (hit: Weighted | undefined): number => hit?.score ?? 0;
  const rule =
    (id: string) =>
    (hit: Weighted): boolean =>
      hit.rule.id === id;
  const of = (wanted: FailureClass, kind: 'platform' | 'ordinary' = 'ordinary') =>
    best((hit) => hit.table.class === wanted && hit.table.kind === kind);

  const platform = of('infra', 'platform');
  const infra = of('infra');
  const env = of('env');
  const config = of('config');
  const mark = best(rule('marked'));
  const chance = best((hit) => hit.table.class === 'flake' && hit.rule.id !== 'marked');
  const assertion = best(rule('assertion'));
  const exception = best(rule('exception'));
  const summary = best(rule('summary'));
  const build = best(
    (hit) =>
      hit.table.class === 'regression' &&
      !['assertion', 'exception', 'summary', 'goal'].includes(hit.rule.id),
  );
  const goal = best(rule('goal'));
  const transport = best((hit) => hit.table.class === 'infra' && TRANSPORT.has(hit.rule.id));
  const testsFailed = log.failedTests.length > 0 || score(summary) >= 0.8;
  const compared = score(assertion) >= 0.6;
  const thrown = score(exception) >= 0.45;

  const say = (
    wanted: Verdict['class'],
    confidence: number,
    ...because: (Weighted | undefined)[]
  ): Verdict => ({
    class: wanted,
    confidence: Math.round(Math.min(0.99, Math.max(0.05, confidence)) * 100) / 100,
    hits: evidence(hits, wanted, because),
  });

  // The CI system's own word about the machine. A test that compared wrongly, or code that does not compile, failed before it.
  if (
    platform &&
    score(platform) >= 0.65 &&
    !(compared && testsFailed) &&
    !(thrown && testsFailed && OF_PROGRAMS.has(platform.rule.id)) &&
    (score(build) < 0.88 || platform.score >= 0.95)
  ) {
    const doubt = testsFailed && platform.score < 0.9 ? 0.2 : 0;
    if (!(testsFailed && platform.rule.id === 'cancelled'))
      return say('infra', platform.score - 0.05 - doubt, platform);
  }
  if (testsFailed) return ofTests();
  return ofBuild();

  function ofTests(): Verdict {
    if (score(build) >= 0.9) return say('regression', 0.9, build, summary);
    if ((score(mark) >= 0.8 || log.recoveredTests > 0) && !compared && log.failedTests.length === 0)
      return say('flake', 0.8, mark);
    const plain = !compared && !thrown;
    if (plain && mark && /race/i.test(mark.text)) return say('flake', 0.55, mark, summary);
    if (plain && score(env) >= 0.82) return say('env', 0.7, env, summary);
    if (plain && score(config) >= 0.9) return say('config', 0.7, config, summary);
    const few = chance?.rule.id === 'test-time-out' ? MAX_SLOW_TESTS : MAX_CHANCE_TESTS;
    if (plain && chance?.reported && score(chance) >= 0.55 && log.failedTests.length <= few)
      return say('flake', 0.6, chance, summary);
    if (plain && transport?.reported && score(transport) >= 0.8)
      return say('infra', 0.55, transport, summary);
    return say('regression', compared ? 0.92 : 0.8, assertion, summary, exception);
  }

  function ofBuild(): Verdict {
    // A runner that is not known compared something, whatever else was printed.
    const cause = score(env) >= score(config) ? env : config;
    if (compared && score(build) < 0.7 && (summary || (isLater(assertion, infra) && score(cause) < 0.9)))
      return say('regression', 0.7, assertion, summary);
    const consequence = cause !== undefined && CONSEQUENCES.has(cause.rule.id);
    if (score(build) >= 0.7) {
      if (cause && !consequence && cause.score > score(build))
        return say(cause.table.class, cause.score - 0.1, cause, build);
      if (score(infra) < 0.8 || score(build) >= 0.85) return say('regression', score(build), build);
    }
    if (transport && score(transport) >= 0.7 && (consequence || transport.score >= score(cause)))
      return say('infra', transport.score, transport, infra);
    if (infra && infra.score >= Math.max(score(cause), score(build), 0.5))
      return say('infra', infra.score - 0.05, infra);
    if (cause && cause.score >= Math.max(0.5, score(build), score(exception) - 0.05))
      return say(cause.table.class, cause.score - 0.1, cause);
    if (score(mark) >= 0.8) return say('flake', 0.7, mark);
    if (chance && WITHOUT_TESTS.has(chance.rule.id) && score(chance) >= 0.6) return say('flake', 0.5, chance);
    if (compared || score(exception) >= 0.3)
      return say('regression', compared ? 0.7 : 0.5, assertion, exception, goal);
    if (score(build) >= 0.4) return say('regression', 0.45, build);
    const rest = [infra, env, config]
      .filter((hit) => score(hit) >= 0.4)
      .sort((a, b) => score(b) - score(a))[0];
    if (rest) return say(rest.table.class, rest.score - 0.1, rest);
    if (goal) return say('regression', 0.35, goal);
    return say('unknown', 0.2, summary);
  }
}

/** A network that failed long before a comparison did was survived. */
function isLater(hit: Weighted | undefined, than: Weighted | undefined): boolean {
  return hit !== undefined && (than === undefined || hit.n > than.n + 1);
}

/** Evidence from another step than the one that failed says little; the CI system's own word counts wherever it stands. */
function weighted(log: ScannedLog): Weighted[] {
  const { failedSteps } = log.end;
  return log.hits.map((hit) => {
    const elsewhere = failedSteps !== null && (hit.step < failedSteps.from || hit.step > failedSteps.to);
    const early = failedSteps === null && log.totalLines > 400 && hit.n < log.totalLines * 0.5 ? 0.9 : 1;
    const platform = hit.table.kind === 'platform' && hit.step >= (failedSteps?.from ?? 0);
    return { ...hit, score: hit.weight * (elsewhere && !platform ? 0.35 : early) };
  });
}

/** A test that is called after what it tests says nothing by its name. */
function isOnlyTestName({ table, rule, text }: Hit, failedTests: readonly string[]): boolean {
  if (table.class === 'regression') return false;
  const name = failedTests.slice(0, MAX_NAMES).find((one) => one.length >= 8 && text.includes(one));
  return name !== undefined && !rule.pattern.test(text.replace(name, ''));
}

function evidence(
  hits: readonly Weighted[],
  wanted: Verdict['class'],
  because: readonly (Weighted | undefined)[],
): readonly Hit[] {
  const first = because.filter((hit) => hit !== undefined);
  const rest = hits
    .filter((hit) => hit.table.class === wanted && hit.score >= 0.3)
    .sort((a, b) => b.score - a.score || a.n - b.n);
  const lines = new Map<number, Hit>();
  for (const hit of [...first, ...rest]) if (!lines.has(hit.n)) lines.set(hit.n, hit);
  return [...lines.values()].slice(0, MAX_EVIDENCE);
}
