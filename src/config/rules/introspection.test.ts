import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';

import { loadConfiguration } from '../load.ts';

const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString();
const environment = { SECRET: 'hunter2', PADDED: ' hunter2 ', KEY: pem };

function load(introspection: string, more = '') {
  const text = `publicUrl: https://mcp.example.com
routes: [{ path: /mcp, upstream: 'http://b' }]
authorizationServers: [{ issuer: 'https://a.example', ${more} introspection: { ${introspection} } }]
`;
  const readFile = (): string => 'from a file\n';
  return loadConfiguration(text, { file: '/etc/config.yaml', environment, readFile });
}

function settingsOf(introspection: string) {
  const loaded = load(introspection);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  return loaded.configuration.authorizationServers[0]?.introspection;
}

function faultsOf(introspection: string, more?: string): readonly string[] {
  const loaded = load(introspection, more);
  return loaded.ok
    ? []
    : loaded.faults.map(({ path, found }) => `${path.replace(/^authorizationServers\[0\]\./, '')}: ${found}`);
}

describe('introspection', () => {
  it('needs a client and its secret, and has defaults for the rest', () => {
    expect(settingsOf('clientId: gw, clientSecret: { env: SECRET }')).toEqual({
      for: 'opaque',
      clientId: 'gw',
      authentication: { method: 'client_secret_basic', clientSecret: 'hunter2' },
      cache: 30_000,
    });
  });

  it('takes a secret as it is, but for a line break at the end of a file', () => {
    expect(settingsOf('clientId: gw, clientSecret: { env: PADDED }')?.authentication).toMatchObject({
      clientSecret: ' hunter2 ',
    });
    expect(settingsOf('clientId: gw, clientSecret: { file: s }')?.authentication).toMatchObject({
      clientSecret: 'from a file',
    });
  });

  it('signs with a key, by what fits it', () => {
    expect(
      settingsOf('clientId: gw, auth: private_key_jwt, privateKey: { env: KEY }, keyId: k1')?.authentication,
    ).toEqual({ method: 'private_key_jwt', privateKey: pem, algorithm: 'ES256', keyId: 'k1' });
  });

  it.each([
    ['clientId: gw', 'introspection.clientSecret: nothing'],
    ['clientId: gw, auth: client_secret_post', 'introspection.clientSecret: nothing'],
    ['clientId: gw, auth: private_key_jwt', 'introspection.privateKey: nothing'],
    [
      'clientId: gw, clientSecret: { env: SECRET }, keyId: k1',
      "introspection.keyId: keyId with auth: client_secret_basic, which doesn't use it",
    ],
    [
      'clientId: gw, auth: private_key_jwt, privateKey: { env: KEY }, clientSecret: { env: SECRET }',
      "introspection.clientSecret: clientSecret with auth: private_key_jwt, which doesn't use it",
    ],
    [
      'clientId: gw, auth: private_key_jwt, privateKey: { env: SECRET }',
      'introspection.privateKey.env: the variable SECRET, which holds something else',
    ],
    [
      'clientId: gw, auth: private_key_jwt, privateKey: { file: k }',
      'introspection.privateKey.file: "k", which holds something else',
    ],
    [
      'clientId: gw, auth: private_key_jwt, privateKey: { env: KEY }, algorithm: RS256',
      `introspection.algorithm: "RS256", which privateKey can't sign with`,
    ],
    [
      "clientId: gw, clientSecret: { env: SECRET }, endpoint: 'http://as.internal/i'",
      'introspection.endpoint: "http://as.internal/i"',
    ],
  ])('is a fault with %s', (text, fault) => {
    expect(faultsOf(text)).toEqual([fault]);
  });

  it('without discovery needs its endpoint', () => {
    const more = "discovery: off, jwksUri: 'https://a.example/jwks',";
    const client = 'clientId: gw, clientSecret: { env: SECRET }';
    expect(faultsOf(client, more)).toEqual(['introspection.endpoint: nothing']);
    expect(faultsOf(`${client}, endpoint: 'https://a.example/i'`, more)).toEqual([]);
  });

  it('says once what is wrong where auth itself is', () => {
    expect(faultsOf('clientId: gw, auth: none')).toEqual(['introspection.auth: "none"']);
  });

  it('never prints a secret', () => {
    const loaded = load('clientId: gw, auth: private_key_jwt, privateKey: { env: SECRET }');
    expect(JSON.stringify(loaded)).not.toContain('hunter2');
    const literal = load('clientId: gw, clientSecret: hunter2');
    expect(literal.ok).toBe(false);
    expect(JSON.stringify(literal)).not.toContain('hunter2');
  });

  it('that lets a revoked token live for more than a minute is told at the start', () => {
    const weakenings = (cache: string): readonly string[] => {
      const loaded = load(`clientId: gw, clientSecret: { env: SECRET }, cache: ${cache}`);
      return loaded.ok
        ? loaded.configuration.weakenings.map(({ path, says }) => `${path}: ${says}`)
        : ['faults'];
    };
    expect(weakenings('1m')).toEqual([]);
    expect(weakenings('61s')).toEqual([
      'authorizationServers[0].introspection.cache: a token that a.example has revoked is accepted for up to 61 s',
    ]);
  });
});
