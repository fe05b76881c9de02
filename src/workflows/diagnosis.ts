// A diagnosis (DIAG-1, DIAG-2): read, ask a model where the question is in free words, write the answer's words. Changes nothing outside.
import { ActivityFailure } from '@temporalio/workflow';
import type { QueueNames } from '../contract/names.ts';
import type { DiagnosisRequest, DiagnosisView } from '../contract/ops/diagnosis.ts';
import type { Inspected, InspectionInput } from '../contract/ops/operation.ts';
import { diagnosticActivities, questionActivities } from './activities.ts';

/** Asked in a terminal, or in the Temporal UI (OPS-1). */
export async function diagnosisOf(input: InspectionInput): Promise<Inspected> {
  const { tenant, workspace, by, queues, question = '' } = input;
  const request = { kind: 'words', text: question } as const;
  const { body, view } = await diagnose(queues, { tenant, workspace, by, request, nowMs: Date.now() });
  return {
    workspace,
    environment: view?.environment ?? '',
    ...(view === undefined ? {} : { diagnosis: { ...view, markdown: body } }),
  };
}

/** `view` is absent where the answer was written before. */
export async function diagnose(
  queues: QueueNames,
  request: DiagnosisRequest,
): Promise<{ readonly body: string; readonly view?: DiagnosisView }> {
  const { tenant, workspace, ref } = request;
  const work = diagnosticActivities(queues, request.request.kind);
  const { evidence, conversation, about, body } = await work.gatherDiagnosis(request);
  if (body !== undefined) return { body };
  const said =
    conversation === null
      ? { conversation: null, reason: '' }
      : await askModel(queues, { ...about, conversation });
  return work.writeDiagnosis({ tenant, workspace, evidence, ...said, ...(ref === undefined ? {} : { ref }) });
}

/** Somebody waits: what is busy for long is as good as away. */
async function askModel(
  queues: QueueNames,
  question: DiagnosisQuestion,
): Promise<{ readonly conversation: string | null; readonly reason: string }> {
  try {
    const answer = await questionActivities(queues, 'a question').callModel({
      ...question,
      purpose: 'triage',
      nowMs: Date.now(),
    });
    if (answer.result === 'answered') return { conversation: answer.conversation, reason: '' };
    return { conversation: null, reason: answer.reason };
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    return { conversation: null, reason: 'no answer in time' };
  }
}

type DiagnosisQuestion = Pick<
  Parameters<ReturnType<typeof questionActivities>['callModel']>[0],
  'tenant' | 'workspace' | 'fingerprint' | 'occurrence' | 'conversation'
>;
