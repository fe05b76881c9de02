// OPS-1: a connection string as variables of libpq: all of it arrives, nothing of the environment before leads elsewhere, and no error repeats it.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { psqlEnvironment, withoutLibpq } from '../../../src/cli/ops/psql-environment.ts';

it('OPS-1: takes an address apart', () => {
  const address =
    'postgres://app%40x:p%2Fw%3A1@db.example:6543/shop%20two?sslmode=require&search_path=shop&application_name=x';
  expect(psqlEnvironment(address, 'f')).toEqual({
    PGHOST: 'db.example',
    PGPORT: '6543',
    PGUSER: 'app@x',
    PGPASSWORD: 'p/w:1',
    PGDATABASE: 'shop two',
    PGOPTIONS: '-c search_path=shop',
    PGSSLMODE: 'require',
    PGAPPNAME: 'x',
  });
  expect(psqlEnvironment('postgresql:///shop?host=/var/run', 'f')).toMatchObject({
    PGHOST: '/var/run',
    PGPORT: '5432',
    PGDATABASE: 'shop',
  });
  expect(psqlEnvironment('postgres://u:p@[::1]/d', 'f')).toMatchObject({ PGHOST: '::1' });
});

it('OPS-1: any password arrives as it is', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (password) => {
      const url = new URL('postgres://u@h/d');
      url.password = encodeURIComponent(password);
      expect(psqlEnvironment(url.href, 'f').PGPASSWORD).toBe(password);
    }),
  );
});

it.each(['mysql://u:geheim@h/d', 'geheim', ''])(
  'SEC-2: what is none is refused without being repeated: %s',
  (address) => {
    expect(() => psqlEnvironment(address, 'workspaces.shop.databases.main.url')).toThrow(
      /^workspaces\.shop\.databases\.main\.url: it is no address/,
    );
    try {
      psqlEnvironment(address, 'f');
    } catch (error) {
      expect(String(error)).not.toContain('geheim');
    }
  },
);

it('OPS-1: what libpq found in the environment before leads nowhere else', () => {
  expect(
    withoutLibpq({ PATH: '/bin', PGSERVICE: 'other', PGHOSTADDR: '10.0.0.1', PSQL_PAGER: 'less' }),
  ).toEqual({
    PATH: '/bin',
    PSQL_PAGER: 'less',
  });
});
