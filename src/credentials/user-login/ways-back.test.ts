import { describe, expect, it } from 'vitest';

import { callbackPath, identityPath } from './ways-back.ts';

const login = '/.well-known/portcullis/login';

function callbackOf(name: string, tenant?: string, authorizationServers: readonly string[] = []): string {
  const route = { name, ...(tenant === undefined ? {} : { tenant: { name: tenant } }) };
  return callbackPath({ route, settings: { authorizationServers } } as never);
}

describe('the address that a browser comes back to', () => {
  it('has the name of the server that knows the person, or of the route', () => {
    expect(identityPath({ prover: { server: { name: 'corp' } } } as never)).toBe(`${login}/identity/corp`);
    expect(callbackOf('github')).toBe(`${login}/callback/github`);
  });

  it('is another one for each tenant whose upstream has a server of its own', () => {
    expect(callbackOf('github', 'acme')).toBe(`${login}/callback/github/acme`);
    expect(callbackOf('github', 'acme', ['https://login.vendor.example'])).toBe(`${login}/callback/github`);
  });

  it('is the same however a browser or a proxy writes it, and one for each name', () => {
    const names = [
      '/mcp',
      '/mcp/',
      'mcp',
      'a/b',
      'a b',
      'a%2Fb',
      'a-b',
      '..',
      '.',
      '~',
      '<b>',
      'b?',
      'b#',
      'B',
    ];
    const paths = names.map((name) => callbackOf(name));
    expect(new Set(paths).size).toBe(names.length);
    for (const path of paths) {
      expect(new URL(path, 'https://gate.example.com').pathname).toBe(path);
      expect(path).toMatch(/^[A-Za-z0-9._~/-]+$/);
    }
  });
});
