// Certificates for servers of tests, made when they are needed: an authority of its own, and certificates that are valid, expired, of another host.
import { generate } from 'selfsigned';

export type ServerCertificate = { readonly key: string; readonly cert: string };

export type CertificateWish = {
  /** Names and addresses it is for; `localhost`, `127.0.0.1` and `::1` by default. */
  readonly names?: readonly string[];
  /** Days from now; negative is in the past. */
  readonly fromDays?: number;
  readonly untilDays?: number;
};

export type Authority = {
  /** Its own certificate, to be trusted by a test. */
  readonly cert: string;
  readonly issue: (wish?: CertificateWish) => Promise<ServerCertificate>;
};

const dayMs = 86_400_000;
const local = ['localhost', '127.0.0.1', '::1'];

export async function createAuthority(): Promise<Authority> {
  const own = await generate([{ name: 'commonName', value: `Test authority ${process.pid}` }], {
    ...common({ fromDays: -30, untilDays: 365 }),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return {
    cert: own.cert,
    issue: async (wish = {}) => certificate(wish, { key: own.private, cert: own.cert }),
  };
}

/** Signed by itself: nobody trusts it. */
export async function selfSigned(wish: CertificateWish = {}): Promise<ServerCertificate> {
  return certificate(wish);
}

async function certificate(
  wish: CertificateWish,
  ca?: { readonly key: string; readonly cert: string },
): Promise<ServerCertificate> {
  const names = wish.names ?? local;
  const made = await generate([{ name: 'commonName', value: names[0] ?? 'localhost' }], {
    ...common(wish),
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: names.map((name) =>
          /^[\d.]+$|:/.test(name) ? { type: 7 as const, ip: name } : { type: 2 as const, value: name },
        ),
      },
    ],
    ...(ca === undefined ? {} : { ca }),
  });
  return { key: made.private, cert: made.cert };
}

function common({ fromDays = -1, untilDays = 60 }: CertificateWish) {
  const at = (days: number): Date => new Date(Date.now() + days * dayMs);
  return {
    keyType: 'ec' as const,
    algorithm: 'sha256',
    notBeforeDate: at(fromDays),
    notAfterDate: at(untilDays),
  };
}
