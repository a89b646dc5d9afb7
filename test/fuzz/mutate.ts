import type { Dice } from '../support/differential/dice.ts';

/** Longer ones cost time and reach nothing else; what is long is for tests of limits. */
const maximumLength = 4096;

type Mutation = (input: Buffer, from: Source) => Buffer;

export interface Source {
  readonly dice: Dice;
  readonly words: readonly string[];
  /** Other inputs, to take pieces of. */
  readonly corpus: readonly Buffer[];
}

/** The input with one to six changes. */
export function mutate(input: Buffer, source: Source): Buffer {
  const { dice } = source;
  let mutated = input;
  for (let times = 1 + dice.below(dice.chance(0.7) ? 2 : 6); times > 0; times -= 1)
    mutated = dice.pick(mutations)(mutated, source);
  return mutated.subarray(0, maximumLength);
}

const mutations: readonly [Mutation, ...Mutation[]] = [
  (input, { dice }) => overwrite(input, dice.below(input.length), Buffer.from([dice.below(256)])),
  (input, { dice }) => {
    const at = dice.below(input.length);
    return overwrite(input, at, Buffer.from([(input[at] ?? 0) ^ (1 << dice.below(8))]));
  },
  (input, { dice }) => insert(input, dice.below(input.length + 1), Buffer.from([dice.below(256)])),
  (input, { dice }) => insert(input, dice.below(input.length + 1), Buffer.from(dice.pick(edges), 'latin1')),
  (input, source) => insert(input, source.dice.below(input.length + 1), wordOf(source)),
  (input, source) => insert(input, source.dice.below(input.length + 1), wordOf(source)),
  (input, source) => overwrite(input, source.dice.below(input.length + 1), wordOf(source)),
  (input, { dice }) => {
    const [start, end] = piece(input, dice);
    return Buffer.concat([input.subarray(0, start), input.subarray(end)]);
  },
  (input, { dice }) => {
    const [start, end] = piece(input, dice);
    return insert(input, dice.below(input.length + 1), input.subarray(start, end));
  },
  (input, { dice, corpus }) => {
    const other = corpus[dice.below(corpus.length)] ?? input;
    return Buffer.concat([
      input.subarray(0, dice.below(input.length + 1)),
      other.subarray(dice.below(other.length + 1)),
    ]);
  },
];

/** Bytes that parsers look at. */
const edges: readonly [string, ...string[]] = [
  ...([
    '\r\n',
    '\n',
    '\r',
    ' ',
    '\t',
    '\0',
    ':',
    ';',
    ',',
    '.',
    '/',
    '\\',
    '%',
    '%2f',
    '%00',
    '"',
    "'",
  ] as const),
  ...'{ } [ ] = + - _ ~ 0 1 9 é \xff \xc3\xa9 \xef\xbb\xbf \x7f \x0b \x0c .. // ? # @ null true -0 1e9'.split(
    ' ',
  ),
];

function wordOf({ dice, words }: Source): Buffer {
  return Buffer.from(words[dice.below(words.length)] ?? '', 'latin1');
}

function piece(input: Buffer, dice: Dice): readonly [start: number, end: number] {
  const start = dice.below(input.length + 1);
  return [start, Math.min(input.length, start + 1 + dice.below(dice.chance(0.8) ? 8 : 200))];
}

function insert(input: Buffer, at: number, bytes: Buffer): Buffer {
  return Buffer.concat([input.subarray(0, at), bytes, input.subarray(at)]);
}

function overwrite(input: Buffer, at: number, bytes: Buffer): Buffer {
  return Buffer.concat([input.subarray(0, at), bytes, input.subarray(at + bytes.length)]);
}
