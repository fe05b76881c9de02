// People at the helm (LOOP-10, LOOP-11, SEE-1): with Temporal's own CLI, as the handlers' descriptions show it, and with a client's updates.
import { execFile } from 'node:child_process';
import { expect, test } from 'vitest';
import { tenantWorkflowId, updates } from '../../../src/contract/names.ts';
import { ensureTemporalBinary } from '../../../src/embedded/temporal-binary.ts';
import { createWorld, type World, whole } from '../rig.ts';
import { start } from './approving.ts';
import { startMaintainer } from './maintainer.ts';

type Said = { readonly code: number; readonly out: string };

async function temporalCli(world: World, args: readonly string[]): Promise<Said> {
  const binary = await ensureTemporalBinary({ progress: () => {} });
  return new Promise((resolve) => {
    execFile(
      binary,
      [
        ...args,
        '--address',
        world.temporal.address,
        '--workflow-id',
        tenantWorkflowId(world.tenant),
        '--output',
        'json',
      ],
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code ?? 1) : 0, out: stdout + stderr }),
    );
  });
}

async function order<T>(world: World, name: string, input: object): Promise<T> {
  const said = await temporalCli(world, [
    'workflow',
    'update',
    'execute',
    '--name',
    name,
    '--input',
    JSON.stringify(input),
  ]);
  expect(said.code, said.out).toBe(0);
  return (JSON.parse(said.out) as { result: T }).result;
}

const descriptionsOf = async (world: World): Promise<string> =>
  (await temporalCli(world, ['workflow', 'metadata'])).out;

test.concurrent('LOOP-10: paused by the Temporal CLI nothing is written until resumed, then it turns green', {
  timeout: 500_000,
}, async ({ onTestFinished }) => {
  const world = await createWorld({
    production: 'none',
    format: true,
    generated: true,
    test: false,
    drift: 'export',
    pending: 4,
  });
  onTestFinished(world.stop);
  await start(world);
  await world.until('something is worked on', async () =>
    (await world.findings()).some(({ status }) => status === 'working'),
  );
  const paused = await order<{ started: { kind: string; target: string }[] }>(world, updates.pause, {
    reason: 'release freeze',
    by: 'ana',
  });
  const mark = await world.forge.journal.mark();
  const before = new Set(
    (await world.effects()).filter(({ state }) => state === 'done').map(({ key }) => key),
  );
  const started = paused.started.map(({ kind, target }) => `${kind} ${target}`);

  await world.cycles(4);
  await world.until('a remedy is held by the pause', async () =>
    (await world.findings()).some(({ waitingFor }) =>
      waitingFor?.includes('paused (tenant): release freeze'),
    ),
  );
  const after = (await world.effects()).filter(
    ({ key, state, outcome, risk }) =>
      state === 'done' && outcome === 'applied' && risk !== 'safe' && !before.has(key),
  );
  for (const effect of after) expect(started).toContain(`${effect.kind} ${effect.target}`);
  if (started.length === 0)
    expect(await world.forge.journal.writes({ after: mark, actor: 'untilgreen-agent' })).toEqual([]);
  expect((await world.audit()).find(({ action }) => action === 'pause.raised')).toMatchObject({
    actor: 'ana',
    reason: 'release freeze',
  });

  const client = world.temporal.client.workflow.getHandle(tenantWorkflowId(world.tenant));
  expect(
    await client.executeUpdate(updates.resume, { args: [{ by: 'ana', reason: 'freeze is over' }] }),
  ).toEqual({ lifted: 1 });
  const maintainer = startMaintainer(world);
  onTestFinished(() => maintainer.stop());
  await world.until('green', async () => {
    const findings = await world.findings();
    return findings.length >= 4 && findings.every(({ status }) => status === 'resolved');
  });
  const applied = (await world.effects()).filter(
    ({ outcome, kind }) => outcome === 'applied' && kind === 'openPullRequest',
  );
  expect(applied).toHaveLength(3);
  await world.replayed('pause-and-resume');
});

