-- migrate:up

-- What the last delivery over each alert channel came to (DEPLOY-2): one that takes no alerts any more must not be found out at night. By the hash of its
-- settings, which hold references and no secrets: other settings are another channel.
create table alert_channels (
  tenant text not null references tenants,
  channel text not null,
  -- Policy time.
  at_ms bigint not null,
  -- Null: it was taken.
  problem text,
  primary key (tenant, channel)
);

-- migrate:down
drop table alert_channels;
