// Fields that may hold a reference or plain text: a plain secret is refused there, and never repeated (SEC-2).
import * as z from 'zod';
import { isSecretReference } from '../contract/tenant-config.ts';
import { addressProblem, referencePattern, refuse } from './schema-fields.ts';
import { namesSecret } from './secret-shapes.ts';

/** An address that may be called, or a reference to one. */
export function alertUrl() {
  return z
    .string()
    .max(2048)
    .meta({ examples: ['https://alerts.example.com/hook'] })
    .superRefine((text, context) => {
      const fix = 'write an https address, or a reference like "env:ALERT_URL"';
      if (isSecretReference(text)) {
        if (!referencePattern.test(text)) refuse(context, [], 'is not a reference', fix);
        return;
      }
      const reason = addressProblem(text);
      if (reason) refuse(context, [], reason, fix);
    });
}

/** Variables of a command: references, or plain text under a name that does not say secret. */
export function environmentValues() {
  return z
    .record(
      z
        .string()
        .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/)
        .describe('Name of the variable.'),
      z.string().max(8192),
    )
    .superRefine((values, context) => {
      for (const [name, value] of Object.entries(values)) {
        if (isSecretReference(value)) {
          if (!referencePattern.test(value)) {
            refuse(context, [name], 'is not a reference', 'write env:NAME or file:/absolute/path');
          }
        } else if (value !== '' && namesSecret(name)) {
          const fix = `put the value into the worker's environment and write env:${name}, or file:/path/to/it`;
          refuse(context, [name], 'is a plain value where a reference to a secret belongs', fix, true);
        }
      }
    });
}
