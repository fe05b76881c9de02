// LOOP-3: the order of the decision tree, per workspace, over workable findings only.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Finding, type FindingKind, isWorkable } from '../../../../src/contract/finding.ts';
import { decide } from '../../../../src/policy/loop/decide.ts';

const details = {
  ci: {
    kind: 'ci',
    repository: 'acme/shop',
    branch: 'main',
    runId: 1,
    runAttempt: 1,
    headSha: 'a'.repeat(40),
    workflowPath: '.github/workflows/ci.yml',
    workflowName: 'CI',
    job: 'test',
    jobId: 1,
    step: 'run',
    stepNumber: 1,
    url: 'https://example.com',
  },
  drift: { kind: 'drift', environment: 'production', planHash: 'f'.repeat(64), destroys: 0, changes: [] },
  migration: {
    kind: 'migration',
    database: 'shop',
    environment: 'production',
    pending: ['1.sql'],
    missingOnDisk: [],
  },
} as const;
const sources = { ci: 'ciRuns', drift: 'drift', migration: 'migrations' } as const;

function finding(kind: FindingKind, more: Partial<Finding> = {}): Finding {
  return {
    tenant: 'acme',
    workspace: 'shop',
    source: sources[kind],
    kind,
    target: 'x',
    signature: 'x',
    ruleVersion: 1,
    severity: 'warning',
    title: kind,
    detail: details[kind],
    fingerprint: kind,
    occurrence: 1,
    status: 'open',
    attempts: 0,
    firstSeenMs: 1,
    lastSeenMs: 1,
    remedies: 0,
    ...more,
  };
}

const actions = (open: readonly Finding[]): string[] =>
  decide(open).map((one) => `${one.workspace} ${one.fingerprint} ${one.action}`);

describe('the decision tree', () => {
  it('works on CI before drift before migrations', () => {
    const [ci, drift, migration] = [finding('ci'), finding('drift'), finding('migration')];
    expect(actions([migration, drift, ci])).toEqual([
      'shop ci start',
      'shop drift wait',
      'shop migration wait',
    ]);
    expect(actions([migration, drift])).toEqual(['shop drift start', 'shop migration wait']);
    expect(actions([migration])).toEqual(['shop migration start']);
    expect(decide([migration, ci])[1]?.reason).toBe('comes after failing workflow run');
  });

  it.each([
    ['watched', { status: 'watched' }],
    ['held', { status: 'waiting', waitingFor: 'approval abc' }],
    ['escalated', { status: 'escalated' }],
    ['info', { severity: 'info' }],
  ] as const)('lets what comes after one that is %s go on', (_name, more) => {
    expect(actions([finding('ci', more), finding('drift')])).toEqual(['shop ci wait', 'shop drift start']);
  });

  it('keeps the order per workspace', () => {
    const other = finding('migration', { workspace: 'api', fingerprint: 'api-migration' });
    expect(actions([finding('ci'), finding('drift'), other])).toEqual([
      'api api-migration start',
      'shop ci start',
      'shop drift wait',
    ]);
  });

  it('informs the remedy that is on it, and holds back what comes after it', () => {
    expect(actions([finding('ci', { status: 'working' }), finding('drift')])).toEqual([
      'shop ci inform',
      'shop drift wait',
    ]);
  });

  it('starts the whole tier, the worst and oldest first', () => {
    const ci = (fingerprint: string, more: Partial<Finding>) => finding('ci', { fingerprint, ...more });
    expect(
      actions([
        ci('c', { firstSeenMs: 2 }),
        ci('b', { firstSeenMs: 1 }),
        ci('a', { firstSeenMs: 1 }),
        ci('worst', { firstSeenMs: 9, severity: 'critical' }),
      ]),
    ).toEqual(['shop worst start', 'shop a start', 'shop b start', 'shop c start']);
  });

  it('says nothing about what is resolved, and nothing when all is green (LOOP-5)', () => {
    expect(decide([finding('ci', { status: 'resolved' })])).toEqual([]);
    expect(decide([])).toEqual([]);
  });
});

const anyFindings = fc.uniqueArray(
  fc
    .record({
      kind: fc.constantFrom<FindingKind>('ci', 'drift', 'migration'),
      workspace: fc.constantFrom('api', 'shop'),
      status: fc.constantFrom<Finding['status']>(
        'open',
        'working',
        'waiting',
        'watched',
        'escalated',
        'resolved',
      ),
      severity: fc.constantFrom<Finding['severity']>('critical', 'warning', 'info'),
      fingerprint: fc.uuid(),
      firstSeenMs: fc.nat({ max: 3 }),
    })
    .map(({ kind, ...more }) => finding(kind, more)),
  { maxLength: 12, selector: (one) => one.fingerprint },
);

describe('the decision tree, for any findings', () => {
  it('says one thing about each that is not resolved, whatever their order', () => {
    fc.assert(
      fc.property(anyFindings, (open) => {
        const decisions = decide(open);
        expect(decisions.map((one) => one.fingerprint).sort()).toEqual(
          open
            .filter((one) => one.status !== 'resolved')
            .map((one) => one.fingerprint)
            .sort(),
        );
        expect(decide([...open].reverse())).toEqual(decisions);
      }),
    );
  });

  it('works on all and only the workable ones of the first tier that has any', () => {
    fc.assert(
      fc.property(anyFindings, (open) => {
        const decisions = new Map(decide(open).map((one) => [one.fingerprint, one]));
        for (const one of open.filter(({ status }) => status !== 'resolved')) {
          const here = open.filter((other) => other.workspace === one.workspace && isWorkable(other));
          const first = (['ci', 'drift', 'migration'] as const).find((kind) =>
            here.some((other) => other.kind === kind),
          );
          const expected =
            isWorkable(one) && one.kind === first ? (one.status === 'working' ? 'inform' : 'start') : 'wait';
          expect(decisions.get(one.fingerprint)?.action).toBe(expected);
          expect(decisions.get(one.fingerprint)?.reason).not.toBe('');
        }
      }),
    );
  });
});
