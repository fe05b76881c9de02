-- migrate:up

-- The tenants and every version of their settings. Secrets are references in here, never values (SEC-2).
create table tenants (
  tenant text primary key,
  version integer not null,
  config jsonb not null,
  enabled boolean not null default true,
  -- Ended on purpose: not started again by an event or a worker until it is resumed.
  drained_at timestamptz,
  removed_at timestamptz,
  updated_at timestamptz not null default now()
);

create table tenant_versions (
  tenant text not null references tenants,
  version integer not null,
  config jsonb not null,
  applied_by text not null,
  applied_at timestamptz not null default now(),
  primary key (tenant, version)
);

-- One row per tenant that every claim locks: what limits it. Times that policy compares are milliseconds of workflow time.
create table guards (
  tenant text primary key references tenants,
  pause_epoch bigint not null default 0,
  breaker_state text not null default 'closed' check (breaker_state in ('closed', 'open', 'halfOpen')),
  breaker_failures integer not null default 0,
  breaker_since_ms bigint,
  breaker_reason text,
  breaker_probe_key text,
  -- When the last digest of what is red went out (CI-11).
  digest_ms bigint,
  cycle bigint not null default 0
);

create table pauses (
  id bigint generated always as identity primary key,
  -- Null: everything, all tenants.
  tenant text references tenants,
  scope text not null check (scope in ('everything', 'tenant', 'workspace', 'effect')),
  -- The workspace's name, or the kind of effect.
  scope_value text,
  reason text not null,
  raised_by text not null,
  raised_at timestamptz not null default now(),
  until_ms bigint,
  lifted_by text,
  lifted_at timestamptz
);
create index pauses_live on pauses (tenant) where lifted_at is null;

create table cooldowns (
  tenant text not null references tenants,
  target text not null,
  kind text not null,
  until_ms bigint not null,
  set_by_key text not null,
  primary key (tenant, target, kind)
);

-- Claims and receipts: one row per effect ever let through the door (DUR-1).
create table effects (
  key text primary key,
  tenant text not null references tenants,
  workspace text not null,
  kind text not null,
  target text not null,
  precondition text not null,
  requester text not null,
  step text not null,
  digest text not null,
  risk text not null,
  delivery text not null,
  describe text not null,
  actor text not null,
  fingerprint text,
  occurrence integer,
  state text not null check (state in ('claimed', 'applying', 'doubt', 'freed', 'done')),
  owner text not null,
  fence bigint not null,
  pause_epoch bigint not null,
  lease_until timestamptz not null,
  -- Since when a write may have landed unseen; the settle time counts from the end of its lease or from its ambiguous answer.
  doubt_since timestamptz,
  policy_ms bigint not null,
  attempts integer not null default 1,
  outcome text,
  reason text,
  result jsonb,
  approval_hash text,
  -- An outcome `unknown` fails one cycle, once (LOOP-7).
  counted boolean not null default false,
  created_at timestamptz not null default now(),
  settled_at timestamptz
);
create index effects_caps on effects (tenant, policy_ms) where risk in ('mutating', 'destructive');
create index effects_finding on effects (tenant, fingerprint);
create index effects_live on effects (tenant, state) where state in ('claimed', 'applying', 'doubt');

create table approvals (
  tenant text not null references tenants,
  -- sha256 of the exact effect: key and content (LOOP-13).
  hash text not null,
  workspace text not null,
  kind text not null,
  target text not null,
  precondition text not null,
  risk text not null,
  describe text not null,
  requester text not null,
  fingerprint text,
  state text not null check (state in ('asked', 'approved', 'rejected', 'void', 'expired', 'used')),
  asked_ms bigint not null,
  expires_ms bigint not null,
  remind_ms bigint,
  decided_by text,
  decided_ms bigint,
  channel text,
  reason text,
  -- The effect that used it.
  used_key text,
  primary key (tenant, hash)
);
create index approvals_open on approvals (tenant) where state in ('asked', 'approved');

create table cycles (
  tenant text not null references tenants,
  cycle bigint not null,
  run_id text not null,
  trigger text not null,
  state text not null check (state in ('running', 'completed', 'failed')),
  outcome text,
  summary text,
  observations jsonb not null default '[]',
  findings jsonb not null default '[]',
  decisions jsonb not null default '[]',
  tokens integer not null default 0,
  cost_usd numeric(12, 6) not null default 0,
  started_ms bigint not null,
  finished_ms bigint,
  -- What happened once in this cycle, for another attempt at writing its end.
  settled jsonb,
  primary key (tenant, cycle)
);

create table findings (
  tenant text not null references tenants,
  fingerprint text not null,
  occurrence integer not null,
  workspace text not null,
  source text not null,
  kind text not null,
  target text not null,
  signature text not null,
  rule_version integer not null,
  severity text not null,
  title text not null,
  detail jsonb not null,
  status text not null check (status in ('open', 'working', 'waiting', 'watched', 'escalated', 'resolved')),
  waiting_for text,
  waiting_until_ms bigint,
  attempts integer not null default 0,
  remedies integer not null default 0,
  first_seen_ms bigint not null,
  last_seen_ms bigint not null,
  resolved_ms bigint,
  -- What remedies leave for each other and for the next attempt: issue and pull request numbers, rerun used, branch.
  memory jsonb not null default '{}',
  primary key (tenant, fingerprint, occurrence)
);
create index findings_active on findings (tenant, workspace) where status <> 'resolved';

-- What a source remembers between reads: validators of conditional requests, the last run seen, runs that are still open.
create table source_memory (
  tenant text not null references tenants,
  workspace text not null,
  source text not null,
  memory jsonb not null,
  updated_at timestamptz not null default now(),
  primary key (tenant, workspace, source)
);

-- Reduced and redacted material, addressed by content.
create table evidence (
  tenant text not null references tenants,
  sha256 text not null,
  kind text not null,
  body text not null check (octet_length(body) <= 1048576),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  primary key (tenant, sha256)
);

-- Append-only (SEE-5): who or what, why, effect, receipt.
create table audit (
  id bigint generated always as identity primary key,
  tenant text,
  at timestamptz not null default clock_timestamp(),
  at_ms bigint not null,
  actor text not null,
  action text not null,
  workspace text,
  fingerprint text,
  subject text not null,
  reason text not null,
  detail jsonb not null default '{}'
);
create index audit_tenant on audit (tenant, id desc);
create index audit_finding on audit (tenant, fingerprint, id desc);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the audit trail is append-only';
end $$;
create trigger audit_append_only before update or delete or truncate on audit
  for each statement execute function refuse_change();

-- migrate:down
drop table audit, evidence, source_memory, findings, cycles, approvals, effects, cooldowns, pauses, guards, tenant_versions, tenants;
drop function refuse_change;
