-- migrate:up

-- Calls of the model (MODEL-1), by what was asked: sha256 of tenant, purpose, model, parameters and the conversation's address. An answer that is
-- stored is used again, without a call.
create table model_calls (
  key text primary key,
  tenant text not null references tenants,
  workspace text not null,
  fingerprint text not null,
  occurrence integer not null,
  purpose text not null check (purpose in ('triage', 'implement', 'verify')),
  model text not null,
  -- Addresses of the evidence: what was asked, and the same with the answer behind it.
  conversation text not null,
  answered_conversation text,
  -- open: may be asked (again). reserved: somebody asks, until the lease ends.
  state text not null check (state in ('open', 'reserved', 'answered', 'failed')),
  owner text not null,
  lease_until timestamptz not null,
  -- Attempts whose end is not known: killed, cancelled, broken off. Two at most.
  unknown_ends integer not null default 0,
  stop_reason text,
  tool_calls jsonb,
  reason text,
  created_at timestamptz not null default now(),
  ended_at timestamptz
);
create index model_calls_continued on model_calls (tenant, answered_conversation) where state = 'answered';

-- Each attempt at a call is reserved before and settled after (MODEL-3), on the UTC day of the reservation. One without an outcome counts in full.
create table model_attempts (
  id bigint generated always as identity primary key,
  tenant text not null references tenants,
  key text not null references model_calls,
  fingerprint text not null,
  occurrence integer not null,
  budget text not null check (budget in ('triage', 'fix')),
  purpose text not null,
  model text not null,
  day date not null,
  reserved_tokens bigint not null,
  reserved_micro_usd bigint not null,
  lease_until timestamptz not null,
  -- answered; rejected: it cost nothing; unknown and lapsed: settled in full.
  outcome text check (outcome in ('answered', 'rejected', 'unknown', 'lapsed')),
  tokens bigint,
  micro_usd bigint,
  -- input, cacheRead, cacheWrite, output, as the provider counted.
  usage jsonb,
  reason text,
  started_at timestamptz not null default now(),
  settled_at timestamptz,
  -- The cycle at whose end it was counted (LOOP-6); null: none yet.
  cycle integer,
  check ((outcome is null) = (tokens is null))
);
create index model_attempts_day on model_attempts (tenant, day);
create index model_attempts_run on model_attempts (tenant, fingerprint, occurrence, budget);
create index model_attempts_open on model_attempts (tenant) where outcome is null;
create index model_attempts_uncounted on model_attempts (tenant) where cycle is null;

-- One row per tenant and day with calls: whether people were told that its budget is nearly used.
create table model_days (
  tenant text not null references tenants,
  day date not null,
  warned_at timestamptz,
  primary key (tenant, day)
);

-- Settings that were stored before there was a model: the defaults of the tenant file.
update tenants set config = config || '{"model": {"enabled": true, "apiKey": "env:ANTHROPIC_API_KEY", "baseUrl": "https://api.anthropic.com",
  "models": {"triage": "claude-haiku-5-5", "implement": "claude-opus-5-5", "verify": "claude-sonnet-5-5"},
  "prices": {"claude-haiku-5-5": {"input": 0.1, "output": 0.5, "cacheRead": 0.01, "cacheWrite": 0.125},
    "claude-sonnet-5-5": {"input": 2, "output": 10, "cacheRead": 0.1, "cacheWrite": 2.5},
    "claude-opus-5-5": {"input": 4, "output": 20, "cacheRead": 0.2, "cacheWrite": 5}},
  "maxTokens": {"triage": 8000, "implement": 16000, "verify": 8000}, "timeoutMs": 600000,
  "budgets": {"tokensPerDay": 1000000, "triageTokens": 50000, "fixTokens": 200000, "warnAtPercent": 80}}}'::jsonb
where not config ? 'model';

-- migrate:down
drop table model_days, model_attempts, model_calls;
