// No secret in anything that stays (SEC-2, MIG-3, DUR-4): planted values are printed by every command and log that can, then the raw histories,
// every table, everything on the forge and the worker's log are searched for them, plain, encoded, and inside of encoded text.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { remedyWorkflowId, tenantWorkflowId } from '../../src/contract/names.ts';
import { createTestDatabase } from '../support/database.ts';
import { createWorld, type World, whole } from './rig.ts';

const run = promisify(execFile);

/** Names of planted values found in a text, and in what its base64 and hex hold. */
function leaks(text: string, planted: Readonly<Record<string, string>>): readonly string[] {
  const decoded = [
    ...(text.match(/[A-Za-z0-9+/_-]{16,}={0,2}/g) ?? []).map((part) =>
      Buffer.from(part, 'base64').toString('utf8'),
    ),
    ...(text.match(/(?:[0-9a-f]{2}){12,}/gi) ?? []).map((part) => Buffer.from(part, 'hex').toString('utf8')),
  ].join('\n');
  const found: string[] = [];
  for (const [name, value] of Object.entries(planted)) {
    const forms = [
      value,
      encodeURIComponent(value),
      JSON.stringify(value).slice(1, -1),
      Buffer.from(value).toString('base64').replace(/=+$/, ''),
      Buffer.from(value).toString('base64url'),
      Buffer.from(value).toString('hex'),
    ];
    for (const form of new Set(forms)) {
      const at = text.indexOf(form);
      if (at >= 0) found.push(`${name}: …${text.slice(Math.max(0, at - 160), at)}<HERE>`);
    }
    if (decoded.includes(value)) found.push(`${name}: encoded in a longer text`);
  }
  return found;
}

/** Everything in an event, bytes as text. */
function textOf(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  if (Array.isArray(value)) return value.map(textOf).join('\n');
  if (typeof value === 'object' && value !== null)
    return Object.entries(value)
      .map(([key, inner]) => `${key}: ${textOf(inner)}`)
      .join('\n');
  return String(value);
}

async function histories(world: World): Promise<string> {
  const ids = (await world.findings()).map((finding) =>
    remedyWorkflowId({ ...finding, tenant: world.tenant }),
  );
  const texts: string[] = [];
  for (const workflowId of [tenantWorkflowId(world.tenant), ...ids]) {
    const history = await world.temporal.client.workflow
      .getHandle(workflowId)
      .fetchHistory()
      .catch(() => undefined);
    texts.push(textOf(history?.events ?? []));
  }
  return texts.join('\n');
}

async function tables(world: World): Promise<string> {
  const { rows } = await world.own.pool.query(
    `select quote_ident(table_name) as name from information_schema.tables where table_schema = 'public'`,
  );
  const dumps: string[] = [];
  for (const { name } of rows as { name: string }[]) {
    const all = await world.own.pool.query(`select t::text as line from ${name} t`);
    dumps.push(...all.rows.map((row: { line: string }) => `${name} ${row.line}`));
  }
  return dumps.join('\n');
}

async function onForge(world: World): Promise<string> {
  const texts: string[] = [];
  for (const issue of await world.issues()) {
    texts.push(issue.title, issue.body ?? '');
    for (const comment of await world.comments(issue.number)) texts.push(comment.body);
  }
  const { stdout } = await run(
    'git',
    ['log', '--all', '-p', '--author=untilgreen', '--format=%H %an %ae %B'],
    { cwd: world.forge.repositoryPath('acme', 'shop'), maxBuffer: 100_000_000 },
  );
  return [...texts, stdout].join('\n');
}

