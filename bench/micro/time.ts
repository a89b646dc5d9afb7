import { median } from '../median.ts';
import { renderColumns } from '../table.ts';

export interface Body {
  readonly name: string;
  readonly bytes: Buffer;
}

export interface Reader {
  readonly name: string;
  readonly read: (bytes: Buffer) => unknown;
}

export interface MicroResult {
  readonly body: Body;
  /** The first reader's is compared with the others'. */
  readonly readers: readonly { readonly name: string; readonly nanosPerOperation: number }[];
}

const warmUpMillis = 400;
const sampleMillis = 60;
const samples = 9;

/** Times the readers on one body in turn, sample after sample, so that a noisy machine is noisy for all of them. */
export function timeInTurn(body: Body, readers: readonly Reader[]): MicroResult {
  const runners = readers.map((reader) => {
    const warm = timeFor(reader, body.bytes, warmUpMillis);
    return { reader, count: Math.max(1, Math.round((sampleMillis * 1e6) / warm)), nanos: [] as number[] };
  });
  for (let sample = 0; sample < samples; sample += 1) {
    for (const { reader, count, nanos } of runners) nanos.push(timeCount(reader, body.bytes, count));
  }
  return {
    body,
    readers: runners.map(({ reader, nanos }) => ({ name: reader.name, nanosPerOperation: median(nanos) })),
  };
}

function timeFor(reader: Reader, bytes: Buffer, millis: number): number {
  let nanosPerOperation = 0;
  for (const until = performance.now() + millis; performance.now() < until;) {
    nanosPerOperation = timeCount(reader, bytes, bytes.length < 10_000 ? 1000 : 1);
  }
  return nanosPerOperation;
}

function timeCount({ read }: Reader, bytes: Buffer, count: number): number {
  // Results that are looked at can't be optimised away.
  let seen = 0;
  const start = process.hrtime.bigint();
  for (let index = 0; index < count; index += 1) if (read(bytes) !== undefined) seen += 1;
  const nanos = Number(process.hrtime.bigint() - start);
  if (seen !== count) throw new Error('a reader answered nothing');
  return nanos / count;
}

/** One row for each body: nanoseconds per read, and how the first reader compares with each other one. */
export function renderMicroTable(results: readonly MicroResult[]): string {
  const names = results[0]?.readers.map(({ name }) => name) ?? [];
  const heads = [
    'body',
    'bytes',
    ...names.map((name) => `${name} ns`),
    ...names.slice(1).map((name) => `× ${name}`),
  ];
  const rows = results.map(({ body, readers }) => {
    const nanos = readers.map((reader) => reader.nanosPerOperation);
    const first = nanos[0] ?? Number.NaN;
    const cells = [String(body.bytes.length), ...nanos.map((value) => value.toFixed(0))];
    return [body.name, ...cells, ...nanos.slice(1).map((value) => (first / value).toFixed(2))];
  });
  return renderColumns(heads, rows);
}
