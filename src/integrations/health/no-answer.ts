// A request without an answer, in words for people. Pure.
import type { Verdict } from './check.ts';
import type { RequestFailed, Stage } from './http/request.ts';

const words: { readonly [code: string]: string } = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed',
  CLOSED: 'the connection was closed without an answer',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no way to its network',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name could not be looked up',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate was issued by nobody known',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate cannot be traced to an issuer',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate was issued by nobody known',
  HPE_HEADER_OVERFLOW: 'its headers are too long',
};

const timedOut: { readonly [Of in Stage]: string } = {
  name: 'timed out while its name was looked up',
  connect: 'timed out while connecting',
  tls: 'timed out in the TLS handshake',
  answer: 'timed out before it answered',
  body: 'timed out in the middle of its answer',
};

/** The machine could not get out, or found no name: nothing reached the other side. A refused connection was answered by it. */
const ownNetwork = ['ENETUNREACH', 'EHOSTUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL', 'EACCES', 'EPERM'];

export function noAnswer({ stage, code }: Pick<RequestFailed, 'stage' | 'code'>): Verdict {
  const reason =
    code === 'TIMEOUT'
      ? timedOut[stage]
      : (words[code] ??
        (/^(?:Z_|ERR_)/.test(code) && stage === 'body' ? 'its answer could not be decoded' : 'no answer'));
  const network = stage === 'name' || (stage === 'connect' && ownNetwork.includes(code));
  return {
    ok: false,
    reason: `${reason} (${code})`,
    facts: { stage, code, ...(network ? { network } : {}) },
  };
}
