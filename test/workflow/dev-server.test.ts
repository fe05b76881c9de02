// On a real Temporal server: many tenants on two workers, fairness between tenants, and what operators see (LOOP-9, SEE-1).
import { afterEach, expect, test } from 'vitest';
import type { KeptHistory } from '../replay/histories.ts';
import { createRig, devServer, type Rig, until, workspace } from './rig.ts';

let rig: Rig;
afterEach(async () => rig.stop());

/** Workflow ids are by tenant, and the run's server has those of other tests. */
const unique = (name: string): string => `${name}-${process.pid}`;

test('LOOP-9: 50 tenants on two workers: each migration is applied once, each finding handled once', async () => {
  rig = await createRig({ openServer: devServer });
  await Promise.all([rig.startWorker(), rig.startWorker()]);
  const tenants = Array.from({ length: 50 }, (_, index) => unique(`many-${index}`));
  for (const tenant of tenants) {
    await rig.apply(tenant);
    Object.assign(rig.world.place(tenant), { pending: { main: ['1.sql'] } });
    rig.world.place(tenant).ci.jobs = ['test'];
  }
  for (const tenant of tenants) await rig.startLikeClient(tenant);
  await until(() => expect(rig.world.writes('applyMigrations')).toHaveLength(50), 120_000);
  await until(async () => {
    const { rows } = await rig.database.pool.query(
      `select status, kind, count(*)::int as n from findings group by status, kind order by kind`,
    );
    expect(rows).toEqual([
      { status: 'escalated', kind: 'ci', n: 50 },
      { status: 'resolved', kind: 'migration', n: 50 },
    ]);
  });
  expect(rig.world.writes('openIssue')).toHaveLength(50);
  expect(new Set(rig.world.journal.map((one) => one.marker)).size).toBe(rig.world.journal.length);
  const { rows } = await rig.database.pool.query(
    'select max(attempts) as attempts, max(remedies) as remedies from findings',
  );
  expect(rows).toEqual([{ attempts: 1, remedies: 1 }]);
});

test('LOOP-1: a tenant with 1,000 queued reads delays another by a few places only', async () => {
  rig = await createRig({ openServer: devServer, activitiesAtOnce: 2 });
  const [loud, quiet] = [unique('loud'), unique('quiet')];
  const databases = (name: string) => Array.from({ length: 500 }, (_, index) => `${name}${index}`);
  const workspaces = ['a', 'b'].map((name) => workspace({ name, ci: false, databases: databases(name) }));
  await rig.apply(loud, { workspaces });
  await rig.apply(quiet, { workspaces: [workspace({ ci: false })] });
  const readsOf = (tenant: string): number =>
    ['a', 'b', 'shop']
      .flatMap((name) => Object.values(rig.world.place(tenant, name).reads))
      .reduce((sum, one) => sum + one, 0);
  for (const name of ['a', 'b']) rig.world.place(loud, name).readMs = 30;
  await rig.startWorker();
  await rig.startLikeClient(loud);
  await until(() => expect(readsOf(loud)).toBeGreaterThan(20), 60_000);
  await rig.startLikeClient(quiet);
  for (let cycle = 1; cycle <= 6; cycle += 1) {
    await until(() => expect(readsOf(quiet)).toBe(cycle), 120_000);
    await rig.loop(quiet).signal('wake', { reason: 'again', sources: ['*'] });
  }
  await until(async () => expect((await rig.cycles(loud))[0]?.state).toBe('completed'), 120_000);
  const histories = await rig.histories();
  const of = (tenant: string) =>
    activityTimes(histories.filter(({ workflowId }) => workflowId === `tenant/${tenant}`));
  const others = of(loud).map(({ startedMs }) => startedMs);
  const waits = of(quiet).map(({ scheduledMs, startedMs }) => ({
    places: others.filter((at) => at > scheduledMs && at < startedMs).length,
    queued: others.filter((at) => at > scheduledMs).length,
  }));
  // In one queue without fairness they would have waited for all that were queued. The server takes a moment to know a new key in each
  // partition of a queue, so that single tasks may wait longer: the middle one counts.
  const shares = waits
    .filter(({ queued }) => queued > 100)
    .map(({ places, queued }) => places / queued)
    .sort((a, b) => a - b);
  expect(shares.length).toBeGreaterThan(3);
  expect(shares[Math.floor(shares.length / 2)]).toBeLessThan(0.05);
});

