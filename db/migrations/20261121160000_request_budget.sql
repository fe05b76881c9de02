-- migrate:up

-- How many requests may still be sent with a token (DEPLOY-5): what its buckets held at `at_ms`. Milliseconds of the database's clock.
create table request_budgets (
  token_hash text primary key,
  everyday double precision not null,
  incidents double precision not null,
  second double precision not null,
  at_ms double precision not null,
  -- The platform answered 429.
  paused_until_ms double precision not null default 0
);

-- migrate:down
drop table request_budgets;