test.concurrent('LOOP-11, SEE-1: orders by CLI and client name what is wrong with them, and one for a finding tries it again', {
  timeout: 500_000,
}, async ({ onTestFinished }) => {
  const world = await createWorld({ ...whole, test: true }, { drift: null, database: null });
  onTestFinished(world.stop);
  await start(world);
  await world.until('escalated', async () => (await world.finding('ci'))?.status === 'escalated');
  const client = world.temporal.client.workflow.getHandle(tenantWorkflowId(world.tenant));

  const wrong: readonly (readonly [string, object, RegExp])[] = [
    [
      updates.pause,
      { by: 'ana' },
      /reason: missing is not valid\. Fix: say why, e\.g\. \{"reason": "release freeze"/,
    ],
    [
      updates.pause,
      { reason: 'x', by: 'ana', scope: 'galaxy' },
      /scope: "galaxy" is not valid\. Fix: write "tenant", "workspace" or "effect"/,
    ],
    [
      updates.pause,
      { reason: 'x', by: 'ana', untilMs: 'tomorrow' },
      /untilMs: "tomorrow" is not valid\. Fix: give milliseconds/,
    ],
    [updates.resume, {}, /by: missing is not valid\. Fix: say who you are/],
    [
      updates.remediate,
      { by: 'ana', requestId: 'r1', finding: 'xyz' },
      /finding: "xyz" is not valid\. Fix: give 6 to 64 hex digits/,
    ],
    [updates.remediate, { by: 'ana', requestId: 'r1', finding: 'ffffffff' }, /ffffffff/],
    [updates.decide, { by: 'ana', hash: 'nope', decision: 'approve' }, /hash: "nope" is not valid/],
    [
      updates.decide,
      { by: 'ana', hash: 'abcdef', decision: 'maybe' },
      /decision: "maybe" is not valid\. Fix: write "approve" or "reject"/,
    ],
  ];
  for (const [name, input, message] of wrong) {
    const error = await client.executeUpdate(name, { args: [input] }).then(
      () => undefined,
      (thrown: Error & { cause?: Error }) => `${thrown.message} ${thrown.cause?.message ?? ''}`,
    );
    expect(error, `${name} ${JSON.stringify(input)}`).toMatch(message);
  }
  const byCli = await temporalCli(world, [
    'workflow',
    'update',
    'execute',
    '--name',
    updates.pause,
    '--input',
    '{"by": "ana"}',
  ]);
  expect(byCli.code).not.toBe(0);
  expect(byCli.out).toContain('say why');
  // No argument at all, as a dialog left empty sends it.
  const empty = await temporalCli(world, ['workflow', 'update', 'execute', '--name', updates.cycleNow]);
  expect(empty.code).not.toBe(0);
  expect(empty.out).toContain('say who you are');

  const before = await world.cycle();
  const asked = await order<{ cycle: number }>(world, updates.cycleNow, { by: 'ana' });
  expect(asked.cycle).toBeGreaterThan(before);
  await world.until('that cycle', async () => (await world.cycle()) >= asked.cycle);

  // The reason is gone: the order of a person tries again, and its result is green.
  const finding = await world.finding('ci');
  const result = await order<{ workflowId: string }>(world, updates.remediate, {
    by: 'ana',
    requestId: 'r1',
    finding: finding?.fingerprint.slice(0, 12),
  });
  expect(result.workflowId).toContain(`remedy/${world.tenant}/ci/`);
  expect(await world.temporal.client.workflow.getHandle(result.workflowId).result()).toMatchObject({
    outcome: 'escalated',
  });
  await world.cycles(1);
  const issues = (await world.issues()).filter(({ title }) => title.startsWith('Needs a person'));
  expect(issues, 'one issue, whatever is tried').toHaveLength(1);
  expect(await descriptionsOf(world)).toContain('Stops writes within 5 s');
});
