// GUARD-1, LOOP-4, LOOP-7, LOOP-8, LOOP-10, LOOP-12, LOOP-13: the guard as tables, and as properties over any effect in any state.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effectKinds } from '../../../src/contract/effect.ts';
import {
  channelSuffices,
  type GuardedEffect,
  type GuardSettings,
  type GuardState,
  guard,
  isMutating,
  pauseThatStops,
} from '../../../src/policy/guard.ts';

const minute = 60_000;
const hour = 60 * minute;
const now = 1_000 * hour;

const effect: GuardedEffect = {
  kind: 'applyDrift',
  workspace: 'shop',
  target: 'production',
  risk: 'mutating',
  autonomy: 'act',
  forIncident: false,
};
const state: GuardState = {
  tenantEnabled: true,
  pauses: [],
  breaker: { state: 'closed', reason: null, sinceMs: null, probeTaken: false },
  cooldownUntilMs: null,
  recentMutatingMs: [],
  targetHeldBy: null,
  approval: null,
};
const settings: GuardSettings = {
  autonomy: 'act',
  mutatingPer5Min: 5,
  reservedForIncidents: 2,
  breakerProbeAfterMs: hour,
  approvalChannels: { cli: false, ui: false },
};
const approval = {
  state: 'approved',
  channel: 'github',
  decidedBy: 'maria',
  reason: null,
  expiresMs: now + hour,
} as const;
const open = { state: 'open', reason: 'three failed', sinceMs: now - minute, probeTaken: false } as const;
const pause = { scope: 'tenant', scopeValue: null, reason: 'release', untilMs: null } as const;

type Row = {
  readonly name: string;
  readonly effect?: Partial<GuardedEffect>;
  readonly state?: Partial<GuardState>;
  readonly settings?: Partial<GuardSettings>;
  readonly expected: object;
};

