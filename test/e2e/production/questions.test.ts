// DIAG-1, DIAG-2: `@devops check logs backend` on the forge: one answer to whoever may write, without the token that stands in the logs; nobody else is
// answered; a worker that dies while it answers has answered once.
import { afterEach, expect, test } from 'vitest';
import { type Railway, startRailway } from '../../support/railway/railway.ts';
import { createWorld, type Person, type World, whole } from '../rig.ts';

type Scene = {
  readonly world: World;
  readonly railway: Railway;
  readonly issue: number;
};
const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const planted = ['ghp', 'Zq3vR8tK1mW6xY9bN4cL7dF2hJ5sP0aG1uTe'].join('_');
const heading = '## 🔧 DevOps Diagnostic Results';

async function scene(): Promise<Scene> {
  const railway = await startRailway();
  ends.push(() => railway.close());
  const shop = railway.world.addProject({
    project: 'shop',
    services: [
      { name: 'backend', commitSha: 'a1', domains: ['shop.example'] },
      { name: 'frontend', image: 'shop/web:1.4' },
    ],
  });
  railway.world.addLogs('backend', 'deploy', [
    'ready',
    `charge failed with key ${planted}`,
    'pool exhausted',
  ]);
  const world = await createWorld(whole, {
    ci: null,
    drift: null,
    workspace: {
      services: { provider: { kind: 'railway', apiUrl: railway.url }, watch: ['backend', 'frontend'] },
      diagnostics: {},
    },
    env: { RAILWAY_TOKEN_SW_FACTORY: shop.projectToken, PAYMENT_KEY: planted },
  });
  ends.push(() => world.stop());
  const { number } = await world.maria.request<{ number: number }>('POST', '/issues', {
    title: 'checkout is slow',
  });
  return { world, railway, issue: number };
}

async function answers(world: World, issue: number): Promise<readonly string[]> {
  const comments = await world.comments(issue);
  return comments.filter(({ body }) => body.startsWith(heading)).map(({ body }) => body);
}

test('DIAG-1, DIAG-2: a writer is answered once and without the planted token; stranger, bot, edit, code, quote: nobody', {
  timeout: 300_000,
}, async () => {
  const { world, railway, issue } = await scene();
  await world.startWorker();
  await world.startLoop();
  await world.until('comments are read', async () =>
    (await world.reads()).some(({ source, state }) => source === 'mentions' && state === 'green'),
  );
  const say = (who: Person, body: string): Promise<number> => who.comment(issue, body);
  await say(await world.person('stranger', 'read'), '@devops check logs backend');
  await say(await world.person('deploy[bot]', 'write'), '@devops check logs backend');
  await say(world.maria, '```\n@devops check logs backend\n```');
  await say(world.maria, '> @devops check logs backend\n\nthat did not work');
  const harmless = await say(world.maria, 'hello');
  await world.forge.advanceClock({ ms: 2_000 });
  await (await world.person('dev', 'write')).editComment(harmless, '@devops check logs backend');
  const asked = await say(world.maria, '@devops check logs backend');
  const askedMs = Date.now();
  await world.until('it is answered', async () => (await answers(world, issue)).length > 0, 200_000);
  expect(Date.now() - askedMs).toBeLessThan(5 * 60_000);
  await world.until('nothing is open', async () =>
    (await world.findings()).every(({ kind, status }) => kind !== 'mention' || status === 'resolved'),
  );
  await world.cycles(2);
  const [answer = '', ...others] = await answers(world, issue);
  expect(others).toEqual([]);
  expect(answer).toContain(`#issuecomment-${asked}`);
  expect(answer).toContain('<summary>📋 Diagnostic Output</summary>');
  expect(answer).toContain('untilgreen 0.');
  expect(answer).toContain('pool exhausted');
  expect(answer).toContain('charge failed');
  expect(answer).toContain('Need more info?');
  expect(answer).not.toContain(planted);
  const { rows } = await world.own.pool.query(
    'select body as text from evidence union all select detail::text from findings union all select to_jsonb(a)::text from audit a',
  );
  expect(JSON.stringify(rows)).not.toContain(planted);
  const refused = (await world.audit()).filter(({ action }) => action === 'mention.refused');
  expect(refused.map(({ reason }) => reason).sort()).toEqual([
    expect.stringContaining('deploy[bot] is a bot'),
    expect.stringContaining('edited'),
    expect.stringContaining('stranger may not write'),
  ]);
  expect(railway.writes()).toEqual([]);
});

test('DIAG-2, DUR-1: a worker that is killed between the comment and its receipt has answered once', {
  timeout: 300_000,
}, async () => {
  const { world, issue } = await scene();
  const doorTimes = { leaseMs: 6_000, writeMs: 4_000, settleMs: 3_000 } as const;
  const marker = `${world.dataDir}/killed`;
  const first = await world.startWorkerProcess({ doorTimes, killOnce: { kind: 'commentOnIssue', marker } });
  await world.startLoop();
  await world.maria.comment(issue, '@devops status');
  await world.until('the comment is written and its worker is dead', async () => {
    await first.ended;
    return (await answers(world, issue)).length === 1;
  });
  await world.startWorkerProcess({ doorTimes });
  await world.until('the question is over', async () =>
    (await world.findings()).some(({ kind, status }) => kind === 'mention' && status === 'resolved'),
  );
  await world.until('the receipt is there', async () =>
    (await world.effects('commentOnIssue')).some(({ state }) => state === 'done'),
  );
  await world.cycles(2);
  expect(await answers(world, issue)).toHaveLength(1);
});
