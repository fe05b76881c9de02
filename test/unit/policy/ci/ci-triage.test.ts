// CI-2, CI-3, CI-4, CI-13: what happens next with a failing job, as a table; and for any facts: no fix of a flake, no fix in an outage, no rerun
// that is not allowed.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ciClasses } from '../../../../src/contract/triage.ts';
import {
  failsInMass,
  isKnownFlake,
  type LedgerEntry,
  namesWorkflowFile,
  outageOf,
  type TriageFacts,
  toQuarantine,
  triage,
} from '../../../../src/policy/ci/ci-triage.ts';

const minute = 60_000;
const now = 10_000 * 60 * minute;

const plain: TriageFacts = {
  job: 'test',
  runId: 12,
  passedIn: null,
  class: 'regression',
  confidence: 0.9,
  headline: 'AssertionError: expected 2 to be 3',
  workflowFile: false,
  failedTests: ['adds'],
  knownFlake: false,
  redCommitsInARow: 1,
  mass: null,
  outage: null,
  mayRerun: true,
  rerunUsed: false,
  fixWorkflows: false,
};
const outage = { tenants: 6, of: 20, lastMs: now - minute };
const mass = { failed: 19, ran: 20, otherJob: 'e2e' };
const noRerun = { mayRerun: false };
const rerunUsed = { mayRerun: false, rerunUsed: true };

type Row = readonly [name: string, facts: Partial<TriageFacts>, next: string, as: string];
const rows: readonly Row[] = [
  ['a regression is fixed at once', {}, 'fix', 'regression'],
  ['CI-3 passed on the same commit: rerun once', { passedIn: 'run 11' }, 'rerun', 'flake'],
  ['CI-3 ... then watched', { passedIn: 'run 11', ...rerunUsed }, 'watch', 'flake'],
  ['CI-3 ... where it may not be rerun: watched', { passedIn: 'run 11', ...noRerun }, 'watch', 'flake'],
  ['CI-3 a test of the ledger alone: rerun once', { knownFlake: true }, 'rerun', 'flake'],
  ['CI-3 ... then watched', { knownFlake: true, ...rerunUsed }, 'watch', 'flake'],
  [
    'a test of the ledger that fails on three commits in a row is broken',
    { knownFlake: true, redCommitsInARow: 3 },
    'fix',
    'regression',
  ],
  ['CI-3 a log that looks like chance: rerun', { class: 'flake' }, 'rerun', 'flake'],
  ['CI-3 ... and failed again: no flake', { class: 'flake', ...rerunUsed }, 'fix', 'unknown'],
  ['CI-3 ... and may not be rerun: waits for the next run', { class: 'flake', ...noRerun }, 'wait', 'flake'],
  [
    'CI-3 ... which failed too: no flake',
    { class: 'flake', ...noRerun, redCommitsInARow: 2 },
    'fix',
    'unknown',
  ],
  ['CI-4 infra may be rerun once', { class: 'infra' }, 'rerun', 'infra'],
  ['CI-4 ... then a person', { class: 'infra', ...rerunUsed }, 'person', 'infra'],
  ['CI-4 env is for a person', { class: 'env' }, 'person', 'env'],
  ['CI-4 most tests of two jobs: rerun once', { mass }, 'rerun', 'infra'],
  ['CI-4 ... then a person', { mass, ...rerunUsed }, 'person', 'infra'],
  ['CI-4 an outage waits', { outage }, 'wait', 'infra'],
  ['CI-4 ... and is no flake of the ledger', { outage, knownFlake: true }, 'wait', 'infra'],
  [
    'CI-4 an outage of an hour ago: rerun once',
    { outage: { ...outage, lastMs: now - 60 * minute } },
    'rerun',
    'infra',
  ],
  [
    'CI-4 ... then a person',
    { outage: { ...outage, lastMs: now - 60 * minute }, ...rerunUsed },
    'person',
    'infra',
  ],
  ['CI-13 the workflow file itself: a person', { class: 'config', workflowFile: true }, 'person', 'config'],
  [
    'CI-13 ... where the workspace allows it: a fix',
    { class: 'config', workflowFile: true, fixWorkflows: true },
    'fix',
    'config',
  ],
  ['another config is fixed', { class: 'config' }, 'fix', 'config'],
  ['CI-2 unknown: rerun once', { class: 'unknown', headline: null }, 'rerun', 'unknown'],
  ['CI-2 ... then a fix', { class: 'unknown', headline: null, ...rerunUsed }, 'fix', 'unknown'],
  ['CI-2 ... where it may not be rerun: a fix', { class: 'unknown', ...noRerun }, 'fix', 'unknown'],
];

