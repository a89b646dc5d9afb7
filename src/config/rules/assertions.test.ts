import { generateKeyPairSync } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { formatFaults } from '../faults.ts';
import { loadConfiguration } from '../load.ts';

const pem = { type: 'pkcs8', format: 'pem' } as const;
const { privateKey: ec, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const { privateKey: ed25519 } = generateKeyPairSync('ed25519');
const environment = {
  EC: ec.export(pem).toString(),
  ED: JSON.stringify({ ...ed25519.export({ format: 'jwk' }), kid: 'mine' }),
  PUBLIC: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  P384: generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export(pem).toString(),
  RSA: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export(pem).toString(),
  WORD: 'hunter2-hunter2-hunter2-hunter2-',
};

function loaded(route: string, top = ''): ReturnType<typeof loadConfiguration> {
  const text = `publicUrl: https://mcp.example.com\nauthorizationServers: [{ issuer: https://a.example }]\nroutes:\n  - { path: /mcp, upstream: 'http://b', ${route} }\n${top}\n`;
  return loadConfiguration(text, { file: 'config.yaml', environment, readFile: () => '' });
}

function told(route: string, top = ''): string {
  const result = loaded(route, top);
  return result.ok ? 'fine' : formatFaults('config.yaml', result.faults);
}

const plain = 'identity: { assertion: {} }';

describe('an assertion in the file (N3)', () => {
  it('is off unless it is named, and has defaults', () => {
    const assertionOf = (route: string): unknown => {
      const result = loaded(route);
      return result.ok ? result.configuration.routes[0]?.identity.assertion : 'faults';
    };
    expect(assertionOf('access: required')).toBeUndefined();
    expect(assertionOf(plain)).toEqual({ header: 'X-Auth-Assertion', meta: false, ttl: 60_000 });
    expect(assertionOf('identity: { assertion: { header: X-Who, meta: true, ttl: 30s } }')).toEqual({
      header: 'X-Who',
      meta: true,
      ttl: 30_000,
    });
  });

  it.each(['61s', '4s', '0s', '5m'])('lives no longer than 60 s and no shorter than 5 s: %s', (ttl) => {
    expect(told(`identity: { assertion: { ttl: ${ttl} } }`)).toContain('routes[0].identity.assertion.ttl');
  });

  it('needs someone to speak of', () => {
    expect(told(`access: open, ${plain}`)).toContain('identity.assertion: found assertion on an open route');
  });

  it('has a header of its own, that no client may say (N1)', () => {
    expect(told('identity: { assertion: { header: x_auth_subject } }')).toContain(
      'routes[0].identity.assertion.header: found the header "x_auth_subject", which tells something else',
    );
    expect(told('identity: { headers: { subject: X-Auth-Assertion }, assertion: {} }')).toContain(
      'found the header "X-Auth-Assertion", which tells something else already',
    );
    expect(told('identity: { assertion: { header: Authorization } }')).toContain('a header for credentials');
    const [signs, passes] = [
      `${plain},`,
      'upstream: { url: "http://b", requestHeaders: [x-auth-assertion] }',
    ];
    // Two routes may lead to one server.
    for (const routes of [
      `{ path: /mcp, ${signs} ${passes} }`,
      `{ path: /mcp, ${signs} upstream: 'http://b' }, { path: /open, access: open, ${passes} }`,
    ]) {
      const text = `publicUrl: https://m.example\nauthorizationServers: [{ issuer: https://a.example }]\nroutes: [${routes}]\n`;
      const result = loadConfiguration(text, { file: 'c.yaml', environment, readFile: () => '' });
      expect(result.ok ? 'fine' : formatFaults('c.yaml', result.faults)).toContain(
        'a client could be anyone',
      );
    }
  });
});

describe('the keys of assertions (N3)', () => {
  const env = (name: string): string => `{ env: ${name} }`;

  it('are private ones for ES256 or EdDSA, in either form', () => {
    const top = `signing: { key: ${env('EC')}, next: ${env('ED')}, previous: [${env('EC')}] }`;
    const result = loaded(plain, top);
    expect(result.ok && result.configuration.signing).toEqual({
      key: environment.EC,
      others: [ed25519.export(pem).toString(), environment.EC],
    });
  });

  it.each(['PUBLIC', 'P384', 'RSA', 'WORD'])(
    'are nothing else, and the fault doesn’t show it: %s',
    (name) => {
      for (const keys of [`key: ${env(name)}`, `key: ${env('EC')}, next: ${env(name)}`]) {
        const said = told(plain, `signing: { ${keys} }`);
        expect(said).toContain('expected a private key, PKCS #8 in PEM form or a JWK: P-256 or Ed25519');
        expect(said).not.toContain('hunter2');
      }
    },
  );

  it('are a fault where nothing is signed', () => {
    expect(told('access: required', `signing: { key: ${env('EC')} }`)).toContain(
      'signing: found signing where no route has identity.assertion',
    );
  });
});
