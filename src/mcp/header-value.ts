// RFC 4648 §4, with padding.
const sentinel = /^=\?base64\?((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)\?=$/;

/** Bytes beyond are Latin-1 to one reader and UTF-8 to another: two names in one. */
const plain = /^[ -~]*$/;

/**
 * What a header of MCP 2026-07-28 (§Value Encoding) says: the text itself, in visible ASCII and spaces, or Base64 of
 * UTF-8 between `=?base64?` and `?=`, decoded once. Undefined where it is neither, in the one canonical form.
 */
export function decodeHeaderValue(value: string): string | undefined {
  if (!plain.test(value)) return undefined;
  if (!value.startsWith('=?base64?') || !value.endsWith('?=')) return value;
  const encoded = sentinel.exec(value)?.[1];
  if (encoded === undefined) return undefined;
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.toString('base64') !== encoded) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
