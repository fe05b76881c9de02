// SEC-2: from a reference (`env:NAME`, `file:PATH`) to its value, inside activities only. Knows nothing of Temporal. Every value that is
// resolved is known to the redactor before it is given out; no value is kept, logged, or put into an error.
import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { isAbsolute, relative } from 'node:path';
import { isSecretReference, type SecretReference } from '../contract/tenant-config.ts';
import type { Redactor } from '../logs/redact/redact-values.ts';
import { type UsualName, usualNames } from './usual-names.ts';

const maxSecretBytes = 64 * 1024;

/** A reference that does not resolve; says which, where it is used and what to do, never a value. */
export class SecretUnavailable extends Error {
  override readonly name = 'SecretUnavailable';
  readonly reference: string;
  readonly field: string;
  readonly reason: string;
  readonly fix: string;

  constructor(reference: string, field: string, reason: string, fix: string) {
    super(`${field}: ${reference} ${reason}. Fix: ${fix}`);
    this.reference = reference;
    this.field = field;
    this.reason = reason;
    this.fix = fix;
  }
}

export type SecretResolver = {
  /** `field` is the path in the tenant file, for the error. Rejects with SecretUnavailable. */
  readonly resolve: (reference: SecretReference, field: string) => Promise<string>;
  /** Environment of a command: references resolved, plain values as they are. */
  readonly resolveEnv: (
    env: { readonly [name: string]: string },
    field: string,
  ) => Promise<{ [name: string]: string }>;
};

/**
 * Reads a variable or a file anew at each call, so that a rotated secret counts at once. `allowedFileRoots`: when given, files must be under one
 * of them, links followed. The secrets among the usual names (OPS-2) are known to the redactor from the start.
 */
export function createSecretResolver(options: {
  readonly env: { readonly [name: string]: string | undefined };
  readonly redactor: Redactor;
  readonly allowedFileRoots?: readonly string[];
}): SecretResolver {
  const { env, redactor, allowedFileRoots } = options;
  for (const usual of Object.values<UsualName>(usualNames)) {
    const value = env[usual.name];
    if (usual.secret && value) registerSecret(redactor, usual.name, value);
  }

  const resolve = async (reference: SecretReference, field: string): Promise<string> => {
    const place = reference.slice(reference.indexOf(':') + 1);
    if (reference.startsWith('env:')) {
      const value = Object.hasOwn(env, place) ? env[place] : undefined;
      if (!value) {
        const reason = value === undefined ? 'is not set' : 'is empty';
        const fix = `set ${place} in the environment of the worker, or name another reference`;
        throw new SecretUnavailable(reference, field, reason, fix);
      }
      registerSecret(redactor, place, value, plainNames.has(place));
      return value;
    }
    if (!isSecretReference(reference)) {
      throw new SecretUnavailable(
        '(a plain value)',
        field,
        'is not a reference',
        'write env:NAME or file:/path',
      );
    }
    const value = await readSecretFile(reference, place, field, allowedFileRoots);
    registerSecret(redactor, place.split('/').at(-1) ?? 'file', value);
    return value;
  };

  return {
    resolve,
    resolveEnv: async (given, field) => {
      const resolved: { [name: string]: string } = {};
      for (const [name, value] of Object.entries(given)) {
        resolved[name] = isSecretReference(value) ? await resolve(value, `${field}.${name}`) : value;
      }
      return resolved;
    },
  };
}

/** Resolves every reference in some settings, so that the redactor knows their values before anything is read that may hold them. */
export async function learnSecrets(resolver: SecretResolver, settings: unknown): Promise<void> {
  if (typeof settings === 'string') {
    // One that does not resolve is reported where it is used.
    if (isSecretReference(settings)) await resolver.resolve(settings, '').catch(() => {});
  } else if (typeof settings === 'object' && settings !== null) {
    for (const value of Object.values(settings)) await learnSecrets(resolver, value);
  }
}

