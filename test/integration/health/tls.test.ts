// HEALTH-1: certificates: days left, expired, of another host, signed by nobody; over IPv6; and that all other checks refuse a bad one.

import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Authority, createAuthority, selfSigned } from '../../support/backend/certificates.ts';
import { type Production, startProduction } from '../../support/backend/production.ts';
import { reading } from './support.ts';

let authority: Authority;
let production: Production;

beforeAll(async () => {
  authority = await createAuthority();
  setDefaultCACertificates([...getCACertificates('default'), authority.cert]);
  production = await startProduction({ certificate: await authority.issue({ untilDays: 60.5 }) });
});
afterAll(() => production.close());

function certificate(more: object = {}) {
  return reading({ kind: 'tls', url: production.frontendUrl, ...more });
}

describe('a certificate', () => {
  it('that is valid for long is well (HEALTH-1)', async () => {
    production.useCertificate(await authority.issue({ untilDays: 60.5 }));
    const read = await certificate();
    expect(read).toMatchObject({ state: 'ok', level: 'sev3', facts: { daysLeft: 60 } });
    expect(read.reason).toMatch(/^its certificate is valid until \d{4}-\d\d-\d\dT\d\d:\d\dZ \(60 days\)$/);
  });

  it('that is valid for a few days more is a minor failure', async () => {
    production.useCertificate(await authority.issue({ fromDays: -80, untilDays: 10.5 }));
    const read = await certificate();
    expect(read).toMatchObject({ state: 'failed', level: 'sev3', facts: { daysLeft: 10 } });
    expect(read.reason).toMatch(/\(10 days\), expected at least 14 days$/);
    expect(await certificate({ warnDays: 10 })).toMatchObject({ state: 'ok' });
  });

  it('that lives for six days only warns in the last third of them', async () => {
    production.useCertificate(await authority.issue({ fromDays: -3, untilDays: 3 }));
    expect(await certificate()).toMatchObject({ state: 'ok' });
    production.useCertificate(await authority.issue({ fromDays: -4.5, untilDays: 1.5 }));
    expect((await certificate()).reason).toMatch(/\(1 days\), expected at least 2 days$/);
  });

  it.each([
    ['has expired', { fromDays: -20, untilDays: -2.5 }, 'its certificate has expired (CERT_HAS_EXPIRED)', -3],
    [
      'is not valid yet',
      { fromDays: 1, untilDays: 30.5 },
      'its certificate is not valid yet (CERT_NOT_YET_VALID)',
      30,
    ],
    [
      'is for another host',
      { names: ['other.example'], untilDays: 30.5 },
      'its certificate is for another host (ERR_TLS_CERT_ALTNAME_INVALID)',
      30,
    ],
  ])('that %s lets nobody in', async (_name, wish, reason, daysLeft) => {
    production.useCertificate(await authority.issue(wish));
    expect(await certificate()).toMatchObject({
      state: 'failed',
      level: 'sev1',
      reason,
      facts: { valid: false, daysLeft },
    });
    // Whoever speaks HTTP to it is refused as well: nothing is sent to somebody who may be anybody.
    const before = production.requests().length;
    const answers = await reading({ kind: 'http', url: production.backendUrl, path: '/health' });
    expect(answers).toMatchObject({ state: 'failed', reason, facts: { stage: 'tls' } });
    expect(production.requests()).toHaveLength(before);
  });

  it('that nobody else signed lets nobody in', async () => {
    production.useCertificate(await selfSigned());
    expect(await certificate({ levelInvalid: 'sev2' })).toMatchObject({
      state: 'failed',
      level: 'sev2',
      reason: 'its certificate is self-signed (DEPTH_ZERO_SELF_SIGNED_CERT)',
      facts: { valid: false },
    });
  });

  it('is looked at by the address over IPv6 too', async () => {
    const other = await startProduction({
      host: '::1',
      certificate: await authority.issue({ untilDays: 60.5 }),
    });
    try {
      const url = other.frontendUrl.replace('localhost', '[::1]');
      expect(await reading({ kind: 'tls', url })).toMatchObject({ state: 'ok', facts: { daysLeft: 60 } });
    } finally {
      await other.close();
    }
  });
});

describe('no handshake', () => {
  it('where nobody listens', async () => {
    await production.down('frontend');
    expect(await certificate()).toMatchObject({
      state: 'failed',
      level: 'sev3',
      facts: { stage: 'connect', code: 'ECONNREFUSED' },
    });
    await production.up('frontend');
  });

  it('where somebody takes the connection and says nothing, or something else', async () => {
    const words: string[] = [];
    const server = createServer((socket) => {
      socket.on('error', () => {}).resume();
      const word = words.shift();
      if (word !== undefined) socket.end(word);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
      expect(await reading({ kind: 'tls', url, timeout: '1s' })).toMatchObject({
        state: 'failed',
        reason: 'timed out in the TLS handshake (TIMEOUT)',
      });
      words.push('HTTP/1.1 400 Bad Request\r\n\r\n');
      const plain = await reading({ kind: 'tls', url });
      expect(plain).toMatchObject({ state: 'failed', level: 'sev3', facts: { stage: 'tls' } });
      expect(plain.facts.valid).toBeUndefined();
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('with an address that has no certificate', async () => {
    const read = await reading({ kind: 'tls' }, { PRODUCTION_FRONTEND_URL: 'http://127.0.0.1:1' });
    expect(read).toMatchObject({ state: 'unknown', reason: 'the address is no https address' });
  });
});