describe('triage', () => {
  it.each(rows)('%s', (_name, facts, next, as) => {
    const decision = triage({ ...plain, ...facts }, now);
    expect([decision.next, decision.class]).toEqual([next, as]);
    expect(decision.why).not.toBe('');
  });

  it('says why in one sentence, with the run, the tests, the numbers', () => {
    const why = (facts: Partial<TriageFacts>): string => triage({ ...plain, ...facts }, now).why;
    expect(why({ passedIn: 'attempt 2 of run 12' })).toBe(
      'flake: test failed in run 12 and passed in attempt 2 of run 12, on the same commit',
    );
    expect(why({ knownFlake: true, failedTests: ['a', 'b', 'c'] })).toBe(
      'flake: test fails in a, b and 1 more only, which are in the flake ledger',
    );
    expect(why({ outage })).toBe(
      'outage: the same error in 6 of 20 tenants within 10 min: AssertionError: expected 2 to be 3',
    );
    expect(why({ mass })).toBe('infra: 19 of 20 tests fail in test, and as many in e2e, at once');
  });

  it('looks at an outage again every 10 minutes, until nobody has seen it for an hour', () => {
    expect(triage({ ...plain, outage }, now).untilMs).toBe(now + 10 * minute);
    const old = { ...outage, lastMs: now - 55 * minute };
    expect(triage({ ...plain, outage: old }, now).untilMs).toBe(now + 5 * minute);
  });
});

const anyFacts = fc.record({
  job: fc.constant('test'),
  runId: fc.constant(1),
  passedIn: fc.option(fc.constant('run 2')),
  class: fc.constantFrom(...ciClasses),
  confidence: fc.double({ min: 0, max: 1, noNaN: true }),
  headline: fc.option(fc.string()),
  workflowFile: fc.boolean(),
  failedTests: fc.array(fc.string(), { maxLength: 4 }),
  knownFlake: fc.boolean(),
  redCommitsInARow: fc.nat(5),
  mass: fc.option(fc.constant(mass)),
  outage: fc.option(
    fc.record({ tenants: fc.nat(20), of: fc.nat(20), lastMs: fc.integer({ min: 0, max: now }) }),
  ),
  mayRerun: fc.boolean(),
  rerunUsed: fc.boolean(),
  fixWorkflows: fc.boolean(),
});

describe('triage, for any facts', () => {
  it('CI-3, CI-4: never fixes a flake by evidence, an outage, a mass failure, infra or env', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const { next, class: name } = triage(facts, now);
        if (facts.passedIn !== null || facts.outage !== null || facts.mass !== null)
          expect(next).not.toBe('fix');
        if (['flake', 'infra', 'env'].includes(name)) expect(next).not.toBe('fix');
      }),
    );
  });

  it('CI-3: calls nothing a flake to be watched without the same commit green, or the ledger', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        if (triage(facts, now).next !== 'watch') return;
        expect(facts.passedIn !== null || facts.knownFlake).toBe(true);
      }),
    );
  });

  it('reruns only where it may, waits only with an end in the future', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const { next, untilMs } = triage(facts, now);
        if (next === 'rerun') expect(facts.mayRerun).toBe(true);
        if (next === 'wait') expect(untilMs).toBeGreaterThan(now);
        else expect(untilMs).toBeNull();
      }),
    );
  });
});

describe('CI-4: most tests at once', () => {
  it.each([
    ['81 % of 100', { failed: 81, ran: 100 }, true],
    ['80 % is not more than 80 %', { failed: 80, ran: 100 }, false],
    ['9 of 10', { failed: 9, ran: 10 }, true],
    ['all of 9', { failed: 9, ran: 9 }, false],
    ['a job with one test', { failed: 1, ran: 1 }, false],
    ['a runner that does not say', { failed: 50, ran: null }, false],
    ['more names than tests ran: not understood', { failed: 30, ran: 20 }, false],
  ])('%s', (_name, job, expected) => {
    expect(failsInMass(job)).toBe(expected);
  });
});

