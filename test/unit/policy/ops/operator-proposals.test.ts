// MODEL-2, GUARD-1, SEC-1: what a model proposes about an incident passes only when the rules would allow it now.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LadderState, Rung, RungKind, ServiceHealth } from '../../../../src/contract/ops/ladder.ts';
import { operatorTools } from '../../../../src/contract/ops/operator.ts';
import { nextStep } from '../../../../src/policy/ops/ladder/ladder.ts';
import {
  type AskedCall,
  judgeProposal,
  type OperatorCall,
  type OperatorFacts,
  rungOf,
} from '../../../../src/policy/ops/operator-proposals.ts';

const minute = 60_000;
const nowMs = Date.UTC(2026, 10, 21, 3, 0);
const settings = { enabled: true, unhealthyForMs: 5 * minute, healthyForMs: 5 * minute, restarts: 2 };
const span = (health: ServiceHealth, forMs: number, untilMs = nowMs) => [
  { health, fromMs: untilMs - forMs, toMs: untilMs },
];
const ladder = (more: Partial<LadderState> = {}): LadderState => ({
  spans: span('unhealthy', 6 * minute),
  rungs: [],
  cooldownUntilMs: {},
  deployment: { id: 'd2', ran: true },
  rollBackTo: 'd1',
  failedBeside: false,
  can: { redeploy: true, rollBack: true },
  hold: null,
  ...more,
});
const rung = (kind: RungKind, agoMs: number, outcome: Rung['outcome'] = 'applied'): Rung => ({
  kind,
  deploymentId: 'd2',
  atMs: nowMs - agoMs,
  outcome,
  reason: 'waits for approval',
});
const facts = (state: LadderState | null = ladder(), more: Partial<OperatorFacts> = {}): OperatorFacts => ({
  nowMs,
  workspace: 'shop',
  services: [
    { name: 'backend', watched: true, ladder: state },
    { name: 'postgres', watched: false, ladder: state },
  ],
  settings,
  cleanUp: null,
  codeAgent: null,
  made: [],
  maxEffects: 5,
  ...more,
});
const ask = (call: OperatorCall): AskedCall => ({ tool: call.tool, call, problem: '' });
const on = (tool: keyof typeof rungOf | 'startCodeAgent', service = 'backend') =>
  ask({ tool, service, reason: 'it is down' });
const outside = (tool: string): AskedCall => ({ tool, call: null, problem: '' });
const longDown = span('unhealthy', 60 * minute);
const cleanUp = (what = 'staleSessions') => ask({ tool: 'cleanUp', what, reason: 'logins hang' });
const alert = (title: string, workspaceId = 'shop') =>
  ask({ tool: 'sendAlert', workspaceId, severity: 'warning', title, body: '' });
const made = (tool: string, subject: string, mutating = true) => ({ tool, subject, mutating });

