// node bench/micro.ts: what does the strict message reader cost, next to JSON.parse on the same bytes? And what do a
// signed assertion that is in use, and putting it into `_meta`? And credentials for the upstream that are at hand?
import type { Route } from '../src/config/configuration.ts';
import { Assertions } from '../src/identity/assertions.ts';
import { makeSigningKey, SigningKeys } from '../src/identity/signing-keys.ts';
import { writeMeta } from '../src/identity/write-meta.ts';
import { readMessage } from '../src/mcp/read-message.ts';
import { toolsCall } from './call.ts';
import { credentialReaders } from './micro/credentials.ts';
import { renderMicroTable, timeInTurn } from './micro/time.ts';
import type { Body } from './micro/time.ts';

const bodies: readonly Body[] = [
  { name: 'small call', bytes: Buffer.from(toolsCall) },
  { name: '64 KiB, many small values', bytes: bodyOfRecords(64 * 1024) },
  { name: '64 KiB, one long string', bytes: bodyOfText(64 * 1024) },
  { name: '512 KiB, many small values', bytes: bodyOfRecords(512 * 1024) },
  { name: '1 MiB, one long string', bytes: bodyOfText(1024 * 1024) },
];

function bodyOf(argument: unknown): Buffer {
  const params = { name: 'import_rows', arguments: { rows: argument } };
  return Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }));
}

/** Rows as an import tool gets them: numbers, flags, text with an escape and a letter outside ASCII. */
function bodyOfRecords(size: number): Buffer {
  const row = (id: number): unknown => ({
    id,
    city: 'Lisboa "São Jorge"',
    degrees: 21.5,
    tags: ['a', 'b'],
    dry: true,
    note: null,
  });
  const rowSize = Buffer.byteLength(JSON.stringify(row(10_000))) + 1;
  return bodyOf(Array.from({ length: Math.floor(size / rowSize) }, (_, index) => row(index)));
}

/** A file's content in one string, as write tools get it. */
function bodyOfText(size: number): Buffer {
  const line = 'The quick brown fox jumps over the lazy dog.\n';
  return bodyOf(line.repeat(Math.ceil(size / line.length)).slice(0, size));
}

for (const { name, bytes } of bodies) {
  const read = readMessage(bytes);
  if (!read.ok) throw new Error(`the reader refuses "${name}": ${read.refusal.reason}`);
}

const readers = [
  { name: 'readMessage', read: (bytes: Buffer): unknown => readMessage(bytes) },
  { name: 'JSON.parse', read: (bytes: Buffer): unknown => JSON.parse(bytes.toString('utf8')) },
];
console.log(`Node ${process.version}; median of the samples, each body and reader warmed up.\n`);
console.log(renderMicroTable(bodies.map((body) => timeInTurn(body, readers))));

const principal = {
  issuer: 'https://login.example.com/realms/corp',
  subject: '3f1c0c1e-8a53-4f6c-9b39-0d8c6f1f5a77',
  clientId: 'editor',
  email: 'ada@example.com',
  scopes: ['mcp:use'],
  claims: {},
  authorizationServer: 'corp',
  expiresAt: undefined,
};
const route = { identity: { headers: {}, claims: [] }, upstream: { url: 'http://localhost:8000/mcp' } };
const assertions = new Assertions({
  issuer: 'https://mcp.example.com',
  keys: new SigningKeys({ others: [] }, makeSigningKey()),
  clock: Date.now,
});
const about = (): ReturnType<Assertions['about']> =>
  assertions.about(principal, route as unknown as Route, 60_000);
const { member } = await about();
const calls = new Map(
  bodies.flatMap(({ bytes }) => {
    const read = readMessage(bytes);
    return read.ok ? [[bytes, read.call] as const] : [];
  }),
);
const carriers = [
  {
    name: 'into _meta',
    read: (bytes: Buffer): unknown => {
      const call = calls.get(bytes);
      return call === undefined ? undefined : writeMeta(call, member);
    },
  },
  { name: 'in use', read: (): unknown => about() },
];
console.log('\nAn assertion:\n');
console.log(renderMicroTable(bodies.map((body) => timeInTurn(body, carriers))));

console.log('\nCredentials for the upstream, added to the headers of a request:\n');
console.log(renderMicroTable(bodies.slice(0, 1).map((body) => timeInTurn(body, credentialReaders))));
