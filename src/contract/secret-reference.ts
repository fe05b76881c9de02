// How settings name a secret, and the days of a week: small types that all parts of the settings share.

/** `env:NAME` or `file:PATH`, resolved inside activities by src/config/secrets.ts (SEC-2). */
export type SecretReference = `env:${string}` | `file:${string}`;

export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof weekdays)[number];

/** True for `env:NAME` and `file:PATH`; says nothing about whether it resolves. */
export function isSecretReference(value: string): value is SecretReference {
  return /^(env|file):./.test(value);
}
