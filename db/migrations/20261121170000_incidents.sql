-- migrate:up

-- How each incident stands (INC-1 to INC-4): what limits and what must survive the loss of the Temporal database. One row per occurrence of its
-- finding; `opening` counts how often it began anew after it was over.
create table incidents (
  tenant text not null references tenants,
  fingerprint text not null,
  occurrence integer not null,
  workspace text not null,
  opening integer not null,
  open boolean not null,
  detected_ms bigint not null,
  closed_ms bigint,
  -- The issue in the workspace's repository.
  issue integer,
  -- Severity, escalation, counts, what was told: src/activities/remedies/incident/state.ts.
  state jsonb not null,
  acknowledged_by text,
  acknowledged_ms bigint,
  primary key (tenant, fingerprint, occurrence)
);
create index incidents_open on incidents (tenant, workspace) where open;

-- The timeline: one line each, and one comment on the issue each. Append-only but for `commented`.
create table incident_events (
  tenant text not null,
  fingerprint text not null,
  occurrence integer not null,
  opening integer not null,
  -- What makes it the same event when it is noted again.
  key text not null,
  id bigint generated always as identity,
  at_ms bigint not null,
  kind text not null,
  text text not null,
  -- What the comment says, when it is not the line itself; null: no comment.
  comment text,
  commented boolean not null default false,
  primary key (tenant, fingerprint, occurrence, opening, key),
  foreign key (tenant, fingerprint, occurrence) references incidents
);

-- One ladder per service, whichever findings are about it (DEPLOY-3).
create table ladders (
  tenant text not null references tenants,
  workspace text not null,
  environment text not null,
  service text not null,
  -- Since when it is not well; null: it is.
  since_ms bigint,
  -- Who asks for its steps: part of their keys, so that all who work on the service ask for the same ones.
  requester text,
  state jsonb not null,
  primary key (tenant, workspace, environment, service)
);

-- What the watchdog has told of a tenant (INC-6), and who watches.
create table watchdog (
  tenant text primary key references tenants,
  state text not null,
  since_ms bigint not null,
  told_ms bigint not null,
  told integer not null
);

-- migrate:down
drop table watchdog, ladders, incident_events, incidents;
