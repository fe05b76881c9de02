// What a check of a tenant's production answers, and what it gets. One file per kind of check implements `check`.
import type { Redactor } from '../../logs/redact/redact-values.ts';

export type CheckResult = {
  readonly ok: boolean;
  /** For people, on one line: bounded, without secrets and control characters. Whoever shows it as Markdown or HTML escapes it. */
  readonly reason: string;
  /** From the start to the end of the reading. */
  readonly latencyMs: number;
  /**
   * What was seen, by name: `status`, `code`, `stage`, `daysLeft`. `network: true`: it failed before the other side could have noticed, by the name
   * lookup or the way out: when all checks say so, it is our own network.
   */
  readonly facts: { readonly [name: string]: string | number | boolean };
};

/** A kind of check, before its times are taken. */
export type Verdict = Omit<CheckResult, 'latencyMs'>;

export type CheckContext = {
  /** Ends with the check's timeout (`TimeoutError`) or with the caller. */
  readonly signal: AbortSignal;
  /** A reference's value, resolved before; text that is no reference comes back as it is. */
  readonly value: (text: string) => string;
  /** Knows all values of the check; a check registers what it learns that is secret: tokens of a session. */
  readonly redactor: Redactor;
  /** False when a secret is too short for the redactor: then nothing that a server says is repeated. */
  readonly mayQuote: boolean;
};

/** A setting that is only wrong once its reference is resolved: the check cannot be made, which says nothing about production. */
export class CheckUnusable extends Error {
  override readonly name = 'CheckUnusable';
}
