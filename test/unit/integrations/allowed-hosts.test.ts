// CI-6, SEC-3: which hosts and addresses a set-up reaches, and which proxy the worker uses for it.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addressesOf,
  allowance,
  classOf,
  parseTarget,
  type Resolve,
} from '../../../src/integrations/sandbox/allowed-hosts.ts';
import { upstreamFor } from '../../../src/integrations/sandbox/upstream-proxy.ts';

const entries = [
  'registry.npmjs.org',
  '*.pythonhosted.org',
  'nexus.corp:8443',
  '10.0.0.7:4873',
  '[::1]:4873',
];

it.each([
  ['registry.npmjs.org:443', 'listed'],
  ['REGISTRY.npmjs.org.:80', 'listed'],
  ['registry.npmjs.org:22', undefined],
  ['registry.npmjs.org.evil.example:443', undefined],
  ['evil-registry.npmjs.org:443', undefined],
  ['files.pythonhosted.org:443', 'listed'],
  ['a.b.pythonhosted.org:443', 'listed'],
  ['pythonhosted.org:443', undefined],
  ['evilpythonhosted.org:443', undefined],
  ['nexus.corp:8443', 'named'],
  ['nexus.corp:443', undefined],
  ['10.0.0.7:4873', 'named'],
  ['0x0a000007:4873', 'named'],
  ['10.0.0.7:80', undefined],
  ['[::1]:4873', 'named'],
  ['[0:0:0:0:0:0:0:1]:4873', 'named'],
  ['[::1]:80', undefined],
])('CI-6 %s is %s', (text, allowed) => {
  const target = parseTarget(text);
  if (target === undefined) throw new Error(`no target: ${text}`);
  expect(allowance(target, entries)).toBe(allowed);
});

it.each([
  '',
  'a',
  'a:',
  'a:0',
  'a:65536',
  'a:99999999',
  'user@a:443',
  'a/b:443',
  'a b:443',
  '[::1',
  'a:443\r\n',
])('no target: %j', (text) => expect(parseTarget(text)).toBeUndefined());

it.each([
  ['8.8.8.8', 'public'],
  ['2606:4700::1111', 'public'],
  ['127.0.0.1', 'inside'],
  ['127.9.9.9', 'inside'],
  ['10.1.2.3', 'inside'],
  ['172.31.0.1', 'inside'],
  ['172.32.0.1', 'public'],
  ['192.168.1.1', 'inside'],
  ['100.64.0.1', 'inside'],
  ['::1', 'inside'],
  ['fd12::1', 'inside'],
  ['169.254.169.254', 'unusable'],
  ['fd00:ec2::254', 'unusable'],
  ['fe80::1', 'unusable'],
  ['0.0.0.0', 'unusable'],
  ['::', 'unusable'],
  ['224.0.0.1', 'unusable'],
  ['255.255.255.255', 'unusable'],
  ['::ffff:127.0.0.1', 'unusable'],
  ['::ffff:8.8.8.8', 'unusable'],
  ['64:ff9b::a00:1', 'unusable'],
  ['2002:7f00:1::', 'unusable'],
  ['localhost', 'unusable'],
])('SEC-3 the address %s is %s', (address, expected) => expect(classOf(address)).toBe(expected));

