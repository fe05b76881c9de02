// Questions in comments (DIAG-1) and what they are made of, as plain data.

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
