// Orders of people (LOOP-11): what validators refuse, what survives continue-as-new, and errors that end no loop.
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { afterEach, expect } from 'vitest';
import type { RemediateResult, TenantState } from '../../src/contract/loop.ts';
import { createRig, type Rig, test, until, workspace } from './rig.ts';

let rig: Rig;
afterEach(async () => rig.stop());

const refused: readonly [update: string, input: unknown, says: RegExp][] = [
  ['pause', undefined, /^reason: missing is not valid. Fix: say why/],
  ['pause', { by: 'ana', reason: ' ' }, /^reason: " " is not valid/],
  ['pause', { reason: 'x' }, /^by: missing is not valid. Fix: say who you are/],
  ['pause', { reason: 'x', by: 'ana', scope: 'world' }, /^scope: "world" is not valid. Fix: write "tenant"/],
  ['pause', { reason: 'x', by: 'ana', scope: 'everything' }, /^scope: "everything" is not valid/],
  [
    'pause',
    { reason: 'x', by: 'ana', scope: 'effect' },
    /^value: missing is not valid. Fix: name the effect/,
  ],
  [
    'pause',
    { reason: 'x', by: 'ana', untilMs: 'soon' },
    /^untilMs: "soon" is not valid. Fix: give milliseconds/,
  ],
  ['pause', { reason: 'x'.repeat(501), by: 'ana' }, /^reason: .* is not valid/],
  ['resume', {}, /^by: missing is not valid/],
  ['drain', { by: 7 }, /^by: 7 is not valid/],
  ['cycleNow', null, /^by: missing is not valid/],
  [
    'remediate',
    { by: 'ana', requestId: 'r', finding: 'XYZ' },
    /^finding: "XYZ" is not valid. Fix: give 6 to 64 hex/,
  ],
  ['remediate', { by: 'ana', finding: 'abcdef' }, /^requestId: missing is not valid/],
  [
    'decide',
    { by: 'ana', hash: 'abcdef12', decision: 'yes' },
    /^decision: "yes" is not valid. Fix: write "approve"/,
  ],
  ['decide', { by: 'ana', hash: 'nothex', decision: 'approve' }, /^hash: "nothex" is not valid/],
  // LOOP-13: nobody can say over this channel that he is a verified one.
  [
    'decide',
    { by: 'ana', hash: 'abcdef12', decision: 'approve', channel: 'github' },
    /^channel: "github" is not valid/,
  ],
];

/** What JSON allows and no text can be made of. */
const unspeakable = { toString: null };

const unspeakableOrders: readonly [update: string, input: object][] = [
  ['resume', { reason: unspeakable }],
  ['pause', { reason: 'x', scope: unspeakable }],
  ['decide', { hash: 'abcdef12', decision: 'approve', reason: unspeakable, channel: unspeakable }],
  ['drain', { by: unspeakable }],
  ['acknowledge', { incident: 'abcdef12', channel: unspeakable }],
  ['operate', { requestId: 'r9', workspace: 'shop', operation: 'restart', service: unspeakable }],
  ['inspect', { workspace: 'shop', what: 'logs', service: unspeakable }],
  ['inspect', { workspace: 'shop', what: 'diagnosis', service: unspeakable }],
  ['inspect', { workspace: 'shop', what: unspeakable }],
];

test('DUR-4: bad orders are refused with field, value and fix, and the loop goes on', async () => {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply('strict');
  await rig.startLoop('strict');
  await until(async () => expect((await rig.view('strict')).phase).toBe('sleeping'));
  for (const [update, input, says] of refused) {
    const error = await rig
      .loop('strict')
      .executeUpdate(update, { args: [input] })
      .catch((caught: unknown) => caught);
    expect(error, update).toBeInstanceOf(WorkflowUpdateFailedError);
    expect((error as WorkflowUpdateFailedError).cause?.message).toMatch(says);
  }
  // What comes as a signal cannot be refused: it is read as nothing.
  for (const garbage of [
    undefined,
    null,
    7,
    'x',
    { sources: 'all' },
    { sources: [1, null] },
    { workflowId: 7 },
    { reason: unspeakable, sources: unspeakable },
    { workflowId: unspeakable, fingerprint: unspeakable, workspace: unspeakable, source: unspeakable },
    { workflowId: 'x', fingerprint: 'x', workspace: unspeakable, source: 'ciRuns', state: 'done' },
    {
      workflowId: 'x',
      fingerprint: 'x',
      workspace: 'shop',
      source: unspeakable,
      state: 'waiting',
      watchApprovals: true,
    },
  ]) {
    await rig.loop('strict').signal('wake', garbage);
    await rig.loop('strict').signal('remedyReport', garbage);
  }
  // An order that fails inside is an answer for who gave it.
  const unknown = await rig
    .loop('strict')
    .executeUpdate('remediate', { args: [{ by: 'ana', requestId: 'r1', finding: 'abcdef' }] })
    .catch((caught: unknown) => caught);
  expect(rootMessage(unknown)).toMatch(/no finding of strict begins with abcdef/);
  // Nor does one end the loop whose parts are no text.
  for (const [update, input] of unspeakableOrders)
    await rig
      .loop('strict')
      .executeUpdate(update, { args: [{ by: 'ana', ...input }] })
      .catch((error: unknown) => expect(error, update).toBeInstanceOf(WorkflowUpdateFailedError));
  const before = (await rig.cycles('strict')).length;
  await rig.loop('strict').executeUpdate('cycleNow', { args: [{ by: 'ana' }] });
  await until(async () =>
    expect((await rig.cycles('strict'))[0]).toMatchObject({
      cycle: before + 1,
      state: 'completed',
      trigger: 'operator',
    }),
  );
});

