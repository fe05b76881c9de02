// Git over HTTP by git's own `http-backend`, with the forge's tokens as passwords.
// What a push means for pull requests and CI is in git/updates.ts.
import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { gitEnvironment } from '../git/bare.ts';
import { changeRefs } from '../git/updates.ts';
import { type ForgeState, mayWrite, type Repository, type User } from '../state.ts';
import { empty, type ForgeRequest, type ForgeResponse } from './route.ts';

/** `/<owner>/<name>.git/<service path>`; null for any other path. */
export function gitPath(path: string): { owner: string; name: string; rest: string } | null {
  const match = /^\/([^/]+)\/([^/]+)\.git\/(info\/refs|git-upload-pack|git-receive-pack)$/.exec(path);
  return match === null ? null : { owner: match[1] ?? '', name: match[2] ?? '', rest: match[3] ?? '' };
}

/** Answers one request of git's smart HTTP protocol. Reading needs no token, pushing needs write permission. */
export async function serveGit(
  state: ForgeState,
  request: ForgeRequest,
  repository: Repository,
  actor: User | null,
): Promise<ForgeResponse> {
  const pushing =
    request.path.endsWith('/git-receive-pack') || request.query.get('service') === 'git-receive-pack';
  if (pushing && actor === null) return empty(401, { 'www-authenticate': 'Basic realm="GitHub"' });
  if (pushing && actor !== null && !mayWrite(repository, actor)) {
    const text = `Permission to ${repository.fullName}.git denied to ${actor.login}.\n`;
    return { status: 403, headers: { 'content-type': 'text/plain' }, body: Buffer.from(text) };
  }
  const rest = gitPath(request.path)?.rest ?? '';
  if (rest === 'git-receive-pack' && actor !== null) {
    return await changeRefs(state, repository, { actor, via: 'git' }, () =>
      backend(request, repository, actor, rest),
    );
  }
  return await backend(request, repository, actor, rest);
}

async function backend(
  request: ForgeRequest,
  repository: Repository,
  actor: User | null,
  rest: string,
): Promise<ForgeResponse> {
  const output = await new Promise<Buffer>((resolve, reject) => {
    const child = spawn('git', ['http-backend'], {
      env: gitEnvironment({
        GIT_PROJECT_ROOT: dirname(repository.path),
        GIT_HTTP_EXPORT_ALL: '1',
        PATH_INFO: `/${repository.name}.git/${rest}`,
        REQUEST_METHOD: request.method,
        QUERY_STRING: request.query.toString(),
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        CONTENT_LENGTH: String(request.body.length),
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
        GIT_PROTOCOL: request.headers['git-protocol'] ?? '',
        REMOTE_ADDR: '127.0.0.1',
        ...(actor === null ? {} : { REMOTE_USER: actor.login }),
      }),
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', () => resolve(Buffer.concat(chunks)));
    child.stdin.on('error', () => undefined);
    child.stdin.end(request.body);
  });
  const end = output.indexOf('\r\n\r\n');
  if (end === -1) return empty(500);
  const headers: Record<string, string> = {};
  let status = 200;
  for (const line of output.subarray(0, end).toString('latin1').split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === 'status') status = Number.parseInt(value, 10);
    else headers[name] = value;
  }
  return { status, headers, body: output.subarray(end + 4) };
}
