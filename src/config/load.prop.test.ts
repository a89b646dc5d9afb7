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

/** Faults that an operator couldn't find or read; throws where the loader does. */
function uselessFaultsOf(text: string): readonly unknown[] {
  const loaded = loadConfiguration(text, from);
  if (loaded.ok) return [];
  const last = text.split(/\r\n?|\n/).length;
  const useless = loaded.faults.filter(
    ({ line, column, found, expected, hint = '' }) =>
      line < 1 || line > last || column < 1 || /Invalid|undefined|\n/.test(`${found}${expected}${hint}`),
  );
  return loaded.faults.length === 0 ? ['none'] : useless;
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

const pieces = [
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
];

/** A whole file with any value at any place. */
const damaged = fc
  .tuple(fc.constantFrom(...places), fc.anything({ withBigInt: false, maxDepth: 3, maxKeys: 4 }))
  .map(([path, value]) => {
    try {
      return stringify(replaceAt(complete, path, value ?? null), { aliasDuplicateObjects: false });
    } catch {
      return '';
    }
  });

describe('the loader never throws, and gives every fault a line of the file,', () => {
  it.each([
    ['a text', fc.string({ unit: 'binary', maxLength: 200 })],
    [
      'what looks like YAML',
      fc.array(fc.constantFrom(...pieces), { maxLength: 40 }).map((chosen) => chosen.join('')),
    ],
    ['a damaged configuration', damaged],
    ['too many brackets', fc.constantFrom('[', '{a: ', '- ').map((opening) => opening.repeat(20_000))],
  ])('whatever it is given as %s', (what, texts) => {
    const numRuns = what === 'too many brackets' ? 3 : 200;
    fc.assert(
      fc.property(texts, (text) => {
        expect(uselessFaultsOf(text)).toEqual([]);
      }),
      { numRuns },
    );
  });
});