const table: readonly Row[] = [
  { name: 'nothing in the way', expected: { verdict: 'allow', usesApproval: false, isProbe: false } },
  {
    name: 'a disabled tenant writes nothing, not even what is safe',
    effect: { risk: 'safe' },
    state: { tenantEnabled: false },
    expected: { verdict: 'refuse', guard: 'tenant' },
  },
  {
    name: 'LOOP-12: act at propose',
    settings: { autonomy: 'propose' },
    expected: { verdict: 'refuse', guard: 'autonomy' },
  },
  {
    name: 'LOOP-12: propose at observe',
    effect: { risk: 'proposing', autonomy: 'propose' },
    settings: { autonomy: 'observe' },
    expected: { verdict: 'refuse', guard: 'autonomy' },
  },
  {
    name: 'LOOP-12: propose at propose',
    effect: { risk: 'proposing', autonomy: 'propose' },
    settings: { autonomy: 'propose' },
    expected: { verdict: 'allow' },
  },
  {
    name: 'LOOP-10: a pause without an end holds without one',
    state: { pauses: [pause] },
    expected: { verdict: 'hold', guard: 'pause', reason: 'paused (tenant): release' },
  },
  {
    name: 'LOOP-10: a pause with an end holds until then',
    state: { pauses: [{ ...pause, untilMs: now + 1 }] },
    expected: { verdict: 'hold', guard: 'pause', untilMs: now + 1 },
  },
  {
    name: 'LOOP-10: at its end it is over',
    state: { pauses: [{ ...pause, untilMs: now }] },
    expected: { verdict: 'allow' },
  },
  {
    name: 'LOOP-10: it stops what only proposes, too',
    effect: { risk: 'proposing', autonomy: 'propose' },
    state: { pauses: [{ ...pause, scope: 'effect', scopeValue: 'applyDrift' }] },
    expected: { verdict: 'hold', guard: 'pause', reason: 'paused (effect applyDrift): release' },
  },
  {
    name: 'LOOP-7: an open breaker holds until its probe time',
    state: { breaker: open },
    expected: { verdict: 'hold', guard: 'breaker', untilMs: now + 59 * minute },
  },
  {
    name: 'LOOP-7: at its probe time it lets one through, whether or not a cycle has looked since',
    state: { breaker: { ...open, sinceMs: now - hour } },
    expected: { verdict: 'allow', isProbe: true },
  },
  {
    name: 'LOOP-7: one, not two: and who waits for it looks again soon',
    state: { breaker: { ...open, sinceMs: now - hour, probeTaken: true } },
    expected: { verdict: 'hold', guard: 'breaker', untilMs: now + 10_000 },
  },
  {
    name: 'LOOP-7: half open',
    state: { breaker: { ...open, state: 'halfOpen' } },
    expected: { verdict: 'allow', isProbe: true },
  },
  {
    name: 'LOOP-7: half open, probe under way',
    state: { breaker: { ...open, state: 'halfOpen', probeTaken: true } },
    expected: { verdict: 'hold', guard: 'breaker', untilMs: now + 10_000 },
  },
  {
    name: 'LOOP-7: what only proposes passes an open breaker, and is no probe',
    effect: { risk: 'proposing', autonomy: 'propose' },
    state: { breaker: open },
    expected: { verdict: 'allow', isProbe: false },
  },
  {
    name: 'a target that another effect is writing to: nobody nudges when it is free, so it has an end',
    state: { targetHeldBy: 'apply plan 1 to production' },
    expected: { verdict: 'hold', guard: 'targetLock', untilMs: now + 10_000 },
  },
  {
    name: 'LOOP-8: cooldown',
    state: { cooldownUntilMs: now + 1 },
    expected: { verdict: 'hold', guard: 'cooldown', untilMs: now + 1 },
  },
  { name: 'LOOP-8: at its end', state: { cooldownUntilMs: now }, expected: { verdict: 'allow' } },
  {
    name: 'LOOP-4: the cap keeps two for incidents',
    state: { recentMutatingMs: [now - 4 * minute, now - 3 * minute, now - minute] },
    expected: { verdict: 'hold', guard: 'cap', untilMs: now + minute },
  },
  {
    name: 'LOOP-4: an incident uses them',
    effect: { forIncident: true },
    state: { recentMutatingMs: [now - 4 * minute, now - 3 * minute, now - minute] },
    expected: { verdict: 'allow' },
  },
  {
    name: 'LOOP-4: an incident ends at five',
    effect: { forIncident: true },
    state: { recentMutatingMs: [now - 4 * minute, now - 3 * minute, now - 2, now - 1, now] },
    expected: { verdict: 'hold', guard: 'cap', untilMs: now + minute },
  },
  {
    name: 'LOOP-13: asks',
    effect: { needsApproval: 'policy' },
    expected: { verdict: 'hold', guard: 'approval', askApproval: true },
  },
  {
    name: 'LOOP-13: what is destructive asks by itself',
    effect: { risk: 'destructive' },
    expected: { verdict: 'hold', guard: 'approval', askApproval: true },
  },
  {
    name: 'LOOP-13: approved, and used',
    effect: { needsApproval: 'policy' },
    state: { approval },
    expected: { verdict: 'allow', usesApproval: true },
  },
  {
    name: 'LOOP-13: approved by CLI is not enough, and asks on over a channel that is',
    effect: { needsApproval: 'policy' },
    state: { approval: { ...approval, channel: 'cli' } },
    expected: { verdict: 'hold', guard: 'approval', askApproval: true },
  },
  {
    name: 'LOOP-13: approved by CLI where the tenant says that it is enough',
    effect: { needsApproval: 'policy' },
    settings: { approvalChannels: { cli: true, ui: false } },
    state: { approval: { ...approval, channel: 'cli' } },
    expected: { verdict: 'allow', usesApproval: true },
  },
  {
    name: 'LOOP-13: destructive by CLI never',
    effect: { risk: 'destructive' },
    settings: { approvalChannels: { cli: true, ui: true } },
    state: { approval: { ...approval, channel: 'cli' } },
    expected: { verdict: 'hold', guard: 'approval' },
  },
  ...(['rejected', 'void', 'expired', 'used'] as const).map((over) => ({
    name: `LOOP-13: ${over} is no`,
    effect: { needsApproval: 'policy' },
    state: { approval: { ...approval, state: over } },
    expected: { verdict: 'refuse', guard: 'approval' },
  })),
  {
    name: 'LOOP-13: nobody answered in time',
    effect: { needsApproval: 'policy' },
    state: { approval: { ...approval, state: 'asked', expiresMs: now } },
    expected: { verdict: 'refuse', guard: 'approval' },
  },
  {
    name: 'LOOP-13: approved, and too old',
    effect: { needsApproval: 'policy' },
    state: { approval: { ...approval, expiresMs: now } },
    expected: { verdict: 'refuse', guard: 'approval' },
  },
];

