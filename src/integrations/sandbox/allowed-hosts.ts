// Which hosts and addresses a set-up may reach (CI-6): host names of `ci.setup.registries` on the web's ports, and no address inside of the
// machine or its network, whatever a name resolves to. Pure, but for asking the resolver.
import { type LookupAddress, lookup } from 'node:dns';
import { BlockList, isIP, isIPv6 } from 'node:net';
import { promisify } from 'node:util';

/** `host` as URLs have it: small letters, no brackets, no dot at its end. */
export type Target = { readonly host: string; readonly port: number };

export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

/** Why a set-up does not get where it wanted; the message names the setting. */
export class HostRefused extends Error {}

export const notListed = 'not on ci.setup.registries';
const webPorts = [80, 443];

const netsOf = (family: 'ipv4' | 'ipv6', nets: readonly (readonly [string, number])[]): BlockList => {
  const list = new BlockList();
  for (const [network, bits] of nets) list.addSubnet(network, bits, family);
  return list;
};

/** Never reached by a name: link-local (clouds hand out credentials there), this network, multicast, reserved, addresses that wrap others. */
const unusable = {
  ipv4: netsOf('ipv4', [
    ['0.0.0.0', 8],
    ['169.254.0.0', 16],
    ['192.0.0.0', 24],
    ['224.0.0.0', 4],
    ['240.0.0.0', 4],
  ]),
  ipv6: netsOf('ipv6', [
    ['::', 128],
    ['::ffff:0:0', 96],
    ['64:ff9b::', 96],
    ['64:ff9b:1::', 48],
    ['100::', 64],
    ['2001::', 32],
    ['2002::', 16],
    ['fd00:ec2::254', 128],
    ['fe80::', 10],
    ['fec0::', 10],
    ['ff00::', 8],
  ]),
};

/** Reached only where the setting names host and port: this machine, and networks that are not the internet's. */
const inside = {
  ipv4: netsOf('ipv4', [
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
    ['198.18.0.0', 15],
  ]),
  ipv6: netsOf('ipv6', [
    ['::1', 128],
    ['fc00::', 7],
  ]),
};

export type AddressClass = 'public' | 'inside' | 'unusable';

/** What an IP address is; a text that is none is `unusable`. An IPv4 address in an IPv6 one is not looked into: it is refused. */
export function classOf(address: string): AddressClass {
  if (isIP(address) === 0) return 'unusable';
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  if (unusable[family].check(address, family)) return 'unusable';
  return inside[family].check(address, family) ? 'inside' : 'public';
}

/** `registry.npmjs.org:443`, `[::1]:4873` → its parts; undefined for what is no host and port. */
export function parseTarget(text: string): Target | undefined {
  if (!/^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):\d{1,5}$/.test(text)) return undefined;
  const port = Number(text.slice(text.lastIndexOf(':') + 1));
  if (port < 1 || port > 65_535 || !URL.canParse(`http://${text}`)) return undefined;
  return { host: plainHost(new URL(`http://${text}`).hostname), port };
}

/** As URLs write hosts (`[::1]`, `Example.org.`) → as it is compared and connected to. */
export function plainHost(hostname: string): string {
  return hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
}

/**
 * Whether the setting lets a set-up go there; `named` when an entry is that very host and port.
 * Entries: `host` and `*.suffix` (ports 80 and 443), or either with a port of its own.
 */
export function allowance(target: Target, entries: readonly string[]): 'named' | 'listed' | undefined {
  let listed = false;
  for (const entry of entries) {
    const own = parseTarget(entry.replace(/^\*\./, ''));
    const host = own?.host ?? plainHost(entry.replace(/^\*\./, ''));
    if (own === undefined ? !webPorts.includes(target.port) : own.port !== target.port) continue;
    const isSuffix = entry.startsWith('*.');
    if (!isSuffix && own !== undefined && host === target.host) return 'named';
    if (isSuffix ? target.host.endsWith(`.${host}`) : target.host === host) listed = true;
  }
  return listed ? 'listed' : undefined;
}

const resolveAll = promisify(lookup);

/** All addresses of a host by the machine's resolver. */
export const resolveHost: Resolve = (host) => resolveAll(host, { all: true });

/**
 * The addresses to connect to, resolved once: a connection uses these and asks no resolver again, so that a name cannot change in between.
 * One address that is not allowed refuses the name.
 *
 * @throws HostRefused; the resolver's error
 */
export async function addressesOf(
  target: Target,
  entries: readonly string[],
  resolve: Resolve,
): Promise<readonly LookupAddress[]> {
  const allowed = allowance(target, entries);
  if (allowed === undefined) throw new HostRefused(notListed);
  const literal = isIP(target.host);
  if (literal !== 0 && allowed === 'named') return [{ address: target.host, family: literal }];
  const addresses = literal === 0 ? await resolve(target.host) : [{ address: target.host, family: literal }];
  if (addresses.length === 0) throw new HostRefused('it has no address');
  for (const { address } of addresses) {
    const found = classOf(address);
    if (found === 'unusable') throw new HostRefused(`${address} is not an address that a name may lead to`);
    if (found === 'inside' && allowed !== 'named')
      throw new HostRefused(
        `${address} is inside of this network; write "${target.host}:${target.port}" into ci.setup.registries if that is meant`,
      );
  }
  return addresses;
}
