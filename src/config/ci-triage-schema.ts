// Settings of triage: flakes, storms, how many pull requests (CI-3, CI-12). A part of workspace-schema.ts.
import * as z from 'zod';

export const flakes = z.strictObject({
  quarantineRate: z
    .number()
    .min(0)
    .max(1)
    .default(0.05)
    .describe('Share of runs with a flaky failure of a test over which an issue proposes its quarantine.'),
  quarantineFailures: z
    .int()
    .min(1)
    .max(100)
    .default(3)
    .describe('Flaky failures a test has at least before that.'),
});

export const storm = z.strictObject({
  findings: z
    .int()
    .min(2)
    .max(100)
    .default(5)
    .describe(
      'Open findings of one repository from which on one is fixed at a time, until a fix proved itself.',
    ),
});

export const ciLimits = z.strictObject({
  openPullRequests: z
    .int()
    .min(0)
    .max(3)
    .default(3)
    .describe('Pull requests of CI fixes open at once in the repository; at most 3.'),
  newPullRequestsPerHour: z.int().min(0).max(2).default(2).describe('New ones in an hour; at most 2.'),
});
