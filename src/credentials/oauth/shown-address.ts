/** An address that somebody else wrote, for a log or a terminal: quoted, short, ASCII, and without a query, which may hold secrets. */
export function shownAddress(address: unknown): string {
  const text = typeof address === 'string' ? address : `no address (${typeof address})`;
  return JSON.stringify(text.replace(/[?#].*$/s, '').slice(0, 200)).replaceAll(
    /[^\x20-\x7e]/g,
    (character) => String.raw`\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