test('LOOP-11: 200 orders while the loop rolls over and over: each is done once, none is lost', async () => {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply('busy');
  const { reads } = rig.world.place('busy');
  await rig.startLoop('busy', { rollAtEvents: 60 });
  await until(async () => expect((await rig.view('busy')).phase).toBe('sleeping'));
  let sent = 0;
  const order = async (): Promise<void> => {
    for (let number = sent++; number < 200; number = sent++) {
      if (number % 10 === 0) await rig.loop('busy').signal('wake', { reason: 'event', sources: ['*'] });
      for (;;) {
        try {
          await rig.loop('busy').executeUpdate('pause', {
            args: [{ by: 'ana', reason: `order ${number}`, scope: 'effect', value: 'applyDrift' }],
          });
          break;
        } catch (error) {
          // It says so when it takes nothing just now; anything else is a loss.
          if (!/rolling over/.test(String((error as WorkflowUpdateFailedError).cause?.message))) throw error;
        }
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, order));
  const { rows } = await rig.database.pool.query(
    `select count(*)::int as n, count(distinct reason)::int as d from pauses where tenant = 'busy'`,
  );
  expect(rows[0]).toEqual({ n: 200, d: 200 });
  const runs = (await rig.histories()).filter(({ workflowId }) => workflowId === 'tenant/busy');
  expect(runs.length).toBeGreaterThan(5);
  expect(reads.ciRuns).toBeGreaterThan(2);
});

test('LOOP-9: what was asked for while the loop rolled is read first in the next run, as what it was', async () => {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply('carried', { workspaces: [workspace({ databases: ['main'] })] });
  const dueAtMs = (await rig.nowMs()) + 3_600_000;
  const read = { workspace: 'shop', dueAtMs, timeoutMs: 1_000 };
  const carried: TenantState = {
    tenant: 'carried',
    queues: rig.queues,
    cycle: 41,
    schedule: [
      { ...read, source: 'ciRuns' },
      { ...read, source: 'migrations', target: 'main' },
    ],
    openRemedies: [],
    unrecordedFailures: 0,
    seenRequests: [],
    asked: ['shop/ciRuns'],
    trigger: 'event',
  };
  await rig.startLoop('carried', { carried });
  await until(async () =>
    expect(await rig.cycles('carried')).toMatchObject([{ cycle: 42, trigger: 'event', state: 'completed' }]),
  );
  expect(rig.world.place('carried').reads).toEqual({ ciRuns: 1 });
});

test('LOOP-11: an ordered remedy passes the same guards, and its result comes back; the same order again does nothing', async () => {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply('ordered', { workspaces: [workspace({ databases: [] })] });
  const { ci } = rig.world.place('ordered');
  ci.jobs = ['build'];
  await rig.startLoop('ordered');
  await until(async () =>
    expect(await rig.findings('ordered')).toMatchObject([{ status: 'escalated', remedies: 1 }]),
  );
  const [finding] = await rig.findings('ordered');
  const args: [object] = [
    { by: 'ana', requestId: 'again-please', finding: finding?.fingerprint.slice(0, 8) },
  ];
  ci.mayRerun = true; // a person made it possible
  const { workflowId } = await rig
    .loop('ordered')
    .executeUpdate<RemediateResult, [object]>('remediate', { args });
  expect(await rig.client.workflow.getHandle(workflowId).result()).toMatchObject({ outcome: 'green' });
  await until(async () =>
    expect(await rig.findings('ordered')).toMatchObject([{ status: 'resolved', remedies: 2 }]),
  );
  expect(rig.world.writes('rerunFailedJobs')).toHaveLength(1);

  ci.jobs = ['build'];
  await rig.loop('ordered').executeUpdate('cycleNow', { args: [{ by: 'ana' }] });
  await until(async () =>
    expect(await rig.findings('ordered')).toMatchObject([{ status: 'escalated', remedies: 3 }]),
  );
  const same = await rig.loop('ordered').executeUpdate<RemediateResult, [object]>('remediate', { args });
  expect(same.workflowId).toBe(workflowId);
  await rig.loop('ordered').executeUpdate('cycleNow', { args: [{ by: 'ana' }] });
  await until(async () =>
    expect((await rig.cycles('ordered'))[0]).toMatchObject({ trigger: 'operator', state: 'completed' }),
  );
  expect(await rig.findings('ordered')).toMatchObject([{ status: 'escalated', remedies: 3 }]);
});

test('LOOP-11: an order that failed was not done: the same request again is done, at once', async () => {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply('ordered', { workspaces: [workspace({ databases: [] })] });
  rig.world.place('ordered').ci.jobs = ['build'];
  await rig.startLoop('ordered');
  await until(async () =>
    expect(await rig.findings('ordered')).toMatchObject([{ status: 'escalated', remedies: 1 }]),
  );
  const [finding] = await rig.findings('ordered');
  const order = (finding: string | undefined): Promise<RemediateResult> =>
    rig.loop('ordered').executeUpdate<RemediateResult, [object]>('remediate', {
      args: [{ by: 'ana', requestId: 'failed-once', finding }],
    });
  await expect(order('abcdef')).rejects.toThrow();
  const again = await order(finding?.fingerprint.slice(0, 8));
  expect(await rig.client.workflow.getHandle(again.workflowId).result()).toMatchObject({
    outcome: 'escalated',
  });
  await until(async () =>
    expect(await rig.findings('ordered')).toMatchObject([{ status: 'escalated', remedies: 2 }]),
  );
});

function rootMessage(error: unknown): string {
  let current = error;
  while (current instanceof Error && current.cause instanceof Error) current = current.cause;
  return current instanceof Error ? current.message : String(current);
}
