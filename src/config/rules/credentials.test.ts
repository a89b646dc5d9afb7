import { describe, expect, it } from 'vitest';

import type { UpstreamCredentials } from '../configuration.ts';
import { formatFaults } from '../faults.ts';
import type { Loaded } from '../load.ts';
import { loadConfiguration } from '../load.ts';

const environment = { KEY: 'k3y', SECRET: 'hush', BROKEN: 'a\nb' };

function load(upstream: string, route = '', server = ''): Loaded {
  const text = `publicUrl: https://m.example
authorizationServers: [{ name: corp, issuer: https://a.example ${server} }]
routes: [{ path: /mcp ${route}, upstream: { url: 'http://b', ${upstream} } }]
`;
  const readFile = (): string => 'from a file\n';
  return loadConfiguration(text, { file: 'c.yaml', environment, readFile });
}

function faultsOf(...parts: Parameters<typeof load>): string {
  const loaded = load(...parts);
  return loaded.ok ? '' : formatFaults('c.yaml', loaded.faults);
}

function credentialsOf(upstream: string): UpstreamCredentials | undefined {
  const loaded = load(upstream);
  if (!loaded.ok) throw new Error(formatFaults('c.yaml', loaded.faults));
  return loaded.configuration.routes[0]?.upstream.credentials;
}

const inbound = (entry: string): string => `credentials: { headers: [{ ${entry} }] }`;
const exchange = (server: string): string =>
  `credentials: { tokenExchange: { authorizationServer: ${server}, clientId: gw, clientSecret: { env: SECRET }, audience: b } }`;

describe('static credentials (S02)', () => {
  it('come from a variable or a file, with a scheme where one is named', () => {
    expect(credentialsOf('credentials: { static: { header: X-Api-Key, value: { env: KEY } } }')).toEqual({
      kind: 'static',
      header: 'X-Api-Key',
      value: 'k3y',
    });
    expect(
      credentialsOf('credentials: { static: { header: Authorization, scheme: Bearer, value: { file: k } } }'),
    ).toEqual({ kind: 'static', header: 'Authorization', value: 'Bearer from a file' });
  });

  it('that are missing are told all at once, with the other faults of the file', () => {
    const told = faultsOf(
      'credentials: { static: { header: X-Api-Key, value: { env: MISSING } } }, requestHeaders: [Cookie]',
      '',
      ', introspection: { clientId: a, clientSecret: { env: ALSO_MISSING } }',
    );
    expect(told).toContain('found the variable MISSING');
    expect(told).toContain('found the variable ALSO_MISSING');
    expect(told).toContain('requestHeaders[0]');
    expect(faultsOf('credentials: { static: {} }')).toMatch(/static\.header[\s\S]*static\.value/);
  });

  it('that no header can hold are a fault that does not show them', () => {
    const told = faultsOf('credentials: { static: { header: X-Api-Key, value: { env: BROKEN } } }');
    expect(told).toContain('upstream.credentials.static.value.env: found a secret with other characters');
    expect(told).not.toContain('a\nb');
  });
});

describe('headers for credentials', () => {
  it.each([
    ['Host', 'a header that HTTP gives another meaning'],
    ['Proxy-Authorization', 'a hop-by-hop header'],
    ['Mcp-Session-Id', 'a header that belongs to MCP'],
    ['Set-Cookie', 'a header for credentials'],
    ['X-Forwarded-For', 'a header about the path'],
    ['x_auth_subject', 'the header that tells who asks'],
  ])('are not %s', (name, why) => {
    const told = faultsOf(`credentials: { static: { header: ${name}, value: { env: KEY } } }`);
    expect(told).toContain(why);
    expect(faultsOf(inbound(`from: X-Key, to: ${name}`))).toContain(why);
  });

  it('differ from each other', () => {
    const two = 'credentials: { headers: [{ from: X-A, to: X-Key }, { from: X-B, to: x_key }] }';
    expect(faultsOf(two)).toContain('credentials.headers[1].to');
  });

  it('do not pass when a client writes them', () => {
    const told = faultsOf(
      'requestHeaders: [x-api-key], credentials: { static: { header: X-Api-Key, value: { env: KEY } } }',
    );
    expect(told).toContain('upstream.requestHeaders[0]: found "x-api-key"');
  });
});

