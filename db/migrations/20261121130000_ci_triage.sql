-- migrate:up

-- What the log of a failed job said, once per run, attempt and job (CI-2). Times are milliseconds of policy time. Lines are redacted.
create table ci_failures (
  tenant text not null references tenants,
  repository text not null,
  run_id bigint not null,
  run_attempt integer not null,
  job text not null,
  class text not null,
  confidence double precision not null,
  -- What is the same in other jobs, repositories and tenants (CI-4, CI-12); null: the log says nothing that tells it apart.
  signature text,
  headline text,
  -- Names, the first ones; how many there are in all.
  failed_tests jsonb not null,
  tests_failed integer not null,
  -- How many tests ran, where the runner says so.
  tests_ran integer,
  -- [{ n, text }], best first.
  evidence jsonb not null,
  -- Address of the reduced log.
  reduced text,
  -- The workflow file is wrong: no job ran, or the log names the file.
  workflow_file boolean not null,
  -- Where the same job passed on the same commit, in words.
  passed_in text,
  -- Failed runs since the last green one, on different commits.
  red_commits integer not null,
  -- { failed, ran, otherJob }: most tests of two jobs failed at once.
  mass jsonb,
  at_ms bigint not null,
  primary key (tenant, repository, run_id, run_attempt, job)
);
create index ci_failures_signature on ci_failures (signature, at_ms) where signature is not null;
create index ci_failures_age on ci_failures (tenant, at_ms);

-- The ledger of flakes (CI-3): each failure of a test in a run whose commit passed the same job. Test '' is the job itself, where its log
-- names none.
create table ci_flakes (
  tenant text not null references tenants,
  repository text not null,
  workflow_path text not null,
  job text not null,
  test text not null,
  run_id bigint not null,
  run_attempt integer not null,
  head_sha text not null,
  signature text,
  line text not null,
  passed_in text not null,
  at_ms bigint not null,
  primary key (tenant, repository, workflow_path, job, test, run_id)
);
create index ci_flakes_age on ci_flakes (tenant, at_ms);

-- Runs of a workflow that ended green or red: what a rate is measured against.
create table ci_runs_seen (
  tenant text not null references tenants,
  repository text not null,
  workflow_path text not null,
  run_id bigint not null,
  at_ms bigint not null,
  primary key (tenant, repository, workflow_path, run_id)
);
create index ci_runs_seen_age on ci_runs_seen (tenant, at_ms);

-- One issue proposes to quarantine a test, for the run that went over the rate; asked again for that run, it is the same one.
create table ci_quarantines (
  tenant text not null references tenants,
  repository text not null,
  workflow_path text not null,
  job text not null,
  test text not null,
  run_id bigint not null,
  at_ms bigint not null,
  primary key (tenant, repository, workflow_path, job, test)
);

-- The one finding of a storm that is being fixed (CI-12).
create table ci_storms (
  tenant text not null references tenants,
  repository text not null,
  fingerprint text,
  occurrence integer,
  since_ms bigint not null,
  primary key (tenant, repository)
);

-- How many pull requests of the agent are open, and how many are new, is counted before each one.
create index effects_pull_requests on effects (tenant, target, policy_ms) where kind = 'openPullRequest';

-- migrate:down
drop index effects_pull_requests;
drop table ci_storms, ci_quarantines, ci_runs_seen, ci_flakes, ci_failures;
