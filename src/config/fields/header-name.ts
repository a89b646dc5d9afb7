import { text } from './text.ts';

/** RFC 9110 §5.1 has more characters; servers don't agree on how to read those. */
export const headerName = text(
  'a header name such as X-Auth-Subject: letters, digits, - and _',
  /^[A-Za-z0-9_-]{1,100}$/,
  { type: 'header name' },
);

/** Compared with what was received: a name in another spelling would never match. */
export const passingHeader = text(
  'a header name such as X-Request-Id: letters, digits and -',
  /^[A-Za-z0-9-]{1,100}$/,
  { type: 'header name' },
);

/** How careless servers read a name: CGI and its heirs make `X_Auth_Subject` and `X-Auth-Subject` one. */
export function normaliseHeader(name: string): string {
  return name.toLowerCase().replace(/[_.]/g, '-');
}

const hopByHop = /^(?:connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|http2-settings)$/;
const ownedByHttp = /^(?:host|content-.*|accept.*|expect|date|via)$/;
const ownedByMcp = /^(?:mcp-.*|last-event-id|user-agent)$/;
const credentials = /^(?:authorization|cookie|set-cookie|dpop|www-authenticate)$/;
const forwarding = /^(?:forwarded|x-forwarded-(?:for|host|proto|port|prefix|server)|x-real-ip)$/;

const tracing = /^(?:traceparent|tracestate)$/;

/** Why an identity can't travel in a header of this name; undefined where it can. */
export function whyNoIdentityHeader(name: string): string | undefined {
  const plain = normaliseHeader(name);
  if (hopByHop.test(plain)) return 'a hop-by-hop header';
  if (ownedByHttp.test(plain)) return 'a header that HTTP gives another meaning';
  if (ownedByMcp.test(plain)) return 'a header that belongs to MCP';
  if (credentials.test(plain)) return 'a header for credentials';
  if (tracing.test(plain)) return 'a header that says which trace a request is part of';
  return forwarding.test(plain) ? 'a header about the path of a request' : undefined;
}

/** Why credentials for an upstream can't travel in a header of this name; undefined where they can. */
export function whyNoCredentialHeader(name: string): string | undefined {
  const plain = normaliseHeader(name);
  // The two of the list that a client shows, and a server reads.
  return /^(?:authorization|cookie)$/.test(plain) ? undefined : whyNoIdentityHeader(name);
}

/** Why a client's header of this name never goes upstream; undefined where it may. */
export function whyNoRequestHeader(name: string): string | undefined {
  const plain = normaliseHeader(name);
  if (hopByHop.test(plain)) return 'a hop-by-hop header';
  if (credentials.test(plain)) return 'a header for credentials';
  if (/^(?:host|expect|content-length|content-encoding)$/.test(plain))
    return 'a header that the gateway writes itself';
  if (tracing.test(plain)) return 'a header that passes from the proxies in listen.trustProxy alone';
  return forwarding.test(plain) || plain.startsWith('x-forwarded-')
    ? 'a header that servers trust proxies to write'
    : undefined;
}

/** Why an upstream's header of this name never reaches the client; undefined where it may. */
export function whyNoResponseHeader(name: string): string | undefined {
  const plain = normaliseHeader(name);
  if (hopByHop.test(plain)) return 'a hop-by-hop header';
  // A challenge of the upstream's would send clients with their logins to wherever it likes.
  return /^(?:access-control-.*|www-authenticate|dpop-nonce)$/.test(plain)
    ? 'a header that the gateway writes itself'
    : undefined;
}
