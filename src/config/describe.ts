/** A value of the file as a fault shows it: on one line, bounded, and without credentials. */
export function describeFound(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  return Object.keys(value).length === 0 ? 'an empty mapping' : 'a mapping';
}

const longestShown = 100;

/** As JSON, so that no byte of it moves the terminal's cursor. */
export function quote(text: string): string {
  const shown = text.replace(/:\/\/.*@/s, '://…@');
  const escaped = JSON.stringify(shown.length > longestShown ? `${shown.slice(0, longestShown)}…` : shown);
  return escaped.replace(
    /[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
