import type { TextReading } from './text.ts';
import { parsedText } from './text.ts';

/** One character, an escape, a dot or a class of characters, and how often. */
const piece =
  /(?:[A-Za-z0-9 _~+/=:,;@!#%&'"<>`-]|\\[dw\\.+*?|()[\]{}^$/-]|\.|\[(?:[A-Za-z0-9 _~+/=:,;@!#%&'"<>`.*?|(){}$-]|\\[dw\\.+*?|()[\]{}^$/-])+\])([*+?]|\{[0-9]{1,4}(?:,[0-9]{0,4})?\})?/y;

interface Piece {
  /** Of the characters that a header value can have, those that fit, each as its own text. */
  readonly fitting: ReadonlySet<string>;
  readonly least: number;
  readonly isOpen: boolean;
}

/** What a header value can consist of. */
const characters = Array.from({ length: 95 }, (_none, index) => String.fromCodePoint(0x20 + index));

function readPattern(text: string): TextReading<string> {
  const whole = text.replace(/^\^/, '').replace(/(?<!\\)\$$/, '');
  const alternatives = alternativesOf(whole);
  if (alternatives === undefined) return { ok: false, hint: hintFor(whole) };
  if (alternatives.every(isUnambiguous)) return { ok: true, value: whole };
  return {
    ok: false,
    expected: 'a pattern in which another kind of character follows each part of open length',
    hint: 'else a client could choose values that take long to match',
  };
}

/** Undefined where something else stands between two `|` than pieces. */
function alternativesOf(pattern: string): readonly (readonly Piece[])[] | undefined {
  const alternatives: Piece[][] = [[]];
  for (let at = 0; at < pattern.length; at = piece.lastIndex) {
    piece.lastIndex = at;
    const found = piece.exec(pattern);
    if (found === null) {
      if (pattern[at] !== '|') return undefined;
      alternatives.push([]);
      piece.lastIndex = at + 1;
      continue;
    }
    const read = pieceOf(found[0], found[1]);
    if (read === undefined) return undefined;
    alternatives.at(-1)?.push(read);
  }
  return alternatives.every((pieces) => pieces.length > 0) ? alternatives : undefined;
}

function pieceOf(written: string, quantifier = ''): Piece | undefined {
  const one = compile(written.slice(0, written.length - quantifier.length));
  const many = compile(written);
  if (one === undefined || many === undefined) return undefined;
  const [, least, comma, most] = /^\{([0-9]+)(,)?([0-9]*)\}$/.exec(quantifier) ?? [];
  const isCounted = least !== undefined;
  const isExact = isCounted && (comma === undefined || most === least);
  return {
    fitting: new Set(characters.filter((character) => one.test(character))),
    least: isCounted ? Number(least) : quantifier === '*' || quantifier === '?' ? 0 : 1,
    isOpen: quantifier !== '' && !isExact,
  };
}

/** No value can be shared out among the parts in two ways, so that matching never has to try again: it takes time by the length alone. */
function isUnambiguous(pieces: readonly Piece[]): boolean {
  return pieces.every((each, index) => {
    if (!each.isOpen) return true;
    for (const next of pieces.slice(index + 1)) {
      if ([...next.fitting].some((character) => each.fitting.has(character))) return false;
      if (next.least > 0) return true;
    }
    return true;
  });
}

function compile(source: string): RegExp | undefined {
  try {
    return new RegExp(`^(?:${source})$`);
  } catch {
    return undefined;
  }
}

function hintFor(alternative: string): string | undefined {
  if (/\((?!\?)/.test(alternative)) return 'no groups; whole alternatives can be separated by |';
  return /[\^$]/.test(alternative) ? 'it always stands for the whole value: leave out ^ and $' : undefined;
}

/** The form of a value that a client sends. Proves that matching takes time by the length of the value alone. */
export const valuePattern = parsedText({
  type: 'pattern',
  expected:
    'a pattern of characters, classes such as [A-Za-z0-9_-] and counts such as + and {1,40}, with | between alternatives, without groups',
  pattern: /^[ -~]{1,1000}$/,
  read: readPattern,
});

/** Stands for the whole value. */
export function compileValuePattern(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`);
}
