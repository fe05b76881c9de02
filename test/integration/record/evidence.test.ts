// SEC-2, CI-6: what evidence may hold. What code reads back is kept whole or not at all; where it is not, the step of a fix says so.
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fixStore } from '../../../src/activities/remedies/implement/fix-store.ts';
import { createImplementActivities } from '../../../src/activities/remedies/implement/implement.ts';
import { createServices } from '../../../src/activities/services.ts';
import { createSecretResolver } from '../../../src/config/secrets.ts';
import { parseTenantFile } from '../../../src/config/tenant-file.ts';
import type { ImplementActivities } from '../../../src/contract/implement.ts';
import type { Conversation } from '../../../src/integrations/anthropic/conversation.ts';
import { createRedactor } from '../../../src/logs/redact/redact-values.ts';
import { EvidenceTooLarge, loadEvidence, saveEvidence } from '../../../src/store/evidence.ts';
import { applyTenant } from '../../../src/store/tenants.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { createTestRepository, type TestRepository } from '../../support/git-repository.ts';

const limit = 1_048_576;
const retentionMs = 3_600_000;
const redactor = createRedactor();

let database: TestDatabase;
let repository: TestRepository;
beforeEach(async () => {
  database = await createTestDatabase();
  repository = createTestRepository();
  const file = { tenant: 'acme', workspaces: [{ name: 'shop', github: { repository: 'acme/shop' } }] };
  const parsed = parseTenantFile(JSON.stringify(file), { fileName: 'tenant.yaml' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const workspaces = parsed.config.workspaces.map((one) => ({
    ...one,
    github: { ...one.github, gitUrl: repository.url },
  }));
  await applyTenant(database.pool, { ...parsed.config, workspaces }, 'test', 0);
});
afterEach(async () => {
  repository.remove();
  await database.drop();
});

describe('the store', () => {
  const save = (kind: string, body: string) =>
    saveEvidence(database.pool, { tenant: 'acme', kind, body, retentionMs });

  test.each(['patch', 'conversation', 'fixCase', 'fixCheck', 'whatComesLater'])(
    'a %s over the limit is refused by name and size',
    async (kind) => {
      await expect(save(kind, 'a'.repeat(limit + 1))).rejects.toThrow(EvidenceTooLarge);
      await expect(save(kind, 'a'.repeat(limit + 1))).rejects.toThrow(`the ${kind} has ${limit + 1} bytes`);
      const whole = 'a'.repeat(limit);
      expect(await loadEvidence(database.pool, 'acme', await save(kind, whole))).toBe(whole);
    },
  );

  test.each(['log', 'fixReport'])('a %s for people is cut between characters, and says so', async (kind) => {
    for (const [text, sign] of [
      ['ü'.repeat(limit), 'ü'],
      [`x${'\u{1F600}'.repeat(limit / 2)}`, '\u{1F600}'],
    ] as const) {
      const kept = await loadEvidence(database.pool, 'acme', await save(kind, text));
      expect(Buffer.byteLength(kept ?? '')).toBeLessThanOrEqual(limit);
      expect(kept).toMatch(
        new RegExp(`${sign}\\n\\(cut: the first part of ${Buffer.byteLength(text)} bytes\\)\\n$`, 'u'),
      );
    }
  });
});

describe('the steps of a fix', () => {
  const ref = { tenant: 'acme', workspace: 'shop', fingerprint: 'f'.repeat(64), occurrence: 1 };
  const long = 'line of a log\n'.repeat(80_000);
  const opening: Conversation = {
    system: 'mend it',
    tools: [],
    messages: [{ role: 'user', content: 'please' }],
  };
  let steps: ImplementActivities;
  let store: ReturnType<typeof fixStore>;
  beforeEach(() => {
    const secrets = createSecretResolver({ env: { GITHUB_TOKEN: 'x'.repeat(20) }, redactor });
    const services = createServices({
      pool: database.pool,
      redactor,
      secrets,
      cacheDir: `${repository.dir}/cache`,
    });
    steps = createImplementActivities(services);
    store = fixStore(services, 'acme', retentionMs);
  });
  const run = <T>(work: () => Promise<T>): Promise<T> => new MockActivityEnvironment().run(work);

  test('a case or a check that would be cut is no case', async () => {
    await expect(store.keep('fixCase', { log: long })).rejects.toThrow(EvidenceTooLarge);
    await expect(store.keep('fixCheck', { lines: [long] })).rejects.toThrow(EvidenceTooLarge);
  });

  test('a word of ours that has no room in the conversation is said to have none', async () => {
    const conversation = await store.keepConversation(opening);
    expect(await run(() => steps.tellModel({ ...ref, conversation, text: long }))).toEqual({
      conversation,
      full: true,
    });
    const told = await run(() => steps.tellModel({ ...ref, conversation, text: 'go on' }));
    expect(told.full).toBeUndefined();
    expect(told.conversation).not.toBe(conversation);
  });

  test('a result of a tool that has no room ends the conversation where it was', async () => {
    const sha = repository.commit({ 'a.txt': `${'some text\n'.repeat(3_000)}` });
    const treeSha = repository.git('rev-parse', `${sha}^{tree}`);
    const tree = await store.keepValue({ baseSha: sha, treeSha, patch: '' });
    const signature = { tests: [], lines: [] };
    const failing = { command: 'true', shell: 'bash', env: {}, jobName: 'test', stepName: 'test', signature };
    const fixCase = await store.keep('fixCase', { failing, failure: {}, runUrl: '' });
    const call = { id: 'call', name: 'str_replace_based_edit_tool' };
    const input = { command: 'view', path: 'a.txt' };
    const endingIn = (first: string) =>
      store.keepConversation({
        ...opening,
        messages: [
          { role: 'user', content: first },
          { role: 'assistant', content: [{ type: 'tool_use', ...call, input }] },
        ],
      });
    const short = await endingIn('please');
    const ran = await run(() => steps.runTool({ ...ref, fixCase, tree, conversation: short, call }));
    expect(ran).toMatchObject({ result: 'ran', tree });
    const nearlyFull = await endingIn('a'.repeat(limit - 1_000));
    const full = await run(() => steps.runTool({ ...ref, fixCase, tree, conversation: nearlyFull, call }));
    expect(full).toEqual({ result: 'full', conversation: nearlyFull, tree });
  });

  test('a verdict that cannot be read, and no room to say so: a person decides', async () => {
    const sha = repository.commit({ 'a.txt': 'one\n' });
    const treeSha = repository.git('rev-parse', `${sha}^{tree}`);
    const tree = await store.keepValue({ baseSha: sha, treeSha, patch: 'diff\n' });
    const seen = { command: 'make', exitCode: 1, lines: ['no'] };
    const check = await store.keep('fixCheck', {
      before: seen,
      after: [seen, seen],
      files: ['a.txt'],
      lines: 1,
      failedTests: [],
    });
    const fixCase = await store.keep('fixCase', {
      failing: {},
      failure: {},
      runUrl: 'https://example.com/run',
    });
    const saying = (content: string) =>
      store.keepConversation({
        ...opening,
        messages: [
          { role: 'user', content },
          { role: 'assistant', content: [{ type: 'text', text: 'fine' }] },
        ],
      });
    const around = Buffer.byteLength(await store.text(await saying('')));
    const conversation = await saying('a'.repeat(limit - around));
    const answer = await run(() => steps.readVerdict({ ...ref, fixCase, tree, check, conversation }));
    expect(answer).toMatchObject({
      result: 'gated',
      reason: expect.stringContaining('the conversation has'),
    });
  });
});
