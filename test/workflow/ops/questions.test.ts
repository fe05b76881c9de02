// DIAG-1, DIAG-2: questions in comments, in skipped time: one answer within five minutes whatever happens to the loop, none while it is paused,
// and never another effect.
import { afterEach, expect } from 'vitest';
import { effectKinds } from '../../../src/contract/effect.ts';
import { keep } from '../../replay/histories.ts';
import { createRig, minuteMs, type Rig, test, until } from '../rig.ts';
import type { Written } from '../world.ts';
import { opsWorkspace } from './ops-rig.ts';

let rig: Rig;
afterEach(async () => rig.stop());

const planted = ['ghp', 'Zq3vR8tK1mW6xY9bN4cL7dF2hJ5sP0aG1uTe'].join('_');

async function start(tenant: string, settings: { readonly [name: string]: unknown } = {}): Promise<void> {
  rig = await createRig();
  await rig.startWorker();
  await rig.apply(tenant, {
    workspaces: [{ ...opsWorkspace({ checks: [] }), diagnostics: {} }],
    ...settings,
  });
  rig.world.place(tenant).production.services = {
    backend: {
      deployments: [{ id: 'd1', status: 'running' }],
      log: ['ready', `key ${planted}`, 'pool exhausted'],
      heals: {},
    },
  };
}

const answers = (): readonly Written[] =>
  rig.world.writes('commentOnIssue').filter(({ input }) => String(input.body).includes('DevOps Diagnostic'));
const finding = async (tenant: string) => (await rig.findings(tenant)).find(({ kind }) => kind === 'mention');

test('DIAG-1, DIAG-2: a question is answered once within 5 min, however often its comment is read, also by a loop that begins anew', async () => {
  await start('asked');
  const { production } = rig.world.place('asked');
  await rig.startLoop('asked');
  await until(async () => expect((await rig.cycles('asked')).length).toBeGreaterThan(0));
  production.mentions.push({
    commentId: 4711,
    author: 'maria',
    request: { kind: 'logs', service: 'backend' },
  });
  await rig.skip(5 * minuteMs);
  const [answer] = await until(() => {
    expect(answers()).toHaveLength(1);
    return answers();
  });
  expect(answer).toMatchObject({ target: 'acme/shop#7', input: { number: 7 } });
  const body = String(answer?.input.body);
  expect(body).toMatch(/^## 🔧 DevOps Diagnostic Results\n/);
  expect(body).toContain('#issuecomment-4711');
  expect(body).toContain('pool exhausted');
  expect(body).toContain('Need more info?');
  expect(body).not.toContain(planted);
  // GitHub shows the comment on and on, and Temporal loses everything.
  await rig.skip(9 * minuteMs);
  await keep('question', await rig.histories());
  await rig.loseTemporal();
  await rig.startWorker();
  await rig.startLoop('asked');
  await until(async () => expect(await finding('asked')).toBeDefined());
  await rig.skip(9 * minuteMs);
  expect(answers()).toHaveLength(1);
  production.mentions = [];
  await rig.skip(4 * minuteMs);
  await until(async () => expect((await finding('asked'))?.status ?? 'resolved').toBe('resolved'));
  // DIAG-2: whoever asks changes nothing else.
  const others = effectKinds.filter((kind) => kind !== 'commentOnIssue');
  expect(others.flatMap((kind) => rig.world.writes(kind))).toEqual([]);
  expect(production.asked.filter((one) => !/^(overview|logs)/.test(one))).toEqual([]);
});

test('DIAG-1, LOOP-10: a paused tenant answers when it goes on, and not after half an hour; until then it says why', async () => {
  await start('held');
  const { production } = rig.world.place('held');
  await rig.startLoop('held');
  await until(async () => expect((await rig.cycles('held')).length).toBeGreaterThan(0));
  const update = (name: string, input: object) =>
    rig.loop('held').executeUpdate(name, { args: [{ by: 'ana', ...input }] });
  await update('pause', { reason: 'release freeze' });
  production.mentions.push({ commentId: 1, author: 'maria', request: { kind: 'status' } });
  await rig.skip(10 * minuteMs);
  const waiting = await until(async () => {
    const seen = await finding('held');
    expect(seen?.waitingFor).toMatch(/to answer maria: .*release freeze/);
    return seen;
  });
  expect(waiting?.status).toBe('watched');
  expect(answers()).toEqual([]);
  await update('resume', { reason: 'over' });
  await until(() => expect(answers()).toHaveLength(1));

  production.mentions = [];
  await update('pause', { reason: 'the next freeze' });
  production.mentions.push({ commentId: 2, author: 'maria', request: { kind: 'status' } });
  await rig.skip(40 * minuteMs);
  await until(async () =>
    expect((await rig.findings('held')).every(({ status }) => status === 'resolved')).toBe(true),
  );
  await update('resume', { reason: 'over' });
  await rig.skip(10 * minuteMs);
  expect(answers()).toHaveLength(1);
});

test('LOOP-12: where nothing may be proposed nothing is answered, and it is not tried over and over', async () => {
  await start('quiet', { autonomy: { default: 'observe' } });
  const { production } = rig.world.place('quiet');
  await rig.startLoop('quiet');
  await until(async () => expect((await rig.cycles('quiet')).length).toBeGreaterThan(0));
  production.mentions.push({
    commentId: 1,
    author: 'maria',
    request: { kind: 'question', text: 'all well?' },
  });
  await rig.skip(20 * minuteMs);
  expect(await finding('quiet')).toMatchObject({ status: 'watched', remedies: 1 });
  await rig.skip(20 * minuteMs);
  await until(async () => expect((await finding('quiet'))?.status).toBe('resolved'));
  expect(rig.world.journal).toEqual([]);
});
