-- migrate:up

-- What the tenant file said, as data, beside what it meant when it was applied: read anew by each version of the program, so that a setting
-- that did not exist then has its default. Null: applied before this column, or by a program that gave no file. References, no secrets.
alter table tenant_versions add column source jsonb;

-- migrate:down
alter table tenant_versions drop column source;
