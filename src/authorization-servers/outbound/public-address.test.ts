import { describe, expect, it } from 'vitest';

import { isPublicAddress } from './public-address.ts';

describe('a public address (A-067)', () => {
  it.each(['8.8.8.8', '1.1.1.1', '193.0.6.139', '2001:4860:4860::8888', '2a00:1450:4001:80b::200e'])(
    'is %s',
    (address) => expect(isPublicAddress(address)).toBe(true),
  );

  it.each([
    ['loopback', '127.0.0.1'],
    ['loopback, the last', '127.255.255.254'],
    ['loopback', '::1'],
    ['unspecified', '0.0.0.0'],
    ['this network', '0.1.2.3'],
    ['unspecified', '::'],
    ['private', '10.0.0.1'],
    ['private', '172.16.0.1'],
    ['private, the last', '172.31.255.255'],
    ['private', '192.168.1.1'],
    ['unique local', 'fd00:ec2::254'],
    ['link-local, where clouds keep credentials', '169.254.169.254'],
    ['link-local', 'fe80::1'],
    ['link-local with a zone', 'fe80::1%eth0'],
    ['site-local', 'fec0::1'],
    ['shared by a carrier', '100.64.0.1'],
    ['multicast', '224.0.0.1'],
    ['multicast', 'ff02::1'],
    ['broadcast', '255.255.255.255'],
    ['reserved', '240.0.0.1'],
    ['for protocols', '192.0.0.1'],
    ['for documentation', '192.0.2.1'],
    ['for documentation', '198.51.100.1'],
    ['for documentation', '203.0.113.1'],
    ['for documentation', '2001:db8::1'],
    ['for documentation', '3fff::1'],
    ['for benchmarks', '198.18.0.1'],
    ['the 6to4 relay', '192.88.99.1'],
    ['mapped IPv4', '::ffff:10.0.0.1'],
    ['mapped IPv4, public', '::ffff:8.8.8.8'],
    ['compatible IPv4', '::127.0.0.1'],
    ['translated IPv4 (SIIT)', '::ffff:0:10.0.0.1'],
    ['translated IPv4 (NAT64)', '64:ff9b::7f00:1'],
    ['translated IPv4 (NAT64, local)', '64:ff9b:1::a00:1'],
    ['6to4', '2002:7f00:1::'],
    ['Teredo', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
    ['to be thrown away', '100::1'],
    ['segment routing', '5f00::1'],
    ['not assigned', '4000::1'],
    ['a name', 'localhost'],
    ['nothing', ''],
    ['a number', '2130706433'],
  ])('is never one that is %s: %s', (_kind, address) => expect(isPublicAddress(address)).toBe(false));
});
