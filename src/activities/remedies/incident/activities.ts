// The activities of incidents and notices.
import { activityInfo } from '@temporalio/activity';
import type { IncidentActivities } from '../../../contract/ops/activities.ts';
import { headOf, type Services } from '../../services.ts';
import { asActivity } from '../../temporal.ts';
import { assessIncident } from './assess.ts';
import { assessNotice } from './notice.ts';
import type { IncidentParts } from './parts.ts';
import { platformReader } from './platform.ts';

/** @param uiUrl address of the Temporal UI, for the link in issues */
export function createIncidentActivities(
  services: Services,
  {
    uiUrl,
    baseBranch,
  }: { readonly uiUrl?: string | undefined; readonly baseBranch?: IncidentParts['baseBranch'] },
): IncidentActivities {
  const all: IncidentParts = {
    services,
    platform: platformReader(services),
    baseBranch:
      baseBranch ?? (async (workspace, signal) => (await headOf(services, workspace, signal)).branch),
    runUrl: () => runUrl(uiUrl),
  };
  const { redactor } = services;
  return {
    assessIncident: (question) => asActivity(redactor, (signal) => assessIncident(all, question, signal)),
    assessNotice: (question) => asActivity(redactor, () => assessNotice(all, question)),
  };
}

/** The page of the run that asks. */
function runUrl(uiUrl: string | undefined): string | null {
  if (uiUrl === undefined) return null;
  const { workflowNamespace = 'default', workflowExecution } = activityInfo();
  if (!workflowExecution) return null;
  const path = [
    workflowNamespace,
    'workflows',
    workflowExecution.workflowId,
    workflowExecution.runId,
    'history',
  ];
  return `${uiUrl.replace(/\/+$/, '')}/namespaces/${path.map(encodeURIComponent).join('/')}`;
}
