// Railway over HTTP for tests: executes our SDL (src/integrations/railway/sdl.ts) over state in memory, on a clock that the test sets. Strict: the header
// has to fit the kind of token, documents are validated, ids are checked, and errors look as Railway's do (HTTP 200, code INTERNAL_SERVER_ERROR for
// everything but a document that does not validate).
//
//   let nowMs = Date.UTC(2026, 10, 21, 3);
//   const railway = await startRailway({ now: () => nowMs });
//   const shop = railway.world.addProject({ project: 'shop', services: [
//     { name: 'backend', commitSha: 'a1', domains: ['shop.example'], behaviour: { startMs: 5_000, crashesAfterMs: 120_000, crashLines: ['boom'] } },
//     { name: 'frontend', image: 'shop/web:1.4' },
//   ] });
//   createRailwayProvider(railway.settings(shop), { token: shop.projectToken })
//   nowMs += 125_000;                            // backend is CRASHED now; a restart is good for 2 more minutes, steadyFromStart ends the loop
//   railway.world.push('backend', { commitSha: 'b2', behaviour: { failsBuild: true } });
//   railway.world.say('backend', 'HIBERNATING'); // any word, known or not; null: what it really does
//   railway.world.addLogs('backend', 'deploy', ['token=…planted…']);
//   railway.world.setVariable({ environmentId: shop.environmentId, serviceId: null, name: 'A', value: 'b' });
//   railway.fail({ kind: 'limited', retryAfterS: 30, times: 2 });           // see Fault for the others; `operation` narrows it
//   railway.journal()                            // every request: operation, variables, token kind, status, whether it wrote
//   await railway.close();
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { execute, type GraphQLError, type OperationDefinitionNode, parse, validate } from 'graphql';
import type { RailwaySettings } from '../../../src/contract/ops/settings.ts';
import { createRateLimit, type RateLimit } from './rate-limit.ts';
import { type Caller, railwaySchema, rootOf } from './resolvers.ts';
import { createWorld, type ProjectRow, type World } from './world.ts';

/** Each happens once, or `times`; to every request, or those of `operation` (the document's name, `Restart`). */
export type Fault = { readonly operation?: string; readonly times?: number } & (
  | { readonly kind: 'limited'; readonly retryAfterS: number | string }
  /** Errors in a 200; nothing is done. */
  | { readonly kind: 'error'; readonly message: string; readonly code?: string }
  /** The request is done, and the answer is lost: 502, a connection that breaks, a body that ends in the middle, no answer at all. */
  | { readonly kind: 'badGateway' | 'reset' | 'truncated' | 'hang' }
  /** Not done: 503 of something before Railway, or its page with a 200. */
  | { readonly kind: 'unavailable' | 'page' }
  | { readonly kind: 'slow'; readonly ms: number }
);

export type RailwayRequest = {
  readonly atMs: number;
  readonly operation: string;
  readonly kind: 'query' | 'mutation';
  readonly variables: { readonly [name: string]: unknown };
  readonly token: 'project' | 'account' | 'none' | 'wrong';
  /** 0: no answer was given. */
  readonly status: number;
  readonly errors: readonly string[];
  /** Something was changed. */
  readonly wrote: boolean;
};

export type Railway = {
  readonly url: string;
  /** Of an account: every project, as `Authorization: Bearer`. */
  readonly accountToken: string;
  readonly world: World;
  /** `services.provider` of a tenant file, as it is read; the token itself is `project.projectToken` or `accountToken`. */
  readonly settings: (project: ProjectRow, tokenKind?: 'project' | 'account') => RailwaySettings;
  readonly fail: (fault: Fault) => void;
  readonly journal: () => readonly RailwayRequest[];
  readonly writes: () => readonly RailwayRequest[];
  readonly close: () => Promise<void>;
};

