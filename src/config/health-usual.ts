// The checks of a workspace whose file names none, from the usual names alone (OPS-2). They expect only what every backend and every page does, so
// that a team that has set two addresses is not woken by a route it never had.
import type { HealthCheck } from '../contract/ops/health-settings.ts';
import { Health } from './health-schema.ts';
import { usualNames } from './usual-names.ts';

/** `env`: the worker's variables. Empty when none of the addresses is set. */
export function usualChecks(env: { readonly [name: string]: string | undefined }): readonly HealthCheck[] {
  const backend = env[usualNames.backendUrl.name];
  const frontend = env[usualNames.frontendUrl.name];
  const checks: object[] = [];
  if (backend) checks.push({ name: 'backend', kind: 'http', expect: { status: ['2xx', '3xx', '4xx'] } });
  if (backend && env[usualNames.devopsApiSecret.name]) checks.push({ name: 'devops-api', kind: 'devops' });
  if (frontend)
    checks.push({ name: 'frontend', kind: 'content', path: '/', expect: { matches: '(?i)<html' } });
  if (frontend && /^https:/i.test(frontend)) checks.push({ name: 'certificate', kind: 'tls' });
  return Health.parse({ checks }).checks;
}
