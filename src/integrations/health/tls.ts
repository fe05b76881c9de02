// HEALTH-1: days until the certificate expires, and whether it is valid for the host at all. Certificates are checked as for any request; only
// to say when one expired is the handshake made again without, and nothing is sent over it.
import { isIP } from 'node:net';
import { connect, type DetailedPeerCertificate, type PeerCertificate } from 'node:tls';
import type { TlsCheck } from '../../contract/ops/health-settings.ts';
import { codeOf } from '../http-failure.ts';
import { type CheckContext, CheckUnusable, type Verdict } from './check.ts';
import { fullUrl } from './http/placeholders.ts';
import { RequestFailed, type Stage } from './http/request.ts';
import { noAnswer } from './no-answer.ts';

const dayMs = 86_400_000;

/** `now` is epoch milliseconds. @throws CheckUnusable for an address without TLS */
export async function checkTls(
  settings: TlsCheck,
  context: CheckContext,
  now: () => number = Date.now,
): Promise<Verdict> {
  const url = fullUrl(context.value(settings.url), '');
  if (url.protocol !== 'https:') throw new CheckUnusable('the address is no https address');
  const shaken = await handshake(url, context.signal, true);
  if (shaken instanceof RequestFailed) {
    const verdict = noAnswer(shaken);
    if (!isAboutCertificate(shaken)) return verdict;
    const seen = await handshake(url, context.signal, false);
    const dates = seen instanceof RequestFailed ? {} : datesOf(seen, now()).facts;
    return { ...verdict, facts: { ...verdict.facts, ...dates, valid: false } };
  }
  const { daysLeft, lifeDays, until, facts } = datesOf(shaken, now());
  const warnDays = Math.min(settings.warnDays, lifeDays / 3);
  const reason = `its certificate is valid until ${until} (${facts.daysLeft} days)`;
  const ok = daysLeft >= warnDays;
  return { ok, reason: ok ? reason : `${reason}, expected at least ${Math.ceil(warnDays)} days`, facts };
}

/** Codes of OpenSSL and Node about a certificate; what else goes wrong in a handshake is no fault of one. */
function isAboutCertificate({ stage, code }: RequestFailed): boolean {
  return stage === 'tls' && /CERT|SIGNATURE|CRL|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH|PURPOSE/.test(code);
}

function datesOf(certificate: PeerCertificate, nowMs: number) {
  const fromMs = Date.parse(certificate.valid_from);
  const untilMs = Date.parse(certificate.valid_to);
  const daysLeft = (untilMs - nowMs) / dayMs;
  const until = Number.isNaN(untilMs) ? 'an unreadable date' : new Date(untilMs).toISOString().slice(0, 16);
  return {
    daysLeft,
    lifeDays: (untilMs - fromMs) / dayMs,
    until: `${until}Z`,
    facts: { daysLeft: Math.floor(daysLeft), validUntil: until },
  };
}

async function handshake(
  url: URL,
  signal: AbortSignal,
  checked: boolean,
): Promise<DetailedPeerCertificate | RequestFailed> {
  signal.throwIfAborted();
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port === '' ? 443 : Number(url.port);
  const name = isIP(host) === 0 ? { servername: host } : {};
  let stage: Stage = isIP(host) === 0 ? 'name' : 'connect';
  const socket = connect({ host, port, ...name, rejectUnauthorized: checked });
  const abort = () => socket.destroy(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await new Promise<DetailedPeerCertificate>((resolve, reject) => {
      socket.once('lookup', (error: Error | null) => {
        if (error === null) stage = 'connect';
      });
      socket.once('connect', () => {
        stage = 'tls';
      });
      socket.once('secureConnect', () => resolve(socket.getPeerCertificate(true)));
      socket.on('error', reject);
      socket.once('close', () => reject(new RequestFailed(stage, 'CLOSED')));
    });
  } catch (error) {
    if (!signal.aborted)
      return error instanceof RequestFailed ? error : new RequestFailed(stage, codeOf(error) ?? 'UNKNOWN');
    const reason: unknown = signal.reason;
    if (reason instanceof Error && reason.name === 'TimeoutError') return new RequestFailed(stage, 'TIMEOUT');
    throw reason;
  } finally {
    signal.removeEventListener('abort', abort);
    socket.destroy();
  }
}