test('SEC-2, MIG-3: planted secrets that everything prints are nowhere', { timeout: 500_000 }, async ({
  onTestFinished,
}) => {
  const mark = randomBytes(6).toString('hex');
  const driftToken = `dr1ft/Token+${mark}=="quoted" & %`;
  const password = `p@ss/word+${mark}#?`;
  const role = `shop_${mark}`;
  const database = await createTestDatabase({ empty: true });
  await database.pool.query(`create role ${role} login superuser password '${password}'`);
  const url = new URL(database.url);
  url.username = role;
  url.password = encodeURIComponent(password);
  const leaking =
    'node -e "console.error(JSON.stringify({token: process.env.DRIFT_TOKEN})); console.error(process.env.DRIFT_TOKEN, encodeURIComponent(process.env.DRIFT_TOKEN), Buffer.from(process.env.DRIFT_TOKEN).toString(\'base64\'))"';
  const environment = (name: string, more: object): object => ({
    environment: name,
    preset: 'command',
    policy: 'auto',
    env: { SHOP_ENVIRONMENTS: 'env:SHOP_ENVIRONMENTS', DRIFT_TOKEN: 'env:DRIFT_TOKEN' },
    ...more,
  });
  const planned = `node -e "console.log(JSON.stringify({drifted: true, changes: [{address: 'vault.' + process.env.DRIFT_TOKEN, action: 'update', to: process.env.DRIFT_TOKEN}]})); process.exit(2)"`;
  const world = await createWorld(
    { ...whole, test: true },
    {
      // One attempt: what failed is said in its issue at once.
      tenant: { limits: { attempts: 1 } },
      env: { SHOP_DATABASE_URL: url.href, DRIFT_TOKEN: driftToken },
      files: {
        'db/migrations/20260105000000_leak.sql': `-- migrate:up\ndo $$ begin raise exception 'cannot log in with % as %', '${password.replaceAll("'", "''")}', '${url.href}'; end $$;\n\n-- migrate:down\nselect 1;\n`,
      },
      ci: {
        fixers: [
          { name: 'formatter', match: { job: 'format', log: 'broken' }, command: 'echo x >> README.md' },
        ],
      },
      workspace: {
        drift: [
          environment('fails', { plan: `${leaking}; exit 1`, apply: 'true' }),
          environment('applies', { plan: planned, apply: `${leaking}; exit 3` }),
          environment('exports', {
            plan: planned,
            apply: 'true',
            export: {
              command: 'echo "{\\"token\\": \\"$DRIFT_TOKEN\\"}" > environments/exports.json',
              paths: ['environments/**'],
            },
            autoMerge: true,
          }),
        ],
      },
    },
  );
  onTestFinished(world.stop);
  onTestFinished(async () => {
    await database.pool.query(`reassign owned by ${role} to current_user; drop role ${role}`).catch(() => {});
    await database.drop();
  });
  const planted = { driftToken, password, githubToken: world.agentToken };
  const at = { owner: 'acme', repo: 'shop' } as const;
  await world.forge.actions.waitIdle();
  await world.forge.actions.failJob({
    ...at,
    job: 'format',
    attempts: 9,
    output: `error: broken with ${driftToken}\nerror: token ${world.agentToken}\nerror: ${url.href}\nerror: ${Buffer.from(driftToken).toString('base64')}`,
  });
  await world.forge.commitFiles({ ...at, files: { 'NOTES.md': 'notes\n' }, message: 'notes' });
  await world.forge.faults.add({ kind: 'badGateway', match: { pathPattern: 'git-upload-pack' }, times: 2 });
  // A worker that has resolved nothing yet when the log of the failing job is read.
  const first = await world.startWorkerProcess();
  await world.startLoop();
  await world.until('something is worked on', async () =>
    (await world.findings()).some(({ status }) => status === 'working'),
  );
  await first.kill();
  await world.startWorkerProcess();
  await world.until('all of it is with a person or waits', async () => {
    const findings = await world.findings();
    return (
      findings.length >= 5 &&
      findings.every(({ status }) => status === 'resolved' || status === 'escalated' || status === 'waiting')
    );
  });
  await world.cycles(2);

  const kept = {
    histories: await histories(world),
    tables: await tables(world),
    forge: await onForge(world),
    log: await readFile(join(world.dataDir, 'worker.log'), 'utf8'),
  };
  // What was printed came through, so that there was something to take out.
  expect(kept.tables).toContain('[secret:');
  expect(kept.histories).toContain('[secret:');
  expect(kept.forge).toContain('[secret:');
  expect(kept.tables).toContain('cannot log in with [secret:');
  for (const [place, text] of Object.entries(kept)) expect(leaks(text, planted), place).toEqual([]);
  // An export that would publish a secret is a person's, and says why.
  const exported = (await world.findings()).find(({ target }) => target === 'exports');
  expect(exported?.waitingFor).toMatch(/secret/);
});
