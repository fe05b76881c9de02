// What people and events send to a loop, read with care: anybody who reaches Temporal may send any JSON. Validators refuse it with field, value and
// fix (DUR-4); what a signal brings cannot be refused.
import { ApplicationFailure } from '@temporalio/workflow';
import { failures } from '../../contract/names.ts';

export function text(field: string, value: unknown, fix: string): void {
  if (typeof value !== 'string' || value.trim() === '' || value.length > 500) invalid(field, value, fix);
}

export function scope(input: { readonly scope?: unknown; readonly value?: unknown }): void {
  const { scope: given, value } = input;
  if (given === undefined || given === 'tenant') return;
  if (given !== 'workspace' && given !== 'effect')
    invalid('scope', given, 'write "tenant", "workspace" or "effect"');
  text('value', value, `name the ${String(given)}`);
}

/** Whoever may send this message is not known: it never counts as a channel whose sender is verified (LOOP-13). */
export function unverified(channel: unknown): void {
  if (channel !== undefined && channel !== 'cli' && channel !== 'ui')
    invalid('channel', channel, 'write "cli" or "ui", or leave it out');
}

export function service(value: unknown): void {
  if (value !== undefined) text('service', value, 'name the service, or leave it out');
}

export function invalid(field: string, value: unknown, fix: string): never {
  throw ApplicationFailure.nonRetryable(
    `${field}: ${clip(JSON.stringify(value) ?? 'missing')} is not valid. Fix: ${fix}`,
    failures.requestInvalid,
  );
}

export function stringList(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

/** What a person said, as it is recorded. */
export function words(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 500) : '';
}

/** Of what anybody may have sent: an object need not have a text, and an error in a handler would stop the loop for good. */
export function clip(value: unknown): string {
  const said = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return said.slice(0, 80);
}
