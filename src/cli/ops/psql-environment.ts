// A connection string as libpq's environment variables, so that no argument of psql, which every user of a machine can read, has it.
import { UsageError } from '../../client/errors.ts';

/** What libpq takes from an address, by the name of its variable. */
const parameters: { readonly [name: string]: string } = {
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  channel_binding: 'PGCHANNELBINDING',
  connect_timeout: 'PGCONNECT_TIMEOUT',
  application_name: 'PGAPPNAME',
  target_session_attrs: 'PGTARGETSESSIONATTRS',
};

/**
 * The variables of one address.
 * @param field where its reference stands, for the error
 * @throws UsageError that does not repeat the address
 */
export function psqlEnvironment(address: string, field: string): { readonly [name: string]: string } {
  if (!URL.canParse(address) || !/^postgres(?:ql)?:\/\//i.test(address))
    throw new UsageError(
      `${field}: it is no address of a Postgres database. Fix: write postgres://user:password@host:port/name where it is kept`,
    );
  const url = new URL(address);
  const options = [
    url.searchParams.get('options') ?? '',
    // dbmate's.
    ...(url.searchParams.has('search_path') ? [`-c search_path=${url.searchParams.get('search_path')}`] : []),
  ].filter((one) => one !== '');
  const host = url.searchParams.get('host') ?? url.hostname.replace(/^\[|\]$/g, '');
  return {
    PGHOST: decodeURIComponent(host),
    PGPORT: url.port === '' ? '5432' : url.port,
    PGUSER: decodeURIComponent(url.username),
    PGPASSWORD: decodeURIComponent(url.password),
    PGDATABASE: decodeURIComponent(url.pathname.slice(1)),
    PGOPTIONS: options.join(' '),
    ...Object.fromEntries(
      Object.entries(parameters).flatMap(([name, variable]) => {
        const value = url.searchParams.get(name);
        return value === null ? [] : [[variable, value]];
      }),
    ),
  };
}

/** The rest of an environment for psql: without variables of libpq, which would lead elsewhere (a service, another address). */
export function withoutLibpq(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('PG')));
}
