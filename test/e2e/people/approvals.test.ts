// What waits for a person (LOOP-13): who may approve where, exactly what, and what makes an approval void; on a real forge, database and worker.
import { expect, test } from 'vitest';
import { type Change, createWorld, type Person, type World, whole } from '../rig.ts';
import { approval, asked, decide, isRead, start } from './approving.ts';

const migrationsOnly: Change = { ci: null, drift: null, database: { policy: 'approval' } };
const lateMigration = `-- migrate:up
create table notes (id bigint generated always as identity primary key);

-- migrate:down
drop table notes;
`;

async function appliedMigrations(world: World): Promise<number> {
  const there = await world.shop.pool.query(`select to_regclass('public.schema_migrations') as t`);
  if (there.rows[0].t === null) return 0;
  const { rows } = await world.shop.pool.query('select count(*)::int as n from schema_migrations');
  return rows[0].n;
}

test.concurrent('LOOP-13: only a person with the permission approves, exactly what waits, and it is applied once', {
  timeout: 500_000,
}, async ({ onTestFinished }) => {
  const world = await createWorld(whole, migrationsOnly);
  onTestFinished(world.stop);
  await start(world);
  const first = await asked(world);
  await world.until('an alert', async () => world.alerts().join('\n').includes('Approval needed'));
  expect(first.hash.length).toBeGreaterThanOrEqual(12);
  const { maria } = world;
  const stranger = await world.person('mallory', 'read');
  const agent: Person = {
    ...maria,
    comment: async (issue, body) => {
      const answer = await fetch(`${world.forge.url}/repos/acme/shop/issues/${issue}/comments`, {
        method: 'POST',
        headers: { authorization: `token ${world.agentToken}` },
        body: JSON.stringify({ body }),
      });
      return ((await answer.json()) as { id: number }).id;
    },
  };
  const bot = await world.person('helper[bot]', 'admin');

  await isRead(world, async () => {
    await stranger.comment(first.issue, `/approve ${first.hash}`);
    await bot.comment(first.issue, `/approve ${first.hash}`);
    await agent.comment(first.issue, `/approve ${first.hash}`);
    await maria.comment(first.issue, `> /approve ${first.hash}`);
    await maria.comment(first.issue, `\`\`\`\n/approve ${first.hash}\n\`\`\``);
    await maria.comment(first.issue, `do not /approve ${first.hash} yet`);
    const edited = await maria.comment(first.issue, 'looks good');
    await world.forge.advanceClock({ ms: 2_000 });
    await maria.editComment(edited, `/approve ${first.hash}`);
  });
  expect((await approval(world, first.hash)).state).toBe('asked');

  // Not enough over the CLI: the tenant file does not say so.
  const cli = await decide(world, { by: 'ana', hash: first.hash, decision: 'approve', channel: 'cli' });
  expect(cli.result).toBe('decided');
  await world.until('held though approved over the CLI', async () =>
    (await world.finding('migration'))?.waitingFor?.includes('not enough here'),
  );
  expect(await appliedMigrations(world)).toBe(0);

  // What waits changes: the old question is void, with a reason, and a new one is asked.
  await world.forge.commitFiles({
    owner: 'acme',
    repo: 'shop',
    files: { 'db/migrations/20260105000000_notes.sql': lateMigration },
    message: 'notes',
  });
  const second = await asked(world, first.hash);
  const old = await approval(world, first.hash);
  expect(old.state).toBe('void');
  expect(old.reason).toContain('pending migrations changed while waiting');
  await isRead(world, () => maria.comment(first.issue, `/approve ${first.hash}`));
  expect(await appliedMigrations(world)).toBe(0);

  await maria.comment(second.issue, `/approve ${second.hash}`);
  await world.until(
    'migrations are applied',
    async () => (await world.finding('migration'))?.status === 'resolved',
  );
  expect(await appliedMigrations(world)).toBe(5);
  const done = (await world.effects('applyMigrations')).filter((effect) => effect.outcome === 'applied');
  expect(done).toHaveLength(1);
  expect((await approval(world, second.hash)).state).toBe('used');
  expect((await world.finding('migration'))?.attempts).toBe(1);
  // SEE-5: the receipt is in the activity issue, once.
  const notes = (await world.comments(second.issue)).filter(({ body }) =>
    body.includes('`applyMigrations` applied'),
  );
  expect(notes).toHaveLength(1);
  expect(await world.forge.journal.unexpected()).toEqual([]);
  await world.replayed('approval');
});

test.concurrent('LOOP-13: a rejection is the end: escalated with its reason, nothing applied', {
  timeout: 500_000,
}, async ({ onTestFinished }) => {
  const world = await createWorld(whole, migrationsOnly);
  onTestFinished(world.stop);
  await start(world);
  const question = await asked(world);
  await world.maria.comment(question.issue, `/reject ${question.hash} not before the sale`);
  await world.until('escalated', async () => (await world.finding('migration'))?.status === 'escalated');
  const issue = await world.until('the issue for a person', async () =>
    (await world.issues()).find(({ title }) => title.startsWith('Needs a person')),
  );
  expect(issue.body).toContain('rejected by maria: not before the sale');
  await world.until('an alert', async () => world.alerts().join('\n').includes('Needs a person'));
  expect(await appliedMigrations(world)).toBe(0);
});

test.concurrent('LOOP-13: over the CLI where the tenant file says so', { timeout: 500_000 }, async ({
  onTestFinished,
}) => {
  const world = await createWorld(whole, {
    ...migrationsOnly,
    tenant: { approvals: { channels: { cli: true } } },
  });
  onTestFinished(world.stop);
  await start(world);
  const question = await asked(world);
  const wrong = await decide(world, { by: 'ana', hash: 'abcdef', decision: 'approve', channel: 'cli' });
  expect(wrong.result).toBe('unknown');
  await decide(world, { by: 'ana', hash: question.hash.slice(0, 12), decision: 'approve', channel: 'cli' });
  await world.until(
    'migrations are applied',
    async () => (await world.finding('migration'))?.status === 'resolved',
  );
  expect(await appliedMigrations(world)).toBe(4);
  const again = await decide(world, { by: 'ana', hash: question.hash, decision: 'approve', channel: 'cli' });
  expect(again.result).toBe('over');
});
