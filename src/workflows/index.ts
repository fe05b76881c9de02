// The only entry of the workflow bundle.
export { aftercare } from './aftercare.ts';
export { tenantLoop } from './loop/tenant.ts';
export { ciRemedy } from './remedies/ci.ts';
export { driftRemedy } from './remedies/drift.ts';
export { migrationRemedy } from './remedies/migration.ts';