describe('credentials from headers of the client (S03)', () => {
  it('keep their pattern, without one the usual form', () => {
    const credentials = credentialsOf(
      'credentials: { headers: [{ from: X-Key, to: Authorization, scheme: Bearer, pattern: "[a-z]+" }, { from: X-B, to: X-C }] }',
    );
    expect(credentials).toMatchObject({
      kind: 'headers',
      headers: [
        { from: 'x-key', to: 'Authorization', scheme: 'Bearer', pattern: /^(?:[a-z]+)$/ },
        { from: 'x-b', to: 'X-C' },
      ],
    });
  });

  it('are not taken from where the token for the gateway is', () => {
    expect(faultsOf(inbound('from: Authorization, to: X-Key'))).toContain('headers[0].from');
    expect(faultsOf(inbound('from: Authorization, to: X-Key'), ', access: open')).toBe('');
    expect(faultsOf(inbound('from: Cookie, to: X-Key'), ', access: open')).toContain('headers[0].from');
  });

  it('have no pattern that a client could make slow', () => {
    expect(faultsOf(inbound('from: X-A, to: X-B, pattern: "(a+)+"'))).toContain('headers[0].pattern');
    expect(faultsOf(inbound('from: X-A, to: X-B, pattern: "a*a*b"'))).toContain('take long to match');
  });
});

describe('token exchange (X1)', () => {
  it('has a server of the file, whose metadata may be asked for', () => {
    expect(credentialsOf(exchange('corp'))).toMatchObject({
      kind: 'tokenExchange',
      authorizationServer: { name: 'corp' },
      clientSecret: 'hush',
      audience: 'b',
    });
    expect(faultsOf(exchange('crop'))).toContain('did you mean corp?');
    const silent = ', discovery: off, jwksUri: https://a.example/jwks';
    expect(faultsOf(exchange('corp'), '', silent)).toContain('a server with discovery: auto');
  });

  it('has a token to exchange, and one server to show it to', () => {
    expect(faultsOf(exchange('corp'), ', access: open')).toContain('tokenExchange on an open route');
    const tenants = ", tenant: { issuer: 'https://a.example/t/{tenant}' }";
    const text = `publicUrl: https://m.example
authorizationServers: [{ name: corp, issuer: https://a.example }]
routes: [{ path: '/{tenant}/mcp' ${tenants}, upstream: { url: 'http://b', ${exchange('corp')} } }]
`;
    const loaded = loadConfiguration(text, { file: 'c.yaml', environment, readFile: String });
    expect(loaded.ok ? '' : formatFaults('c.yaml', loaded.faults)).toContain(
      'tokenExchange on a route whose tenants have issuers of their own',
    );
  });
});

describe('passthrough (W08)', () => {
  it('needs the resource of the upstream, a token, and one that is bound to no key', () => {
    const meant = 'token: passthrough, resource: https://b.example/mcp';
    const loaded = load(meant);
    expect(loaded.ok && loaded.configuration.routes[0]?.upstream).toMatchObject({
      token: 'passthrough',
      resource: 'https://b.example/mcp',
    });
    expect(loaded.ok && loaded.configuration.weakenings).toMatchObject([
      { path: 'routes[0].upstream.token' },
    ]);
    expect(faultsOf('token: passthrough')).toContain('passthrough without resource');
    expect(faultsOf(meant, ', access: open')).toContain('passthrough on an open route');
    expect(faultsOf(meant, ', dpop: optional')).toContain('dpop: off');
    expect(faultsOf(meant, ', dpop: { mode: required }')).toContain('dpop: off');
    expect(faultsOf(meant, ', dpop: off')).toBe('');
  });

  it('gives way to credentials', () => {
    const both =
      'token: passthrough, resource: https://b.example, credentials: { static: { header: X-Key, value: { env: KEY } } }';
    const loaded = load(both);
    expect(loaded.ok && loaded.configuration.routes[0]?.upstream.token).toBe('strip');
  });
});
