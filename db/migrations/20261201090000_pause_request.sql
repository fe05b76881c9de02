-- migrate:up

-- Which order raised it: one whose answer was lost is given again, and may not raise a pause that somebody has lifted since. Null: nobody gives it twice.
alter table pauses add column request_id text;
create unique index pauses_request on pauses (request_id);

-- migrate:down
alter table pauses drop column request_id;
