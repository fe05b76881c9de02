-- migrate:up

-- Main and release branches are one lane of a workflow, open pull requests another: what somebody's pull request does says nothing about main
-- (CI-3). Rows of before: by the finding that was made of their run, else of the first lane, where they counted until now.
alter table ci_flakes add column lane text not null default 'branches' check (lane in ('branches', 'pulls'));
alter table ci_runs_seen add column lane text not null default 'branches' check (lane in ('branches', 'pulls'));
alter table ci_quarantines add column lane text not null default 'branches' check (lane in ('branches', 'pulls'));

update ci_flakes f set lane = 'pulls' where exists (
  select 1 from findings s where s.tenant = f.tenant and s.kind = 'ci' and s.detail ? 'pullRequest' and s.detail ->> 'repository' = f.repository
    and s.detail ->> 'workflowPath' = f.workflow_path and s.detail ->> 'job' = f.job and s.detail ->> 'headSha' = f.head_sha);
update ci_runs_seen r set lane = 'pulls' where exists (
  select 1 from ci_flakes f where f.tenant = r.tenant and f.repository = r.repository and f.workflow_path = r.workflow_path
    and f.run_id = r.run_id and f.lane = 'pulls');
update ci_quarantines q set lane = 'pulls' where exists (
  select 1 from ci_flakes f where f.tenant = q.tenant and f.repository = q.repository and f.workflow_path = q.workflow_path
    and f.job = q.job and f.test = q.test and f.run_id = q.run_id and f.lane = 'pulls');

alter table ci_flakes drop constraint ci_flakes_pkey, add primary key (tenant, repository, workflow_path, lane, job, test, run_id);
alter table ci_runs_seen drop constraint ci_runs_seen_pkey, add primary key (tenant, repository, workflow_path, lane, run_id);
alter table ci_quarantines drop constraint ci_quarantines_pkey, add primary key (tenant, repository, workflow_path, lane, job, test);
alter table ci_flakes alter column lane drop default;
alter table ci_runs_seen alter column lane drop default;
alter table ci_quarantines alter column lane drop default;

-- What the issue of a quarantine says: the rate when it was opened or last brought up to date, and the run that did; null: not known.
alter table ci_quarantines add column told_rate double precision;
alter table ci_quarantines add column told_run bigint;

-- An error in many tenants at once (CI-4): what people of this tenant are told of it, the same whoever asks, once.
create table ci_outages (
  tenant text not null references tenants,
  signature text not null,
  -- Policy time at which it was first seen here, and last.
  since_ms bigint not null,
  last_ms bigint not null,
  said text not null,
  primary key (tenant, signature)
);

-- So many runs of the branch were read without a green one, and there were more; null: all that is needed was read.
alter table ci_failures add column runs_cut integer;

-- Attempts for a failing pull request: all of them together may use a part of the day only (MODEL-3).
alter table model_attempts add column of_pull boolean not null default false;
update model_attempts a set of_pull = true where exists (
  select 1 from findings s where s.tenant = a.tenant and s.fingerprint = a.fingerprint and s.occurrence = a.occurrence and s.detail ? 'pullRequest');

-- migrate:down
alter table model_attempts drop column of_pull;
alter table ci_failures drop column runs_cut;
drop table ci_outages;
alter table ci_quarantines drop column told_run, drop column told_rate;
-- What was told apart becomes one again.
delete from ci_quarantines where lane = 'pulls';
delete from ci_runs_seen where lane = 'pulls';
delete from ci_flakes where lane = 'pulls';
alter table ci_quarantines drop column lane, add primary key (tenant, repository, workflow_path, job, test);
alter table ci_runs_seen drop column lane, add primary key (tenant, repository, workflow_path, run_id);
alter table ci_flakes drop column lane, add primary key (tenant, repository, workflow_path, job, test, run_id);
