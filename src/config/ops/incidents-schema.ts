// `incidents` and `diagnostics` of a workspace (INC-1 to INC-5, DIAG-1).
import * as z from 'zod';
import { incidentLevels } from '../../contract/ops/settings.ts';
import { duration, list, plainName, reference } from '../schema-fields.ts';
import { alertUrl } from '../tenant-secret-fields.ts';
import { usualReference } from '../usual-names.ts';

const span = (text: string, max = '24h') => duration({ min: '1m', max }, text).prefault(text);

export const Incidents = z
  .strictObject({
    mention: list(
      z
        .string()
        .regex(/^@[A-Za-z0-9][A-Za-z0-9-]{0,38}(?:\/[A-Za-z0-9][A-Za-z0-9._-]{0,99})?$/)
        .meta({ examples: ['@acme/oncall'] }),
    )
      .default([])
      .describe('Logins or teams that the issue of an incident mentions when a person is needed.'),
    escalation: z
      .strictObject({
        sev1: span('5m', '10m').describe(
          'After detection a sev1 that nobody acknowledged goes to a person; at most 10m.',
        ),
        sev2: span('15m', '15m').describe('The same for a sev2; at most 15m.'),
        remindSev1: span('30m').describe('Reminders of a sev1 until it is acknowledged.'),
        remindSev2: span('2h').describe('Reminders of a sev2.'),
      })
      .prefault({})
      .describe('When people are called.'),
    lowerAfter: duration({ min: '1s', max: '1h' }, '5m')
      .prefault('5m')
      .describe('A severity falls only after it was lower for so long.'),
    raise: list(
      z.strictObject({
        checks: list(plainName('login')).min(1).describe('Names of health checks.'),
        count: z.int().min(1).max(500).default(1).describe('When so many of them fail at once.'),
        level: z.enum(incidentLevels).describe('It is at least this.'),
      }),
    )
      .default([])
      .describe('Rules over which checks fail, beside the level of each check.'),
    devopsApi: z
      .exactOptional(
        z.strictObject({
          url: alertUrl()
            .prefault(usualReference('backendUrl'))
            .describe('Address of the backend, or a reference to it.'),
          secret: reference('env:DEVOPS_API_SECRET')
            .prefault(usualReference('devopsApiSecret'))
            .describe('Reference to the secret of its DevOps API.'),
        }),
      )
      .describe("The backend's DevOps API: health, stats, clearing of stale sessions and orphans."),
    codeAgent: z
      .exactOptional(
        z.discriminatedUnion('kind', [
          z.strictObject({
            kind: z.literal('dispatch').describe('A repository_dispatch event.'),
            eventType: plainName('incident').describe('Its event_type.'),
          }),
          z.strictObject({
            kind: z.literal('label').describe('A label on the issue of the incident.'),
            label: z
              .string()
              .min(1)
              .max(50)
              .meta({ examples: ['code-agent'] })
              .describe('Its name.'),
          }),
        ]),
      )
      .describe('What is started when the evidence points to code.'),
  })
  .transform(({ escalation, lowerAfter, ...rest }) => ({
    ...rest,
    lowerAfterMs: lowerAfter,
    escalation: {
      sev1Ms: escalation.sev1,
      sev2Ms: escalation.sev2,
      remindSev1Ms: escalation.remindSev1,
      remindSev2Ms: escalation.remindSev2,
    },
  }));

export const Diagnostics = z.strictObject({
  mention: z
    .string()
    .regex(/^@[A-Za-z0-9][A-Za-z0-9-]{0,38}$/)
    .default('@devops')
    .describe('What is answered.'),
  apps: list(z.int().min(1)).default([]).describe('Numeric ids of apps or agents that may ask as well.'),
});
