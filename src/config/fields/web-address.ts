import type { TextReading } from './text.ts';
import { parsedText } from './text.ts';

/** For the JSON Schema; what it can't say is checked by the readers. */
const form = /^[Hh][Tt][Tt][Pp][Ss]?:\/\/[^\s"'<>\\^`{|}]+$/;

/** RFC 3986 §2: what a URL is written with. The single quote is left out: it ends attributes and shell words. */
const characters = /^[A-Za-z0-9._~:/?#[\]@!$&()*+,;=%-]+$/;

interface Rules {
  /** http is for this machine only. */
  readonly plainHttp: 'anywhere' | 'loopback';
  readonly query: 'kept' | 'refused';
}

/** Names and addresses that never leave the machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.[0-9]{1,3}){3}$/.test(hostname);
}

/** An absolute http or https URL without credentials and fragment, read by the same parser that will use it. */
export function readWebAddress(text: string, { plainHttp, query }: Rules): TextReading<URL> {
  // The parser would take the first segment of https:///a/b for the host.
  if (!/^https?:\/\/[^/?#]/i.test(text)) return { ok: false, hint: hintForScheme(text) };
  if (!characters.test(text))
    return {
      ok: false,
      expected: 'a URL without spaces, quotes and other characters that RFC 3986 leaves out',
      hint: hintForCharacters(text),
    };
  if (/%(?![0-9a-f]{2})/i.test(text))
    return { ok: false, expected: 'two hexadecimal digits after each % of the URL' };
  if (!URL.canParse(text)) return { ok: false };
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') {
    return {
      ok: false,
      expected: 'a URL without user name and password',
      hint: 'secrets belong into environment variables or files',
    };
  }
  if (text.includes('#'))
    return { ok: false, expected: 'a URL without a fragment', hint: 'remove # and what follows' };
  if (query === 'refused' && text.includes('?'))
    return { ok: false, expected: 'a URL without a query', hint: 'remove ? and what follows' };
  if (plainHttp === 'loopback' && url.protocol === 'http:' && !isLoopback(url.hostname)) {
    return { ok: false, expected: 'an https URL', hint: 'http is for localhost, 127.0.0.1 and [::1] only' };
  }
  return { ok: true, value: url };
}

function hintForScheme(text: string): string | undefined {
  const rest = /^(?:h?t{1,3}ps?|https?)?(?::\/{0,3}|\/{2})([a-z0-9.[\]:-]+(?:\/\S*)?)$/i.exec(text)?.[1];
  if (rest !== undefined) return `did you mean ${/^h?t{1,3}ps/i.test(text) ? 'https' : 'http'}://${rest}?`;
  if (!/^(?:[a-z0-9-]+\.)*[a-z0-9-]+(?::[0-9]+)?(?:\/\S*)?$/i.test(text)) return undefined;
  return `did you mean ${isLoopback(text.split(/[:/]/, 1)[0] ?? '') ? 'http' : 'https'}://${text}?`;
}

function hintForCharacters(text: string): string | undefined {
  if (/[^ -~]/.test(text) && URL.canParse(text)) return `written in ASCII it is ${new URL(text).href}`;
  return text.trim() === text ? undefined : 'remove the space around it';
}

/** Segments that every proxy and router reads alike (RFC 3986 unreserved characters), none of them `.` or `..`. */
export function isPlainPath(pathname: string): boolean {
  return /^(?:\/[A-Za-z0-9._~-]+)*\/?$/.test(pathname) && !/\/\.{1,2}(?:\/|$)/.test(pathname);
}

const expected = 'an http or https URL such as https://mcp.example.com';
const type = 'URL';

/** Origin and base path, without a slash at the end. */
export const publicUrl = parsedText({
  type,
  expected,
  pattern: form,
  read: (text) => {
    const address = readWebAddress(text, { plainHttp: 'loopback', query: 'refused' });
    if (!address.ok) return address;
    const written = text.replace(/^[^/]*\/\/[^/]*/, '');
    if (!isPlainPath(written) || /^\/\.well-known(?:\/|$)/i.test(written)) {
      return {
        ok: false,
        expected:
          'a URL whose path has only letters, digits, - . _ ~ between its slashes, and does not begin with /.well-known',
      };
    }
    return { ok: true, value: `${address.value.origin}${address.value.pathname.replace(/\/$/, '')}` };
  },
});

const metadataAddress = /^(.*?\/)\.well-known\/(?:openid-configuration|oauth-authorization-server)(\/.*)?$/;

/** RFC 8414 §2: no query, no fragment. Kept as it is written: `iss` is compared byte for byte. */
export function readIssuer(text: string): TextReading<string> {
  const address = readWebAddress(text, { plainHttp: 'anywhere', query: 'refused' });
  if (!address.ok) return address;
  const [, before, after] = metadataAddress.exec(text) ?? [];
  if (before === undefined) return { ok: true, value: text };
  return {
    ok: false,
    expected: 'the issuer, not the address of its metadata',
    hint: `did you mean ${before.slice(0, -1)}${after ?? ''}?`,
  };
}

/** Who issues tokens. */
export const issuer = parsedText({
  type,
  expected: 'the issuer, a URL such as https://login.example.com/realms/corp',
  pattern: form,
  read: readIssuer,
});

/** RFC 8707 §2 and RFC 9728 §1.2, in the URL parser's spelling; the root path has no slash. */
export function readResource(text: string): TextReading<string> {
  const address = readWebAddress(text, { plainHttp: 'loopback', query: 'kept' });
  if (!address.ok) return address;
  const { origin, pathname, search } = address.value;
  return { ok: true, value: `${origin}${pathname === '/' ? '' : pathname}${search}` };
}

/** What clients ask tokens for. */
export const resource = parsedText({
  type,
  expected: 'an https URL such as https://mcp.example.com/mcp',
  pattern: form,
  read: readResource,
});

/** An address that the gateway itself asks. */
export const endpoint = parsedText({
  type,
  expected: 'an http or https URL such as http://localhost:8000/mcp',
  pattern: form,
  read: (text) => {
    const address = readWebAddress(text, { plainHttp: 'anywhere', query: 'kept' });
    return address.ok ? { ok: true, value: address.value.href } : address;
  },
});

/** Who issues the tokens of an upstream: secrets are sent there, so http is for loopback only. Kept as written. */
export const localIssuer = parsedText({
  type,
  expected: 'an issuer, a URL such as https://login.example.com',
  pattern: form,
  read: (text) => {
    const address = readWebAddress(text, { plainHttp: 'loopback', query: 'refused' });
    return address.ok ? readIssuer(text) : address;
  },
});

/** Client ID Metadata Documents (draft-ietf-oauth-client-id-metadata-document §3): the URL is the client's id, so it is kept as written, and has a path. */
export const clientMetadataUrl = parsedText({
  type,
  expected: 'an https URL with a path such as https://mcp.example.com/client.json',
  pattern: form,
  read: (text) => {
    const address = readWebAddress(text, { plainHttp: 'loopback', query: 'kept' });
    if (!address.ok) return address;
    return address.value.pathname === '/' ? { ok: false } : { ok: true, value: text };
  },
});