export async function startRailway(
  options: {
    readonly now?: () => number;
    readonly port?: number;
    /** Requests of each token; none by default. Beyond it: 429. */
    readonly limit?: RateLimit;
  } = {},
): Promise<Railway> {
  const now = options.now ?? Date.now;
  const world = createWorld(now);
  const schema = railwaySchema();
  const accountToken = 'account-3f9d7c1a-token';
  const faults: { -readonly [Key in keyof Fault]: Fault[Key] }[] = [];
  const journal: RailwayRequest[] = [];
  const rateLimit = createRateLimit(options.limit, now);
  let traces = 0;

  const callerOf = (request: IncomingMessage): { caller: Caller | null; token: RailwayRequest['token'] } => {
    const project = request.headers['project-access-token'];
    const account = request.headers.authorization;
    if (project === undefined && account === undefined) return { caller: null, token: 'none' };
    if (project === undefined)
      return account === `Bearer ${accountToken}`
        ? { caller: { environmentId: null }, token: 'account' }
        : { caller: null, token: 'wrong' };
    const row = world.rows.projects.find(({ projectToken }) => projectToken === project);
    return row === undefined
      ? { caller: null, token: 'wrong' }
      : { caller: { environmentId: row.environmentId }, token: 'project' };
  };

  const takeFault = (operation: string): Fault | undefined => {
    const index = faults.findIndex((fault) => (fault.operation ?? operation) === operation);
    const fault = faults[index];
    if (fault === undefined) return undefined;
    fault.times = (fault.times ?? 1) - 1;
    if (fault.times <= 0) faults.splice(index, 1);
    return fault as Fault;
  };

  const errorsBody = (errors: readonly (GraphQLError | { message: string })[], code: string): object => {
    traces += 1;
    const traceId = String(900_000_000_000_000_000n + BigInt(traces));
    return {
      errors: errors.map((error) => ({
        message: error.message,
        ...('path' in error && error.path !== undefined ? { path: error.path } : {}),
        ...('locations' in error && error.locations !== undefined ? { locations: error.locations } : {}),
        extensions: { code },
        traceId,
      })),
    };
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    if (request.method !== 'POST' || request.url !== '/graphql/v2')
      return send(response, 404, { message: 'Not Found' });
    const asked = bodyOf(Buffer.concat(chunks).toString());
    if (asked === undefined)
      return send(response, 400, errorsBody([{ message: 'POST body missing' }], 'BAD_REQUEST'));
    const { caller, token } = callerOf(request);
    const parsed = documentOf(asked.query);
    const invalid = parsed.document === undefined ? parsed.errors : validate(schema, parsed.document);
    const operation = parsed.document?.definitions.find(
      (one): one is OperationDefinitionNode => one.kind === 'OperationDefinition',
    );
    const name = operation?.name?.value ?? '';
    let wrote = false;
    const note = (status: number, errors: readonly string[] = []): void => {
      const kind = operation?.operation === 'mutation' ? 'mutation' : 'query';
      journal.push({
        atMs: now(),
        operation: name,
        kind,
        variables: asked.variables,
        token,
        status,
        errors,
        wrote,
      });
    };
    const answer = (status: number, body: object, errors: readonly string[] = []): void => {
      note(status, errors);
      send(response, status, body);
    };

    const key = request.headers['project-access-token'] ?? request.headers.authorization ?? '';
    const { headers, retryAfterS } = rateLimit(String(key));
    for (const [header, value] of Object.entries(headers)) response.setHeader(header, value);
    const fault = takeFault(name);
    const limitedForS = fault?.kind === 'limited' ? fault.retryAfterS : retryAfterS;
    if (limitedForS !== null) {
      response.setHeader('Retry-After', String(limitedForS));
      return answer(429, { message: 'You are being ratelimited. Please try again later' }, ['ratelimited']);
    }
    if (fault?.kind === 'unavailable') return answer(503, { message: 'upstream' });
    if (fault?.kind === 'page') {
      note(200);
      response.setHeader('content-type', 'text/html');
      response.end('<html><body>Sign in</body></html>');
      return;
    }
    if (invalid.length > 0)
      return answer(
        400,
        errorsBody(invalid, 'GRAPHQL_VALIDATION_FAILED'),
        invalid.map(({ message }) => message),
      );
    if (fault?.kind === 'slow') await new Promise((resolve) => setTimeout(resolve, fault.ms));
    const refused =
      fault?.kind === 'error'
        ? fault.message
        : caller === null
          ? token === 'wrong' && request.headers['project-access-token'] !== undefined
            ? 'Project Token not found'
            : 'Not Authorized'
          : null;
    if (refused !== null || caller === null || parsed.document === undefined) {
      const message = refused ?? 'Not Authorized';
      const code = fault?.kind === 'error' ? fault.code : undefined;
      return answer(200, { ...errorsBody([{ message }], code ?? 'INTERNAL_SERVER_ERROR'), data: null }, [
        message,
      ]);
    }
    world.settle();
    const result = await execute({
      schema,
      document: parsed.document,
      rootValue: rootOf(world, caller, () => {
        wrote = true;
      }),
      variableValues: asked.variables,
    });
    const errors = result.errors ?? [];
    const body =
      errors.length === 0
        ? { data: result.data }
        : { ...errorsBody(errors, 'INTERNAL_SERVER_ERROR'), data: result.data ?? null };
    const words = errors.map(({ message }) => message);
    if (fault?.kind === 'badGateway') return answer(502, { message: 'Bad Gateway' }, words);
    if (fault?.kind === 'hang') return note(0, words);
    if (fault?.kind === 'reset') {
      note(0, words);
      response.socket?.resetAndDestroy();
      return;
    }
    if (fault?.kind === 'truncated') {
      note(200, words);
      response.setHeader('content-length', '100000');
      response.write('{"data":{');
      setTimeout(() => response.socket?.destroy(), 20);
      return;
    }
    answer(200, body, words);
  };

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => send(response, 500, { message: String(error) }));
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql/v2`;

  return {
    url,
    accountToken,
    world,
    settings: ({ projectId, environmentId }, tokenKind = 'project') => ({
      kind: 'railway',
      apiUrl: url,
      token: 'env:RAILWAY_TOKEN',
      tokenKind,
      ...(tokenKind === 'account' ? { projectId, environmentId } : {}),
      requestsPerHour: 1_000,
      requestsPerSecond: 10,
    }),
    fail: (fault) => void faults.push({ ...fault }),
    journal: () => journal,
    writes: () => journal.filter(({ wrote }) => wrote),
    close: async () => {
      server.closeAllConnections();
      // Closing it twice does no harm.
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function bodyOf(text: string): { query: string; variables: { [name: string]: unknown } } | undefined {
  try {
    const body = JSON.parse(text);
    return typeof body.query === 'string'
      ? { query: body.query, variables: body.variables ?? {} }
      : undefined;
  } catch {
    return undefined;
  }
}

function documentOf(query: string): {
  readonly document?: ReturnType<typeof parse>;
  readonly errors: readonly GraphQLError[];
} {
  try {
    return { document: parse(query), errors: [] };
  } catch (error) {
    return { errors: [error as GraphQLError] };
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  if (response.headersSent || response.destroyed) return;
  response.statusCode = status;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(body));
}
