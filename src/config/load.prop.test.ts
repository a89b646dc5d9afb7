import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';

import { loadConfiguration } from './load.ts';
import { configurationSchema } from './schema.ts';
import { walk } from './structure.ts';

const from = {
  file: '/etc/portcullis/config.yaml',
  environment: {},
  readFile: (): string => {
    throw new Error('nothing is there');
  },
};

function expectFaultsWithLines(text: string): void {
  const loaded = loadConfiguration(text, from);
  if (loaded.ok) return;
  expect(loaded.faults.length).toBeGreaterThan(0);
  for (const fault of loaded.faults) {
    expect(fault.line).toBeGreaterThanOrEqual(1);
    expect(fault.column).toBeGreaterThanOrEqual(1);
    expect(fault.line).toBeLessThanOrEqual(text.split(/\r\n?|\n/).length);
    expect(`${fault.found}${fault.expected}${fault.hint ?? ''}`).not.toMatch(/Invalid|undefined|\n/);
  }
}

const complete = {
  publicUrl: 'https://mcp.example.com',
  hosts: ['mcp.example.com'],
  listen: { host: '0.0.0.0', port: 8080, trustProxy: ['10.0.0.0/8'] },
  log: { level: 'info', audit: { file: 'x' } },
  state: { redis: { url: { env: 'X' } } },
  sessions: { key: { file: 'x' } },
  authorizationServers: [
    {
      issuer: ['https://a.example'],
      tls: { caFile: 'x' },
      verify: { iss: false },
      keys: { ttl: '1h' },
      introspection: { clientId: 'x', clientSecret: { env: 'X' } },
    },
  ],
  routes: [
    {
      path: '/mcp',
      scopes: ['a'],
      identity: { claims: { 'X-A': 'a' }, headers: { subject: 'X-B' }, anonymous: { static: 'x' } },
      policy: [{ name: 'x', tools: ['y'] }],
      streams: { closeOnExpiry: 'never' },
      upstream: {
        url: 'http://b',
        timeouts: { connect: '5s' },
        tls: { caFile: 'x' },
        credentials: { headers: [{ from: 'A', to: 'B' }] },
      },
    },
    { path: '/b', upstream: 'http://b', access: 'open' },
  ],
};

const places = [...walk(configurationSchema, complete)].map(({ path }) => path);

/** The complete file with one value replaced. */
function replaceAt(root: unknown, path: readonly (string | number)[], value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  const copy = structuredClone(root) as Record<string | number, unknown>;
  copy[step] = replaceAt(copy[step], rest, value);
  return copy;
}

describe('the loader', () => {
  it('never throws on a text, and gives every fault a line', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), expectFaultsWithLines), {
      numRuns: 200,
    });
  });

  it('never throws on what looks like YAML', () => {
    const piece = fc.constantFrom(
      'a',
      ': ',
      '\n',
      '  ',
      '- ',
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '&a ',
      '*a',
      '!t ',
      '|\n',
      '>\n',
      '#',
      ',',
      '? ',
      '---\n',
      '...\n',
      '%YAML 1.1\n',
      '\t',
      '<<',
      '~',
      'publicUrl',
      'routes',
      '\r\n',
      '\ufeff',
    );
    const text = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''));
    fc.assert(fc.property(text, expectFaultsWithLines), { numRuns: 500 });
  });

  it('never throws on any value at any place of a whole file', () => {
    const value = fc.anything({ withBigInt: false, withDate: false, maxDepth: 3, maxKeys: 4 });
    fc.assert(
      fc.property(fc.constantFrom(...places), value, (path, replacement) => {
        let text: string;
        try {
          text = stringify(replaceAt(complete, path, replacement), { aliasDuplicateObjects: false });
        } catch {
          return;
        }
        expectFaultsWithLines(text);
      }),
      { numRuns: 200 },
    );
  });

  it.each(['[', '{a: ', '- '])('never throws on %j twenty thousand times', (piece) => {
    expectFaultsWithLines(piece.repeat(20_000));
  });
});
