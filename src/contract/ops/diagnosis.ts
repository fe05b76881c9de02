// What is read to answer a question, and the answer (DIAG-2), as workflows, activities and clients see it.
import type { FindingRef } from '../activities.ts';
import type { DiagnosticRequest } from './diagnostics.ts';
import type { CheckState } from './incident.ts';
import type { ServiceHealth } from './ladder.ts';
import type { LogLine } from './platform.ts';

type DiagnosisPlace = { readonly tenant: string; readonly workspace: string };

export type DiagnosisRequest = DiagnosisPlace & {
  /** `words`: as they were typed in a terminal. */
  readonly request: DiagnosticRequest | { readonly kind: 'words'; readonly text: string };
  readonly nowMs: number;
  /** Who looks, for the audit trail; absent: a comment's finding says it. */
  readonly by?: string;
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
  readonly environment: string;
  readonly request: string;
  readonly services: readonly {
    readonly name: string;
    readonly health: ServiceHealth;
    /** The platform's own word. */
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
  /** What was read for this question beside that: a user's account, a database. Redacted. */
  readonly findings: readonly { readonly title: string; readonly lines: readonly string[] }[];
  /** Of the service that was asked about; null: none was. Oldest first, redacted. */
  readonly logs: { readonly service: string; readonly lines: readonly LogLine[] } | null;
  /** What could not be read, with the reason. */
  readonly problems: readonly string[];
  /** A model's answer to free text; null: there is none. */
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
