// DIAG-1: who is heard in comments, over a real forge: permissions, bots, edits, quotes, forks, repeats. What is answered is another test's.
import { afterEach, beforeEach, expect, it } from 'vitest';
import * as z from 'zod';
import type { SourceContext, SourceReading } from '../../../src/activities/sources/definition.ts';
import { createMentionsSource } from '../../../src/activities/sources/ops/mentions.ts';
import type { Json } from '../../../src/contract/effect.ts';
import type { MentionDetail } from '../../../src/contract/ops/findings.ts';
import type { GitHub } from '../../../src/integrations/github/client.ts';
import { diagnosticAnswer } from '../../../src/policy/ops/diagnostics/diagnostic-answer.ts';
import { at, type GitHubRig, startGitHubRig } from './rig.ts';

let rig: GitHubRig;
let github: GitHub;
let memory: Json;
let clockMs: number;
let tokens: { [login: string]: string };
let ids: { [login: string]: number };
const minuteMs = 60_000;

beforeEach(async () => {
  rig = await startGitHubRig();
  github = rig.github;
  memory = null;
  clockMs = Date.now();
  tokens = { agent: rig.token };
  ids = {};
  for (const [login, permission, app] of [
    ['maria', 'admin', undefined],
    ['dev', 'write', undefined],
    ['helper', 'triage', undefined],
    ['stranger', 'read', undefined],
    ['deploy[bot]', 'write', 77],
    ['noise[bot]', 'write', 78],
  ] as const) {
    const user = await rig.forge.createUser({ login, permission, ...(app === undefined ? {} : { app }) });
    tokens[login] = user.token;
    ids[login] = user.id;
  }
  await write('maria', 'POST /repos/{owner}/{repo}/issues', { title: 'checkout is slow' });
  await sweep();
});
afterEach(() => rig.stop());

async function write(login: string, route: string, params: { [name: string]: unknown }): Promise<number> {
  const answer = await rig.clientFor(tokens[login] ?? '').write({
    route,
    params: { ...at, ...params },
    schema: z.object({ id: z.int() }),
    signal: rig.place.signal,
    assertMayWrite: () => {},
  });
  return answer.id;
}
const comment = (login: string, body: string, number = 1): Promise<number> =>
  write(login, 'POST /repos/{owner}/{repo}/issues/{number}/comments', { number, body });

type Seen = {
  readonly asks: readonly string[];
  readonly details: readonly MentionDetail[];
  readonly events: readonly string[];
  readonly counted: readonly unknown[];
};

async function sweep(apps: readonly number[] = []): Promise<Seen> {
  const mark = await rig.forge.journal.mark();
  const context: SourceContext = {
    config: rig.config,
    workspace: { ...rig.workspace, diagnostics: { mention: '@devops', apps } },
    target: undefined,
    nowMs: clockMs,
    signal: AbortSignal.timeout(60_000),
    memory,
  };
  const reading: SourceReading = await createMentionsSource({ github: async () => github }).read(context);
  memory = JSON.parse(JSON.stringify(reading.memory ?? null));
  expect(reading.state).toBe('green');
  const details = reading.findings.map(({ detail }) => detail as MentionDetail);
  return {
    asks: details.map(({ author, request }) => `${author}: ${JSON.stringify(request)}`),
    details,
    events: (reading.events ?? []).map(({ action, reason }) => `${action}: ${reason}`),
    counted: await rig.forge.journal.counted({ after: mark }),
  };
}

const logs = JSON.stringify({ kind: 'logs', service: 'backend' });

it('DIAG-1: a question of somebody who may write is one finding, however often it is read, and costs nothing more', async () => {
  const id = await comment('dev', '@devops check logs backend');
  const first = await sweep();
  expect(first.asks).toEqual([`dev: ${logs}`]);
  expect(first.details[0]).toMatchObject({ commentId: id, issue: 1, repository: 'acme/shop' });
  for (let again = 0; again < 3; again += 1) {
    const quiet = await sweep();
    expect([quiet.asks, quiet.counted, quiet.events]).toEqual([[`dev: ${logs}`], [], []]);
  }
  // The memory of the last read is what is delivered again after a crash.
  await write('dev', 'PATCH /repos/{owner}/{repo}/issues/comments/{id}', { id, body: '@devops status' });
  expect((await sweep()).asks).toEqual([`dev: ${logs}`]);
});

it.each([
  ['a stranger', 'stranger', 'may not write'],
  ['somebody who may only triage', 'helper', 'may not write'],
  ['a bot that is not listed', 'noise[bot]', 'not in diagnostics.apps'],
])('DIAG-1: %s is not answered, which one audit line says', async (_name, login, reason) => {
  await comment(login, '@devops check logs backend');
  const first = await sweep([77]);
  expect(first.asks).toEqual([]);
  expect(first.events).toEqual([expect.stringContaining(reason)]);
  const again = await sweep([77]);
  expect([again.asks, again.events]).toEqual([[], []]);
});

