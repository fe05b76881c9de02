// `services` of a workspace: where it is deployed, what is watched there, and how far its ladder goes (DEPLOY-1 to DEPLOY-5).
import * as z from 'zod';
import { incidentLevels } from '../../contract/ops/settings.ts';
import {
  absolutePath,
  address,
  always,
  duration,
  list,
  nameGlob,
  plainName,
  reference,
  refuse,
  shellLine,
} from '../schema-fields.ts';
import { usualReference } from '../usual-names.ts';

const level = z.enum(incidentLevels);
const id = () => z.uuid();

const railway = z
  .strictObject({
    kind: z.literal('railway').describe('Railway, by its GraphQL API.'),
    token: reference('env:RAILWAY_TOKEN_SW_FACTORY')
      .prefault(usualReference('railwayProjectToken'))
      .describe('Reference to the token.'),
    tokenKind: z
      .enum(['project', 'account'])
      .default('project')
      .describe('project: a project token. account: one of an account or a workspace; needs both ids.'),
    projectId: z.exactOptional(id()).describe('Id of the project.'),
    environmentId: z.exactOptional(id()).describe('Id of the environment.'),
    apiUrl: address('https://backboard.railway.com/graphql/v2')
      .prefault('https://backboard.railway.com/graphql/v2')
      .describe('Address of the API; http only to this machine.'),
    requestsPerHour: z
      .int()
      .min(10)
      .max(100_000)
      .default(1000)
      .describe('Most requests per hour and token; 30 % are kept for incidents.'),
    requestsPerSecond: z.int().min(1).max(1000).default(10).describe('Most requests per second and token.'),
  })
  .superRefine((value, context) => {
    if (value.tokenKind !== 'account') return;
    for (const field of ['projectId', 'environmentId'] as const)
      if (value[field] === undefined)
        refuse(
          context,
          [field],
          'is missing: an account token does not say which one is meant',
          `add ${field}: <id>`,
        );
  }, always);

const command = z
  .strictObject({
    kind: z.literal('command').describe('Services of one machine, by command lines.'),
    status: shellLine().describe(
      'Shell line that prints a JSON list of { name, status, deployment, sinceMs, image }.',
    ),
    logs: shellLine().describe('Shell line that prints the newest lines of $SERVICE; $LINES says how many.'),
    restart: shellLine().describe('Shell line that restarts $SERVICE.'),
    redeploy: z.exactOptional(shellLine()).describe('Shell line that deploys $SERVICE again.'),
    rollBack: z
      .exactOptional(shellLine())
      .describe('Shell line that makes $DEPLOYMENT the live one of $SERVICE.'),
    directory: z
      .exactOptional(absolutePath())
      .describe("Where they run; by default a folder of the worker's cache."),
    timeout: duration({ min: '1s', max: '10m' }, '30s').prefault('30s').describe('Most time of one of them.'),
    dashboardUrl: z.exactOptional(address('https://dashboard.example.com')).describe('A page for people.'),
  })
  .transform(({ timeout, ...rest }) => ({ ...rest, timeoutMs: timeout }));

/** Fixed: so that what was seen after a step, in two readings at the fastest cadence, says whether it helped. */
const leastProof = '10s';

const ladder = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe('Whether a service that is down is restarted, redeployed, rolled back (with approval).'),
    unhealthyFor: duration({ min: leastProof, max: '1h' }, '5m')
      .prefault('5m')
      .describe('How long it must be down before the first step.'),
    healthyFor: duration({ min: leastProof, max: '1h' }, '5m')
      .prefault('5m')
      .describe('How long it must be up to be recovered.'),
    restarts: z.int().min(0).max(2).default(2).describe('Most restarts before a person is asked; at most 2.'),
  })
  .transform(({ unhealthyFor, healthyFor, ...rest }) => ({
    ...rest,
    unhealthyForMs: unhealthyFor,
    healthyForMs: healthyFor,
  }));

const version = z
  .strictObject({
    name: plainName('postgres').describe('Name, for people.'),
    service: z.exactOptional(plainName('backend')).describe("The service whose image's tag is compared."),
    current: z
      .exactOptional(z.string().min(1).max(100))
      .describe('The version in use, where no service has it.'),
    url: address('https://api.github.com/repos/acme/shop/releases/latest').describe(
      'Answers with JSON about the newest version.',
    ),
    path: z
      .string()
      .regex(/^[A-Za-z0-9_$-]+(?:\.[A-Za-z0-9_$-]+){0,9}$/)
      .meta({ examples: ['tag_name'] })
      .describe('Where the version stands in the answer, like tag_name or info.version.'),
  })
  .superRefine((value, context) => {
    if (value.service !== undefined || value.current !== undefined) return;
    refuse(
      context,
      ['service'],
      'is missing, and so is "current"',
      'add service: <name> or current: <version>',
    );
  }, always);

const backup = z
  .strictObject({
    name: plainName('shop').describe('Name, for people.'),
    command: shellLine().describe('Shell line that prints the time of the latest backup (ISO 8601).'),
    maxAge: duration({ min: '1m' }, '24h').prefault('24h').describe('Older than this: a warning.'),
  })
  .transform(({ maxAge, ...rest }) => ({ ...rest, maxAgeMs: maxAge }));

/** `services` of a workspace. */
export const Services = z.strictObject({
  provider: z.discriminatedUnion('kind', [railway, command]).describe('Where the services run.'),
  environment: plainName('production')
    .default('production')
    .describe('Name of the environment, for people and records.'),
  watch: list(nameGlob())
    .min(1)
    .default(['*'])
    .describe('Globs over names of services; others are neither watched nor touched.'),
  level: z
    .strictObject({
      default: level.default('sev2').describe('How bad it is when a service is down.'),
      byService: z
        .record(z.string().min(1).max(100), level)
        .default({})
        .describe('Another level for single services, by name.'),
    })
    .prefault({})
    .describe('sev1: production down, sev2: a major feature broken, sev3: minor.'),
  ladder: ladder.prefault({}).describe('What is tried when a service is down.'),
  versions: list(version)
    .default([])
    .describe('Versions that are compared with the newest ones; never changed.'),
  backups: list(backup).default([]).describe('Backups whose age is watched.'),
});
