/** Longer names and URIs are no one's: a pattern is looked for in what a stranger sent. */
const maximumLength = 2048;

/**
 * Whether a whole text is of a pattern. `*` stands for any run of characters, `/` and none included; every other character
 * stands for itself, in its case. The time is bounded by the lengths of both, whatever they hold: there is no going back.
 * Texts of more than 2048 characters are of no pattern.
 */
export function compileGlob(pattern: string): (text: string) => boolean {
  return compilePieces(pattern.split('*'));
}

/** The same for the pieces of a pattern, between any two of which any run of characters may stand. */
export function compilePieces([first = '', ...rest]: readonly string[]): (text: string) => boolean {
  const last = rest.pop();
  if (last === undefined) return (text) => text === first && text.length <= maximumLength;
  const middle = rest.filter((piece) => piece !== '');
  // `get_*`: most patterns are of this kind, and a list asks each of them about each of its items.
  if (middle.length === 0 && last === '')
    return (text) => text.startsWith(first) && text.length <= maximumLength;
  const shortest = first.length + last.length;
  return (text) => {
    if (text.length > maximumLength || text.length < shortest) return false;
    if (!text.startsWith(first) || !text.endsWith(last)) return false;
    // The leftmost place for each piece leaves the most room for those after it.
    let from = first.length;
    const end = text.length - last.length;
    for (const piece of middle) {
      const at = text.indexOf(piece, from);
      if (at === -1 || at + piece.length > end) return false;
      from = at + piece.length;
    }
    return true;
  };
}

/** Whether a pattern stands for more than itself. */
export function isGlob(pattern: string): boolean {
  return pattern.includes('*');
}
