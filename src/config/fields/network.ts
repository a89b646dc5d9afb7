import { isIP } from 'node:net';

import type { TextReading } from './text.ts';
import { parsedText, text } from './text.ts';

/** Where a listener binds. */
export const bindAddress = text(
  'an address or host name such as 127.0.0.1 or 0.0.0.0',
  /^[A-Za-z0-9.:_%-]+$/,
  {
    type: 'address',
    hintFor: (found) => (/[/[\]]/.test(String(found)) ? 'no scheme, no port, no brackets' : undefined),
  },
);

function readRange(range: string): TextReading<string> {
  const [address = '', bits, ...rest] = range.split('/');
  const longest = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  const isFine =
    longest > 0 &&
    rest.length === 0 &&
    (bits === undefined || (/^[0-9]{1,3}$/.test(bits) && Number(bits) >= 1 && Number(bits) <= longest));
  if (isFine) return { ok: true, value: range };
  if (Number(bits) === 0)
    return { ok: false, hint: 'it holds every address, so that whoever connects would be believed' };
  return {
    ok: false,
    hint: /[g-z]/i.test(address) ? 'names are not looked up here: write the address of the proxy' : undefined,
  };
}

export const addressRange = parsedText({
  type: 'address range',
  expected: 'an address or a range such as 10.0.0.0/8',
  pattern: /^[0-9A-Fa-f:.]+(\/0*[1-9][0-9]{0,2})?$/,
  read: readRange,
});

/** The widest ranges that are private as a whole: 10.0.0.0/8 (RFC 1918) and fc00::/7 (RFC 4193). */
const widestPrivate = { 4: 8, 6: 7 } as const;

/** Whether a range is so wide that strangers are in it; two of /1 hold everyone. */
export function holdsStrangers(range: string): boolean {
  const [address = '', bits] = range.split('/');
  return bits !== undefined && Number(bits) < widestPrivate[isIP(address) === 6 ? 6 : 4];
}

const hostForm = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)$/;

function readHost(host: string): TextReading<string> {
  if (hostForm.test(host)) return { ok: true, value: host.toLowerCase() };
  if (isIP(host) === 6) return { ok: false, hint: `did you mean [${host}]?` };
  if (host.includes('*')) return { ok: false, hint: 'there are no wildcards: list every name' };
  const address = host.includes('://') ? host : `http://${host}`;
  const name = URL.canParse(address) ? new URL(address).hostname : '';
  return { ok: false, hint: hostForm.test(name) ? `did you mean ${name}?` : undefined };
}

/** As `Host` carries it, without the port. */
export const hostName = parsedText({
  type: 'host name',
  expected: 'a host name without scheme and port, such as mcp.example.com',
  pattern: hostForm,
  read: readHost,
});

const originForm = /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9._[\]:-]+$/;

function readOrigin(origin: string): TextReading<string> {
  const serialized = URL.canParse(origin) ? new URL(origin).origin : 'null';
  // A browser sends the serialized form, and it is compared letter for letter.
  if (originForm.test(origin) && (serialized === origin || serialized === 'null'))
    return { ok: true, value: origin };
  if (origin === '*' || origin === 'null')
    return {
      ok: false,
      hint: 'every page in the browser of a user could call the server: list the pages that may',
    };
  if (serialized !== 'null') return { ok: false, hint: `did you mean ${serialized}?` };
  return {
    ok: false,
    hint: /^[a-z0-9.-]+(?::[0-9]+)?$/i.test(origin)
      ? `did you mean https://${origin.toLowerCase()}?`
      : undefined,
  };
}

/** As `Origin` carries it (RFC 6454 §6.2). */
export const browserOrigin = parsedText({
  type: 'origin',
  expected: 'an origin such as https://inspector.example.com, without a path',
  pattern: originForm,
  read: readOrigin,
});
