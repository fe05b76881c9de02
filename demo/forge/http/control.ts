// The forge's own operations over HTTP: `POST /_forge/<path>` with a JSON argument, and two GETs to look by hand.
// For the forge in another process; `client.ts` is the typed side of it.
import { type ForgeOperations, OPERATION_PATHS } from '../operations.ts';
import { ApiError, type ForgeRequest, type ForgeResponse, json } from './route.ts';

/** Runs one operation; 404 for an unknown one, 4xx with a message where it refuses. */
export async function serveControl(
  operations: ForgeOperations,
  request: ForgeRequest,
): Promise<ForgeResponse> {
  const path = request.path.slice('/_forge/'.length);
  try {
    if (request.method === 'GET' && path === 'journal') {
      return json({
        requests: await operations.journal.requests(),
        writes: await operations.journal.writes(),
      });
    }
    if (request.method === 'GET' && path === 'faults') return json(await operations.faults.list());
    const operation = OPERATION_PATHS.some((known) => known === path)
      ? findOperation(operations, path)
      : null;
    if (request.method !== 'POST' || operation === null) throw new ApiError(404, `No operation "${path}"`);
    const argument: unknown =
      request.body.length === 0 ? undefined : JSON.parse(request.body.toString('utf8'));
    return json({ result: (await operation(argument)) ?? null });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return json({ message }, error instanceof ApiError ? error.status : 500);
  }
}

function findOperation(
  operations: ForgeOperations,
  path: string,
): ((argument: unknown) => Promise<unknown>) | null {
  let target: unknown = operations;
  for (const name of path.split('/')) {
    target = typeof target === 'object' && target !== null ? Reflect.get(target, name) : undefined;
  }
  return typeof target === 'function' ? (argument) => Reflect.apply(target, undefined, [argument]) : null;
}