describe('the guard (GUARD-1)', () => {
  it.each(table)('$name', (row) => {
    const verdict = guard(
      { ...effect, ...row.effect },
      { ...state, ...row.state },
      { ...settings, ...row.settings },
      now,
    );
    expect(verdict).toMatchObject(row.expected);
    if (!('untilMs' in row.expected)) expect(verdict).not.toHaveProperty('untilMs');
  });

  it('a pause stops what is in its scope', () => {
    const at = { kind: 'applyDrift', workspace: 'shop' } as const;
    const stops = (scope: 'everything' | 'tenant' | 'workspace' | 'effect', scopeValue: string | null) =>
      pauseThatStops(at, [{ scope, scopeValue, reason: '', untilMs: null }], now) !== undefined;
    expect(stops('everything', null)).toBe(true);
    expect(stops('tenant', null)).toBe(true);
    expect(stops('workspace', 'shop')).toBe(true);
    expect(stops('workspace', 'other')).toBe(false);
    expect(stops('effect', 'applyDrift')).toBe(true);
    expect(stops('effect', 'applyMigrations')).toBe(false);
  });

  it.each([
    ['github', 'destructive', true],
    ['slack', 'destructive', true],
    ['cli', 'destructive', false],
    ['ui', 'mutating', false],
    ['cli', 'mutating', true],
    [null, 'mutating', false],
  ] as const)('channel %s for %s: %s', (channel, risk, enough) => {
    expect(channelSuffices(channel, risk, { approvalChannels: { cli: true, ui: false } })).toBe(enough);
  });
});

const time = fc.integer({ min: now - 2 * hour, max: now + 2 * hour });
const anyEffect: fc.Arbitrary<GuardedEffect> = fc.record(
  {
    kind: fc.constantFrom(...effectKinds),
    workspace: fc.constantFrom('shop', 'other'),
    target: fc.constant('production'),
    risk: fc.constantFrom('safe', 'proposing', 'mutating', 'destructive'),
    autonomy: fc.constantFrom('observe', 'propose', 'act'),
    forIncident: fc.boolean(),
    needsApproval: fc.constant('policy'),
  },
  { requiredKeys: ['kind', 'workspace', 'target', 'risk', 'autonomy', 'forIncident'] },
);
const anyState: fc.Arbitrary<GuardState> = fc.record({
  tenantEnabled: fc.boolean(),
  pauses: fc.array(
    fc.record({
      scope: fc.constantFrom('everything', 'tenant', 'workspace', 'effect'),
      scopeValue: fc.constantFrom(null, 'shop', ...effectKinds),
      reason: fc.string(),
      untilMs: fc.option(time),
    }),
    { maxLength: 3 },
  ),
  breaker: fc.record({
    state: fc.constantFrom('closed', 'open', 'halfOpen'),
    reason: fc.option(fc.string()),
    sinceMs: fc.option(time),
    probeTaken: fc.boolean(),
  }),
  cooldownUntilMs: fc.option(time),
  recentMutatingMs: fc
    .array(time, { maxLength: 8 })
    .map((times): readonly number[] => times.sort((a, b) => a - b)),
  targetHeldBy: fc.option(fc.string()),
  approval: fc.option(
    fc.record({
      state: fc.constantFrom('asked', 'approved', 'rejected', 'void', 'expired', 'used'),
      channel: fc.constantFrom(null, 'cli', 'ui', 'github', 'slack'),
      decidedBy: fc.option(fc.string()),
      reason: fc.option(fc.string()),
      expiresMs: time,
    }),
  ),
});
const anySettings: fc.Arbitrary<GuardSettings> = fc
  .record({
    autonomy: fc.constantFrom('observe', 'propose', 'act'),
    mutatingPer5Min: fc.integer({ min: 1, max: 5 }),
    reservedForIncidents: fc.integer({ min: 0, max: 5 }),
    breakerProbeAfterMs: fc.integer({ min: minute, max: 2 * hour }),
    approvalChannels: fc.record({ cli: fc.boolean(), ui: fc.boolean() }),
  })
  .map((all) => ({ ...all, reservedForIncidents: Math.min(all.reservedForIncidents, all.mutatingPer5Min) }));

