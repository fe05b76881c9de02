// The one schema of the tenant file (YAML): shape, defaults, descriptions. Its output is TenantConfig of src/contract/tenant-config.ts.
// Edge code: only src/config reads it, everything else takes the parsed config. Rules across fields are in tenant-cross-checks.ts.
import * as z from 'zod';
import { type EffectKind, effectKinds } from '../contract/effect.ts';
import { sourceKinds } from '../contract/finding.ts';
import { weekdays } from '../contract/tenant-config.ts';
import { Model } from './model-schema.ts';
import { always, duration, list, login, reference, timeZone } from './schema-fields.ts';
import { checkLimits, checkTenant, checkWorkingHours } from './tenant-cross-checks.ts';
import { alertUrl } from './tenant-secret-fields.ts';
import { defaultGitUrl, Workspace } from './workspace-schema.ts';

const autonomyLevel = z.enum(['observe', 'propose', 'act']);
const effectKind = z.enum(effectKinds);
const clock = (hour: string) =>
  z
    .string()
    .regex(/^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/)
    .meta({ examples: [hour] });
/** LOOP-8: repeats of these on one target wait this long, unless the file says otherwise; the others have no cooldown. */
const defaultCooldownsMs: { readonly [Kind in EffectKind]?: number } = {
  applyDrift: 30 * 60_000,
  applyMigrations: 30 * 60_000,
  restartService: 30 * 60_000,
  redeployService: 30 * 60_000,
  rollBackService: 30 * 60_000,
};

function everyKind<Value>(value: (kind: EffectKind) => Value): { [Kind in EffectKind]: Value } {
  return Object.fromEntries(effectKinds.map((kind) => [kind, value(kind)])) as {
    [Kind in EffectKind]: Value;
  };
}

const autonomy = z
  .strictObject({
    default: autonomyLevel
      .default('propose')
      .describe(
        'What the tenant may do: observe (alerts only), propose (pull requests, issues, comments), act.',
      ),
    effects: z
      .partialRecord(effectKind, autonomyLevel)
      .default({})
      .describe('Another level for single kinds of effect.'),
  })
  .transform((given) => ({
    default: given.default,
    effects: everyKind((kind) => given.effects[kind] ?? given.default),
  }));

const interval = (example: string) => duration({ min: '5s', max: '7d' }, example);
const cadence = z
  .strictObject({
    workingHours: z
      .strictObject({
        days: z
          .array(z.enum(weekdays))
          .max(7)
          .default(['mon', 'tue', 'wed', 'thu', 'fri'])
          .describe('Working days.'),
        from: clock('08:00').default('08:00').describe("Start of the working day in the tenant's time zone."),
        to: clock('18:00')
          .default('18:00')
          .describe('End of the working day, after its start; 24:00 is midnight.'),
        every: interval('15m').prefault('15m').describe('How often sources are read in working hours.'),
      })
      .superRefine(checkWorkingHours, always)
      .transform(({ every, ...rest }) => ({ ...rest, everyMs: every }))
      .prefault({})
      .describe('When people work, and how often sources are read then.'),
    red: interval('5m')
      .prefault('5m')
      .describe('How often sources are read while something workable is red.'),
    night: interval('30m').prefault('30m').describe('How often sources are read outside working hours.'),
    perSource: z
      .partialRecord(z.enum(sourceKinds), interval('1m'))
      .prefault({})
      .describe('A fixed interval for a source, whatever the hour; at least 5s.'),
  })
  .transform(({ red, night, perSource, ...rest }) => ({
    ...rest,
    redMs: red,
    nightMs: night,
    perSourceMs: perSource,
  }));

const limits = z
  .strictObject({
    mutatingPer5Min: z.int().min(1).max(5).default(5).describe('Mutating effects in 5 minutes; at most 5.'),
    reservedForIncidents: z
      .exactOptional(z.int().min(0).max(5))
      .describe('How many of them are kept for incidents; 2, or what mutatingPer5Min leaves.'),
    plannerSteps: z.int().min(1).max(8).default(8).describe('Steps of one remedy run; at most 8.'),
    attempts: z
      .int()
      .min(1)
      .max(3)
      .default(3)
      .describe('Attempts per finding before a person is asked; at most 3.'),
    cooldowns: z
      .partialRecord(effectKind, duration({ min: '0s', max: '30d' }, '30m'))
      .prefault({})
      .describe(
        'How long a kind of effect rests per target. Drift, migrations, restarts, redeployments, rollbacks: 30m, others: none.',
      ),
    breaker: z
      .strictObject({
        failures: z.int().min(1).max(10).default(3).describe('Failed cycles in a row that open the breaker.'),
        probeAfter: duration({ min: '1m', max: '7d' }, '1h')
          .prefault('1h')
          .describe('When the open breaker lets one probe through.'),
      })
      .transform(({ failures, probeAfter }) => ({ failures, probeAfterMs: probeAfter }))
      .prefault({})
      .describe('The circuit breaker of the tenant.'),
  })
  .superRefine(checkLimits, always)
  .transform(({ cooldowns, reservedForIncidents, ...rest }) => ({
    ...rest,
    reservedForIncidents: reservedForIncidents ?? Math.min(2, rest.mutatingPer5Min - 1),
    cooldownsMs: everyKind((kind) => cooldowns[kind] ?? defaultCooldownsMs[kind] ?? 0),
  }));

