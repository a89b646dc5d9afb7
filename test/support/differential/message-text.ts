import { assertionName } from '../../../src/identity/assertions.ts';
import type { Dice } from './dice.ts';

type Choices = readonly [string, ...string[]];

const methods: Choices = [
  'tools/call',
  'prompts/get',
  'resources/read',
  'resources/subscribe',
  'completion/complete',
  'tools/list',
  'ping',
  'initialize',
  'notifications/initialized',
  'tasks/get',
  'vendor/x',
];
const names: Choices = [
  'get_x',
  'drop_all',
  '',
  'file:///a',
  '__proto__',
  'é',
  '名前',
  '😀',
  'a"b',
  'x y',
  '/',
];
/** JSON all of them, and integers to some languages only. */
const numbers: Choices = ['1', '0', '-0', '1.0', '1e2', '1E+2', '9007199254740993', '0.5', '1e-400'];
const refTypes: Choices = ['ref/prompt', 'ref/resource', 'ref/x'];
const members: Choices = ['name', 'uri', 'arguments', '_meta', 'ref', 'type', 'method', 'id', 'params', 'x'];

/** JSON texts where an id could stand; many are none, or none that every language reads alike. */
const ids: Choices = [
  '1',
  ...'0 -1 42 "a" "1" "é" "\\u0061" "\\ud83d\\ude00" 9007199254740991 1.0 1e0 1E+2 -0 0.0 -0.0 1e-1 10e-1'.split(
    ' ',
  ),
  ...'9007199254740992 9007199254740993 -9007199254740993 18446744073709551617 1e400 -1e400 1.5'.split(' '),
  ...'00 01 +1 .5 1. 0x1 1n NaN Infinity null true false [1] {} {"id":1} "" "\\ud800" "\\u0000"'.split(' '),
];

/** Other texts for the same, or nearly. */
const twins: Readonly<Record<string, Choices>> = {
  s: ['\u017f', 'S', 'ѕ', 'ｓ'],
  k: ['\u212a', 'K', 'ｋ'],
  i: ['I', '\u0130', '\u0131', 'і', 'ｉ'],
  e: ['E', 'е', 'é', 'e\u0301'],
  a: ['A', 'а', 'ａ', 'á'],
  m: ['M', 'ｍ'],
  n: ['N', 'ｎ', 'ñ'],
  p: ['P', 'р'],
};
const tails: Choices = [' ', '\u0000', '\u200b', '\ufeff', '\t', '/', '.', '\u00a0', '\u0301'];

/** What a text could be taken for. */
function lookalike(text: string, dice: Dice): string {
  if (dice.chance(0.2)) return dice.pick([text.toUpperCase(), text.toLowerCase()]);
  if (dice.chance(0.2)) return dice.chance(0.5) ? text + dice.pick(tails) : dice.pick(tails) + text;
  const at = dice.below(Math.max(1, text.length));
  const letter = text[at] ?? '';
  const other = twins[letter.toLowerCase()];
  const written = other === undefined ? letter.toUpperCase() : dice.pick(other);
  return text.slice(0, at) + written + text.slice(at + 1);
}

/** The text as JSON, in one of its spellings; now and then in one that is none. */
function quote(text: string, dice: Dice): string {
  if (dice.chance(0.8)) return JSON.stringify(text);
  const spelt = Array.from({ length: text.length }, (_, at) => {
    const unit = text.charCodeAt(at);
    const hex = unit.toString(16).padStart(4, '0');
    if (dice.chance(0.4)) return `\\u${dice.chance(0.5) ? hex : hex.toUpperCase()}`;
    return unit === 0x22 || unit === 0x5c || unit < 0x20 ? JSON.stringify(text[at]).slice(1, -1) : text[at];
  }).join('');
  const slip = dice.chance(0.02)
    ? dice.pick(['\\ud800', '\\udc00\\ud800', '\u0000', '\n', '\\x41', '\\u12', '\\/', '\\U0041', "\\'"])
    : '';
  return `"${spelt}${slip}"`;
}

function space(dice: Dice): string {
  if (dice.chance(0.9)) return '';
  if (dice.chance(0.98)) return dice.pick([' ', '\n', '\t', '\r\n', '  ']);
  return dice.pick(['\u00a0', '\f', '\v', '\u2028', '/**/', '\ufeff']);
}

