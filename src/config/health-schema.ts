// Health checks of a workspace (HEALTH-1): shape, defaults, descriptions. Its output is HealthSettings of src/contract/ops/health-settings.ts.
// Rules across fields are in health-cross-checks.ts.
import * as z from 'zod';
import { httpMethods } from '../contract/ops/health-settings.ts';
import { incidentLevels } from '../contract/ops/settings.ts';
import { weekdays } from '../contract/secret-reference.ts';
import {
  checkHealth,
  checkLogin,
  checkPage,
  checkRequest,
  checkTls,
  checkWindow,
} from './health-cross-checks.ts';
import {
  checkEvery,
  checkTimeout,
  confirmWithin,
  headerValues,
  jsonPath,
  linearRegex,
  productionUrl,
  statusRange,
  urlPath,
} from './health-fields.ts';
import { always, duration, list, plainName, reference } from './schema-fields.ts';
import { usualReference } from './usual-names.ts';

const level = z.enum(incidentLevels);
const levelText =
  'How bad it is when it fails: sev1 production down, sev2 a major feature broken, sev3 minor.';

const every = {
  name: plainName('backend').describe('Name, unique in the workspace.'),
  timeout: checkTimeout().prefault('10s').describe('Most time of one reading; at most 15s.'),
  every: z.exactOptional(checkEvery()).describe('How often it is read; at most 4m, which is the default.'),
  services: list(z.string().min(1).max(128))
    .default([])
    .describe('Services involved: whose logs are collected when it fails.'),
};

type Timed = { readonly timeout: number; readonly every?: number };
function timed<Given extends Timed>({ timeout, every: interval, ...rest }: Given) {
  return { ...rest, timeoutMs: timeout, ...(interval === undefined ? {} : { everyMs: interval }) };
}

const expectation = z
  .strictObject({
    status: list(statusRange())
      .min(1)
      .prefault(['2xx'])
      .describe('Statuses that are right: 200, 2xx, 200-204.'),
    contains: list(z.string().min(1).max(4096)).default([]).describe('Texts that are all in the body.'),
    matches: z.exactOptional(linearRegex()).describe('Regular expression (RE2) over the body.'),
    json: z
      .record(jsonPath(), z.union([z.string().max(4096), z.number(), z.boolean(), z.null()]))
      .default({})
      .describe('Values of a JSON body by their path, like "db.up: true".'),
    maxLatency: z
      .exactOptional(duration({ min: '1ms', max: '15s' }, '2s'))
      .describe('A right answer that takes longer is a failure.'),
  })
  .transform(({ maxLatency, ...rest }) => ({
    ...rest,
    ...(maxLatency === undefined ? {} : { maxLatencyMs: maxLatency }),
  }));

const request = (usual: 'backendUrl' | 'frontendUrl', path: string) => ({
  url: productionUrl('https://shop.example.com')
    .prefault(usualReference(usual))
    .describe('Address, http or https, or a reference to it.'),
  path: urlPath(path).default('').describe('What comes after the address.'),
  headers: headerValues()
    .default({})
    .describe('Headers: references (env:NAME, file:/path), or plain text that is no secret.'),
  redirects: z
    .int()
    .min(0)
    .max(10)
    .default(3)
    .describe('Redirects that are followed; to another host without headers and body.'),
});
const sent = {
  method: z.enum(httpMethods).default('GET').describe('Method.'),
  json: z
    .exactOptional(z.record(z.string(), z.json()).transform((value) => JSON.stringify(value)))
    .describe('Body as JSON.'),
  form: z.exactOptional(z.record(z.string(), z.string().max(8192))).describe('Body as fields of a form.'),
  body: z.exactOptional(z.string().max(65_536)).describe('Body as text.'),
};

const http = z
  .strictObject({
    kind: z.literal('http').describe('The backend answers.'),
    ...every,
    level: level.default('sev1').describe(levelText),
    ...request('backendUrl', '/health'),
    ...sent,
    expect: expectation.prefault({}).describe('What is right.'),
  })
  .superRefine(checkRequest, always)
  .transform(timed);

const content = z
  .strictObject({
    kind: z.literal('content').describe('A page of the frontend loads.'),
    ...every,
    level: level.default('sev1').describe(levelText),
    ...request('frontendUrl', '/'),
    expect: expectation
      .prefault({})
      .describe('What is right, besides being HTML; needs contains or matches.'),
  })
  .superRefine(checkPage, always)
  .transform((given) => timed({ ...given, method: 'GET' as const }));

