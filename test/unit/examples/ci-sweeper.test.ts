// CI-14: the example workflow that calls the command line where there are no webhooks: it starts on failures of release branches only, holds no
// permission, and lets no text of others into a shell (SEC-1).
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

type Workflow = {
  readonly on: { readonly workflow_run: { types: string[]; branches: string[]; workflows: string[] } };
  readonly permissions: object;
  readonly concurrency: { readonly group: string; readonly 'cancel-in-progress': boolean };
  readonly jobs: {
    readonly [job: string]: {
      readonly if: string;
      readonly permissions?: object;
      readonly 'timeout-minutes': number;
      readonly steps: readonly {
        readonly run?: string;
        readonly uses?: string;
        readonly env?: Record<string, string>;
      }[];
    };
  };
};

const text = await readFile('examples/github-actions/ci-sweeper.yml', 'utf8');
const workflow = parse(text) as Workflow;
const jobs = Object.values(workflow.jobs);

test('CI-14: the sweeper starts on failed runs of main and release branches of the repository itself', () => {
  expect(workflow.on.workflow_run).toMatchObject({ types: ['completed'], branches: ['main', 'release/*'] });
  expect(Object.keys(workflow.on)).toEqual(['workflow_run']);
  for (const job of jobs) {
    expect(job.if).toContain("github.event.workflow_run.conclusion == 'failure'");
    expect(job.if).toContain('github.event.workflow_run.head_repository.full_name == github.repository');
    expect(job['timeout-minutes']).toBeGreaterThan(0);
  }
});

test('SEC-1: the sweeper may do nothing, runs nothing of the repository, and no text of others reaches its shell', () => {
  expect(workflow.permissions).toEqual({});
  expect(workflow.concurrency['cancel-in-progress']).toBe(false);
  expect(workflow.concurrency.group).toContain('head_branch');
  const steps = jobs.flatMap((job) => {
    expect(job.permissions).toBeUndefined();
    return job.steps;
  });
  for (const { run = '', uses, env = {} } of steps) {
    expect(uses).toBeUndefined();
    expect(run).not.toContain('${{');
    // Every variable of the event that it uses comes by the environment, in quotes.
    for (const [variable] of run.matchAll(/\$[A-Z_]+/g)) {
      expect(env).toHaveProperty(variable.slice(1));
      expect(run).toContain(`"${variable}"`);
    }
    for (const [name, value] of Object.entries(env)) {
      if (/KEY|URL|ADDRESS/.test(name)) expect(value, name).toMatch(/^\$\{\{ secrets\.[A-Z_]+ \}\}$/);
      expect(value).not.toMatch(/head_branch|title|head_commit|\.message|\.name\b/);
    }
  }
  expect(steps.map(({ run }) => run ?? '').join('\n')).toContain('untilgreen ci fix "$RUN_ID"');
  expect(steps[0]?.env).toMatchObject({
    RUN_ID: expect.stringMatching(/^\$\{\{ github\.event\.workflow_run\.id \}\}$/),
  });
});
