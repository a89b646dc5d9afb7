/** The message that is judged is the message that is run: other parsers read the bodies that the gateway lets through (C-002). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareReaders, type Comparison } from '../support/differential/compare-readers.ts';
import type { BodyReader } from '../support/differential/found.ts';
import { startGoReader, startPythonReader } from '../support/differential/other-runtimes.ts';
import { sdkReaders } from '../support/differential/sdk-readers.ts';

const count = Number(process.env['DIFFERENTIAL_BODIES'] ?? 100_000);
const seed = Number(process.env['DIFFERENTIAL_SEED'] ?? Math.floor(Math.random() * 2 ** 32));

let readers: readonly BodyReader[];
let comparison: Comparison;

beforeAll(async () => {
  const others = [startPythonReader(), await startGoReader()];
  readers = [...sdkReaders, ...others.filter((reader) => reader !== undefined)];
  comparison = await compareReaders({ count, seed }, readers);
}, 180_000 + count);

afterAll(() => Promise.all(readers.map((reader) => reader.close())));

describe(`${count} bodies near the edges of JSON-RPC, DIFFERENTIAL_SEED=${seed}`, () => {
  it.for(['TypeScript SDK v1', 'TypeScript SDK v2', 'Python json', 'Go encoding/json'])(
    'that the gateway lets through show no other method, name or id to the %s, and no client’s statement of who asks (C-001, C-002, C-003, N4)',
    (name, { skip }) => {
      if (!readers.some((reader) => reader.name === name)) skip(`${name} isn't on this machine`);
      expect(comparison.differences[name]).toEqual([]);
      expect(comparison.taken[name]).toBeGreaterThan(comparison.letThrough / 4);
    },
  );

  it('are let through under no other label than JSON in UTF-8 (C-005, C-007)', () => {
    expect(comparison.differences['media type']).toEqual([]);
  });

  it('are of many kinds: enough pass, and each reason of a refusal occurs', () => {
    const { letThrough, generated, refused } = comparison;
    expect(letThrough).toBeGreaterThan(generated / 5);
    expect(Object.keys(refused).toSorted().join(' ')).toBe(
      'batch charset content_type duplicate_member id member_case method no place for a statement not_json not_utf8 shape too_deep',
    );
  });
});
