import type { TextReading } from './text.ts';
import { parsedText } from './text.ts';

/** RFC 6749 §3.3: scope-token. */
const form = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

function read(text: string): TextReading<string> {
  if (!form.test(text)) return { ok: false, hint: hintFor(text) };
  // RFC 6749 has no such scope, and OpenID Connect's is for clients to ask: a challenge with it makes every client ask.
  if (text === 'offline_access') {
    return {
      ok: false,
      expected: 'a scope of the resource',
      hint: 'clients that want refresh tokens ask for offline_access by themselves',
    };
  }
  return { ok: true, value: text };
}

function hintFor(text: string): string | undefined {
  const parts = text.split(/[\s,]+/).filter((part) => form.test(part));
  return parts.length > 1 ? `one scope for each item: [${parts.join(', ')}]` : undefined;
}

export const scope = parsedText({
  type: 'scope',
  expected: 'a scope of RFC 6749: visible ASCII without space, double quote and backslash',
  pattern: form,
  read,
});
