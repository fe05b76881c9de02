// CI-1, CI-10: a job that a run says nothing about stays as it was, and what is not run any more ends.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FailedJob, type KnownRun, type Lane, noJob } from '../../../../src/policy/ci/ci-runs.ts';
import { silentNames, standsFor, verdictOfName } from '../../../../src/policy/ci/job-verdicts.ts';
import { type LaneMemory, laneFailures, lookBackRuns } from '../../../../src/policy/ci/lane-failures.ts';

const dayMs = 86_400_000;
/** How an expression begins in a workflow file. */
const open = ['$', '{{'].join('');
type Says = { readonly [job: string]: 'red' | 'green' | 'silent' } | null;

function run(id: number, says: Says, attempt = 1): KnownRun {
  const red = says === null || Object.keys(says).length === 0 || Object.values(says).includes('red');
  return {
    id,
    attempt,
    status: 'completed',
    conclusion: red ? 'failure' : 'success',
    branch: 'main',
    sha: 'a'.repeat(40),
    path: '.github/workflows/ci.yml',
    name: 'CI',
    url: '',
    verdict: { attempt, red },
  };
}
const failed = (name: string): FailedJob => ({ id: 1, name, step: null, stepNumber: null, url: '' });
const laneOf = (history: readonly KnownRun[]): Lane => ({
  branch: 'main',
  path: '.github/workflows/ci.yml',
  critical: true,
  pullRequest: undefined,
  deciding: history[0] ?? null,
  history,
  running: null,
});
const jobsOf = (says: NonNullable<Says>) =>
  Object.entries(says).map(([name, verdict]) => ({
    name,
    status: 'completed',
    conclusion: { red: 'failure', green: 'success', silent: 'skipped' }[verdict],
  }));

type Step = readonly [id: number, says: Says, attempt?: number];

/** What fails, as `job@run`, after a look at these runs, the newest last. */
function look(steps: readonly Step[], before?: LaneMemory, nowMs = 0) {
  const runs = new Map(steps.map(([id, says, attempt]) => [id, { run: run(id, says, attempt), says }]));
  const history = [...runs.values()].map((one) => one.run).sort((a, b) => b.id - a.id);
  const read: number[] = [];
  for (;;) {
    const found = laneFailures(
      laneOf(history),
      ({ id }) => {
        const says = runs.get(id)?.says;
        if (!read.includes(id) || says === undefined) return undefined;
        if (says === null) return null;
        const jobs = jobsOf(says);
        const red = jobs.filter(({ conclusion }) => conclusion === 'failure').map(({ name }) => failed(name));
        return { failed: red, silent: silentNames(jobs) };
      },
      before,
      nowMs,
    );
    if ('failures' in found) {
      const memory: LaneMemory = { newest: history[0]?.id ?? 0, failures: found.failures };
      return { memory, read, failing: found.failures.map(({ job, run: { id } }) => `${job.name}@${id}`) };
    }
    read.push(found.unread.id);
  }
}

