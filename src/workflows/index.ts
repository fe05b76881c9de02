// The only entry of the workflow bundle.
export { ciRemedy } from './ci-remedy.ts';
export { driftRemedy } from './drift-remedy.ts';
export { migrationRemedy } from './migration-remedy.ts';
export { tenantLoop } from './tenant.ts';
