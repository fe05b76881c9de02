-- migrate:up

-- The operator of incidents (MODEL-2) is a purpose and a budget of its own.
alter table model_calls drop constraint model_calls_purpose_check,
  add constraint model_calls_purpose_check check (purpose in ('triage', 'implement', 'verify', 'operator'));
alter table model_attempts drop constraint model_attempts_budget_check,
  add constraint model_attempts_budget_check check (budget in ('triage', 'fix', 'operator'));

-- One row per state of an incident about which the model was asked, or could not be: the same state is not asked about again.
create table operator_consultations (
  tenant text not null,
  fingerprint text not null,
  occurrence integer not null,
  opening integer not null,
  -- Hash of what makes it the same state.
  state text not null,
  at_ms bigint not null,
  -- Answers of the model. All of one opening together have a cap.
  steps integer not null default 0,
  -- Null: it goes on, or was lost.
  outcome text,
  primary key (tenant, fingerprint, occurrence, opening, state),
  foreign key (tenant, fingerprint, occurrence) references incidents
);

-- Each tool call of the model, and what code made of it.
create table operator_calls (
  tenant text not null,
  fingerprint text not null,
  occurrence integer not null,
  opening integer not null,
  -- The provider's id of the call: the same answer read again is the same call.
  call text not null,
  tool text not null,
  -- What it is about: the same tool on the same subject is a repetition.
  subject text not null,
  verdict text not null check (verdict in ('passed', 'refused')),
  -- It changes what runs, and counts against the cap.
  mutating boolean not null,
  reason text not null,
  -- As the door is asked for it; null: it is no effect, or was refused.
  effect jsonb,
  at_ms bigint not null,
  primary key (tenant, fingerprint, occurrence, opening, call),
  foreign key (tenant, fingerprint, occurrence) references incidents
);

-- migrate:down
drop table operator_calls, operator_consultations;
delete from model_attempts where budget = 'operator';
delete from model_calls where purpose = 'operator';
alter table model_calls drop constraint model_calls_purpose_check,
  add constraint model_calls_purpose_check check (purpose in ('triage', 'implement', 'verify'));
alter table model_attempts drop constraint model_attempts_budget_check,
  add constraint model_attempts_budget_check check (budget in ('triage', 'fix'));