describe('MODEL-2: a proposal of the model', () => {
  it.each<[string, AskedCall, OperatorFacts, RegExp]>([
    // Not in the closed list (GUARD-1).
    ['removes the database', outside('removeDatabase'), facts(), /what destroys is ordered by people/],
    ['removes a deployment', outside('removeDeployment'), facts(), /what destroys is ordered by people/],
    ['sets a variable', outside('setVariable'), facts(), /variables are set by people/],
    ['sets the environment', outside('updateEnv'), facts(), /variables are set by people/],
    ['runs a command', outside('bash'), facts(), /is not one of getInfrastructureOverview/],
    [
      'has an input that does not fit',
      { ...on('restartService'), call: null, problem: 'service: no' },
      facts(),
      /^service: no$/,
    ],
    // The state, and what the settings name.
    [
      'names a service that is not there',
      on('restartService', 'ghost'),
      facts(),
      /no service of the state is called "ghost"/,
    ],
    ['names a service that is not watched', on('restartService', 'postgres'), facts(), /not watched/],
    ['names a healthy service', on('restartService'), facts(null), /not known to be unhealthy/],
    [
      'names a service that came up',
      on('restartService'),
      facts(ladder({ spans: span('healthy', minute) })),
      /whether it stays up/,
    ],
    // What the ladder allows now.
    [
      'is under five minutes',
      on('restartService'),
      facts(ladder({ spans: span('unhealthy', 4 * minute) })),
      /a step needs 5 min/,
    ],
    [
      'comes right after a step',
      on('redeployService'),
      facts(ladder({ spans: longDown, rungs: [rung('restart', 2 * minute)] })),
      /after the restart; a step needs 5 min/,
    ],
    ['comes too early in the order', on('redeployService'), facts(), /takes the restart first/],
    ['rolls back too early', on('rollBackService'), facts(), /takes the restart first/],
    [
      'wants a third restart',
      on('restartService'),
      facts(ladder({ spans: longDown, rungs: [rung('restart', 50 * minute), rung('restart', 20 * minute)] })),
      /2 of 2 restarts are used; the ladder takes the redeployment first/,
    ],
    [
      'wants more when all is used',
      on('restartService'),
      facts(
        ladder({
          spans: longDown,
          rungs: [rung('restart', 50 * minute), rung('redeploy', 40 * minute), rung('restart', 20 * minute)],
          rollBackTo: null,
        }),
      ),
      /2 of 2 restarts are used; .*still unhealthy after/,
    ],
    [
      'comes in a cooldown',
      on('restartService'),
      facts(
        ladder({ cooldownUntilMs: { restart: nowMs + minute }, can: { redeploy: false, rollBack: false } }),
      ),
      /in cooldown/,
    ],
    [
      'comes while a step is held',
      on('rollBackService'),
      facts(ladder({ spans: longDown, rungs: [rung('rollBack', minute, 'held')] })),
      /the rollback is held/,
    ],
    [
      'comes in an outage',
      on('restartService'),
      facts(ladder({ hold: { reason: 'outage of the platform', untilMs: nowMs + minute } })),
      /outage of the platform/,
    ],
    [
      'goes by a reading that is old',
      on('restartService'),
      facts(ladder({ spans: span('unhealthy', 20 * minute, nowMs - 11 * minute) })),
      /not read for 11 min/,
    ],
    [
      'comes where the ladder is off',
      on('restartService'),
      facts(ladder(), { settings: { ...settings, enabled: false } }),
      /switched off/,
    ],
    // Repeated, and over the caps.
    [
      'is repeated',
      on('restartService'),
      facts(ladder(), { made: [made('restartService', 'backend, restart 1')] }),
      /asked for already/,
    ],
    [
      'is over the cap',
      on('restartService'),
      facts(ladder(), { made: [1, 2, 3, 4, 5].map((n) => made('restartService', `s${n}, restart 1`)) }),
      /5 changes were let through in this incident, the cap is 5/,
    ],
    ['is over a lower cap', on('restartService'), facts(ladder(), { maxEffects: 0 }), /the cap is 0/],
    [
      'clears sessions twice',
      cleanUp(),
      facts(ladder(), { made: [made('cleanUp', 'staleSessions')] }),
      /asked for already/,
    ],
    ['clears orphans', cleanUp('orphans'), facts(), /only staleSessions/],
    [
      'clears sessions that cannot be',
      cleanUp(),
      facts(ladder(), { cleanUp: 'no devopsApi' }),
      /^no devopsApi$/,
    ],
    [
      'starts a code agent that is not set',
      on('startCodeAgent'),
      facts(ladder(), { codeAgent: 'no codeAgent' }),
      /^no codeAgent$/,
    ],
    [
      'starts a code agent twice',
      on('startCodeAgent'),
      facts(ladder(), { made: [made('startCodeAgent', 'backend', false)] }),
      /asked for already/,
    ],
    [
      'starts a code agent for a service that is not there',
      on('startCodeAgent', 'ghost'),
      facts(),
      /no service of the state/,
    ],
    ['alerts about another workspace', alert('it is down', 'bank'), facts(), /workspaceId is "shop" here/],
    [
      'alerts for the third time',
      alert('third'),
      facts(ladder(), { made: [made('sendAlert', 'one', false), made('sendAlert', 'two', false)] }),
      /at most 2 of sendAlert/,
    ],
    [
      'says the same alert again',
      alert('one'),
      facts(ladder(), { made: [made('sendAlert', 'one', false)] }),
      /said already/,
    ],
  ])('that %s is refused', (_what, asked, known, reason) => {
    const verdict = judgeProposal(asked, known);
    expect(verdict).toMatchObject({ verdict: 'refused', mutating: false });
    expect(verdict.reason).toMatch(reason);
  });

  it.each<[string, AskedCall, OperatorFacts, boolean]>([
    ['restarts what is down for five minutes', on('restartService'), facts(), true],
    [
      'redeploys while the restart is in cooldown',
      on('redeployService'),
      facts(ladder({ cooldownUntilMs: { restart: nowMs + minute } })),
      true,
    ],
    [
      'rolls back when nothing milder is left',
      on('rollBackService'),
      facts(
        ladder({
          spans: longDown,
          rungs: [rung('restart', 50 * minute), rung('redeploy', 40 * minute), rung('restart', 20 * minute)],
        }),
      ),
      true,
    ],
    [
      'restarts for the second time',
      on('restartService'),
      facts(ladder({ spans: longDown, rungs: [rung('restart', 50 * minute)] }), {
        made: [made('restartService', 'backend, restart 1')],
      }),
      true,
    ],
    ['clears stale sessions', cleanUp(), facts(), true],
    ['starts the code agent', on('startCodeAgent'), facts(), false],
    ['alerts', alert('look at the queue'), facts(), false],
    ['records', ask({ tool: 'recordAction', action: 'a', reasoning: 'b', result: 'c' }), facts(), false],
    ['looks', ask({ tool: 'getInfrastructureOverview' }), facts(), false],
  ])('that %s passes', (_what, asked, known, mutating) => {
    expect(judgeProposal(asked, known)).toMatchObject({ verdict: 'passed', mutating });
  });
});