describe('CI-4: the same error in other tenants', () => {
  const at = (minutes: readonly number[]) =>
    minutes.map((offset, index) => ({ tenant: `t${index}`, atMs: now + offset * minute }));

  it.each([
    ['5 of 20 within 10 minutes', at([0, 1, 2, 3, 9]), 20, 5],
    ['5 of 25: just 20 %', at([0, 1, 2, 3, 9]), 25, 5],
    ['5 of 26: less than 20 %', at([0, 1, 2, 3, 9]), 26, null],
    ['4 of 4', at([0, 1, 2, 3]), 4, null],
    ['the first is 10 minutes older', at([0, 1, 2, 3, 10]), 20, null],
    ['one tenant many times', Array.from({ length: 30 }, () => ({ tenant: 'a', atMs: now })), 20, null],
    ['one tenant many times, alone', Array.from({ length: 30 }, () => ({ tenant: 'a', atMs: now })), 1, null],
    ['nobody', [], 20, null],
  ])('%s', (_name, seen, tenants, expected) => {
    expect(outageOf(seen, tenants)?.tenants ?? null).toBe(expected);
  });

  it('ends with the last who saw it', () => {
    expect(outageOf(at([0, 1, 2, 3, 4, 60, 61]), 20)).toEqual({
      tenants: 5,
      of: 20,
      lastMs: now + 4 * minute,
    });
  });

  it('does not depend on the order, and needs 5 tenants and 20 %', () => {
    const seen = fc.array(
      fc.record({
        tenant: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'),
        atMs: fc.integer({ min: 0, max: 40 * minute }),
      }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(seen, fc.integer({ min: 1, max: 60 }), (all, tenants) => {
        const found = outageOf(all, tenants);
        expect(outageOf([...all].reverse(), tenants)).toEqual(found);
        if (found === null) return;
        expect(found.tenants).toBeGreaterThanOrEqual(Math.max(5, 0.2 * tenants));
        expect(found.tenants).toBeLessThanOrEqual(new Set(all.map(({ tenant }) => tenant)).size);
      }),
    );
  });
});

describe('CI-13: the workflow file itself', () => {
  it.each([
    ['config', 'Invalid workflow file: .github/workflows/ci.yml#L7', true],
    ['config', 'Unable to resolve action `actions/chekout@v4`, repository not found', true],
    ['config', "##[error]Unrecognized named-value: 'secret'", true],
    ['config', 'error: unknown option --foo in tsconfig.json', false],
    ['regression', 'expected .github/workflows/ci.yml to exist', false],
  ] as const)('%s: %s', (name, line, expected) => {
    expect(namesWorkflowFile(name, [line])).toBe(expected);
  });
});

describe('CI-3: the ledger', () => {
  const entry = (test: string, failures = 1, signatures: readonly string[] = []): LedgerEntry => ({
    test,
    failures,
    firstMs: 0,
    lastMs: 0,
    signatures,
  });

  it.each([
    ['all failed tests are in it', ['a', 'b'], null, [entry('a'), entry('b')], true],
    ['one is not', ['a', 'c'], null, [entry('a'), entry('b')], false],
    ['no test is named, the job failed with this error before', [], 's', [entry('', 1, ['s'])], true],
    ['... with another error', [], 's', [entry('', 1, ['t'])], false],
    ['... and nothing tells the error', [], null, [entry('', 1, [])], false],
    ['the job is in it, not the test', ['a'], 's', [entry('', 1, ['s'])], false],
    ['it is empty', ['a'], 's', [], false],
  ])('%s', (_name, tests, signature, ledger, expected) => {
    expect(isKnownFlake(tests, signature, ledger)).toBe(expected);
  });

  it('proposes quarantine over the rate, from three flaky failures on, the worst first', () => {
    const settings = { quarantineRate: 0.05, quarantineFailures: 3 };
    const ledger = [entry('often', 6), entry('some', 4), entry('twice', 2), entry('rare', 3)];
    expect(toQuarantine(ledger, 60, settings).map(({ test, rate }) => [test, rate])).toEqual([
      ['often', 0.1],
      ['some', 4 / 60],
    ]);
    expect(toQuarantine(ledger, 0, settings)[0]?.rate).toBe(1);
    expect(toQuarantine([entry('twice', 2)], 2, settings)).toEqual([]);
  });
});
