import type { TextReading } from './text.ts';
import { parsedText } from './text.ts';
import { isPlainPath } from './web-address.ts';

const expected = 'a path such as /mcp: letters, digits, - . _ ~ between slashes';

function read(text: string): TextReading<string> {
  const plain = text.replaceAll('{tenant}', 'tenant');
  if (!isPlainPath(plain) || !plain.startsWith('/')) return { ok: false, hint: hintFor(text) };
  if (
    text.split('{tenant}').length > 2 ||
    (text.includes('{tenant}') && !/\/\{tenant\}(?:\/|$)/.test(text))
  ) {
    return { ok: false, expected: 'one segment {tenant} at most' };
  }
  if (/^\/\.well-known(?:\/|$)/i.test(text))
    return { ok: false, expected: 'a path outside of /.well-known, which is for discovery' };
  return { ok: true, value: text === '/' ? '/' : text.replace(/\/$/, '') };
}

function hintFor(text: string): string | undefined {
  if (URL.canParse(text) && /^https?:/i.test(text))
    return `only the path: did you mean ${new URL(text).pathname}?`;
  if (!text.startsWith('/') && isPlainPath(`/${text}`)) return `did you mean /${text}?`;
  if (text.includes('%')) return 'percent-encoding has more than one reading';
  if (/[?#]/.test(text)) return 'no query, no fragment';
  if (text.includes('//')) return `did you mean ${text.replace(/\/{2,}/g, '/')}?`;
  if (text.includes('*') || text.includes(':'))
    return 'paths are exact, there are no patterns: one route for each path';
  return /\/\.{1,2}(?:\/|$)/.test(text) ? 'write the path without . and ..' : undefined;
}

/** The path of a route in the one spelling that leaves no doubt; a slash at the end is dropped. */
export const routePath = parsedText({
  type: 'path',
  expected,
  pattern: /^\/[A-Za-z0-9._~{}/-]*$/,
  read,
});