const health = fc.constantFrom<ServiceHealth>(
  'healthy',
  'unhealthy',
  'deploying',
  'stopped',
  'gone',
  'unknown',
);
const anyLadder: fc.Arbitrary<LadderState> = fc.record({
  spans: fc.array(fc.tuple(health, fc.integer({ min: 0, max: 20 * minute })), { maxLength: 6 }).map((all) =>
    all.reduceRight<LadderState['spans']>((later, [of, forMs]) => {
      const toMs = later[0]?.fromMs ?? nowMs;
      return [{ health: of, fromMs: toMs - forMs, toMs }, ...later];
    }, []),
  ),
  rungs: fc.array(
    fc.record({
      kind: fc.constantFrom<RungKind>('restart', 'redeploy', 'rollBack'),
      deploymentId: fc.constant('d2'),
      atMs: fc.integer({ min: nowMs - 60 * minute, max: nowMs }),
      outcome: fc.constantFrom<Rung['outcome']>('applied', 'unknown', 'stale', 'refused', 'held'),
      reason: fc.constant(''),
    }),
    { maxLength: 4 },
  ),
  cooldownUntilMs: fc.constantFrom({}, { restart: nowMs + minute }, { redeploy: nowMs + minute }),
  deployment: fc.constantFrom({ id: 'd2', ran: true }, { id: 'd2', ran: false }, null),
  rollBackTo: fc.constantFrom('d1', null),
  failedBeside: fc.boolean(),
  can: fc.record({ redeploy: fc.boolean(), rollBack: fc.boolean() }),
  hold: fc.constantFrom(null, { reason: 'outage', untilMs: nowMs + minute }),
});
const anyCall: fc.Arbitrary<AskedCall> = fc.oneof(
  fc.string().map(outside),
  fc.constantFrom(...operatorTools).map(outside),
  fc
    .tuple(
      fc.constantFrom(...(Object.keys(rungOf) as (keyof typeof rungOf)[])),
      fc.constantFrom('backend', 'postgres', 'ghost'),
    )
    .map(([tool, service]) => on(tool, service)),
  fc.constantFrom(cleanUp(), cleanUp('orphans'), cleanUp('everything')),
);

describe('whatever a model proposes', () => {
  it('MODEL-2: a step passes only where the ladder itself would take it, on a watched service', () => {
    fc.assert(
      fc.property(anyCall, anyLadder, (asked, state) => {
        const known = facts(state);
        const { verdict } = judgeProposal(asked, known);
        if (verdict !== 'passed' || asked.call === null || !(asked.tool in rungOf)) return;
        const { service } = asked.call as Extract<OperatorCall, { service: string }>;
        expect(service).toBe('backend');
        expect(state.hold).toBeNull();
        expect(nextStep(state, settings, nowMs).do).toBe(rungOf[asked.tool as keyof typeof rungOf]);
      }),
    );
  });

  it('GUARD-1: what is not in the list, or cannot be read, never passes', () => {
    fc.assert(
      fc.property(anyCall, (asked) => {
        if (asked.call === null) expect(judgeProposal(asked, facts()).verdict).toBe('refused');
      }),
    );
  });

  it('MODEL-2: no more than five changes in one incident, however long the list is', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(anyCall, anyLadder), { maxLength: 40 }),
        fc.integer({ min: 0, max: 5 }),
        (all, maxEffects) => {
          const passed: { tool: string; subject: string; mutating: boolean }[] = [];
          for (const [asked, state] of all) {
            const { verdict, ...judged } = judgeProposal(asked, facts(state, { made: passed, maxEffects }));
            if (verdict === 'passed') passed.push({ tool: asked.tool, ...judged });
          }
          expect(passed.filter(({ mutating }) => mutating).length).toBeLessThanOrEqual(maxEffects);
          // Nothing twice.
          expect(new Set(passed.map(({ tool, subject }) => `${tool} ${subject}`)).size).toBe(passed.length);
        },
      ),
    );
  });
});
