// A fix by the model, as steps that any worker can run: each takes values and gives values. Conversations, patches and cases are evidence in
// Postgres; a history holds their addresses (sha256) only.
import type { CiDiagnosis, CiFixOutcome, FindingRef } from './activities.ts';
import type { ToolCall } from './model.ts';

/** A worktree as a value: `patch` is the address of the diff over `baseSha`, null when nothing is changed; `treeSha` is what both give. */
export type TreeRef = { readonly baseSha: string; readonly patch: string | null; readonly treeSha: string };

/** What one draft may use before it is given up. */
export type FixBounds = {
  /** Answers of the implementer. */
  readonly turns: number;
  /** Tool calls that are run of one answer; the rest is refused. */
  readonly callsPerTurn: number;
  /** Answers in a row that hold nothing that could be run. */
  readonly nonsense: number;
};

/** Where a draft stands: enough to go on after a wait of a day, on another worker, or after Temporal lost it. */
export type FixDraft = {
  /** Address of the failing command, its signature, and what it said on the base. */
  readonly fixCase: string;
  /** Address of the conversation; it ends in a user turn. */
  readonly conversation: string;
  readonly tree: TreeRef;
  readonly turns: number;
  readonly tokens: number;
  /** Answers in a row without a usable step. */
  readonly nonsense: number;
  /** The implementer is done: what is left is to verify it. */
  readonly ended: boolean;
};

/** Everything but a verified fix: the same reasons as a fixer has. */
export type NoFix = Exclude<CiFixOutcome, { readonly result: 'verified' }>;

export type OpenFixAnswer =
  | { readonly result: 'opened'; readonly draft: FixDraft; readonly bounds: FixBounds }
  | NoFix
  /** It is switched off. */
  | { readonly result: 'unavailable'; readonly reason: string; readonly untilMs: null };

type FixStep = FindingRef & { readonly fixCase: string; readonly tree: TreeRef };

export type ToolAnswer = {
  /** With the tool's result appended. */
  readonly conversation: string;
  readonly tree: TreeRef;
  /** `refused`: no such tool, or an input that does not fit it. `finished`: the model says that it is done. `full`: no room for more. */
  readonly result: 'ran' | 'refused' | 'finished' | 'full';
};

export type CheckAnswer =
  | {
      readonly result: 'passed';
      /** Address of the verifier's first conversation, which knows nothing of the implementer's. */
      readonly conversation: string;
      /** Address of what was run and measured. */
      readonly check: string;
    }
  | NoFix;

export type ImplementActivities = {
  /** Reproduces the failure on the base (CI-6) and opens the implementer's conversation, or finds the draft that was put aside. */
  readonly openFix: (
    request: FindingRef & { readonly diagnosis: CiDiagnosis; readonly attempt: number },
  ) => Promise<OpenFixAnswer>;
  /** Runs one tool call on the worktree; `refuse`: answers it with this reason instead. */
  readonly runTool: (
    request: FixStep & {
      readonly conversation: string;
      readonly call: ToolCall;
      readonly refuse?: string;
    },
  ) => Promise<ToolAnswer>;
  /** Appends a user turn of ours. `full`: no room for more. */
  readonly tellModel: (
    request: FindingRef & { readonly conversation: string; readonly text: string },
  ) => Promise<{ readonly conversation: string; readonly full?: true }>;
  /** The gate (CI-7), then the failing command before and after in fresh checkouts (CI-6). */
  readonly checkFix: (request: FixStep) => Promise<CheckAnswer>;
  /**
   * What the verifier said about a fix that passed: it can only lower. `again`: it gave no verdict that could be read. `absent`: nobody
   * could be asked, for this reason: a person gets the draft.
   */
  readonly readVerdict: (
    request: FixStep & { readonly conversation: string; readonly check: string; readonly absent?: string },
  ) => Promise<CiFixOutcome | { readonly result: 'again'; readonly conversation: string }>;
  /** One line of the trail per attempt: what came of it, why, and what it used. */
  readonly recordFix: (
    request: FindingRef & {
      readonly attempt: number;
      readonly headSha: string;
      readonly result: string;
      readonly reason: string;
      /** Markdown of what was run and drafted; empty: nothing was. */
      readonly report: string;
      /** Address of a draft that came to no verification. */
      readonly draft?: string;
      readonly turns: number;
      readonly tokens: number;
      readonly nowMs: number;
      readonly actor: string;
    },
  ) => Promise<void>;
};
