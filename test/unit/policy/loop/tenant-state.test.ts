// The one word for how a tenant is: LOOP-2 (unknown is never green), LOOP-3 (what waits is never red).
import { expect, test } from 'vitest';
import { nextStepOf } from '../../../../src/client/look/why.ts';
import { type TenantFacts, tenantStateOf } from '../../../../src/policy/loop/tenant-state.ts';

const green: TenantFacts = {
  enabled: true,
  drained: false,
  lastCycle: { state: 'completed' },
  findings: [],
  reads: [{ state: 'green' }],
};
const open = { status: 'open', severity: 'warning' } as const;
const waiting = { status: 'waiting', severity: 'warning' } as const;

test.each<[string, Partial<TenantFacts>, string]>([
  ['all read, nothing found', {}, 'green'],
  ['no cycle yet', { lastCycle: null }, 'unknown'],
  ['the cycle failed', { lastCycle: { state: 'failed' }, findings: [open] }, 'failed'],
  ['something workable', { findings: [open, waiting] }, 'red'],
  ['a remedy at work', { findings: [{ status: 'working', severity: 'critical' }] }, 'red'],
  ['only waiting', { findings: [waiting] }, 'waiting'],
  ['a person has it', { findings: [{ status: 'escalated', severity: 'warning' }] }, 'waiting'],
  ['only watched', { findings: [{ status: 'watched', severity: 'info' }] }, 'green'],
  ['one source not readable', { reads: [{ state: 'green' }, { state: 'unknown' }] }, 'unknown'],
  ['not readable while something waits', { reads: [{ state: 'unknown' }], findings: [waiting] }, 'unknown'],
  ['red counts more than not readable', { reads: [{ state: 'unknown' }], findings: [open] }, 'red'],
  ['drained', { drained: true, findings: [open] }, 'drained'],
  ['disabled counts more than drained', { enabled: false, drained: true }, 'disabled'],
])('%s: %j is %s', (_what, facts, state) => {
  expect(tenantStateOf({ ...green, ...facts })).toBe(state);
});

const finding = {
  tenant: 'acme',
  workspace: 'shop',
  fingerprint: 'abcdef0123456789',
  status: 'waiting',
  waitingUntil: null,
  workflowId: 'remedy/acme/ci/abcdef0123456789/1',
  issue: null,
} as const;
const calm = {
  tenant: 'acme',
  paused: false,
  pauses: [],
  breaker: { state: 'closed', failures: 0, openAfter: 3, since: null, probeAt: null, reason: null },
  nextCycleAt: '2026-11-21T12:05:00.000Z',
} as const;
const pause = { id: 1, scope: 'tenant', value: null, reason: 'x', by: 'ana', until: null } as const;
const approval = { state: 'asked', cliSuffices: true, howToApprove: 'untilgreen approve 0a1b' } as const;

test.each<
  [
    string,
    Partial<Parameters<typeof nextStepOf>[0]>,
    Partial<Parameters<typeof nextStepOf>[1]>,
    Parameters<typeof nextStepOf>[2],
    string,
  ]
>([
  ['an approval', {}, {}, [approval], 'approve it: untilgreen approve 0a1b'],
  ['a pause before an approval', {}, { pauses: [pause] }, [approval], 'untilgreen resume acme'],
  [
    'a pause of another workspace',
    {},
    { pauses: [{ ...pause, scope: 'workspace', value: 'other' }] },
    [],
    'goes on by itself',
  ],
  [
    'a pause of its workspace',
    {},
    { pauses: [{ ...pause, scope: 'workspace', value: 'shop' }] },
    [],
    'untilgreen resume acme --workspace shop',
  ],
  [
    'a pause of everything with an end',
    {},
    { pauses: [{ ...pause, scope: 'everything', until: '2026-11-21T13:00:00.000Z' }] },
    [],
    'goes on at 2026-11-21T13:00:00.000Z, or resume it: "untilgreen resume --everything"',
  ],
  [
    'the breaker',
    {},
    { breaker: { ...calm.breaker, state: 'open', probeAt: '2026-11-21T13:00:00.000Z' } },
    [],
    'one effect through at 2026-11-21T13:00:00.000Z',
  ],
  [
    'a cooldown',
    { waitingUntil: '2026-11-21T12:30:00.000Z' },
    {},
    [],
    'looks again at 2026-11-21T12:30:00.000Z',
  ],
  [
    'the next cycle',
    { status: 'open' },
    {},
    [],
    'the next cycle, at 2026-11-21T12:05:00.000Z, starts a remedy',
  ],
  ['a person', { status: 'escalated', issue: 7 }, {}, [], 'issue #7'],
  ['nothing', { status: 'resolved' }, {}, [], 'none'],
])('LOOP-14: the next step is %s', (_what, about, status, approvals, expected) => {
  expect(nextStepOf({ ...finding, ...about }, { ...calm, ...status }, approvals)).toContain(expected);
});