describe('what a run says nothing about', () => {
  it.each<[string, readonly Step[], readonly string[]]>([
    [
      'a skipped job stays',
      [
        [1, { test: 'red' }],
        [2, { lint: 'red', test: 'silent' }],
      ],
      ['lint@2', 'test@1'],
    ],
    [
      'also when the run is green',
      [
        [1, { test: 'red' }],
        [2, { docs: 'green', test: 'silent' }],
      ],
      ['test@1'],
    ],
    [
      'one that passed is over',
      [
        [1, { test: 'red' }],
        [2, { lint: 'red', test: 'green' }],
      ],
      ['lint@2'],
    ],
    [
      'a job that the workflow has no more is over',
      [
        [1, { test: 'red' }],
        [2, { tests: 'green' }],
      ],
      [],
    ],
    [
      'a run without jobs says nothing',
      [
        [1, { test: 'red' }],
        [2, {}],
      ],
      [`${noJob}@2`, 'test@1'],
    ],
    [
      'jobs after a run without any',
      [
        [1, {}],
        [2, { test: 'green' }],
      ],
      [],
    ],
    [
      'a run that GitHub forgot says nothing',
      [
        [1, { test: 'red' }],
        [2, null],
      ],
      ['test@1'],
    ],
    [
      'a matrix that was skipped stands for its legs',
      [
        [1, { 'test (20)': 'green', 'test (24)': 'red' }],
        [2, { lint: 'red', test: 'silent' }],
      ],
      ['lint@2', 'test (24)@1'],
    ],
    [
      'so does its name before it is filled in',
      [
        [1, { 'on 24, linux': 'red' }],
        [2, { [`on ${open} matrix.node }}, ${open} matrix.os }}`]: 'silent' }],
      ],
      ['on 24, linux@1'],
    ],
    [
      'a leg that was cancelled beside one that passed',
      [
        [1, { 'test (20)': 'red', 'test (24)': 'red' }],
        [2, { 'test (20)': 'green', 'test (24)': 'silent' }],
      ],
      ['test (24)@1'],
    ],
    [
      'the last word counts, not the last failure',
      [
        [1, { test: 'red' }],
        [2, { test: 'green' }],
        [3, { lint: 'red', test: 'silent' }],
      ],
      ['lint@3'],
    ],
    [
      'a whole matrix, then a leg of it',
      [
        [1, { 'test (20)': 'red', 'test (24)': 'red' }],
        [2, { test: 'silent' }],
        [3, { 'test (24)': 'silent' }],
      ],
      ['test (24)@1'],
    ],
  ])('%s', (_name, steps, expected) => {
    // Seen one after the other, or in one look where the last run is red.
    let memory: LaneMemory | undefined;
    for (let seen = 1; seen <= steps.length; seen += 1) memory = look(steps.slice(0, seen), memory).memory;
    expect(memory?.failures.map(({ job, run: { id } }) => `${job.name}@${id}`).sort()).toEqual(
      [...expected].sort(),
    );
    if (look(steps).read.length > 0) expect([...look(steps).failing].sort()).toEqual([...expected].sort());
  });

  it('two runs between two looks: both count, also when the newer one is green', () => {
    const before = look([[1, { test: 'green' }]]).memory;
    const steps: readonly Step[] = [
      [1, { test: 'green' }],
      [2, { test: 'red' }],
      [3, { docs: 'green', test: 'silent' }],
    ];
    expect(look(steps, before).failing).toEqual(['test@2']);
  });

  it('what an earlier attempt of the same run said counts, not what an older run said', () => {
    const steps: readonly Step[] = [
      [1, { test: 'green' }],
      [2, { test: 'red' }],
    ];
    const { memory } = look(steps);
    const rerun: readonly Step[] = [
      [1, { test: 'green' }],
      [2, { lint: 'red', test: 'silent' }, 2],
    ];
    expect(look(rerun, memory).failing).toEqual(['lint@2', 'test@2']);
  });

  it('a failing run that is run again later is believed', () => {
    const steps: readonly Step[] = [
      [1, { test: 'red' }],
      [2, { lint: 'red', test: 'silent' }],
    ];
    const { memory } = look(steps);
    expect(look([[1, { test: 'green' }, 2], steps[1] as Step], memory).failing).toEqual(['lint@2']);
  });
});

describe('its end', () => {
  const silent = (count: number): readonly Step[] => [
    [1, { test: 'red' }],
    ...Array.from({ length: count }, (_, index): Step => [index + 2, { lint: 'red', test: 'silent' }]),
  ];

  it('comes after seven days in which more runs than are looked through say nothing', () => {
    let memory = look(silent(0)).memory;
    for (let count = 1; count <= lookBackRuns; count += 1) memory = look(silent(count), memory).memory;
    expect(look(silent(lookBackRuns), memory, 7 * dayMs - 1).failing).toEqual(['lint@6', 'test@1']);
    expect(look(silent(lookBackRuns), memory, 7 * dayMs).failing).toEqual(['lint@6']);
  });

  it('does not come by time alone', () => {
    const { memory } = look(silent(1));
    expect(look(silent(1), memory, 400 * dayMs).failing).toEqual(['lint@2', 'test@1']);
  });
});

