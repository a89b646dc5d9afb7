import { describe, expect, it } from 'vitest';

import { makeCertificate } from '../../../test/integration/certificates.ts';
import { formatFaults } from '../faults.ts';
import { loadConfiguration } from '../load.ts';

const authority = makeCertificate('authority.example');
const gateway = makeCertificate('gateway', authority);
const other = makeCertificate('other', authority);
const files: Readonly<Record<string, string>> = {
  '/etc/p/ca.pem': authority.cert,
  '/etc/p/cert.pem': gateway.cert,
  '/etc/p/key.pem': gateway.key,
  '/etc/p/other-key.pem': other.key,
};
const environment = { PLAIN: 'redis://:password@redis', TLS: 'rediss://user:password@redis' };

function load(redis: string): ReturnType<typeof loadConfiguration> {
  const text = `publicUrl: https://mcp.example.com
authorizationServers: [{ issuer: https://a.example }]
routes: [{ path: /mcp, upstream: 'https://u.example/mcp' }]
state: { redis: { ${redis} } }
`;
  const readFile = (path: string): string => files[path] ?? '';
  return loadConfiguration(text, { file: '/etc/p/config.yaml', environment, readFile });
}

function told(redis: string): string {
  const loaded = load(redis);
  return loaded.ok ? 'fine' : formatFaults('config.yaml', loaded.faults);
}

describe('state in Redis', () => {
  it('has a prefix of its own, and certificates as the files have them', () => {
    const loaded = load('url: { env: TLS }, tls: { caFile: ca.pem, certFile: cert.pem, keyFile: key.pem }');
    expect(loaded.ok && loaded.configuration.state).toEqual({
      redis: {
        url: environment.TLS,
        tls: { ca: authority.cert, cert: gateway.cert, key: gateway.key },
        prefix: 'portcullis:',
      },
    });
  });

  it.each([
    ['url: { env: PLAIN }', 'fine'],
    ['url: { env: TLS }, tls: {}', 'fine'],
    ['url: { env: TLS }, tls: { caFile: ca.pem }', 'fine'],
    ['url: { env: PLAIN }, prefix: "mcp-staging.1:"', 'fine'],
    ['url: { env: PLAIN }, tls: { caFile: ca.pem }', 'expected a rediss:// URL, or no tls'],
    ['url: { env: TLS }, tls: { certFile: cert.pem }', 'expected both certFile and keyFile, or neither'],
    ['url: { env: TLS }, tls: { keyFile: key.pem }', 'expected both certFile and keyFile, or neither'],
    [
      'url: { env: TLS }, tls: { certFile: cert.pem, keyFile: other-key.pem }',
      'the key of another certificate',
    ],
    ['url: { env: TLS }, tls: { caFile: key.pem }', 'expected a file with certificates in PEM form'],
    ["url: { env: PLAIN }, prefix: ''", 'expected 1 to 64 letters'],
    ["url: { env: PLAIN }, prefix: 'all*'", 'expected 1 to 64 letters'],
    [`url: { env: PLAIN }, prefix: ${'x'.repeat(65)}`, 'expected 1 to 64 letters'],
  ])('%s: %s', (redis, says) => {
    expect(told(redis)).toContain(says);
    expect(told(redis)).not.toContain('password');
  });
});
