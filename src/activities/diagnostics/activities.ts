// The activities of a diagnosis (DIAG-1, DIAG-2): read, and write the answer's words. The model is asked between them, by its own activity; the comment
// is an effect like any other. None of these changes anything outside.
import { readFileSync } from 'node:fs';
import type { FindingRef } from '../../contract/activities.ts';
import type {
  Diagnosis,
  DiagnosisRequest,
  DiagnosisView,
  DiagnosticActivities,
} from '../../contract/ops/diagnosis.ts';
import type { DiagnosticRequest } from '../../contract/ops/diagnostics.ts';
import { lastText } from '../../integrations/anthropic/conversation.ts';
import { redactText } from '../../logs/redact/redact-text.ts';
import { type DiagnosticView, diagnosticAnswer } from '../../policy/ops/diagnostics/diagnostic-answer.ts';
import { readMention } from '../../policy/ops/diagnostics/mention.ts';
import { requestText } from '../../policy/ops/diagnostics/what-to-read.ts';
import { appendAudit } from '../../store/audit.ts';
import { sha256, storableJson } from '../../store/database.ts';
import { loadEvidence, saveEvidence } from '../../store/evidence.ts';
import { readMemory, remember } from '../../store/findings.ts';
import { openConversation, readConversation } from '../../store/model/conversations.ts';
import { type Services, workspaceOf } from '../services.ts';
import { asActivity } from '../temporal.ts';
import { questionConversation } from './free-question.ts';
import { gather } from './gather.ts';

/** Where the answer's address stands in the memory of a finding. */
const answerKey = 'answer';

export function createDiagnosticActivities(services: Services): DiagnosticActivities {
  const { pool, redactor } = services;
  const redact = (text: string): string => redactText(text, redactor);
  return {
    gatherDiagnosis: (request) =>
      asActivity(redactor, async (signal): Promise<Diagnosis> => {
        const { tenant } = request;
        const { config, workspace } = await workspaceOf(services, tenant, request.workspace);
        const before = request.ref && (await answerOf(request.ref));
        if (request.ref && before) return { ...before, conversation: null, about: request.ref };
        const wanted = requestOf(request);
        const view = await gather(wanted, request, {
          workspace,
          provider: () => services.provider(workspace, tenant),
          resolve: services.secrets.resolve,
          redact,
          version: ownVersion(),
          signal,
        });
        if (request.by !== undefined)
          await appendAudit(pool, {
            tenant,
            atMs: request.nowMs,
            actor: request.by,
            action: 'looked.diagnosis',
            workspace: workspace.name,
            subject: redact(requestText(wanted)).slice(0, 200),
            reason: 'asked by a person',
          });
        const retentionMs = config.retention.evidenceMs;
        const body = JSON.stringify(redactor.redactDeep(storableJson(view)));
        const evidence = await saveEvidence(pool, { tenant, kind: 'diagnosis', body, retentionMs });
        const about = request.ref ?? aboutNobody(request, evidence);
        if (wanted.kind !== 'question' || !config.model.enabled)
          return { evidence, conversation: null, about };
        const store = { db: pool, redactor, retentionMs };
        const conversation = await openConversation(store, tenant, questionConversation(view, workspace));
        return { evidence, conversation, about };
      }),
    writeDiagnosis: ({ tenant, workspace: name, evidence, conversation, reason, ref }) =>
      asActivity(redactor, async () => {
        const { config, workspace } = await workspaceOf(services, tenant, name);
        const stored = await loadEvidence(pool, tenant, evidence);
        if (stored === undefined)
          throw new Error(`diagnosis ${evidence.slice(0, 12)} is not stored any more`);
        const read = JSON.parse(stored) as DiagnosticView;
        const said =
          conversation === null ? '' : lastText(await readConversation({ db: pool }, tenant, conversation));
        const view = answered(read, redact(said.trim()), reason);
        const body = redact(diagnosticAnswer(view));
        if (ref) {
          const retentionMs = config.retention.evidenceMs;
          const answer = await saveEvidence(pool, { tenant, kind: 'diagnosis', body, retentionMs });
          await remember(pool, ref, { [answerKey]: answer });
        }
        return { body, view: viewOf(view, workspace.services?.environment ?? 'production') };
      }),
  };

  async function answerOf(ref: FindingRef): Promise<Pick<Diagnosis, 'evidence' | 'body'> | undefined> {
    const { [answerKey]: evidence } = await readMemory(pool, ref);
    if (typeof evidence !== 'string') return undefined;
    const body = await loadEvidence(pool, ref.tenant, evidence);
    return body === undefined ? undefined : { evidence, body };
  }
}

/** A terminal asks in the words of a comment. */
function requestOf({ request }: DiagnosisRequest): DiagnosticRequest {
  if (request.kind !== 'words') return request;
  const text = request.text.trim();
  return (
    readMention(`@devops ${text === '' ? 'status' : text}`, '@devops') ?? { kind: 'help', problem: null }
  );
}

/** Free words without a model get the list of what can be asked, with the reason. */
function answered(view: DiagnosticView, said: string, reason: string): DiagnosticView {
  if (view.request.kind !== 'question') return view;
  if (said !== '') return { ...view, answer: said };
  const problem = `a question in free words needs a model, and none answered${reason === '' ? '' : ` (${reason})`}`;
  return { ...view, request: { kind: 'help', problem } };
}

function viewOf(view: DiagnosticView, environment: string): DiagnosisView {
  const { request, services, checks, findings, logs, problems, answer } = view;
  return { environment, request: requestText(request), services, checks, findings, logs, problems, answer };
}

/** A question of a terminal has no finding; its tokens are counted by what was read. */
function aboutNobody({ tenant, workspace }: DiagnosisRequest, evidence: string): FindingRef {
  return { tenant, workspace, fingerprint: sha256(`diagnose ${evidence}`), occurrence: 1 };
}

let known: string | undefined;
function ownVersion(): string {
  known ??= String(
    (
      JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
        version: unknown;
      }
    ).version,
  );
  return known;
}
