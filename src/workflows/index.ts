// The only entry of the workflow bundle.
export { aftercare } from './aftercare.ts';
export { tenantLoop } from './loop/tenant.ts';
export { inspection, operation } from './operation.ts';
export { ciRemedy } from './remedies/ci.ts';
export { driftRemedy } from './remedies/drift.ts';
export { incidentRemedy } from './remedies/incident.ts';
export { mentionRemedy } from './remedies/mention.ts';
export { migrationRemedy } from './remedies/migration.ts';
export { noticeRemedy } from './remedies/notice.ts';
