// Focused sessions (CI-14, LOOP-11) and what comes after (CI-10), on the forge: one run by its id and its address, one workspace, the errors
// that say why, Ctrl-C; and the issue of an escalated finding, closed when a person fixes main.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { shopFiles } from '../../../demo/shop/shop.ts';
import { type Cli, createCli } from '../../support/cli.ts';
import { start } from '../people/approving.ts';
import { startMaintainer } from '../people/maintainer.ts';
import { createWorld, type World, whole } from '../rig.ts';

const ciOnly = { drift: null, database: null } as const;
const at = { owner: 'acme', repo: 'shop' } as const;
const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));

const envOf = (world: World): Record<string, string> => ({
  DATABASE_URL: world.own.url,
  TEMPORAL_ADDRESS: world.temporal.address,
  UNTILGREEN_QUEUE_PREFIX: world.queuePrefix,
});

async function cliOf(world: World, onTestFinished: (end: () => Promise<void>) => void): Promise<Cli> {
  const cli = await createCli(envOf(world));
  onTestFinished(cli.remove);
  return cli;
}

test.concurrent('CI-14: ci fix works on one run now, says what it waits for, and watches it to green', {
  timeout: 500_000,
}, async ({ onTestFinished }) => {
  const world = await createWorld({ ...whole, format: true }, { ...ciOnly, ci: { pullRequests: false } });
  onTestFinished(world.stop);
  await world.startWorker();
  const cli = await cliOf(world, onTestFinished);
  await world.forge.actions.waitIdle();
  const [failed] = await world.forge.actions.runs(at);
  if (!failed) throw new Error('no run');
  expect(failed.conclusion).toBe('failure');

  // No loop runs yet: it is started by the order.
  const first = await cli.run('ci', 'fix', String(failed.id), '--by', 'ana', '--json');
  expect(first.code, first.stderr).toBe(3);
  expect(first.json()).toMatchObject({
    run: failed.id,
    jobs: [
      {
        outcome: 'waiting',
        summary: expect.stringMatching(/^a person to merge pull request #\d+$/),
        finding: { pullRequest: { number: expect.any(Number) } },
      },
    ],
  });
  expect(first.stderr).toMatch(/reading all sources[\s\S]*working[\s\S]*waiting: a person to merge/);

  const maintainer = startMaintainer(world);
  const url = `${world.forge.url}/acme/shop/actions/runs/${failed.id}`;
  const toTheEnd = await cli.run('ci', 'fix', url, '--to-the-end');
  await maintainer.stop();
  expect(toTheEnd.code, toTheEnd.stderr).toBe(0);
  expect(toTheEnd.stdout).toMatch(/outcome\s+green:/);
  await world.until('resolved', async () => (await world.finding('ci'))?.status === 'resolved');
  expect(await world.forge.journal.writes({ kind: 'pullCreated' })).toHaveLength(1);

  // Once more: it is known to be green, and nothing is done.
  const again = await cli.run('ci', 'fix', String(failed.id));
  expect(again.code, again.stderr).toBe(0);

  // What is not worked on says why.
  await world.forge.commitFiles({
    ...at,
    branch: 'topic',
    files: shopFiles({ ...whole, test: true }),
    message: 'topic',
  });
  await world.forge.actions.waitIdle();
  const runs = await world.forge.actions.runs(at);
  const off = runs.find(({ branch }) => branch === 'topic');
  const green = runs.find(({ branch, conclusion }) => branch === 'main' && conclusion === 'success');
  const why = async (run: string): Promise<string> => {
    const said = await cli.run('ci', 'fix', run, '--json');
    expect(said.code, said.stdout).toBe(2);
    return (said.json() as { error: { message: string } }).error.message;
  };
  expect(await why(String(off?.id))).toMatch(/on "topic", which is off the list/);
  expect(await why(String(green?.id))).toMatch(/ended with success: there is nothing to fix/);
  expect(await why('999999')).toMatch(/has no run 999999/);
  expect(await why('https://github.com/other/repo/actions/runs/1')).toMatch(
    /other\/repo is the repository of no workspace/,
  );
  expect(await why('topic')).toMatch(/give the id of a workflow run/);
});

test.concurrent('CI-14, CI-10: until-green ends at what waits for people; a person fixes main, the issue is closed, and it is green', {
  timeout: 500_000,
}, async ({ onTestFinished }) => {
  const world = await createWorld({ ...whole, test: true }, ciOnly);
  onTestFinished(world.stop);
  await start(world);
  const cli = await cliOf(world, onTestFinished);

  const wrong = await cli.run('until-green', 'shopp');
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toMatch(/Did you mean "shop"/);

  const waits = await cli.run('until-green', 'shop', '--timeout', '5m', '--json');
  expect(waits.code, waits.stderr).toBe(3);
  expect(waits.json()).toMatchObject({
    workspace: 'shop',
    outcome: 'waiting',
    left: [{ status: 'escalated', waitingFor: expect.stringMatching(/^a person: /) }],
  });
  const open = (await world.issues()).filter(({ title }) => title.startsWith('Needs a person'));
  expect(open).toMatchObject([{ state: 'open' }]);
  const issue = open[0]?.number ?? 0;
  await world.maria.comment(issue, 'I am on it.');

  // Ctrl-C stops the watching, not the loop.
  const child = spawn(process.execPath, [main, 'until-green', 'shop', '--to-the-end'], {
    env: { PATH: process.env.PATH, HOME: world.dataDir, NO_COLOR: '1', ...envOf(world) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  let interrupted = false;
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    // Once: a second Ctrl-C would end it at once.
    if (interrupted || !/escalated/.test(said)) return;
    interrupted = true;
    child.kill('SIGINT');
  });
  expect(await ended, said).toBe(3);
  expect(said).toMatch(/stopped waiting; the work goes on/);
  await world.cycles(1);

  await world.forge.commitFiles({ ...at, files: shopFiles(whole), message: 'Fix the prices' });
  await world.forge.actions.waitIdle();
  const green = await cli.run('until-green', 'shop', '--timeout', '5m', '--to-the-end');
  expect(green.code, green.stderr).toBe(0);
  expect(green.stdout).toContain('shop is green');
  await world.until('the issue is closed', async () => {
    const now = (await world.issues()).find(({ number }) => number === issue);
    return now?.state === 'closed';
  });
  const words = (await world.comments(issue)).filter(({ body }) => body.includes('The failure is gone'));
  expect(words).toHaveLength(1);
  await world.until('nothing is left', async () =>
    (await world.audit()).some(({ action }) => action === 'aftercare.done'),
  );
  expect((await world.finding('ci'))?.status).toBe('resolved');
  expect(await world.forge.journal.writes({ kind: 'issueUpdated', actor: 'untilgreen-agent' })).toHaveLength(
    1,
  );
});
