// Questions in comments (DIAG-1) and what they are made of, as plain data.
import type { FindingRef } from '../activities.ts';
import type { CheckState } from './incident.ts';

/** The closed list of what can be asked; `question` is read by a model without tools that write, `help` gets the list of commands. */
export type DiagnosticRequest =
  | { readonly kind: 'status' }
  | { readonly kind: 'database' }
  | { readonly kind: 'user'; readonly name: string }
  | { readonly kind: 'logs'; readonly service: string }
  | { readonly kind: 'question'; readonly text: string }
  /** `problem`: why it was not understood; null: nothing was asked. */
  | { readonly kind: 'help'; readonly problem: string | null };

/** Who wrote a comment, and how it came to stand there, as the API says. */
export type Asker = {
  readonly author: { readonly login: string; readonly id: number; readonly isBot: boolean };
  /** What the author may do in the repository; null: it could not be read. */
  readonly permission: 'admin' | 'maintain' | 'write' | 'triage' | 'read' | 'none' | null;
  /** The app that wrote it; null: none. */
  readonly appId: number | null;
  /** Numeric ids of apps and agents that may ask (`diagnostics.apps`). */
  readonly allowlist: readonly number[];
  /** `unknown`: it was edited, and it cannot be told by whom. */
  readonly edited: 'never' | 'byAuthor' | 'byOther' | 'unknown';
  /** Written by the agent's own account. */
  readonly isOwn: boolean;
  /** The comment before it on the thread, or else the thread's first text, was written by a bot. */
  readonly parentIsBot: boolean;
  /** It stands on a pull request from a fork. */
  readonly onFork: boolean;
};

export type MayAsk =
  | { readonly verdict: 'allow' }
  /** Never answered, not even with a refusal: nobody can make it write by asking. */
  | { readonly verdict: 'refuse'; readonly reason: string }
  /** It cannot be told yet: looked at again. */
  | { readonly verdict: 'unknown'; readonly reason: string };

type DiagnosisPlace = { readonly tenant: string; readonly workspace: string };

export type DiagnosisRequest = DiagnosisPlace & {
  readonly request: DiagnosticRequest;
  readonly nowMs: number;
  /** The finding of a comment, whose answer is kept: the same one again gets the same words. Absent: asked in a terminal. */
  readonly ref?: FindingRef;
  /** Of the comment. */
  readonly asked?: { readonly by: string; readonly url: string };
};

export type Diagnosis = {
  /** Address (sha256) of what was read, as evidence. */
  readonly evidence: string;
  /** Address of the conversation that asks a model; null: nothing is left to ask. */
  readonly conversation: string | null;
  /** Whose budget of tokens such a call is of. */
  readonly about: FindingRef;
  /** The answer that this finding was given before. */
  readonly body?: string;
};

/** What of the answer is read by programs. */
export type DiagnosisView = {
  readonly request: string;
  readonly services: readonly {
    readonly name: string;
    readonly health: string;
    readonly rawStatus: string;
    readonly sinceMs: number | null;
    readonly image: string | null;
  }[];
  readonly checks: readonly {
    readonly name: string;
    readonly state: CheckState;
    readonly reason: string;
    readonly latencyMs: number | null;
  }[];
  readonly findings: readonly { readonly title: string; readonly lines: readonly string[] }[];
  readonly logs: {
    readonly service: string;
    readonly lines: readonly { readonly atMs: number; readonly severity: string; readonly text: string }[];
  } | null;
  readonly problems: readonly string[];
  readonly answer: string | null;
};

/** All of them read, and none can write (DIAG-2). */
export type DiagnosticActivities = {
  readonly gatherDiagnosis: (request: DiagnosisRequest) => Promise<Diagnosis>;
  /** `conversation`: with the model's answer at its end; null: none could be asked, for `reason`. */
  readonly writeDiagnosis: (
    request: DiagnosisPlace & {
      readonly evidence: string;
      readonly conversation: string | null;
      readonly reason: string;
      readonly ref?: FindingRef;
    },
  ) => Promise<{ readonly body: string; readonly view: DiagnosisView }>;
};
