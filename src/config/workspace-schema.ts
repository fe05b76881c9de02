// A workspace of the tenant file: repository, CI, drift, databases. A part of tenant-schema.ts, which says what the whole is.
import * as z from 'zod';
import { ciLimits, flakes, storm } from './ci-triage-schema.ts';
import { Health } from './health-schema.ts';
import { Diagnostics, Incidents } from './ops/incidents-schema.ts';
import { checkOperations } from './ops/ops-cross-checks.ts';
import { Services } from './ops/services-schema.ts';
import {
  absolutePath,
  address,
  always,
  duration,
  list,
  login,
  nameGlob,
  pathGlob,
  plainName,
  reference,
  regexSource,
  repositoryDirectory,
  shellLine,
  size,
} from './schema-fields.ts';
import { Setup } from './setup-schema.ts';
import { checkCi, checkDrift, checkWorkspace } from './tenant-cross-checks.ts';
import { environmentValues } from './tenant-secret-fields.ts';
import { usualReference } from './usual-names.ts';

const github = z.strictObject({
  repository: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,38}\/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/)
    .meta({ examples: ['acme/shop'] })
    .describe('owner/name.'),
  token: reference('env:GITHUB_TOKEN')
    .prefault(usualReference('githubToken'))
    .describe('Reference to the token.'),
  apiUrl: address('https://api.github.com')
    .prefault('https://api.github.com')
    .describe('Address of the API; http only to this machine.'),
  gitUrl: z
    .exactOptional(address('https://github.com/acme/shop.git'))
    .describe('Address that git clones; by default made from apiUrl and repository.'),
  approveBy: z
    .exactOptional(list(login()))
    .describe('GitHub logins whose /approve counts here; by default approvals.githubApprovers.'),
  activityIssue: z
    .boolean()
    .default(true)
    .describe('Write each mutating effect as a line into a rolling issue of the repository.'),
});

const fixer = z.strictObject({
  name: plainName('format').describe('Name, unique in the workspace.'),
  match: z
    .strictObject({
      workflow: z.exactOptional(nameGlob()).describe('Glob over the name of the workflow.'),
      job: z.exactOptional(nameGlob()).describe('Glob over the name of the failing job.'),
      step: z.exactOptional(nameGlob()).describe('Glob over the name of the failing step.'),
      log: z
        .exactOptional(regexSource())
        .describe('Regular expression (JavaScript, flag m) over the reduced log.'),
    })
    .describe('Which failures it is for: all given parts must match, at least one is given.'),
  command: shellLine().describe('Shell line whose result is the fix; it runs in the sandbox.'),
  setup: z.exactOptional(shellLine()).describe('Shell line that runs before it instead of ci.setup.command.'),
  paths: list(pathGlob())
    .default([])
    .describe('Globs the result may touch; empty: all that is not forbidden.'),
  maxFiles: z.int().min(1).max(100).default(5).describe('Most files the result may change.'),
  maxLines: z.int().min(1).max(20_000).default(200).describe('Most lines the result may change.'),
});

const implementer = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe('Whether a model may draft fixes where no fixer is for it, or it does not help.'),
  turns: z.int().min(1).max(200).default(30).describe('Most answers of the model for one draft.'),
  maxFiles: z.int().min(1).max(100).default(5).describe('Most files a draft may change.'),
  maxLines: z.int().min(1).max(20_000).default(200).describe('Most lines a draft may change.'),
});

/** The whole machine, or what the kernel says of it, holds the secrets of everybody (SEC-3). */
function shownPath() {
  return absolutePath().refine((path) => !/^\/+(?:(?:proc|sys|dev)(?:\/.*)?)?$/.test(path), {
    error: 'would show the sandbox the whole machine, or its processes and devices',
    params: { fix: 'name the folder that is needed, like "/usr/local/lib/tool"' },
  });
}

const sandbox = z
  .strictObject({
    mode: z
      .enum(['required', 'none'])
      .default('required')
      .describe('required: without a sandbox no command of the repository runs. none: it runs unprotected.'),
    readOnlyPaths: list(shownPath())
      .default([])
      .describe('Paths of the machine that the sandbox may read in addition.'),
    timeout: duration({ min: '1s', max: '6h' }, '10m').prefault('10m').describe('Most time of one command.'),
    memory: size(2 ** 26, '2GiB')
      .prefault('2GiB')
      .describe('Most memory of one command; at least 64MiB.'),
  })
  .transform(({ timeout, memory, ...rest }) => ({ ...rest, timeoutMs: timeout, memoryBytes: memory }));

