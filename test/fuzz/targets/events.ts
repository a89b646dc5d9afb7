import fc from 'fast-check';

import { EndpointEvent } from '../../../src/upstream/endpoint-event.ts';
import { EventBoundary } from '../../../src/upstream/event-boundary.ts';
import { EventSieve } from '../../../src/upstream/lists/event-sieve.ts';
import { diceFrom } from '../../support/differential/dice.ts';
import { readReference } from '../reference-events.ts';
import { Tally, type FuzzTarget, type OpenTarget } from '../target.ts';

/** What the route hides. */
const hidden = 'secret';
const endpoint = '/messages/sealed';

const data = fc.oneof(
  fc.constantFrom(
    `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"${hidden}"},{"name":"a"}]}}`,
    `[{"jsonrpc":"2.0","id":1,"result":{"prompts":[{"name":"${hidden}"}]}}]`,
    `{"jsonrpc":"2.0","id":"x","result":{"resources":[{"uri":"${hidden}","name":"n"}]}}`,
    '{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"x"}}',
    '/messages?session=1',
    '{"jsonrpc":"2.0","id":1,"result":{"content":[]}}',
  ),
  fc.json({ maxDepth: 3 }),
  fc.string(),
);

const line = fc.oneof(
  { weight: 4, arbitrary: data.map((text) => `data: ${text}`) },
  fc.constantFrom(
    'event: endpoint',
    'event: message',
    'event:endpoint ',
    'id: 7',
    'retry: 10',
    ': comment',
    'data',
    'data:',
  ),
  fc.constantFrom('database: x', 'event', '\xef\xbb\xbfdata: x', 'DATA: x', ' data: x', 'data : x', ':'),
);

const ends = fc.constantFrom('\n', '\n', '\r\n', '\r', '\n\n', '\r\n\r\n', '\r\r', '\n\r', '\r\n\n');

/** The bytes of an upstream's event stream, in pieces, before everything that looks into one. */
export const events: FuzzTarget = {
  name: 'events',
  inputs: fc
    .array(fc.tuple(line, ends), { maxLength: 12 })
    .map((lines) => Buffer.from(lines.flat().join(''), 'latin1')),
  words: [
    'data: ',
    'event: endpoint\ndata: /messages?s=1\n\n',
    '"result":{',
    '"tools":[',
    `{"name":"${hidden}"}`,
    '\n\n',
    '\r',
    '\r\n',
  ].concat([
    '"Tools"',
    '"prompts":[',
    '"\\u0074ools"',
    'id: 1',
    '"jsonrpc":"2.0"',
    '\xef\xbb\xbf',
    '\ndata: ',
    'event:',
    '"resourceTemplates":[',
    ']}}',
  ]),
  async open() {
    const tally = new Tally();
    return {
      tally,
      judge: async (inputs) =>
        inputs.map(
          (input) => judgeSieve(input, tally) ?? judgeBoundary(input) ?? judgeEndpoint(input, tally),
        ),
      [Symbol.asyncDispose]: async () => {},
    } satisfies OpenTarget;
  },
};

/** The pieces of the bytes as a network could cut them; the same bytes, the same pieces. */
function pieces(input: Buffer): readonly Buffer[] {
  const dice = diceFrom(input.reduce((sum, byte) => (Math.imul(sum, 31) + byte) | 0, 7));
  const cut: Buffer[] = [];
  for (let at = 0; at < input.length;) {
    const next = at + 1 + dice.below(dice.chance(0.5) ? 3 : 60);
    cut.push(input.subarray(at, next));
    at = next;
  }
  return cut;
}

interface Passed {
  readonly bytes: Buffer;
  readonly fault: string | undefined;
  readonly withheld: number;
}