it('DIAG-1: an app on the allowlist is answered by its number, and not when it answers a bot', async () => {
  await comment('maria', 'any news?');
  await comment('deploy[bot]', '@devops status');
  expect((await sweep([77])).asks).toEqual([expect.stringContaining('deploy[bot]')]);
  await comment('noise[bot]', 'a build ended');
  await comment('deploy[bot]', '@devops check database');
  const chain = await sweep([77]);
  expect(chain.asks).toHaveLength(1);
  expect(chain.events).toEqual([expect.stringContaining('chains are not followed')]);
});

it.each([
  ['in a code block', '```\n@devops check logs backend\n```'],
  ['in code', 'try `@devops status`'],
  ['in a quote', '> @devops check logs backend\n\nwhat is this?'],
  ['in a hidden comment', '<!-- @devops status -->'],
  ['as a part of another name', '@devops-team status'],
])('SEC-1: a mention %s asks nobody', async (_name, body) => {
  await comment('maria', body);
  const seen = await sweep();
  expect([seen.asks, seen.events]).toEqual([[], []]);
});

it('SEC-1: an edited comment is not answered, also when it was edited into a question', async () => {
  const asked = await comment('dev', '@devops check logs backend');
  const harmless = await comment('dev', 'hello');
  await rig.forge.advanceClock({ ms: 5_000 });
  for (const id of [asked, harmless])
    await write('maria', 'PATCH /repos/{owner}/{repo}/issues/comments/{id}', { id, body: '@devops status' });
  const seen = await sweep();
  expect(seen.asks).toEqual([]);
  expect(seen.events).toHaveLength(2);
  expect(seen.events[0]).toContain('edited');
});

it('DIAG-1: a comment on a pull request from a fork is not answered', async () => {
  const { sha } = await rig.forge.commitFiles({
    ...at,
    branch: 'change',
    files: { 'a.txt': 'two\n' },
    message: 'change',
  });
  expect(sha).toMatch(/^[0-9a-f]{40}$/);
  await write('dev', 'POST /repos/{owner}/{repo}/pulls', { head: 'change', base: 'main', title: 'change' });
  await comment('maria', '@devops status', 2);
  expect((await sweep()).asks).toHaveLength(1);
  // The forge has no forks: the same pull request as if its head were in one.
  github = {
    ...rig.github,
    readOrNull: async (call) => {
      const answer = await rig.github.readOrNull({ ...call, schema: z.any() });
      if (!call.route.includes('/pulls/')) return call.schema.parse(answer);
      const { head } = answer as { head: object };
      return call.schema.parse({ ...answer, head: { ...head, repo: { full_name: 'visitor/shop' } } });
    },
  };
  await comment('maria', '@devops check database', 2);
  const seen = await sweep();
  expect(seen.asks).toHaveLength(1);
  expect(seen.events).toEqual([expect.stringContaining('from a fork')]);
});

it('DIAG-2: our answer ends the question; the same words of somebody else do not', async () => {
  const id = await comment('dev', '@devops status');
  const url = (await sweep()).details[0]?.url ?? '';
  expect(url).toContain(`#issuecomment-${id}`);
  const answer = diagnosticAnswer({
    request: { kind: 'status' },
    version: '0.1.0',
    atMs: clockMs,
    where: 'shop, production',
    services: [],
    checks: [],
    findings: [],
    logs: null,
    problems: [],
    answer: null,
    mention: '@devops',
    asked: { by: 'dev', url },
  });
  await comment('stranger', answer);
  expect((await sweep()).asks).toHaveLength(1);
  await comment('agent', answer);
  const ended = await sweep();
  expect([ended.asks, ended.events]).toEqual([[], []]);
  // A memory that was lost asks nothing again, since the answer is there.
  memory = null;
  expect((await sweep()).asks).toEqual([]);
});

it('DIAG-1: a question is dropped after 30 min, with one audit line, and an old one is not taken up', async () => {
  await comment('dev', '@devops status');
  expect((await sweep()).asks).toHaveLength(1);
  clockMs += 29 * minuteMs;
  expect((await sweep()).asks).toHaveLength(1);
  clockMs += 2 * minuteMs;
  const dropped = await sweep();
  expect(dropped.asks).toEqual([]);
  expect(dropped.events).toEqual([expect.stringContaining('within 30 min')]);
  expect((await sweep()).events).toEqual([]);
  // The loop was away for an hour, and what was asked in its first minutes is old.
  await comment('maria', '@devops status');
  clockMs += 60 * minuteMs;
  const late = await sweep();
  expect(late.asks).toEqual([]);
  expect(late.events).toEqual([expect.stringContaining('before it was seen')]);
});
