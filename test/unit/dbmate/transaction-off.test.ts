// MIG-2: which migration files turn their transaction off.
import { expect, test } from 'vitest';
import { turnsTransactionOff } from '../../../src/integrations/dbmate/transaction-off.ts';

test.each([
  ['-- migrate:up\nselect 1;\n-- migrate:down\n', false],
  ['-- migrate:up transaction:false\nselect 1;', true],
  ['-- a comment\n\n--migrate:up  transaction:false\r\nselect 1;', true],
  ['-- migrate:up transaction:true\nselect 1;', false],
  ['-- migrate:up\nselect 1;\n-- migrate:down transaction:false\n', false],
  ["-- migrate:up\nselect '-- migrate:up transaction:false';", false],
  ['', false],
])('%j → %s', (file, off) => {
  expect(turnsTransactionOff(file)).toBe(off);
});