describe('SEC-3 what a name may lead to', () => {
  const to =
    (...addresses: string[]): Resolve =>
    async () =>
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  const go = (text: string, resolve: Resolve) => {
    const target = parseTarget(text);
    if (target === undefined) throw new Error(`no target: ${text}`);
    return addressesOf(target, [...entries, '127.0.0.1'], resolve);
  };

  it.each([
    [
      'a public name at this machine',
      'registry.npmjs.org:443',
      ['127.0.0.1'],
      /inside of this network.*"registry.npmjs.org:443"/,
    ],
    [
      'a public name at the metadata service',
      'registry.npmjs.org:443',
      ['169.254.169.254'],
      /is not an address/,
    ],
    [
      'one bad address among good ones',
      'registry.npmjs.org:443',
      ['8.8.8.8', '10.0.0.1'],
      /10\.0\.0\.1 is inside/,
    ],
    ['a named name at the metadata service', 'nexus.corp:8443', ['169.254.169.254'], /is not an address/],
    ['an address that is listed without its port', '127.0.0.1:80', [], /inside of this network/],
    ['a name without addresses', 'registry.npmjs.org:443', [], /no address/],
    ['what is not listed', 'evil.example:443', ['8.8.8.8'], /^not on ci\.setup\.registries$/],
  ])('refuses %s', async (_name, text, addresses, reason) => {
    await expect(go(text, to(...addresses))).rejects.toThrow(reason);
  });

  it('gives the addresses that were checked, and asks the resolver once', async () => {
    let asked = 0;
    const rebinding: Resolve = async () => {
      asked += 1;
      return [{ address: asked === 1 ? '8.8.8.8' : '127.0.0.1', family: 4 }];
    };
    expect(await go('registry.npmjs.org:443', rebinding)).toEqual([{ address: '8.8.8.8', family: 4 }]);
    expect(asked).toBe(1);
    await expect(go('registry.npmjs.org:443', rebinding)).rejects.toThrow(/inside/);
    expect(await go('nexus.corp:8443', to('10.0.0.9'))).toEqual([{ address: '10.0.0.9', family: 4 }]);
    expect(await go('10.0.0.7:4873', to())).toEqual([{ address: '10.0.0.7', family: 4 }]);
  });

  it('never lets an address through that is not public, unless it is named', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV6(), (four, six) => {
        for (const address of [four, six]) {
          const target = { host: address, port: 443 };
          expect(allowance(target, [])).toBeUndefined();
          expect(['public', 'inside', 'unusable']).toContain(classOf(address));
        }
        expect(classOf(`::ffff:${four}`)).toBe('unusable');
      }),
    );
  });
});

describe("the worker's own proxy", () => {
  const target = { host: 'registry.npmjs.org', port: 443 };
  it.each<[string, Record<string, string>, unknown]>([
    ['none', {}, undefined],
    ['in capitals', { HTTPS_PROXY: 'http://proxy.corp:3128' }, { host: 'proxy.corp', port: 3128 }],
    ['without a scheme', { https_proxy: 'proxy.corp:3128' }, { host: 'proxy.corp', port: 3128 }],
    ['for everything', { ALL_PROXY: 'http://proxy.corp' }, { host: 'proxy.corp', port: 80 }],
    ['of the other scheme', { HTTP_PROXY: 'http://proxy.corp' }, undefined],
    [
      'with a password',
      { HTTPS_PROXY: 'http://me:p%40ss@proxy.corp:1' },
      { host: 'proxy.corp', port: 1, authorization: `Basic ${Buffer.from('me:p@ss').toString('base64')}` },
    ],
    ['bypassed', { HTTPS_PROXY: 'http://proxy.corp', NO_PROXY: 'x, npmjs.org' }, undefined],
    ['bypassed, with a dot', { HTTPS_PROXY: 'http://proxy.corp', NO_PROXY: '.npmjs.org' }, undefined],
    ['bypassed, always', { HTTPS_PROXY: 'http://proxy.corp', no_proxy: '*' }, undefined],
    [
      'bypassed on another port',
      { HTTPS_PROXY: 'http://proxy.corp', NO_PROXY: 'npmjs.org:80' },
      { host: 'proxy.corp', port: 80 },
    ],
  ])('%s', (_name, env, expected) => expect(upstreamFor(target, 'https', env)).toEqual(expected));

  it('is refused, without its password, when it cannot be used', () => {
    expect(() => upstreamFor(target, 'https', { HTTPS_PROXY: 'socks5://me:hunter2@proxy.corp' })).toThrow(
      /^HTTPS_PROXY of the worker: only an http:\/\/ proxy/,
    );
  });
});
