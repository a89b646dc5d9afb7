// node bench/micro.ts: what does the strict message reader cost, next to JSON.parse on the same bytes?
import { readMessage } from '../src/mcp/read-message.ts';
import { toolsCall } from './call.ts';
import { renderMicroTable, timeInTurn } from './micro/time.ts';
import type { Body } from './micro/time.ts';

const bodies: readonly Body[] = [
  { name: 'small call', bytes: Buffer.from(toolsCall) },
  { name: '64 KiB, many small values', bytes: bodyOfRecords(64 * 1024) },
  { name: '64 KiB, one long string', bytes: bodyOfText(64 * 1024) },
  { name: '1 MiB, many small values', bytes: bodyOfRecords(1024 * 1024) },
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
