/** Bodies of POST requests near the edges of what the gateway lets through, as many as anyone wants. */
import { diceFrom } from './dice.ts';
import type { Dice } from './dice.ts';
import { messageText } from './message-text.ts';

export interface GeneratedBody {
  readonly bytes: Buffer;
  readonly contentType: string;
}

/** The same seed, the same bodies in the same order. */
export function bodiesFrom(seed: number): () => GeneratedBody {
  const dice = diceFrom(seed);
  return () => ({ bytes: body(dice), contentType: contentType(dice) });
}

function body(dice: Dice): Buffer {
  const text = dice.chance(0.1) ? batchText(dice) : messageText(dice);
  return dice.chance(0.9) ? Buffer.from(text) : dice.pick(encodings)(text, dice);
}

function batchText(dice: Dice): string {
  const count = dice.chance(0.95) ? dice.below(4) : dice.below(60);
  return `[${Array.from({ length: count }, () => messageText(dice)).join(dice.pick([',', ', ', ',\n']))}]`;
}

type Encoding = (text: string, dice: Dice) => Buffer;

const encodings: readonly [Encoding, ...Encoding[]] = [
  (text) => Buffer.from(`\ufeff${text}`),
  (text) => Buffer.from(text, 'utf16le'),
  (text) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16(),
  (text) => Buffer.from(text, 'latin1'),
  (text) => Buffer.from([...text].flatMap((character) => [character.codePointAt(0) ?? 0, 0, 0, 0])),
  (text, dice) =>
    Buffer.from(text + dice.pick([text, '\n{}', ' x', '\u0000', ',', ']', '}', '\n\n', ' ', '//'])),
  (text, dice) => Buffer.from(dice.pick([' ', '\n', '\u0000', '\u00a0', '\v', ")]}',\n", '\u001e']) + text),
  (text, dice) => Buffer.from(text.slice(0, dice.below(text.length))),
  (text, dice) => Buffer.from(`${text.slice(0, -1)},"deep":${'['.repeat(dice.below(90))}`),
  (text, dice) => {
    const depth = dice.below(90);
    return Buffer.from(`${text.slice(0, -1)},"deep":${'['.repeat(depth)}${']'.repeat(depth)}}`);
  },
  (text) => Buffer.from(JSON.stringify(text)),
  withBadByte,
  withBadByte,
  withBadByte,
];

/** One byte is another, or bytes that no UTF-8 has are put in: overlong, cut short, a surrogate. */
function withBadByte(text: string, dice: Dice): Buffer {
  const bytes = Buffer.from(text);
  const at = dice.below(bytes.length + 1);
  if (dice.chance(0.5)) {
    bytes[at] = dice.chance(0.5) ? dice.below(256) : 0x20 + dice.below(0x5f);
    return bytes;
  }
  const put = dice.pick([
    [0xc0, 0xa2],
    [0xc3],
    [0xed, 0xa0, 0x80],
    [0xff],
    [0xf4, 0x90, 0x80, 0x80],
    [0xef, 0xbb, 0xbf],
  ]);
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(put), bytes.subarray(at)]);
}

function contentType(dice: Dice): string {
  if (dice.chance(0.9)) return 'application/json';
  const charset = dice.pick([
    'utf-8',
    'UTF-8',
    'utf8',
    '"utf-8"',
    "'utf-8'",
    'utf-16',
    'utf-7',
    'latin1',
    'utf-8,x',
  ]);
  const type = dice.pick([
    'application/json',
    'Application/JSON',
    'application/json ',
    'text/json',
    'application/jsonx',
  ]);
  const name = dice.pick(['charset', 'Charset', 'charset ', 'boundary', 'charset*']);
  const more = dice.pick(['', '', '', ';', '; charset=utf-16', ', text/plain', ';charset=utf-8']);
  return `${type};${dice.pick(['', ' ', '\t'])}${name}=${charset}${more}`;
}