const placeholderName = (example: string) =>
  z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9_]{0,62}$/)
    .meta({ examples: [example] });

const step = z.strictObject({
  name: plainName('login').describe('Name, for people.'),
  ...request('backendUrl', '/api/login'),
  ...sent,
  expect: expectation.prefault({}).describe('What is right.'),
  take: list(
    z.strictObject({
      name: placeholderName('token').describe(`Later steps have it as \${name}.`),
      from: z.enum(['json', 'header', 'cookie']).describe('Where it is in the answer.'),
      at: z.string().min(1).max(512).describe('Path in the JSON, or name of the header or cookie.'),
    }),
  )
    .default([])
    .describe('Values for later steps.'),
});

const login = z
  .strictObject({
    kind: z.literal('login').describe('A canary user can log in.'),
    ...every,
    level: level.default('sev1').describe(levelText),
    secrets: z
      .record(placeholderName('password'), reference('env:CANARY_PASSWORD'))
      .default({})
      .describe(`What \${name} in path, headers and body stands for: references.`),
    steps: list(step).min(1).max(10).describe('Requests in order, with the cookies of those before.'),
  })
  .superRefine(checkLogin, always)
  .transform(timed);

const database = z
  .strictObject({
    kind: z.literal('database').describe('The database answers.'),
    ...every,
    level: level.default('sev1').describe(levelText),
    url: reference('env:DATABASE_URL')
      .prefault(usualReference('databaseUrl'))
      .describe('Reference to the connection string.'),
  })
  .transform(timed);

const tls = z
  .strictObject({
    kind: z.literal('tls').describe('The certificate is valid, and for some days more.'),
    ...every,
    level: level.default('sev3').describe('How bad it is when few days are left.'),
    levelInvalid: level
      .default('sev1')
      .describe('How bad it is when it has expired or is not valid for the host: nobody gets in.'),
    url: productionUrl('https://shop.example.com')
      .prefault(usualReference('frontendUrl'))
      .describe('https address, or a reference to it.'),
    warnDays: z
      .int()
      .min(1)
      .max(90)
      .default(14)
      .describe('Fewer days left: a failure. Short-lived certificates: the last third of their life.'),
  })
  .superRefine(checkTls, always)
  .transform(timed);

const devops = z
  .strictObject({
    kind: z.literal('devops').describe("The backend's DevOps API says that it is well."),
    ...every,
    level: level.default('sev2').describe(levelText),
    url: productionUrl('https://api.example.com')
      .prefault(usualReference('backendUrl'))
      .describe('Address of the backend, or a reference to it.'),
    secret: reference('env:DEVOPS_API_SECRET')
      .prefault(usualReference('devopsApiSecret'))
      .describe('Reference to the secret of the DevOps API.'),
  })
  .transform(timed);

const instant = z.iso
  .datetime({ offset: true })
  .meta({ examples: ['2027-01-31T22:00:00Z'] })
  .transform((text) => Date.parse(text));
const clock = (hour: string) =>
  z
    .string()
    .regex(/^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/)
    .meta({ examples: [hour] });
const reason = z.string().max(200).default('').describe('Why, for people.');

const maintenance = z.discriminatedUnion('kind', [
  z
    .strictObject({
      kind: z.literal('once').describe('One time.'),
      from: instant.describe('Start: date and time with its offset.'),
      to: instant.describe('End; at most 7 days later.'),
      reason,
    })
    .superRefine(checkWindow, always)
    .transform(({ from, to, ...rest }) => ({ ...rest, fromMs: from, toMs: to })),
  z
    .strictObject({
      kind: z.literal('weekly').describe('Every week.'),
      days: z.array(z.enum(weekdays)).min(1).max(7).describe('Days on which it starts.'),
      from: clock('22:00').describe("Start in the tenant's time zone."),
      to: clock('02:00').describe('End; before "from": on the next day.'),
      reason,
    })
    .superRefine(checkWindow, always),
]);

/** `health` of a workspace. */
export const Health = z
  .strictObject({
    checks: list(z.discriminatedUnion('kind', [http, content, login, database, tls, devops]))
      .default([])
      .describe('What is asked of production.'),
    confirmWithin: z
      .exactOptional(confirmWithin())
      .describe(
        'A first failure is read three times more within this time before it counts; at most 45s, which is the default.',
      ),
    maintenance: list(maintenance).default([]).describe('When failures are expected.'),
  })
  .superRefine(checkHealth, always)
  .transform(({ confirmWithin: within, ...rest }) => ({
    ...rest,
    ...(within === undefined ? {} : { confirmWithinMs: within }),
  }));
