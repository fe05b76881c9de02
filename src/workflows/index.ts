// The only entry of the workflow bundle.
export { aftercare } from './aftercare.ts';
export { ciRemedy } from './ci-remedy.ts';
export { driftRemedy } from './drift-remedy.ts';
export { migrationRemedy } from './migration-remedy.ts';
export { tenantLoop } from './tenant.ts';
