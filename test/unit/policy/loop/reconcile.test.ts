// LOOP-2, CI-9, CI-10: what becomes of findings when sources are read: unknown resolves nothing, a return within 48 hours keeps its counter,
// one after seven days is a new occurrence.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FindingStatus, Observation, ObservedFinding } from '../../../../src/contract/finding.ts';
import { type KnownFinding, reconcile, sourceKey } from '../../../../src/policy/loop/reconcile.ts';

const hour = 3_600_000;
const now = 10_000 * hour;

function observed(signature: string): ObservedFinding {
  return {
    kind: 'drift',
    target: 'production',
    signature,
    ruleVersion: 1,
    severity: 'warning',
    title: signature,
    detail: { kind: 'drift', environment: 'production', planHash: 'x', destroys: 0, changes: [] },
  };
}

function read(state: Observation['state'], signatures: readonly string[] = [], more = {}): Observation {
  return {
    workspace: 'shop',
    source: 'drift',
    target: 'production',
    readAtMs: now,
    durationMs: 1,
    state,
    reason: '',
    findings: signatures.map(observed),
    ...more,
  };
}

function known(fingerprint: string, more: Partial<KnownFinding> = {}): KnownFinding {
  return {
    fingerprint,
    occurrence: 1,
    status: 'open',
    attempts: 2,
    source: 'drift:production' as KnownFinding['source'],
    workspace: 'shop',
    resolvedMs: null,
    ...more,
  };
}

const apply = (before: readonly KnownFinding[], observations: readonly Observation[]) =>
  reconcile(before, observations, (one) => one.signature, now);

describe('reconcile', () => {
  it('appears, is seen, is resolved', () => {
    expect(apply([], [read('red', ['a'])])).toMatchObject([
      { change: 'appear', fingerprint: 'a', occurrence: 1, workspace: 'shop', source: 'drift:production' },
    ]);
    expect(apply([known('a')], [read('red', ['a'])])).toMatchObject([{ change: 'seen', occurrence: 1 }]);
    expect(apply([known('a', { status: 'escalated' })], [read('green')])).toEqual([
      { change: 'resolve', fingerprint: 'a', occurrence: 1, status: 'escalated' },
    ]);
  });

  it.each([
    ['within 48 hours: the counter goes on', 48 * hour, { change: 'return', occurrence: 1, attempts: 2 }],
    ['later: it begins anew', 48 * hour + 1, { change: 'return', occurrence: 1, attempts: 0 }],
    ['after seven days: still the same', 168 * hour, { change: 'return', occurrence: 1, attempts: 0 }],
    ['after more: a new occurrence', 168 * hour + 1, { change: 'appear', occurrence: 2 }],
  ])('comes back %s', (_name, goneMs, expected) => {
    const before = known('a', { status: 'resolved', resolvedMs: now - goneMs });
    expect(apply([before], [read('red', ['a'])])).toMatchObject([expected]);
  });

  it('CI-9: fails in December, returns in March: a new occurrence, 0 of 3 attempts used', () => {
    const december = known('a', { status: 'resolved', attempts: 3, resolvedMs: Date.parse('2025-12-10') });
    const march = reconcile(
      [december],
      [read('red', ['a'])],
      (one) => one.signature,
      Date.parse('2026-03-02'),
    );
    expect(march).toMatchObject([{ change: 'appear', occurrence: 2 }]);
    // What appears is written without attempts; only what returns within 48 hours brings them along.
    expect(march[0]).not.toHaveProperty('attempts');
  });

  it('resolves nothing of another workspace, another source, another target', () => {
    const others = [
      known('a', { workspace: 'api' }),
      known('b', { source: 'ciRuns' }),
      known('c', { source: 'drift:staging' as KnownFinding['source'] }),
    ];
    expect(apply(others, [read('green')])).toEqual([]);
  });

  it('LOOP-2: what a source is certain of although it could not be read is known, and what it knew before stays', () => {
    expect(apply([known('a')], [read('unknown', ['outage'])])).toMatchObject([
      { change: 'appear', fingerprint: 'outage' },
    ]);
  });

  it('takes one finding that a source names twice as one', () => {
    expect(apply([], [read('red', ['a', 'a'])])).toHaveLength(1);
  });

  it('names sources by what is read', () => {
    expect(sourceKey({ source: 'ciRuns' })).toBe('ciRuns');
    expect(sourceKey({ source: 'drift', target: 'production' })).toBe('drift:production');
  });
});

const statuses: readonly FindingStatus[] = ['open', 'working', 'waiting', 'watched', 'escalated', 'resolved'];
const anyKnown = fc.uniqueArray(
  fc
    .record({
      fingerprint: fc.constantFrom('a', 'b', 'c', 'd'),
      status: fc.constantFrom(...statuses),
      target: fc.constantFrom('production', 'staging'),
      goneMs: fc.integer({ min: 0, max: 200 * hour }),
    })
    .map(({ fingerprint, status, target, goneMs }) =>
      known(fingerprint, {
        status,
        source: `drift:${target}` as KnownFinding['source'],
        resolvedMs: status === 'resolved' ? now - goneMs : null,
      }),
    ),
  { selector: (one) => one.fingerprint },
);
const anyReads = fc.uniqueArray(
  fc
    .record({
      target: fc.constantFrom('production', 'staging'),
      state: fc.constantFrom('green' as const, 'red' as const, 'unknown' as const),
      seen: fc.subarray(['a', 'b', 'c', 'd']),
    })
    .map(({ target, state, seen }) => read(state, state === 'green' ? [] : seen, { target })),
  { selector: (one) => one.target },
);

describe('reconcile, for any readings', () => {
  it('LOOP-2: a source that could not be read resolves nothing, and without a finding changes nothing at all', () => {
    fc.assert(
      fc.property(anyKnown, anyReads, (before, reads) => {
        const readable = reads.filter((one) => one.state !== 'unknown');
        const silent = reads.map((one) => (one.state === 'unknown' ? { ...one, findings: [] } : one));
        expect(apply(before, silent)).toEqual(apply(before, readable));
        const sources = readable.map(sourceKey) as string[];
        for (const change of apply(before, reads)) {
          if (change.change !== 'resolve') continue;
          const source = before.find((one) => one.fingerprint === change.fingerprint)?.source;
          expect(sources).toContain(source);
        }
      }),
    );
  });

  it('resolves exactly the open ones that their source does not show any more', () => {
    fc.assert(
      fc.property(anyKnown, anyReads, (before, reads) => {
        const resolved = apply(before, reads)
          .filter((change) => change.change === 'resolve')
          .map((change) => change.fingerprint);
        const expected = before
          .filter((one) => {
            const source = reads.find((reading) => sourceKey(reading) === one.source);
            const shown = source?.findings.some((finding) => finding.signature === one.fingerprint) ?? true;
            return one.status !== 'resolved' && source?.state !== 'unknown' && !shown;
          })
          .map((one) => one.fingerprint);
        expect(resolved.sort()).toEqual(expected.sort());
      }),
    );
  });
});