describe('the guard, for any effect in any state', () => {
  const passes = (
    check: (e: GuardedEffect, s: GuardState, settings: GuardSettings) => void,
    runs = 2_000,
  ): void => {
    fc.assert(
      fc.property(anyEffect, anyState, anySettings, (e, s, given) => {
        if (guard(e, s, given, now).verdict === 'allow') check(e, s, given);
      }),
      { numRuns: runs },
    );
  };

  it('INC-6: stops what is safe only for a disabled tenant', () => {
    fc.assert(
      fc.property(anyEffect, anyState, anySettings, (e, s, given) => {
        const { verdict } = guard({ ...e, risk: 'safe' }, s, given, now);
        expect(verdict).toBe(s.tenantEnabled ? 'allow' : 'refuse');
      }),
    );
  });

  it('LOOP-10: lets nothing else pass a pause', () => {
    passes((e, s) => {
      if (e.risk !== 'safe') expect(pauseThatStops(e, s.pauses, now)).toBeUndefined();
    });
  });

  it('LOOP-7: lets no mutating effect pass an open breaker before its probe time, nor a second probe', () => {
    passes((e, s, given) => {
      if (!isMutating(e.risk) || s.breaker.state === 'closed') return;
      expect(s.breaker.probeTaken).toBe(false);
      if (s.breaker.state === 'open')
        expect((s.breaker.sinceMs ?? now) + given.breakerProbeAfterMs).toBeLessThanOrEqual(now);
    });
  });

  it('LOOP-4, LOOP-8, LOOP-12: lets nothing pass cap, cooldown, autonomy', () => {
    const rank = { observe: 0, propose: 1, act: 2 };
    passes((e, s, given) => {
      if (e.risk === 'safe') return;
      expect(rank[given.autonomy]).toBeGreaterThanOrEqual(rank[e.autonomy]);
      expect(s.cooldownUntilMs ?? 0).toBeLessThanOrEqual(now);
      expect(s.targetHeldBy).toBeNull();
      if (isMutating(e.risk))
        expect(s.recentMutatingMs.filter((at) => at > now - 5 * minute).length).toBeLessThan(
          given.mutatingPer5Min,
        );
    });
  });

  it('LOOP-13: lets nothing that needs one pass without a live approval over a channel that is enough', () => {
    passes((e, s, given) => {
      if (e.risk === 'safe' || (e.needsApproval === undefined && e.risk !== 'destructive')) return;
      expect(s.approval?.state).toBe('approved');
      expect(s.approval?.expiresMs).toBeGreaterThan(now);
      expect(channelSuffices(s.approval?.channel ?? null, e.risk, given)).toBe(true);
    });
  });

  it('holds end later than now, so that nobody asks in a circle', () => {
    fc.assert(
      fc.property(anyEffect, anyState, anySettings, (e, s, given) => {
        const verdict = guard(e, s, given, now);
        if (verdict.verdict === 'hold' && verdict.untilMs !== undefined)
          expect(verdict.untilMs).toBeGreaterThan(now);
      }),
      { numRuns: 2_000 },
    );
  });

  // LOOP-4: for any order of requests in time, and whoever asks.
  it('never lets more than the cap pass in five minutes', () => {
    const request = fc.record({ gapMs: fc.integer({ min: 0, max: 4 * minute }), forIncident: fc.boolean() });
    fc.assert(
      fc.property(fc.array(request, { maxLength: 60 }), anySettings, (requests, given) => {
        const allowed: { at: number; forIncident: boolean }[] = [];
        let at = now;
        for (const { gapMs, forIncident } of requests) {
          at += gapMs;
          const recentMutatingMs = allowed.map((one) => one.at).filter((one) => one > at - 5 * minute);
          const verdict = guard(
            { ...effect, forIncident },
            { ...state, recentMutatingMs },
            { ...given, autonomy: 'act' },
            at,
          );
          if (verdict.verdict === 'allow') allowed.push({ at, forIncident });
        }
        for (const [index, one] of allowed.entries()) {
          // What was let through up to it: of two at the same time, the earlier one does not answer for the later.
          const window = allowed.slice(0, index + 1).filter((other) => other.at > one.at - 5 * minute);
          expect(window.length).toBeLessThanOrEqual(given.mutatingPer5Min);
          if (!one.forIncident)
            expect(window.length).toBeLessThanOrEqual(given.mutatingPer5Min - given.reservedForIncidents);
        }
      }),
    );
  });

  it('LOOP-4: who waits until the end of a cap passes then', () => {
    fc.assert(
      fc.property(anyState, anySettings, (s, given) => {
        const full = { ...state, recentMutatingMs: s.recentMutatingMs };
        const verdict = guard(effect, full, { ...given, autonomy: 'act' }, now);
        if (verdict.verdict !== 'hold' || given.mutatingPer5Min === given.reservedForIncidents) return;
        const later = guard(effect, full, { ...given, autonomy: 'act' }, verdict.untilMs ?? now);
        expect(later.verdict).toBe('allow');
      }),
    );
  });
});
