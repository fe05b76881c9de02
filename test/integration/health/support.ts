// Settings of checks as a tenant file gives them, and how a test runs them.
import { Health } from '../../../src/config/health-schema.ts';
import type { HealthCheck } from '../../../src/contract/ops/health-settings.ts';
import { type CheckReading, runCheck } from '../../../src/integrations/health/run-check.ts';

export type Env = { readonly [name: string]: string };

/** With the defaults that the tenant file has. */
export function checkOf(given: object): HealthCheck {
  const [check] = Health.parse({ checks: [{ name: 'one', timeout: '5s', ...given }] }).checks;
  if (check === undefined) throw new Error('no check');
  return check;
}

/** A reading; references are `env:NAME` of `env`. */
export async function reading(given: object, env: Env = {}): Promise<CheckReading> {
  return runCheck(checkOf(given), {
    signal: new AbortController().signal,
    resolve: async (reference, field) => {
      const value = env[reference.replace(/^env:/, '')];
      if (value === undefined) throw new Error(`${field}: ${reference} is not set`);
      return value;
    },
  });
}