const ci = z
  .strictObject({
    enabled: z.boolean().default(true).describe('Whether workflow runs are watched.'),
    branches: list(nameGlob())
      .default(['main', 'release/*'])
      .describe('Globs; a branch off the list is not touched.'),
    pullRequests: z
      .union([z.boolean(), list(nameGlob())])
      .default(true)
      .describe(
        'Whether branches of open pull requests are watched: true, false, or globs over their names.',
      ),
    runsPerSweep: z.int().min(30).max(1000).default(30).describe('Runs read per sweep; at least 30.'),
    rerun: z.boolean().default(true).describe('Whether failed jobs may be rerun (once).'),
    fixWorkflows: z
      .boolean()
      .default(false)
      .describe('Whether a fix may be tried where the workflow file itself is wrong; otherwise a person.'),
    flakes: flakes.prefault({}).describe('Tests that fail and pass on the same commit.'),
    storm: storm.prefault({}).describe('Many findings at once.'),
    limits: ciLimits.prefault({}).describe('How many pull requests fixes may open.'),
    soakAfter: z
      .array(duration({ min: '1m', max: '48h' }, '1h'))
      .min(1)
      .max(8)
      .prefault(['10m', '1h', '24h', '48h'])
      .describe('How long after a fix turned it green its job is checked again.'),
    fixers: list(fixer).default([]).describe('Commands whose output repairs kinds of failure.'),
    implementer: implementer.prefault({}).describe('Fixes that a model drafts and code verifies.'),
    forbiddenPaths: list(pathGlob())
      .default([])
      .describe('Globs no fix may touch, in addition to the fixed ones.'),
    setup: Setup.prefault({}).describe('How a fresh checkout gets its dependencies.'),
    sandbox: sandbox.prefault({}).describe('How commands of the repository run.'),
    commands: z
      .strictObject({
        build: z.exactOptional(shellLine()).describe('Shell line that builds.'),
        test: z.exactOptional(shellLine()).describe('Shell line that tests.'),
        lint: z.exactOptional(shellLine()).describe('Shell line that lints.'),
      })
      .default({})
      .describe("Commands of the repository; by default the failing step's own."),
  })
  .superRefine(checkCi, always)
  .transform(({ pullRequests, soakAfter, ...rest }) => ({
    ...rest,
    soakAfterMs: soakAfter,
    pullRequests: typeof pullRequests === 'boolean' ? (pullRequests ? ['**'] : []) : pullRequests,
  }));

const drift = z
  .strictObject({
    environment: plainName('production').describe('Name, unique in the workspace.'),
    preset: z
      .enum(['hybrid', 'opentofu', 'terraform', 'command'])
      .describe('Which commands are meant; command: those given here.'),
    directory: repositoryDirectory(false).default('.').describe('Where the commands run, from the root.'),
    plan: z.exactOptional(shellLine()).describe('Shell line that plans; needed for preset command.'),
    apply: z.exactOptional(shellLine()).describe('Shell line that applies.'),
    export: z
      .exactOptional(
        z.strictObject({
          command: shellLine().describe('Shell line that writes the real state into the repository.'),
          paths: list(pathGlob()).min(1).describe('Globs of the files it generates.'),
        }),
      )
      .describe('Makes drift a pull request.'),
    env: environmentValues()
      .default({})
      .describe(
        'Environment of the commands: references (env:NAME, file:/path), or plain text that is no secret.',
      ),
    autoMerge: z
      .boolean()
      .default(false)
      .describe('Merge the drift pull request without a person; needs export.'),
    policy: z.enum(['approval', 'auto']).default('approval').describe('Whether apply needs an approval.'),
    timeout: duration({ min: '1s', max: '6h' }, '5m').prefault('5m').describe('Most time of one command.'),
    exitCodes: z
      .strictObject({
        clean: z.int().min(0).max(255).default(0).describe('Exit code of a plan without changes.'),
        drifted: z.int().min(0).max(255).default(2).describe('Exit code of a plan with changes.'),
      })
      .prefault({})
      .describe('Exit codes of plan; every other one is a failure.'),
  })
  .superRefine(checkDrift, always)
  .transform(({ timeout, ...rest }) => ({ ...rest, timeoutMs: timeout }));

const database = z
  .strictObject({
    name: plainName('shop').describe('Name, unique in the workspace.'),
    environment: plainName('production').default('production').describe('Environment it belongs to.'),
    url: reference('env:DATABASE_URL')
      .prefault(usualReference('databaseUrl'))
      .describe('Reference to the connection string.'),
    migrations: repositoryDirectory(true)
      .default('db/migrations')
      .describe("dbmate's directory: in the repository, or an absolute path."),
    policy: z
      .enum(['approval', 'auto'])
      .default('approval')
      .describe('Whether pending migrations need an approval.'),
    backup: z
      .exactOptional(
        z
          .strictObject({
            command: shellLine().describe('Shell line that prints the time of the latest backup (ISO 8601).'),
            maxAge: duration({ min: '1m' }, '24h')
              .prefault('24h')
              .describe('Older than this: a warning, and migrations are held.'),
          })
          .transform(({ command, maxAge }) => ({ command, maxAgeMs: maxAge })),
      )
      .describe('Hold migrations when the latest backup is too old, and warn.'),
    lockTimeout: duration({ min: '1s', max: '1h' }, '60s')
      .prefault('60s')
      .describe('How long to wait for the lock.'),
  })
  .transform(({ lockTimeout, ...rest }) => ({ ...rest, lockTimeoutMs: lockTimeout }));

/** One item of `workspaces`. */
export const Workspace = z
  .strictObject({
    name: plainName('shop').describe('Name, unique in the tenant.'),
    github: github.describe('The repository.'),
    ci: ci.prefault({}).describe('Failing workflow runs.'),
    drift: list(drift).default([]).describe('Environments whose drift is watched.'),
    databases: list(database).default([]).describe('Databases whose migrations are watched.'),
    services: z.exactOptional(Services).describe('What is deployed; absent: deployments are not watched.'),
    health: z.exactOptional(Health).describe('What is asked of production; absent: nothing.'),
    incidents: Incidents.prefault({}).describe('What happens when production is down.'),
    diagnostics: z
      .exactOptional(Diagnostics)
      .describe('Questions in comments, like "@devops status"; absent: comments are not read.'),
  })
  .superRefine(checkWorkspace, always)
  .superRefine(checkOperations, always);

/** `https://api.github.com` → `https://github.com/…`; an enterprise server's `/api/v3` goes, other addresses serve git beside the API. */
export function defaultGitUrl(apiUrl: string, repository: string): string {
  const base = apiUrl === 'https://api.github.com' ? 'https://github.com' : apiUrl.replace(/\/api\/v3$/, '');
  return `${base}/${repository}.git`;
}