/** Addresses and ids that people need to read: as references too (OPS-2). */
const plainNames: ReadonlySet<string> = new Set(
  Object.values<UsualName>(usualNames).flatMap(({ name, secret }) => (secret ? [] : [name])),
);

/**
 * The value, and of a URL also the parts that are secret by themselves: its password, its token, the path of a webhook. `plain`: an address that
 * may be read, but for a password in it.
 */
function registerSecret(redactor: Redactor, name: string, value: string, plain = false): void {
  if (!plain) redactor.register(name, value);
  const rest = /^[a-z][a-z0-9+.-]*:\/\/(.*)$/is.exec(value.trim())?.[1];
  if (rest === undefined) return;
  for (const [part, text] of urlParts(rest)) {
    if (plain && part === 'path') continue;
    for (const form of [text, percentDecoded(text)]) redactor.register(`${name}.${part}`, form);
  }
}

/** By hand: URLs of databases may have several hosts or a raw "@", which URL refuses. */
function urlParts(rest: string): (readonly [part: string, text: string])[] {
  const parts: (readonly [string, string])[] = [];
  // Up to the first and up to the last "@": a raw one may be a part of the password.
  for (const userinfo of [/^([^@]*)@/.exec(rest)?.[1], /^(.*)@/.exec(rest)?.[1]]) {
    if (userinfo === undefined) continue;
    const colon = userinfo.indexOf(':');
    if (colon >= 0) parts.push(['password', userinfo.slice(colon + 1)]);
    else if (userinfo.length >= 16) parts.push(['token', userinfo]);
  }
  for (const match of rest.matchAll(
    /[?&](?:[a-z_]*password|[a-z_]*token|[a-z_]*secret|[a-z_]*key)=([^&#]+)/gi,
  )) {
    parts.push(['parameter', match[1] ?? '']);
  }
  const path = /^[^/?#]*(\/[^?#]{20,})/.exec(rest)?.[1];
  if (path && !rest.includes('@')) parts.push(['path', path]);
  return parts;
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function readSecretFile(
  reference: string,
  path: string,
  field: string,
  roots: readonly string[] | undefined,
): Promise<string> {
  const refuse = (reason: string, fix: string) => new SecretUnavailable(reference, field, reason, fix);
  if (!isAbsolute(path)) throw refuse('is not an absolute path', 'write file:/absolute/path');
  const real = await realpath(path).catch((error: NodeJS.ErrnoException) => {
    throw refuse(`cannot be read (${error.code ?? 'error'})`, 'create the file where the worker can read it');
  });
  if (roots && !(await isUnder(real, roots))) {
    throw refuse('is outside the allowed directories', `put the file under ${roots.join(' or ')}`);
  }
  // Not blocking: the path may be a pipe, which would wait for a writer.
  const file = await open(real, constants.O_RDONLY | constants.O_NONBLOCK).catch(
    (error: NodeJS.ErrnoException) => {
      throw refuse(`cannot be read (${error.code ?? 'error'})`, 'let the user of the worker read it');
    },
  );
  try {
    const about = await file.stat();
    if (!about.isFile()) throw refuse('is not a file', 'name a regular file');
    const bytes = Buffer.alloc(maxSecretBytes + 1);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    if (bytesRead > maxSecretBytes)
      throw refuse(`is larger than ${maxSecretBytes} bytes`, 'keep the secret alone in it');
    const text = bytes.subarray(0, bytesRead).toString('utf8');
    if (text.includes('\0') || text.includes('\ufffd'))
      throw refuse('is not text', 'save the secret as UTF-8 text');
    const value = text.replace(/(?:\r?\n)+$/, '');
    if (value === '') throw refuse('is empty', 'write the secret into it');
    return value;
  } finally {
    await file.close();
  }
}

async function isUnder(path: string, roots: readonly string[]): Promise<boolean> {
  for (const root of roots) {
    const way = relative(await realpath(root).catch(() => root), path);
    if (way !== '' && !way.startsWith('..') && !isAbsolute(way)) return true;
  }
  return false;
}
