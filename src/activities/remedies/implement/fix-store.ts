// What the steps of one fix hand on: cases, conversations, patches as evidence of the tenant, redacted before they are stored (SEC-2).
import type { Json } from '../../../contract/effect.ts';
import type { FixDraft, TreeRef } from '../../../contract/implement.ts';
import type { Conversation } from '../../../integrations/anthropic/conversation.ts';
import type { WorktreeValue } from '../../../integrations/git/worktree.ts';
import type { FailingCommand } from '../../../integrations/workspace/run-step.ts';
import { storableJson } from '../../../store/database.ts';
import { loadEvidence, saveEvidence } from '../../../store/evidence.ts';
import { openConversation, readConversation } from '../../../store/model/conversations.ts';
import type { Services } from '../../services.ts';
import type { Failure } from './implement-prompts.ts';

/** What every step of one fix knows. */
export type FixCase = {
  readonly failing: FailingCommand;
  readonly failure: Failure;
  readonly runUrl: string;
  /** How the checkout got its dependencies, in Markdown; absent in a case of before it was kept. */
  readonly setUp?: string;
};

export type FixStore = {
  /** Address of a value, as JSON. @throws EvidenceTooLarge */
  readonly keep: (kind: string, value: object) => Promise<string>;
  readonly keepText: (kind: string, text: string) => Promise<string>;
  /** @throws Error when it is not stored (any more) */
  readonly text: (address: string) => Promise<string>;
  /** @throws Error when it is not stored (any more) */
  readonly read: <T>(address: string) => Promise<T>;
  /** @throws ConversationTooLarge */
  readonly keepConversation: (conversation: Conversation) => Promise<string>;
  readonly conversation: (address: string) => Promise<Conversation>;
  /** A patch is kept as it is: one that would publish a secret never becomes a value. @throws EvidenceTooLarge */
  readonly keepValue: (value: WorktreeValue) => Promise<TreeRef>;
  readonly value: (tree: TreeRef) => Promise<WorktreeValue>;
};

export function fixStore(
  { pool, redactor }: Pick<Services, 'pool' | 'redactor'>,
  tenant: string,
  retentionMs: number,
): FixStore {
  const save = (kind: string, body: string): Promise<string> =>
    saveEvidence(pool, { tenant, kind, body, retentionMs });
  const load = async (address: string): Promise<string> => {
    const body = await loadEvidence(pool, tenant, address);
    if (body === undefined)
      throw new Error(`evidence ${address.slice(0, 12)} is not stored any more; see retention.evidence`);
    return body;
  };
  return {
    keep: (kind, value) => {
      const json = JSON.parse(JSON.stringify(value)) as Json;
      return save(kind, JSON.stringify(redactor.redactDeep(storableJson(json))));
    },
    keepText: (kind, text) => save(kind, redactor.redact(text)),
    text: load,
    read: async <T>(address: string) => JSON.parse(await load(address)) as T,
    keepConversation: (conversation) =>
      openConversation({ db: pool, redactor, retentionMs }, tenant, conversation),
    conversation: (address) => readConversation({ db: pool }, tenant, address),
    keepValue: async ({ baseSha, treeSha, patch }) => ({
      baseSha,
      treeSha,
      patch: patch === '' ? null : await save('patch', patch),
    }),
    value: async ({ baseSha, treeSha, patch }) => ({
      baseSha,
      treeSha,
      patch: patch === null ? '' : await load(patch),
    }),
  };
}

/** The draft of this attempt on this commit that was put aside in the finding's memory; what cannot be read is none. */
export function putAside(memory: unknown, headSha: string, attempt: number): FixDraft | undefined {
  if (typeof memory !== 'string') return undefined;
  try {
    const kept = JSON.parse(memory) as { headSha?: unknown; attempt?: unknown; draft?: FixDraft };
    return kept.headSha === headSha && kept.attempt === attempt ? kept.draft : undefined;
  } catch {
    return undefined;
  }
}
