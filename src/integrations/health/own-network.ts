// Whether this machine gets out at all: one connection to an address that is needed anyway, without a request. Asked when every check failed
// before it left the machine, so that an outage of our own is not taken for one of production, nor the other way round.
import { connect } from 'node:net';

const timeoutMs = 5_000;

/** True too where the other side refuses: it was reached. @param url `http:` or `https:` */
export async function canReach(url: string, signal: AbortSignal): Promise<boolean> {
  const { hostname, port, protocol } = new URL(url);
  const socket = connect({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (protocol === 'http:' ? 80 : 443) : Number(port),
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
  });
  try {
    return await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
    });
  } finally {
    socket.destroy();
  }
}
