import { expect, it } from 'vitest';
import { SpentMemory } from './spent-memory.ts';

const readOf = (bytes: number): Buffer<ArrayBuffer> => Buffer.from(new ArrayBuffer(bytes));
const isFreed = ({ buffer }: Buffer<ArrayBuffer>): boolean => buffer.detached;

it('frees a read once all its pieces have gone out and the next one came', () => {
  const spent = new SpentMemory();
  const [first, second] = [readOf(64 * 1024), readOf(64 * 1024)];
  const sent = [spent.follow(first.subarray(0, 40_000)), spent.follow(first.subarray(40_000))];
  for (const onSent of sent) onSent?.();
  expect(isFreed(first)).toBe(false);
  spent.follow(second);
  expect([isFreed(first), isFreed(second)]).toEqual([true, false]);
});

it('waits for the last piece that is on its way', () => {
  const spent = new SpentMemory();
  const read = readOf(20_000);
  const sent = [spent.follow(read.subarray(0, 10_000)), spent.follow(read.subarray(10_000))];
  spent.follow(readOf(20_000));
  sent[1]?.();
  expect(isFreed(read)).toBe(false);
  sent[0]?.(null);
  expect(isFreed(read)).toBe(true);
});

it('leaves what did not go out to the garbage collection', () => {
  const spent = new SpentMemory();
  const read = readOf(20_000);
  const onSent = spent.follow(read);
  spent.follow(readOf(20_000));
  onSent?.(new Error('the client left'));
  expect(isFreed(read)).toBe(false);
});

it('never frees what Node shares out among small buffers, however the pieces lie in it', () => {
  const spent = new SpentMemory();
  const shared = Buffer.allocUnsafe(100);
  expect(shared.buffer.byteLength).toBe(Buffer.poolSize);
  const pool = Buffer.from(shared.buffer as ArrayBuffer);
  const half = Buffer.poolSize / 2;
  const pieces = [pool.subarray(0, half - 1), pool.subarray(half, pool.length - 1), shared];
  const sent = pieces.map((piece) => spent.follow(piece));
  spent.follow(readOf(64 * 1024));
  for (const onSent of sent) onSent?.();
  expect(isFreed(pool)).toBe(false);
});

it('knows a read of the size of shared memory by a piece that no small buffer could be', () => {
  const spent = new SpentMemory();
  const read = readOf(Buffer.poolSize);
  const sent = [spent.follow(read.subarray(0, 10)), spent.follow(read.subarray(10))];
  spent.follow(readOf(64 * 1024));
  for (const onSent of sent) onSent?.();
  expect(isFreed(read)).toBe(true);
});

it('leaves small reads and empty pieces alone', () => {
  const spent = new SpentMemory();
  expect(spent.follow(readOf(200))).toBeUndefined();
  expect(spent.follow(Buffer.alloc(0))).toBeUndefined();
  expect(spent.follow(Buffer.from(new SharedArrayBuffer(64 * 1024)))).toBeUndefined();
});
