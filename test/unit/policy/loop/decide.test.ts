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
  incident: { kind: 'incident', environment: 'production', level: 'sev1', failed: [], services: ['backend'] },
  deployment: {
    kind: 'deployment',
    environment: 'production',
    service: 'backend',
    serviceId: 's1',
    deploymentId: 'd1',
    status: 'crashed',
    rawStatus: 'CRASHED',
    serving: false,
    level: 'sev2',
    sinceMs: 1,
  },
  mention: {
    kind: 'mention',
    repository: 'acme/shop',
    issue: 1,
    commentId: 1,
    author: 'ana',
    url: 'https://example.com',
    request: { kind: 'status' },
    askedAtMs: 1,
    seenAtMs: 1,
  },
  notice: { kind: 'notice', about: 'version', name: 'postgres', level: 'info', text: '18 is out' },
} as const;
const sources = {
  incident: 'health',
  deployment: 'deployments',
  ci: 'ciRuns',
  drift: 'drift',
  migration: 'migrations',
  mention: 'mentions',
  notice: 'versions',
} as const;

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

describe('the decision tree, with production in it (LOOP-3)', () => {
  const serving = (more: Partial<Finding> = {}) =>
    finding('deployment', { detail: { ...details.deployment, status: 'failed', serving: true }, ...more });

  it('works on an incident before CI, and on a deployment that failed while another serves after migrations', () => {
    const all = [finding('migration'), serving(), finding('drift'), finding('ci'), finding('incident')];
    expect(actions(all)).toEqual([
      'shop incident start',
      'shop ci wait',
      'shop drift wait',
      'shop migration wait',
      'shop deployment wait',
    ]);
    expect(actions([finding('migration'), serving()])).toEqual([
      'shop migration start',
      'shop deployment wait',
    ]);
    expect(actions([serving()])).toEqual(['shop deployment start']);
  });

  it('takes a service that is down for an incident', () => {
    expect(actions([finding('ci'), finding('deployment')])).toEqual([
      'shop deployment start',
      'shop ci wait',
    ]);
  });

  it('leaves a service that is down to the incident that names it', () => {
    const down = finding('deployment');
    expect(decide([down, finding('incident', { fingerprint: 'f'.repeat(64) })])[1]?.action).toBe('start');
    expect(decide([down, finding('incident', { fingerprint: 'f'.repeat(64) })])[0]).toMatchObject({
      action: 'wait',
      reason: 'part of the incident ffffffffffff',
    });
    const other = finding('deployment', { detail: { ...details.deployment, service: 'mail' } });
    expect(actions([other, finding('incident')])).toEqual(['shop deployment start', 'shop incident start']);
    // One that a remedy is on already stays with it.
    const known = finding('deployment', { status: 'working' });
    expect(actions([known, finding('incident')])).toEqual(['shop deployment inform', 'shop incident start']);
    // The incident waits for a person: the service is still its own business, and holds nothing up.
    expect(actions([down, finding('incident', { status: 'escalated' }), finding('ci')])).toEqual([
      'shop deployment wait',
      'shop incident wait',
      'shop ci start',
    ]);
  });

  it('answers a question and tells a notice beside everything else, once', () => {
    const info = { severity: 'info' } as const;
    expect(actions([finding('mention', info), finding('notice', info), finding('ci')])).toEqual([
      'shop ci start',
      'shop mention start',
      'shop notice start',
    ]);
    expect(actions([finding('notice', { ...info, status: 'watched' })])).toEqual(['shop notice wait']);
  });
});

const anyFindings = fc.uniqueArray(
  fc
    .record({
      kind: fc.constantFrom<FindingKind>('incident', 'deployment', 'ci', 'drift', 'migration'),
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
          const near = open.filter((other) => other.workspace === one.workspace);
          const isPart = (other: Finding) =>
            other.kind === 'deployment' &&
            other.status === 'open' &&
            near.some(({ kind, status }) => kind === 'incident' && status !== 'resolved');
          const here = near.filter((other) => isWorkable(other) && !isPart(other));
          const tiers = [['incident', 'deployment'], ['ci'], ['drift'], ['migration']];
          const first = tiers.find((kinds) => here.some((other) => kinds.includes(other.kind))) ?? [];
          const expected =
            here.includes(one) && first.includes(one.kind)
              ? one.status === 'working'
                ? 'inform'
                : 'start'
              : 'wait';
          expect(decisions.get(one.fingerprint)?.action).toBe(expected);
          expect(decisions.get(one.fingerprint)?.reason).not.toBe('');
        }
      }),
    );
  });
});
