import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { endpoint, issuer, publicUrl, resource } from './web-address.ts';

describe('a resource URL (A18)', () => {
  it.each([
    ['with a space', 'https://mcp.example.com/a b'],
    ['without scheme', 'mcp.example.com/mcp'],
    ['of ftp', 'ftp://mcp.example.com/mcp'],
    ['of http on a public host', 'http://mcp.example.com/mcp'],
    ['of http on 0.0.0.0', 'http://0.0.0.0/mcp'],
    ['of http on a private address', 'http://10.0.0.1/mcp'],
    ['of http on another private address', 'http://192.168.1.1/mcp'],
    ['of http on .local', 'http://printer.local/mcp'],
    ['of http on a name that begins like a loopback one', 'http://localhost.example.com/mcp'],
    ['with a double quote', 'https://mcp.example.com/"'],
    ['with a single quote', "https://mcp.example.com/'"],
    ['with a space in the host', 'https://mcp example.com/mcp'],
    ['with a space at the end', 'https://mcp.example.com/mcp '],
    ['with %zz', 'https://mcp.example.com/%zz'],
    ['with %2', 'https://mcp.example.com/%2'],
    ['with a fragment', 'https://mcp.example.com#fragment'],
    ['with a bare #', 'https://mcp.example.com#'],
    ['with path and fragment', 'https://mcp.example.com/mcp#x'],
    ['with a password', 'https://user:word@mcp.example.com/mcp'],
    ['with a backslash', 'https://mcp.example.com\\mcp'],
    ['with a line break', 'https://mcp.example.com/\nmcp'],
    ['without a host', 'https:///mcp'],
  ])('%s is refused', (_what, text) => {
    expect(resource.safeParse(text).success).toBe(false);
  });

  it.each([
    ['https://mcp.example.com/mcp', 'https://mcp.example.com/mcp'],
    ['http://127.0.0.1/mcp', 'http://127.0.0.1/mcp'],
    ['http://localhost/mcp', 'http://localhost/mcp'],
    ['http://LocalHost/mcp', 'http://localhost/mcp'],
    ['http://[::1]/mcp', 'http://[::1]/mcp'],
    ['https://mcp.example.com/a%20b', 'https://mcp.example.com/a%20b'],
    ['https://mcp.example.com/mcp?tenant=x', 'https://mcp.example.com/mcp?tenant=x'],
    ['https://mcp.example.com:8443/mcp', 'https://mcp.example.com:8443/mcp'],
    ['https://mcp.example.com/', 'https://mcp.example.com'],
    ['https://mcp.example.com', 'https://mcp.example.com'],
    ['https://mcp.example.com/?tenant=x', 'https://mcp.example.com?tenant=x'],
  ])('%s is accepted as %s', (text, value) => {
    expect(resource.parse(text)).toBe(value);
  });

  it('never becomes one that a header could not carry', () => {
    fc.assert(
      fc.property(fc.string(), (rest) => {
        const result = resource.safeParse(`https://mcp.example.com${rest}`);
        expect(!result.success || /^[!#-[\]-~]+$/.test(result.data)).toBe(true);
      }),
    );
  });
});

describe('the public URL', () => {
  it.each([
    ['https://mcp.example.com', 'https://mcp.example.com'],
    ['https://mcp.example.com/', 'https://mcp.example.com'],
    ['https://MCP.example.com:443/base/', 'https://mcp.example.com/base'],
    ['http://localhost:8080', 'http://localhost:8080'],
  ])('%s is %s', (text, value) => {
    expect(publicUrl.parse(text)).toBe(value);
  });

  it.each([
    'http://mcp.example.com',
    'https://mcp.example.com?x=1',
    'https://mcp.example.com/a//b',
    'https://mcp.example.com/a/../b',
    'https://mcp.example.com/%61',
    'https://mcp.example.com/.well-known/x',
    'https://mcp.example.com/a;b',
    'https://mcp.example.com/:tenant',
  ])('is not %s', (text) => {
    expect(publicUrl.safeParse(text).success).toBe(false);
  });
});

describe('an issuer', () => {
  it.each([
    'https://acme.auth0.example/',
    'https://LOGIN.example.com:443/realms/corp',
    'http://keycloak:8080/realms/x',
  ])('%s is kept byte for byte', (text) => {
    expect(issuer.parse(text)).toBe(text);
  });

  it.each([
    'https://login.example.com/realms/corp/.well-known/openid-configuration',
    'https://login.example.com/.well-known/oauth-authorization-server/realms/corp',
    'https://login.example.com?x=1',
    'login.example.com',
  ])('is not %s', (text) => {
    expect(issuer.safeParse(text).success).toBe(false);
  });
});

describe('an endpoint', () => {
  it('may be plain http anywhere, and keeps its query', () => {
    expect(endpoint.parse('http://bridge:8000/mcp?a=1')).toBe('http://bridge:8000/mcp?a=1');
  });
});