/** One object of JSON from its members; some come twice, some besides as lookalikes. */
function object(given: readonly (readonly [name: string, text: string])[], dice: Dice): string {
  const more = given.flatMap(([name, text]): readonly (readonly [string, string])[] => {
    if (dice.chance(0.006)) return [[name, dice.chance(0.5) ? text : value(2, dice)]];
    return dice.chance(0.006) ? [[lookalike(name, dice), value(2, dice)]] : [];
  });
  const kept = given.filter(() => !dice.chance(0.008));
  const ordered = dice.chance(0.5) ? [...kept, ...more] : dice.shuffle([...kept, ...more]);
  const texts = ordered.map(
    ([name, text]) =>
      `${space(dice)}${quote(dice.chance(0.006) ? lookalike(name, dice) : name, dice)}${space(dice)}:${space(dice)}${text}`,
  );
  return `{${texts.join(',')}${dice.chance(0.002) ? ',' : ''}}`;
}

function value(depth: number, dice: Dice): string {
  const kind = dice.below(depth > 0 ? 9 : 6);
  if (kind < 3) return quote(dice.pick(dice.chance(0.5) ? names : methods), dice);
  if (kind === 3) return dice.chance(0.05) ? dice.pick(ids) : dice.pick(numbers);
  if (kind === 4) return dice.pick(['null', 'true', 'false', '[]', '{}']);
  if (kind === 5) return String(dice.below(1000) / 10);
  if (kind === 6) return `[${Array.from({ length: dice.below(4) }, () => value(depth - 1, dice)).join(',')}]`;
  return object(
    Array.from({ length: dice.below(4) }, () => [dice.pick(members), value(depth - 1, dice)] as const),
    dice,
  );
}

function nameText(dice: Dice): string {
  if (dice.chance(0.03)) return value(1, dice);
  const plain = dice.pick(names);
  return quote(dice.chance(0.04) ? lookalike(plain, dice) : plain, dice);
}

/** With what a client would have the gateway say of it. */
function meta(dice: Dice): string {
  const claimed = dice.chance(0.9) ? assertionName : lookalike(assertionName, dice);
  return object(
    [
      ['progressToken', value(0, dice)],
      [claimed, '"forged"'],
    ],
    dice,
  );
}

function params(dice: Dice): string {
  if (dice.chance(0.03)) return value(3, dice);
  const ref = (): string =>
    object(
      [
        ['type', quote(dice.pick(refTypes), dice)],
        [dice.pick(['name', 'uri']), nameText(dice)],
      ],
      dice,
    );
  const given: (readonly [string, string])[] = [['name', nameText(dice)]];
  if (dice.chance(0.5)) given.push(['uri', nameText(dice)]);
  if (dice.chance(0.5)) given.push(['arguments', value(3, dice)]);
  if (dice.chance(0.3)) given.push(['_meta', dice.chance(0.5) ? meta(dice) : value(2, dice)]);
  if (dice.chance(0.1)) given.push(['type', quote(dice.pick(refTypes), dice)]);
  if (dice.chance(0.3)) given.push(['ref', dice.chance(0.9) ? ref() : value(1, dice)]);
  return object(given, dice);
}

/** The JSON text of one message, on either side of the edge of what JSON-RPC allows. */
export function messageText(dice: Dice): string {
  const plain = dice.pick(methods);
  const method = dice.chance(0.03)
    ? value(1, dice)
    : quote(dice.chance(0.04) ? lookalike(plain, dice) : plain, dice);
  const given: (readonly [string, string])[] = [['jsonrpc', dice.chance(0.99) ? '"2.0"' : value(1, dice)]];
  if (dice.chance(0.85)) given.push(['id', dice.chance(0.8) ? String(dice.below(100)) : dice.pick(ids)]);
  if (dice.chance(0.92)) given.push(['method', method]);
  if (dice.chance(0.85)) given.push(['params', params(dice)]);
  if (dice.chance(0.03)) given.push([dice.pick(['result', 'error']), value(2, dice)]);
  if (dice.chance(0.04)) given.push([dice.pick(members), value(2, dice)]);
  return dice.chance(0.99) ? object(given, dice) : value(3, dice);
}
