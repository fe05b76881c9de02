// INC-2: whether the evidence of an incident points to code.
import { expect, it } from 'vitest';
import type { Deployment, ServiceStatus } from '../../../../../src/contract/ops/platform.ts';
import { codeEvidence } from '../../../../../src/policy/ops/incident/code-evidence.ts';

const minuteMs = 60_000;
const atMs = Date.UTC(2026, 10, 21, 3, 0);

function deployment(id: string, status: ServiceStatus, commitSha?: string, minutesAgo = 5): Deployment {
  return {
    id,
    serviceId: 's1',
    status,
    rawStatus: status.toUpperCase(),
    createdAtMs: atMs - minutesAgo * minuteMs,
    statusChangedAtMs: atMs,
    canRollBack: status !== 'failed',
    ...(commitSha === undefined ? {} : { commitSha }),
  };
}

const trace = [
  'TypeError: Cannot read properties of undefined (reading "total")',
  '    at total (/app/src/cart.ts:12:9)',
  '    at Router.handle (/app/node_modules/express/lib/router.js:1:2)',
];
const refused = ['Error: connect ECONNREFUSED 10.0.0.3:5432', '    at connect (/app/src/db.ts:3:1)'];
const old = (commit?: string): Deployment => deployment('d1', 'stopped', commit, 600);

it.each<[string, Deployment, readonly Deployment[], readonly string[], RegExp | null]>([
  [
    'a failed build of another commit',
    deployment('d2', 'failed', 'b'),
    [old('a')],
    [],
    /another commit and failed/,
  ],
  [
    'a crash right after another commit',
    deployment('d2', 'crashed', 'b'),
    [old('a')],
    [],
    /broke right after/,
  ],
  ['a crash of the same commit', deployment('d2', 'crashed', 'a'), [old('a')], [], null],
  ['a crash long after its deployment', deployment('d2', 'crashed', 'b', 90), [old('a')], [], null],
  ['no commits known', deployment('d2', 'crashed'), [old()], [], null],
  ['a stack trace of the program', deployment('d2', 'crashed', 'a'), [old('a')], trace, /stack trace/],
  ['a database that is away', deployment('d2', 'crashed', 'a'), [old('a')], refused, null],
  ['a stack trace of a library only', deployment('d2', 'crashed', 'a'), [old('a')], trace.slice(2), null],
  ['a stack trace of one that runs', deployment('d2', 'running', 'a'), [old('a')], trace, null],
])('%s', (_name, latest, before, log, why) => {
  const found = codeEvidence({
    service: { id: 's1', name: 'backend', latest, live: latest },
    deployments: [latest, ...before],
    logs: log.map((text) => ({ atMs, severity: 'error', text })),
    faultSinceMs: atMs,
  });
  if (why === null) expect(found).toBeNull();
  else expect(found).toMatchObject({ service: 'backend', why: expect.stringMatching(why) });
});

it('names what failed and what ran before', () => {
  const latest = deployment('d2', 'failed', 'b');
  const live = deployment('d1', 'running', 'a', 600);
  const found = codeEvidence({
    service: { id: 's1', name: 'backend', latest, live },
    deployments: [latest, live],
    logs: [{ atMs, severity: 'error', text: 'error TS2304' }],
    faultSinceMs: atMs,
  });
  expect(found).toMatchObject({ commitSha: 'b', before: 'a', lines: ['error TS2304'] });
});
