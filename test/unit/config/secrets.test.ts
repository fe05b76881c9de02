// SEC-2, MIG-3: references resolve to values that the redactor knows, or fail with an error that names everything but the value.
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSecretResolver, SecretUnavailable } from '../../../src/config/secrets.ts';
import type { SecretReference } from '../../../src/contract/tenant-config.ts';
import { createRedactor } from '../../../src/logs/redact/redact-values.ts';

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'secrets-'));
  await mkdir(join(directory, 'allowed'));
  await writeFile(join(directory, 'allowed/token'), 'from-a-file\r\n\n');
  await writeFile(join(directory, 'allowed/empty'), '\n');
  await writeFile(join(directory, 'allowed/large'), 'x'.repeat(65 * 1024));
  await writeFile(join(directory, 'allowed/binary'), new Uint8Array([1, 2, 0, 0xff]));
  await writeFile(join(directory, 'outside'), 'outside-value');
  await symlink(join(directory, 'outside'), join(directory, 'allowed/link'));
  await symlink(join(directory, 'allowed/token'), join(directory, 'allowed/inner-link'));
});

afterAll(async () => {
  await rm(directory, { recursive: true });
});

function resolver(env: Record<string, string>) {
  const redactor = createRedactor();
  const secrets = createSecretResolver({ env, redactor, allowedFileRoots: [join(directory, 'allowed')] });
  return { redactor, secrets };
}

function file(name: string): SecretReference {
  return `file:${join(directory, name)}`;
}

describe('a reference', () => {
  it('to a variable gives its value, and the value is redacted from then on', async () => {
    const { redactor, secrets } = resolver({ MY_TOKEN: 'value-of-mine' });
    expect(redactor.redact('value-of-mine')).toBe('value-of-mine');
    expect(await secrets.resolve('env:MY_TOKEN', 'f')).toBe('value-of-mine');
    expect(redactor.redact('<value-of-mine>')).toBe('<[secret:MY_TOKEN]>');
  });

  it.each(['allowed/token', 'allowed/inner-link'])(
    'to the file %s gives its text without the last line ends',
    async (name) => {
      const { redactor, secrets } = resolver({});
      expect(await secrets.resolve(file(name), 'f')).toBe('from-a-file');
      expect(redactor.redact('from-a-file')).toMatch(/^\[secret:[a-z-]+\]$/);
    },
  );

  it.each<readonly [SecretReference, RegExp]>([
    ['env:NOT_THERE', /env:NOT_THERE is not set\. Fix: set NOT_THERE in the environment of the worker/],
    ['env:EMPTY', /is empty/],
    ['env:constructor', /is not set/],
    ['file:relative/path', /not an absolute path/],
    ['file:/nowhere/at/all', /cannot be read \(ENOENT\)/],
  ])('%s fails with field and fix', async (reference, message) => {
    const failure = await resolver({ EMPTY: '' })
      .secrets.resolve(reference, 'workspaces[0].github.token')
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(SecretUnavailable);
    expect(failure).toMatchObject({
      reference,
      field: 'workspaces[0].github.token',
      message: expect.stringMatching(message),
    });
  });

  it.each([
    ['allowed/empty', /is empty/],
    ['allowed/large', /larger than/],
    ['allowed/binary', /not text/],
    ['allowed/link', /outside the allowed/],
    ['outside', /outside the allowed/],
    ['allowed/../outside', /outside the allowed/],
    ['allowed', /outside the allowed/],
  ])('to the file %s fails without its content', async (name, message) => {
    const failure = await resolver({})
      .secrets.resolve(file(name), 'f')
      .catch((error: unknown) => error);
    expect(String(failure)).toMatch(message);
    expect(String(failure)).not.toContain('outside-value');
  });

  it('to a device or a directory fails at once', async () => {
    const secrets = createSecretResolver({ env: {}, redactor: createRedactor() });
    await expect(secrets.resolve('file:/dev/zero', 'f')).rejects.toThrow(/not a file/);
    await expect(secrets.resolve(file('allowed'), 'f')).rejects.toThrow(/not a file/);
  });

  it('that is a plain value is refused without repeating it', async () => {
    const failure = await resolver({})
      .secrets.resolve('hunter2hunter2' as SecretReference, 'f')
      .catch((error: unknown) => error);
    expect(String(failure)).toMatch(/not a reference/);
    expect(String(failure)).not.toContain('hunter2');
  });

  it('in the environment of a command is resolved, plain values stay', async () => {
    const { secrets } = resolver({ A: 'value-of-a' });
    expect(await secrets.resolveEnv({ X: 'env:A', Y: 'plain' }, 'drift[0].env')).toEqual({
      X: 'value-of-a',
      Y: 'plain',
    });
    await expect(secrets.resolveEnv({ X: 'env:B' }, 'drift[0].env')).rejects.toThrow(
      /^drift\[0\]\.env\.X: env:B/,
    );
  });
});

describe('connection strings and addresses', () => {
  it.each([
    ['postgres://app:s3cr%2Ft-pw@db:5432/shop', ['s3cr%2Ft-pw', 's3cr/t-pw']],
    ['postgres://app:raw@pass-word@db/shop', ['raw@pass-word']],
    ['postgres://app:two-hosts@a:1,b:2/shop', ['two-hosts']],
    ['postgres://db/shop?user=app&password=in-the-query', ['in-the-query']],
    ['https://abcdef0123456789abcdef@git.example/x', ['abcdef0123456789abcdef']],
    ['https://hooks.slack.com/services/T0AAAA/B0BBBB/cccccccccc', ['/services/T0AAAA/B0BBBB/cccccccccc']],
  ])('of %s the secret parts are redacted by themselves', async (value, parts) => {
    // MIG-3
    const { redactor, secrets } = resolver({ URL_X: value });
    await secrets.resolve('env:URL_X', 'f');
    for (const part of [value, ...parts]) {
      expect(redactor.redact(`error near "${part}" here`)).toMatch(
        /^error near "\[secret:URL_X[a-z.]*\]" here$/,
      );
    }
  });

  it('to a usual address stays readable, but for a password in it (OPS-2)', async () => {
    const env = {
      PRODUCTION_BACKEND_URL: 'https://api.shop.example/a/path/that/is/long',
      PRODUCTION_FRONTEND_URL: 'https://eve:word-that-passes@shop.example',
    };
    const { redactor, secrets } = resolver(env);
    await secrets.resolve('env:PRODUCTION_BACKEND_URL', 'url');
    await secrets.resolve('env:PRODUCTION_FRONTEND_URL', 'url');
    expect(redactor.redact(`${env.PRODUCTION_BACKEND_URL} is down`)).toBe(
      `${env.PRODUCTION_BACKEND_URL} is down`,
    );
    expect(redactor.redact('tried word-that-passes')).toBe('tried [secret:PRODUCTION_FRONTEND_URL.password]');
  });

  it('the usual secrets are known without being referenced, the usual addresses are not secret', () => {
    // OPS-2
    const { redactor } = resolver({
      DATABASE_URL: 'postgres://app:own-password@localhost/untilgreen',
      PRODUCTION_BACKEND_URL: 'https://api.acme.example',
    });
    expect(redactor.redact('own-password at https://api.acme.example')).toBe(
      '[secret:DATABASE_URL.password] at https://api.acme.example',
    );
  });
});
