/** config.example.yaml against the schema: nothing is missing in it, and what is switched off would work as well. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';

import { loadConfiguration } from '../../src/config/load.ts';
import { configurationJsonSchema } from '../../src/config/schema.ts';
import { makeCertificate } from '../integration/certificates.ts';

const example = readFileSync(new URL('../../config.example.yaml', import.meta.url), 'utf8');

/** `#key:` is switched off, and so is what is indented below it; `# words` are a comment. */
const switchedOn = example.replaceAll(/^( *)#(?=\S| {2,})/gm, '$1');

it('the example has every key of the configuration, switched on or off', () => {
  const shown = keysOf(parse(switchedOn));
  // The names of providers are those of the program that embeds the gateway.
  const missing = [...keysIn(configurationJsonSchema())].filter((key) => !shown.has(key));
  expect(missing).toEqual(['provider']);
  expect(example).toContain('{ provider: NAME }');
});

it('the example loads with everything in it switched on', () => {
  const pem = { type: 'pkcs8', format: 'pem' } as const;
  const signing = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export(pem).toString();
  const { cert, key } = makeCertificate('mcp.example.com');
  const files: Readonly<Record<string, () => string>> = {
    'server-key.pem': () => key,
    'signing-key.pem': signing,
    'next-signing-key.pem': signing,
    'old-signing-key.pem': signing,
    'client-key.pem': () => key,
  };
  const loaded = loadConfiguration(switchedOn, {
    file: 'config.example.yaml',
    environment: environmentOf(switchedOn),
    readFile: (path) => (files[path.split('/').at(-1) ?? ''] ?? (() => cert))(),
  });
  expect(loaded.ok ? [] : loaded.faults).toEqual([]);
});

/** A value for every variable that the text names. */
function environmentOf(text: string): Readonly<Record<string, string>> {
  const names = [...text.matchAll(/\{ env: (\w+) \}/g)].map(([, name = '']) => name);
  expect(names.length).toBeGreaterThan(8);
  const values = names.map((name) => [name, randomBytes(32).toString('base64')]);
  return { ...Object.fromEntries(values), REDIS_URL: 'rediss://gateway:secret@redis.example.com:6379/0' };
}

/** Every key of a document, wherever it stands. */
function keysOf(value: unknown): ReadonlySet<string> {
  if (typeof value !== 'object' || value === null) return new Set();
  const below = Object.values(value).flatMap((child: unknown) => [...keysOf(child)]);
  return new Set(Array.isArray(value) ? below : [...Object.keys(value), ...below]);
}

/** Every key that a JSON Schema describes by its name. */
function keysIn(schema: unknown): ReadonlySet<string> {
  if (typeof schema !== 'object' || schema === null) return new Set();
  return new Set(
    Object.entries(schema).flatMap(([word, below]: [string, unknown]) =>
      word === 'properties' && typeof below === 'object' && below !== null
        ? Object.entries(below).flatMap(([key, inner]) => [key, ...keysIn(inner)])
        : [...keysIn(below)],
    ),
  );
}
