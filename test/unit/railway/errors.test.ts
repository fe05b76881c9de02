// DEPLOY-1, DEPLOY-5: which failures of a request certainly changed nothing, by what Railway and the network say.
import { describe, expect, it } from 'vitest';
import {
  connectionFailure,
  faultFailure,
  retryAfterMs,
  statusFailure,
} from '../../../src/integrations/railway/errors.ts';

const code = 'INTERNAL_SERVER_ERROR';
const nowMs = Date.UTC(2026, 10, 21, 3);

describe('DEPLOY-1 errors in a 200', () => {
  it.each([
    // Railway says INTERNAL_SERVER_ERROR for a token it does not know, too: the words decide.
    ['Not Authorized', 'denied'],
    ['Project Token not found', 'denied'],
    ['Two Factor Authentication Required', 'denied'],
    ['Deployment not found', 'refused'],
    ['Commit not found', 'refused'],
    ['A service named "api" already exists in this project', 'refused'],
    ['Cannot restart a deployment with status REMOVED', 'refused'],
    ['You are creating projects too quickly', 'limited'],
    ['Rate limit exceeded', 'limited'],
    // What Railway says instead of an error it does not show: it may have been done.
    ['Problem processing request', 'doubt'],
    ['Internal server error', 'doubt'],
    ['Request timed out', 'doubt'],
    ['upstream timeout', 'doubt'],
    ['connect ECONNREFUSED 10.0.0.1:5432', 'doubt'],
    ['Service temporarily unavailable', 'doubt'],
  ])('%s: %s', (message, kind) => {
    const failure = faultFailure('restart', [{ message, path: ['deploymentRestart'], extensions: { code } }]);
    expect(failure.kind).toBe(kind);
    expect(failure.message).toContain(`Railway restart: ${message}`);
  });

  it('an error below the mutation came after it', () => {
    const fault = { message: 'Deployment not found', path: ['deploymentRedeploy', 'id'] };
    expect(faultFailure('redeploy', [fault]).kind).toBe('doubt');
  });

  it('of several, the one that leaves most open counts', () => {
    const faults = [{ message: 'Not Authorized' }, { message: 'Problem processing request' }];
    expect(faultFailure('restart', faults).kind).toBe('doubt');
  });

  it('names the field where the token does not fit', () => {
    expect(faultFailure('overview', [{ message: 'Not Authorized' }]).message).toContain(
      'services.provider.token and tokenKind',
    );
  });
});

describe('DEPLOY-5 answers that are no 200', () => {
  it.each([
    [429, 'limited'],
    [500, 'doubt'],
    [502, 'doubt'],
    [503, 'doubt'],
    [504, 'doubt'],
    [408, 'doubt'],
    [401, 'denied'],
    [403, 'denied'],
    [400, 'refused'],
    [404, 'refused'],
    [301, 'refused'],
  ])('%i: %s', (status, kind) => {
    expect(statusFailure('restart', status, 'said', null, nowMs).kind).toBe(kind);
  });

  it.each([
    ['30', 30_000],
    ['0', 1_000],
    ['0.5', 1_000],
    ['86400', 3_600_000],
    ['Sat, 21 Nov 2026 03:01:00 GMT', 60_000],
    ['Sat, 21 Nov 2026 02:00:00 GMT', 1_000],
    ['soon', undefined],
    ['', undefined],
    [null, undefined],
  ])('Retry-After %j: %j ms', (given, expected) => {
    expect(retryAfterMs(given, nowMs)).toBe(expected);
  });

  it('waits a minute where a 429 does not say how long', () => {
    expect(statusFailure('restart', 429, '', null, nowMs).retryAfterMs).toBe(60_000);
  });
});

describe('DEPLOY-1 no answer', () => {
  it.each([
    ['ECONNREFUSED', 'unreached'],
    ['ENOTFOUND', 'unreached'],
    ['UND_ERR_CONNECT_TIMEOUT', 'unreached'],
    ['ECONNRESET', 'doubt'],
    ['UND_ERR_SOCKET', 'doubt'],
    ['UND_ERR_HEADERS_TIMEOUT', 'doubt'],
    ['EPIPE', 'doubt'],
  ])('%s: %s', (word, kind) => {
    const cause = Object.assign(new Error('x'), { code: word });
    expect(connectionFailure('restart', new TypeError('fetch failed', { cause })).kind).toBe(kind);
  });

  it('a time-out of ours is in doubt', () => {
    const failure = connectionFailure('restart', new DOMException('late', 'TimeoutError'));
    expect(failure).toMatchObject({ kind: 'doubt', message: 'Railway restart: no answer (TimeoutError)' });
  });
});
