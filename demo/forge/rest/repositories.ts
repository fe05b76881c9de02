// REST: repositories, users, permissions, labels of a repository, the rate limit.
import {
  ApiError,
  bodyOf,
  type Call,
  empty,
  json,
  optionalText,
  page,
  param,
  type Route,
  requiredText,
  route,
  validationFailed,
} from '../http/route.ts';
import { labelJson, repositoryJson, userJson } from '../shapes.ts';
import { findRepository, permissionOf, type Repository, requireWrite, takeId } from '../state.ts';

export function repositoryOf(call: Call): Repository {
  return findRepository(call.state, param(call, 'owner'), param(call, 'repo'));
}

const maxPayloadBytes = 65_536;

export const repositoryRoutes: readonly Route[] = [
  route('GET', '/user', ({ state, actor }) => json(userJson(state, actor))),
  route('GET', '/users/:login', (call) => {
    const user = call.state.users.get(param(call, 'login'));
    if (user === undefined) throw new ApiError(404, 'Not Found');
    return json(userJson(call.state, user));
  }),
  route('GET', '/repos/:owner/:repo', (call) =>
    json(repositoryJson(call.state, repositoryOf(call), call.actor)),
  ),
  route('GET', '/repos/:owner/:repo/collaborators/:login/permission', (call) => {
    const repository = repositoryOf(call);
    const user = call.state.users.get(param(call, 'login'));
    if (user === undefined) throw new ApiError(404, 'Not Found');
    const role = permissionOf(repository, user);
    const permission = role === 'maintain' ? 'write' : role === 'triage' ? 'read' : role;
    return json({ permission, role_name: role, user: { ...userJson(call.state, user), role_name: role } });
  }),
  route('GET', '/repos/:owner/:repo/labels', (call) => {
    const repository = repositoryOf(call);
    const { items, headers } = page(call, [...repository.labels.values()]);
    return json(
      items.map((label) => labelJson(call.state, repository, label)),
      200,
      headers,
    );
  }),
  route('GET', '/repos/:owner/:repo/labels/:name', (call) => {
    const repository = repositoryOf(call);
    const label = repository.labels.get(param(call, 'name'));
    if (label === undefined) throw new ApiError(404, 'Not Found');
    return json(labelJson(call.state, repository, label));
  }),
  route('POST', '/repos/:owner/:repo/labels', (call) => {
    const repository = repositoryOf(call);
    requireWrite(repository, call.actor);
    const body = bodyOf(call);
    const name = requiredText(body, 'Label', 'name');
    if (repository.labels.has(name)) throw validationFailed('Label', 'name', 'already_exists');
    const color = optionalText(body, 'color') ?? 'ededed';
    const label = {
      id: takeId(call.state),
      name,
      color,
      description: optionalText(body, 'description') ?? null,
    };
    repository.labels.set(name, label);
    return json(labelJson(call.state, repository, label), 201);
  }),
  route('POST', '/repos/:owner/:repo/dispatches', async (call) => {
    const repository = repositoryOf(call);
    requireWrite(repository, call.actor);
    const body = bodyOf(call);
    const eventType = requiredText(body, 'RepositoryDispatch', 'event_type');
    if (eventType.length > 100) throw validationFailed('RepositoryDispatch', 'event_type', 'invalid');
    const payload = body.client_payload ?? {};
    if (typeof payload !== 'object' || payload === null || Array.isArray(payload))
      throw new ApiError(422, "Invalid request.\n\nFor 'properties/client_payload', is not an object.");
    if (Object.keys(payload).length > 10)
      throw new ApiError(422, 'No more than 10 properties are allowed in client_payload.');
    if (Buffer.byteLength(JSON.stringify(payload)) > maxPayloadBytes)
      throw new ApiError(422, 'client_payload is too large.');
    const { actor, state } = call;
    state.journal.write({
      kind: 'dispatched',
      actor: actor.login,
      repository: repository.fullName,
      eventType,
      body: JSON.stringify(payload),
    });
    const event = {
      action: eventType,
      branch: repository.defaultBranch,
      client_payload: payload,
      repository: repositoryJson(state, repository, actor),
      sender: userJson(state, actor),
    };
    await state.ci.dispatched(repository, event, actor);
    return empty(204);
  }),
];
