// Runs git so that nothing but our own arguments decides what it does: no hooks, no system or user configuration, no
// prompts, no filters, no file system monitor, only http, https and local paths. The token travels in the environment
// of the one child that needs it, never in arguments, files, addresses or errors (SEC-2).
import { cleanEnvironment, runCommand } from '../process/run-command.ts';

/** Why a git command failed; `timedOut`, `aborted` and `unreachable` leave open whether a remote did what was asked. */
export type GitFailureKind =
  | 'unreachable'
  | 'denied'
  | 'notFound'
  | 'timedOut'
  | 'aborted'
  | 'tooLarge'
  | 'failed';

/** A git command that did not do its work; the message holds git's own words without secrets. */
export class GitError extends Error {
  readonly kind: GitFailureKind;
  constructor(kind: GitFailureKind, message: string) {
    super(message);
    this.name = 'GitError';
    this.kind = kind;
  }
}

/** Address of a repository and what opens it; the token is used for http and https only. */
export type GitRemote = { readonly url: string; readonly token?: string | undefined };

export type GitRequest = {
  /** What error messages call it; default `git` and the first plain argument. */
  readonly name?: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly remote?: GitRemote;
  readonly stdin?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** A program and arguments that start git, such as a lock; default none. */
  readonly prefix?: readonly string[];
  /** Exit codes that are not a failure; default only 0. */
  readonly okExitCodes?: readonly number[];
  readonly maxOutputBytes?: number;
};

const LOCAL_TIMEOUT_MS = 120_000;
const MAX_OUTPUT_BYTES = 8_000_000;

const FIXED_CONFIG: readonly (readonly [string, string])[] = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.attributesFile', '/dev/null'],
  ['core.excludesFile', '/dev/null'],
  ['core.autocrlf', 'false'],
  ['core.quotePath', 'true'],
  ['core.trustctime', 'false'],
  ['core.checkStat', 'minimal'],
  ['core.protectHFS', 'true'],
  ['core.protectNTFS', 'true'],
  ['credential.helper', ''],
  ['commit.gpgSign', 'false'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['submodule.recurse', 'false'],
  ['fetch.recurseSubmodules', 'false'],
  ['push.gpgSign', 'false'],
  ['http.followRedirects', 'false'],
  ['http.lowSpeedLimit', '1000'],
  ['http.lowSpeedTime', '60'],
  ['advice.detachedHead', 'false'],
];

/** Variables of the worker that a network command may need; never a secret of ours. */
const NETWORK_VARIABLES = [
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'ALL_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'all_proxy',
  'no_proxy',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'GIT_SSL_CAINFO',
];

/**
 * Runs git and returns its output.
 *
 * @throws GitError when it fails, hangs past `timeoutMs`, or floods; Error for an address that is not allowed.
 */
export async function git(request: GitRequest): Promise<{ stdout: string; exitCode: number }> {
  const token = request.remote?.token;
  const result = await runCommand({
    argv: [...(request.prefix ?? []), 'git', ...request.args],
    cwd: request.cwd,
    env: { ...gitEnvironment(request.remote), ...request.env },
    timeoutMs: request.timeoutMs ?? LOCAL_TIMEOUT_MS,
    maxOutputBytes: request.maxOutputBytes ?? MAX_OUTPUT_BYTES,
    ...(request.stdin === undefined ? {} : { stdin: request.stdin }),
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  });
  const what = request.name ?? `git ${request.args.find((arg) => !arg.startsWith('-')) ?? ''}`;
  if (result.end === 'notFound')
    throw new GitError('failed', `${what}: git (or flock) is not on PATH; install git 2.31 or newer`);
  if (result.end !== 'exited')
    throw new GitError(result.end, `${what}: ${result.end} after ${result.durationMs} ms`);
  const said = withoutSecrets(result.stderr.trim(), token).slice(-2_000);
  const exitCode = result.exitCode ?? -1;
  if (!(request.okExitCodes ?? [0]).includes(exitCode))
    throw new GitError(
      failureKind(said),
      `${what} failed with ${result.signal ?? `exit code ${exitCode}`}: ${said}`,
    );
  if (result.truncated)
    throw new GitError('tooLarge', `${what}: more than ${MAX_OUTPUT_BYTES} bytes of output`);
  return { stdout: result.stdout, exitCode };
}

/** Throws for an address with a password in it, or of another kind than http, https, file or an absolute path. */
export function checkRemoteUrl(url: string): void {
  if (url.startsWith('/')) return;
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !['http:', 'https:', 'file:'].includes(parsed.protocol))
    throw new Error('repository address: give an http, https or file address, or an absolute path');
  if (parsed.username !== '' || parsed.password !== '')
    throw new Error(
      'repository address: it holds a user name or password; give them as a token reference instead',
    );
}

/** Throws unless `sha` is a full object name. */
export function checkSha(name: string, sha: string): void {
  if (!/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(sha))
    throw new Error(`${name}: "${sha}" is not a full commit SHA`);
}

function gitEnvironment(remote: GitRemote | undefined): Record<string, string> {
  const config = [...FIXED_CONFIG];
  const network: Record<string, string> = {};
  if (remote !== undefined) {
    checkRemoteUrl(remote.url);
    if (remote.token !== undefined && /^https?:/.test(remote.url)) {
      const basic = Buffer.from(`x-access-token:${remote.token}`).toString('base64');
      config.push([`http.${remote.url}.extraHeader`, `Authorization: Basic ${basic}`]);
    }
    for (const name of NETWORK_VARIABLES) {
      const value = process.env[name];
      if (value !== undefined) network[name] = value;
    }
  }
  const env: Record<string, string> = {
    ...network,
    PATH: cleanEnvironment().PATH,
    HOME: '/nonexistent',
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '/bin/false',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_ALLOW_PROTOCOL: 'http:https:file',
    GIT_CONFIG_COUNT: String(config.length),
  };
  for (const [index, [key, value]] of config.entries()) {
    env[`GIT_CONFIG_KEY_${index}`] = key;
    env[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return env;
}

function withoutSecrets(text: string, token: string | undefined): string {
  const hidden = text.replace(/(\w+:\/\/)[^/@\s]*@/g, '$1');
  if (token === undefined || token === '') return hidden;
  const basic = Buffer.from(`x-access-token:${token}`).toString('base64');
  return hidden.replaceAll(token, '[token]').replaceAll(basic, '[token]');
}

function failureKind(said: string): GitFailureKind {
  if (
    /Authentication failed|could not read (Username|Password)|HTTP (401|403)|error: 40[13]\b|Permission .*denied/i.test(
      said,
    )
  )
    return 'denied';
  if (
    /repository .* not found|HTTP 404|error: 404\b|does not appear to be a git repository|does not exist|not our ref|couldn't find remote ref/i.test(
      said,
    )
  )
    return 'notFound';
  if (
    /unable to access|Could not resolve|Connection (refused|reset|timed out)|early EOF|hung up|RPC failed|error: 5\d\d\b/i.test(
      said,
    )
  )
    return 'unreachable';
  return 'failed';
}