it('reads no jobs of a green branch, and each new run once', () => {
  const green: readonly Step[] = [1, 2, 3].map((id): Step => [id, { test: 'green' }]);
  expect(look(green).read).toEqual([]);
  const { memory } = look([[1, { test: 'red' }], ...green.slice(1)]);
  expect(look([...green, [4, { test: 'green' }]], memory).read).toEqual([]);
  const red = look([...green, [4, { test: 'red', deploy: 'silent' }]], memory);
  expect(red.read).toEqual([4, 3]);
});

it('whatever runs say: what fails now was red in a run, and nothing that passed since fails', () => {
  const says = fc.dictionary(
    fc.constantFrom('a', 'b', 'c (1)', 'c (2)'),
    fc.constantFrom('red' as const, 'green' as const, 'silent' as const),
    { minKeys: 1 },
  );
  fc.assert(
    fc.property(fc.array(says, { minLength: 1, maxLength: 8 }), (all) => {
      const steps = all.map((one, index): Step => [index + 1, one]);
      let memory: LaneMemory | undefined;
      for (let seen = 1; seen <= steps.length; seen += 1) memory = look(steps.slice(0, seen), memory).memory;
      const last = new Map<string, string>();
      for (const one of all)
        for (const name of ['a', 'b', 'c (1)', 'c (2)']) {
          const verdict = verdictOfName(jobsOf(one), name);
          if (verdict !== 'silent') last.set(name, verdict);
        }
      const red = [...last].filter(([, verdict]) => verdict === 'red').map(([name]) => name);
      const found = (memory?.failures ?? []).map(({ job }) => job.name).filter((name) => name !== noJob);
      expect(found.sort()).toEqual(red.sort());
    }),
    {
      numRuns: 1_000,
      // An old red run is looked at for one job; another one of it has ended since.
      examples: [
        [[{ a: 'red', b: 'red' }, { a: 'silent' }, { a: 'silent', b: 'silent' }, { a: 'red', b: 'silent' }]],
      ],
    },
  );
});

describe('names', () => {
  it.each([
    ['test', 'test', true],
    ['test', 'tests', false],
    ['test', 'test (24)', true],
    ['test (24)', 'test', false],
    ['call', 'call / build', true],
    ['*', 'anything', true],
    [`build ${open} matrix.os }}`, 'build linux', true],
    [`build ${open} matrix.os }}`, 'test linux', false],
    [`${open} a }} on ${open} b }} x`, 'q on r x', true],
    [`${open} a }} on ${open} b }} x`, 'q in r x', false],
    [`a ${open} m }} a`, 'a ', false],
    ['build #12', 'build #13', true],
  ])('%s stands for %s: %s', (said, name, expected) => {
    expect(standsFor(said, name)).toBe(expected);
  });

  it('are compared in time that grows with their length only', () => {
    const said = `${`${open} a }}x`.repeat(60)}y`;
    const start = performance.now();
    standsFor(said, 'x'.repeat(300));
    expect(performance.now() - start).toBeLessThan(1_000);
  });

  it.each([
    ['red', ['success', 'failure']],
    ['silent', ['success', 'cancelled']],
    ['green', ['success', 'success']],
    ['red', ['skipped', 'timed_out']],
  ] as const)('several jobs with one name are %s: %j', (expected, ends) => {
    const jobs = ends.map((conclusion) => ({ name: 'test', status: 'completed', conclusion }));
    expect(verdictOfName(jobs, 'test')).toBe(expected);
  });
});
