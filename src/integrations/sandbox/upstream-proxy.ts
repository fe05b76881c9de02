// The proxy that the worker itself has to use, by its environment (HTTPS_PROXY, HTTP_PROXY, NO_PROXY in either case): where there is one, names are
// often resolved by it alone. Pure. Its user and password stay in the worker; a sandbox never sees them.
import { plainHost, type Target } from './allowed-hosts.ts';

export type Upstream = Target & {
  /** Value of `Proxy-Authorization`. */
  readonly authorization?: string;
};

/** The proxy for one target, or undefined to connect directly. @throws Error for a proxy that is not `http:` */
export function upstreamFor(
  target: Target,
  scheme: 'http' | 'https',
  env: Readonly<Record<string, string | undefined>>,
): Upstream | undefined {
  const variable = (name: string): string => env[name.toLowerCase()] || env[name.toUpperCase()] || '';
  const given = variable(`${scheme}_proxy`) || variable('all_proxy');
  if (given === '' || bypassed(target, variable('no_proxy'))) return undefined;
  const text = given.includes('://') ? given : `http://${given}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:')
    throw new Error(
      `${scheme.toUpperCase()}_PROXY of the worker: only an http:// proxy can be used for set-up`,
    );
  const upstream = { host: plainHost(url.hostname), port: url.port === '' ? 80 : Number(url.port) };
  if (url.username === '' && url.password === '') return upstream;
  const user = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return { ...upstream, authorization: `Basic ${Buffer.from(user).toString('base64')}` };
}

function bypassed({ host, port }: Target, noProxy: string): boolean {
  return noProxy
    .split(/[\s,]+/)
    .filter(Boolean)
    .some((entry) => {
      if (entry === '*') return true;
      const [, name = '', own] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
      const suffix = plainHost(name.replace(/^\*?\./, ''));
      return (own === undefined || Number(own) === port) && (host === suffix || host.endsWith(`.${suffix}`));
    });
}