function activityTimes(
  histories: readonly KeptHistory[],
): readonly { scheduledMs: number; startedMs: number }[] {
  const ms = (at: { seconds?: unknown; nanos?: number | null } | null | undefined): number =>
    Number(at?.seconds ?? 0) * 1_000 + (at?.nanos ?? 0) / 1e6;
  return histories.flatMap(({ history }) => {
    const events = history.events ?? [];
    const scheduled = new Map(
      events
        .filter((event) => event.activityTaskScheduledEventAttributes)
        .map((event) => [String(event.eventId), ms(event.eventTime)]),
    );
    return events.flatMap((event) => {
      const from = scheduled.get(String(event.activityTaskStartedEventAttributes?.scheduledEventId));
      return from === undefined ? [] : [{ scheduledMs: from, startedMs: ms(event.eventTime) }];
    });
  });
}

test('SEE-1: search attributes, summaries and details of a loop and its remedy', async () => {
  rig = await createRig({ openServer: devServer });
  await rig.startWorker();
  const tenant = unique('seen');
  await rig.apply(tenant, { workspaces: [workspace({ drift: 'approval', databases: [] })] });
  const place = rig.world.place(tenant);
  place.drift = { planHash: 'plan-a', destroys: 1 };
  place.ci.jobs = Array.from(
    { length: 100 },
    (_, index) => `job ${index} <b>|*_é世界</b> ${'long '.repeat(20)}`,
  );
  await rig.startLikeClient(tenant);
  await until(
    async () =>
      expect((await rig.findings(tenant)).filter((one) => one.status === 'waiting')).toHaveLength(1),
    120_000,
  );

  // Lists are eventually consistent.
  const remedy = await until(async () => {
    const found: string[] = [];
    for await (const one of rig.client.workflow.list({
      query: `untilgreenTenant = '${tenant}' and untilgreenKind = 'drift' and untilgreenStatus = 'waiting' and untilgreenSeverity = 'warning'`,
    }))
      found.push(one.workflowId);
    expect(found).toHaveLength(1);
    return found[0] ?? '';
  }, 60_000);
  expect(remedy).toMatch(`remedy/${tenant}/drift/`);

  const details = async (workflowId: string): Promise<string> => {
    const metadata = await rig.client.workflow
      .getHandle(workflowId)
      .query<{ currentDetails?: string }>('__temporal_workflow_metadata');
    return metadata.currentDetails ?? '';
  };
  const shown = await until(async () => {
    const text = await details(`tenant/${tenant}`);
    expect(text).toContain('and ');
    return text;
  });
  expect(Buffer.byteLength(shown)).toBeLessThan(6_000);
  expect(shown).toContain('| Finding | Kind | Status | Waits for |');
  expect(shown).not.toContain('<b>'); // raw HTML would pass through the UI
  expect(
    shown
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .every((line) => line.endsWith('|')),
  ).toBe(true);
  expect(await details(remedy)).toMatch(/^Waiting: .*approval/);

  const histories = await rig.histories();
  const first = histories.find(({ workflowId }) => workflowId === remedy)?.history.events?.[0];
  expect(first?.workflowExecutionStartedEventAttributes?.priority).toMatchObject({ fairnessKey: tenant });
  const summaries = histories.flatMap(({ history }) =>
    (history.events ?? [])
      .filter((event) => event.activityTaskScheduledEventAttributes || event.timerStartedEventAttributes)
      .map((event) => Buffer.from(event.userMetadata?.summary?.data ?? '').toString()),
  );
  // SEC-1: a title from outside is Markdown nowhere in the UI.
  const titles = histories.flatMap(({ history }) =>
    (history.events ?? [])
      .filter((event) => event.startChildWorkflowExecutionInitiatedEventAttributes)
      .map((event) => Buffer.from(event.userMetadata?.summary?.data ?? '').toString()),
  );
  expect(titles.length).toBeGreaterThan(0);
  expect(titles.filter((title) => /[<|*`]/.test(title))).toEqual([]);
  expect(summaries).toContain('"shop · production"');
  expect(summaries).toContain('"until the next source is due"');
  expect(Math.max(...summaries.map((one) => Buffer.byteLength(one)))).toBeLessThanOrEqual(202);
});
