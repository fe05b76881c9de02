// A tenant whose model is the scripted Claude, callers in this process, and callers in processes of their own that may be killed.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  createModelCaller,
  type ModelCaller,
  type ModelOptions,
} from '../../../src/activities/model/call.ts';
import { createServices } from '../../../src/activities/services.ts';
import { createSecretResolver } from '../../../src/config/secrets.ts';
import { parseTenantFile } from '../../../src/config/tenant-file.ts';
import type { ModelCallRequest, ModelPurpose } from '../../../src/contract/model.ts';
import type { Conversation } from '../../../src/integrations/anthropic/conversation.ts';
import { createRedactor } from '../../../src/logs/redact/redact-values.ts';
import { createPool, type Pool } from '../../../src/store/database.ts';
import { openConversation } from '../../../src/store/model/conversations.ts';
import { applyTenant } from '../../../src/store/tenants.ts';
import { type Claude, startClaude } from '../../support/claude.ts';
import { createTestDatabase } from '../../support/database.ts';
import type { ModelEnd, ModelJob } from '../../support/model-process.ts';

/** A Saturday morning. */
export const nowMs = Date.parse('2026-11-21T10:00:00Z');
export const midnightMs = Date.parse('2026-11-22T00:00:00Z');

export type ModelRig = {
  readonly pool: Pool;
  readonly databaseUrl: string;
  readonly claude: Claude;
  readonly redactor: ReturnType<typeof createRedactor>;
  /** A tenant of its own; `model` as in the tenant file, besides address and key. */
  readonly tenant: (model?: object) => Promise<string>;
  /** Stores a conversation and gives the request for its next turn. */
  readonly question: (tenant: string, asked: Asked) => Promise<ModelCallRequest>;
  readonly caller: (
    options?: ModelOptions & { readonly env?: Readonly<Record<string, string>> },
  ) => ModelCaller;
  readonly start: (job: Omit<ModelJob, 'databaseUrl'>) => ModelProcess;
  /** What the attempts of a tenant come to, oldest first. */
  readonly attempts: (tenant: string) => Promise<readonly AttemptRow[]>;
  readonly stop: () => Promise<void>;
};

export type Asked = {
  readonly purpose?: ModelPurpose;
  readonly text?: string;
  readonly conversation?: Conversation;
  readonly fingerprint?: string;
};

export type AttemptRow = {
  readonly outcome: string | null;
  readonly tokens: number | null;
  readonly reserved: number;
  readonly microUsd: number | null;
  readonly day: string;
};

export type ModelProcess = {
  readonly child: ChildProcess;
  readonly ended: Promise<NodeJS.Signals | number | null>;
  /** How each call ended; rejects when the process ends without saying so. */
  readonly ends: Promise<readonly ModelEnd[]>;
};

const entry = fileURLToPath(new URL('../../support/model-process.ts', import.meta.url));

export async function openRig(): Promise<ModelRig> {
  const claude = await startClaude();
  const database = await createTestDatabase();
  const pool = createPool(database.url);
  const redactor = createRedactor();
  const children: ModelProcess[] = [];
  let tenants = 0;
  return {
    pool,
    databaseUrl: database.url,
    claude,
    redactor,
    tenant: async (model = {}) => {
      tenants += 1;
      const file = JSON.stringify({
        tenant: `model-${tenants}`,
        model: { baseUrl: claude.url, ...model },
        workspaces: [{ name: 'shop', github: { repository: 'acme/shop' } }],
      });
      const parsed = parseTenantFile(file, { fileName: 'model.yaml' });
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
      await applyTenant(pool, parsed.config, 'test', nowMs);
      return parsed.config.tenant;
    },
    question: async (
      tenant,
      { purpose = 'triage', text = 'why is it red?', conversation, fingerprint = 'f1' },
    ) => {
      const asked = conversation ?? {
        system: 'You classify.',
        tools: [],
        messages: [{ role: 'user', content: text }],
      };
      const address = await openConversation({ db: pool, redactor, retentionMs: 86_400_000 }, tenant, asked);
      return { tenant, workspace: 'shop', fingerprint, occurrence: 1, purpose, conversation: address };
    },
    caller: ({ env, ...options } = {}) => {
      const secrets = createSecretResolver({ env: env ?? { ANTHROPIC_API_KEY: claude.apiKey }, redactor });
      return createModelCaller(createServices({ pool, redactor, secrets, cacheDir: 'none' }), options);
    },
    start: (job) => {
      const made = startModelProcess({ ...job, databaseUrl: database.url }, claude.apiKey);
      children.push(made);
      return made;
    },
    attempts: async (tenant) => {
      const { rows } = await pool.query(
        `select outcome, tokens, reserved_tokens as reserved, micro_usd as "microUsd", day::text from model_attempts where tenant = $1 order by id`,
        [tenant],
      );
      return rows;
    },
    stop: async () => {
      for (const { child } of children) child.kill('SIGKILL');
      await Promise.all(children.map(({ ended }) => ended));
      await pool.end();
      await database.drop();
      await claude.close();
    },
  };
}

export const now = (ms = nowMs) => ({ signal: AbortSignal.timeout(60_000), nowMs: ms, lastTry: false });

function startModelProcess(job: ModelJob, apiKey: string): ModelProcess {
  const child = spawn(process.execPath, [entry], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH ?? '', ANTHROPIC_API_KEY: apiKey, MODEL_JOB: JSON.stringify(job) },
  });
  const ended = once(child, 'exit').then(([code, signal]) => signal ?? code);
  const ends = (async () => {
    for await (const line of createInterface(child.stdout)) {
      const said = JSON.parse(line) as { ends?: readonly ModelEnd[] };
      if (said.ends) return said.ends;
    }
    throw new Error(`the process ended with ${await ended}`);
  })();
  ends.catch(() => {});
  return { child, ended, ends };
}