const approvals = z
  .strictObject({
    expireAfter: duration({ min: '1m', max: '90d' }, '7d')
      .prefault('7d')
      .describe('When an open approval expires.'),
    remindAfter: duration({ min: '1m', max: '30d' }, '1h').prefault('1h').describe('When it is reminded of.'),
    channels: z
      .strictObject({
        cli: z.boolean().default(false).describe('An approval by CLI is enough for mutating effects.'),
        ui: z
          .boolean()
          .default(false)
          .describe('An approval in the Temporal UI is enough for mutating effects.'),
      })
      .prefault({})
      .describe('Unverified channels that are enough for mutating effects; never for destructive ones.'),
    githubApprovers: list(login())
      .default([])
      .describe('GitHub logins whose /approve counts; empty: anybody who may write to the repository.'),
  })
  .transform(({ expireAfter, remindAfter, ...rest }) => ({
    ...rest,
    expireAfterMs: expireAfter,
    remindAfterMs: remindAfter,
  }));

const alertChannel = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('console').describe("The worker's own output.") }),
  z.strictObject({
    kind: z.literal('slack').describe('A Slack incoming webhook.'),
    webhookUrl: reference('env:SLACK_WEBHOOK_URL').describe('Reference to the address, which is a secret.'),
  }),
  z.strictObject({
    kind: z.literal('webhook').describe('A signed POST to an address.'),
    url: alertUrl().describe('Address, or a reference to it.'),
    secret: reference('env:ALERT_SECRET').describe('Reference to the secret that signs the body.'),
  }),
]);

const retention = z
  .strictObject({
    evidence: duration({ min: '1h' }, '30d')
      .prefault('30d')
      .describe('How long logs, diffs and plans are kept.'),
    resolvedFindings: duration({ min: '1h' }, '7d')
      .prefault('7d')
      .describe('How long a resolved finding stays in the list.'),
  })
  .transform((given) => ({ evidenceMs: given.evidence, resolvedFindingsMs: given.resolvedFindings }));

export const TenantFile = z
  .strictObject({
    $schema: z.exactOptional(z.string()).describe('For editors; not read.'),
    tenant: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,62}$/)
      .meta({ examples: ['acme'] })
      .describe('Name of the tenant: small letters, digits and dashes.'),
    timeZone: timeZone().default('UTC').describe('Time zone of the working hours, by its IANA name.'),
    enabled: z.boolean().default(true).describe('Whether the loop of the tenant runs.'),
    autonomy: autonomy.prefault({}).describe('What may be done without a person.'),
    cadence: cadence.prefault({}).describe('How often sources are read.'),
    limits: limits.prefault({}).describe('Bounds; they can be lowered, not raised.'),
    approvals: approvals.prefault({}).describe('How people approve.'),
    alerts: z
      .strictObject({
        channels: list(alertChannel)
          .default([{ kind: 'console' }])
          .describe('Where alerts go.'),
        digestEvery: z
          .exactOptional(duration({ min: '1m', max: '7d' }, '30m'))
          .describe(
            'While CI fails: how often the channels get a list of what fails and how far it is. Absent: never.',
          ),
      })
      .transform(({ digestEvery, ...rest }) => ({
        ...rest,
        ...(digestEvery === undefined ? {} : { digestEveryMs: digestEvery }),
      }))
      .prefault({})
      .describe('Alerts.'),
    retention: retention.prefault({}).describe('How long things are kept.'),
    model: Model.prefault({}).describe('The language model: who is asked, and for how much.'),
    workspaces: list(Workspace)
      .min(1)
      .describe('Repositories with their environments and databases; at least one.'),
  })
  .superRefine(checkTenant, always)
  .transform(({ $schema: _, workspaces, ...rest }) => ({
    ...rest,
    workspaces: workspaces.map((one) => ({
      ...one,
      github: {
        ...one.github,
        approveBy: one.github.approveBy ?? rest.approvals.githubApprovers,
        gitUrl: one.github.gitUrl ?? defaultGitUrl(one.github.apiUrl, one.github.repository),
      },
    })),
  }));