function sift(chunks: readonly Buffer[]): Passed {
  let withheld = 0;
  const sieve = new EventSieve({
    shows: (_list, name) => name !== hidden,
    requestId: null,
    onWithheld: () => (withheld += 1),
  });
  const out: Buffer[] = [];
  for (const chunk of [...chunks, undefined]) {
    const sifted = chunk === undefined ? sieve.end() : sieve.pass(chunk);
    if (sifted.state === 'fault') return { bytes: Buffer.concat(out), fault: sifted.detail, withheld };
    if (sifted.state === 'open') out.push(sifted.bytes);
  }
  return { bytes: Buffer.concat(out), fault: undefined, withheld };
}

function judgeSieve(input: Buffer, tally: Tally): string | undefined {
  const [whole, cut] = [sift([input]), sift(pieces(input))];
  tally.add(whole.fault === undefined ? 'sifted' : 'a stream ended');
  if (whole.fault !== cut.fault) return `the sieve judges by the pieces: ${whole.fault} or ${cut.fault}`;
  // A stream that is ended may have let more or less go before.
  if (whole.fault === undefined && !whole.bytes.equals(cut.bytes))
    return `the sieve writes by the pieces: ${cut.bytes.toString()}`;
  for (const { bytes } of [whole, cut]) {
    const shown = readReference(bytes).events.find((event) => showsHidden(event.data));
    if (shown !== undefined) return `a hidden item is shown: ${shown.data}`;
  }
  if (whole.fault !== undefined || whole.withheld > 0) return undefined;
  const [before, after] = [readReference(input).events, readReference(whole.bytes).events];
  if (before.length !== after.length) return `events are lost or made: ${before.length} and ${after.length}`;
  const other = before.findIndex(
    (event, at) =>
      event.type !== after[at]?.type ||
      event.id !== after[at].id ||
      (!maybeList(event.data) && event.data !== after[at].data),
  );
  return other === -1 ? undefined : `an event is another: ${JSON.stringify([before[other], after[other]])}`;
}

const listNames = ['tools', 'prompts', 'resources', 'resourcetemplates'];

/** Whether a client that takes names in any case would find the hidden item in a list. */
function showsHidden(text: string): boolean {
  const value = parsed(text);
  return [value].flat().some((found) => {
    const result = memberOf(found, 'result');
    return listNames.some((name) => {
      const items = memberOf(result, name);
      return (
        Array.isArray(items) &&
        items.some(
          (item) =>
            memberOf(
              item,
              name === 'resources' ? 'uri' : name === 'resourcetemplates' ? 'uritemplate' : 'name',
            ) === hidden,
        )
      );
    });
  });
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).findLast(([key]) => key.toLowerCase() === name)?.[1];
}

/** Whether the sieve may have written it anew. It doesn't look into strings that it leaves out, so no JSON in them is none of its. */
function maybeList(text: string): boolean {
  return /result|\\u/i.test(text);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Between two events, by every way of cutting: there a comment is put in. */
function judgeBoundary(input: Buffer): string | undefined {
  const boundary = new EventBoundary();
  let passed = 0;
  for (const piece of pieces(input)) {
    boundary.pass(piece);
    passed += piece.length;
    const soFar = input.subarray(0, passed);
    // A byte order mark alone is the beginning of a line here: nothing is put behind it.
    if (boundary.between && !readReference(soFar).isBetween)
      return `a comment within an event: behind ${passed} bytes`;
  }
  return undefined;
}

/** Of a legacy stream the client must hear one address, the gateway's. */
function judgeEndpoint(input: Buffer, tally: Tally): string | undefined {
  const reader = new EndpointEvent((address) => (address.startsWith('/messages') ? endpoint : undefined));
  const out: Buffer[] = [];
  let state = 'pending';
  for (const piece of pieces(input)) {
    const opening = reader.pass(piece);
    state = opening.state;
    if (opening.state === 'fault') break;
    if (opening.state === 'open') out.push(opening.bytes);
  }
  tally.add(`endpoint ${state}`);
  const told = readReference(Buffer.concat(out)).events.filter(({ type }) => type.trim() === 'endpoint');
  if (told.some(({ data: address }) => address !== endpoint))
    return `an address of the server's own: ${JSON.stringify(told)}`;
  return told.length > 1 ? `two addresses: ${JSON.stringify(told)}` : undefined;
}
