import { describe, expect, it } from 'vitest';

import { formatFaults } from './faults.ts';
import { loadConfiguration } from './load.ts';

const environment = { SECRET: 'x'.repeat(32), EMPTY: ' ' };

function faultsOf(text: string) {
  const readFile = (path: string): string => {
    if (path.endsWith('empty.txt')) return '\n';
    throw new Error('nothing is there');
  };
  const loaded = loadConfiguration(text, { file: '/etc/portcullis/config.yaml', environment, readFile });
  return loaded.ok ? [] : loaded.faults;
}

function withTop(line: string): string {
  return `publicUrl: https://mcp.example.com\nauthorizationServers: [{ name: corp, issuer: https://a.example }]\nroutes: [{ path: /mcp, upstream: 'http://b' }]\n${line}\n`;
}

function withRoute(line: string, path = '/mcp'): string {
  return `publicUrl: https://mcp.example.com\nauthorizationServers: [{ name: corp, issuer: https://a.example }]\nroutes:\n  - path: ${path}\n    ${line.startsWith('upstream') ? '' : 'upstream: http://b'}\n    ${line}\n`;
}

function withUpstream(setting: string): string {
  return withRoute(`upstream: { url: "http://b", ${setting} }`);
}

describe('a secret (C2)', () => {
  const withSecret = (value: string): string => withTop(`sessions: { key: ${value} }`);
  const told = (text: string): string => formatFaults('config.yaml', faultsOf(text));

  it.each(['hunter2', '"hunter2"', '{ env: "hunter2 is it" }', '*hunter2', '&hunter2 x', '!hunter2 x'])(
    'is never printed where it was written into the file as %s',
    (value) => {
      expect(told(withSecret(value))).not.toContain('hunter2');
    },
  );

  it('that stands in the file is a fault that says where it belongs', () => {
    expect(told(withSecret('hunter2'))).toContain(
      'sessions.key: found a literal string, expected { env: NAME } or { file: PATH }',
    );
  });

  it.each([
    'sessions: hunter2',
    'login: hunter2',
    'state: { redis: hunter2 }',
    'state: { redis: { url: hunter2 } }',
  ])('is not printed where it stands a level too high: %s', (line) => {
    expect(told(withTop(line))).not.toContain('hunter2');
  });

  it.each(['hunter2', '{ static: hunter2 }', '{ static: { header: A, value: hunter2 } }'])(
    'of an upstream is not printed from %s',
    (value) => {
      expect(told(withUpstream(`credentials: ${value}`))).not.toContain('hunter2');
    },
  );

  it.each(['routes', 'authorizationServers'])('is not printed when it stands alone below %s', (key) => {
    expect(told(`publicUrl: https://mcp.example.com\n${key}: hunter2\n`)).not.toContain('hunter2');
  });

  it('is not printed when it is the whole file', () => {
    expect(told('hunter2')).not.toContain('hunter2');
  });

  it('that is missing is a fault with the key and the variable', () => {
    expect(told(withSecret('{ env: MISSING }'))).toContain(
      "sessions.key.env: found the variable MISSING, which isn't set",
    );
  });

  it('that is missing is a fault with the key and the file', () => {
    expect(told(withSecret('{ file: key.txt }'))).toMatch(
      /sessions\.key\.file: found "key\.txt", which can't be read/,
    );
  });

  it('that is empty is a fault with the key and the variable or file', () => {
    expect(told(withSecret('{ env: EMPTY }'))).toContain(
      'sessions.key.env: found the variable EMPTY, which is empty',
    );
    expect(told(withSecret('{ file: empty.txt }'))).toContain(
      'sessions.key.file: found "empty.txt", which is empty',
    );
  });

  it('comes from one place', () => {
    expect(told(withSecret('{ env: SECRET, file: x }'))).toContain('sessions.key.file: found an unknown key');
    expect(told(withSecret('{}'))).toContain('sessions.key');
  });
});
