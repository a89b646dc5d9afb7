import { readStrictJson } from '../vocabulary/strict-json.ts';
import type { TokenFault } from './fault.ts';
import { quoted } from './fault.ts';

/** What the JOSE header says that the checks need; unverified until the signature was checked. */
export interface JoseHeader {
  readonly alg: string;
  readonly kid: string | undefined;
  /** Lower case, without `application/`; `none` where the header has no `typ`. */
  readonly type: string;
}

export interface ParsedJwt {
  readonly header: JoseHeader;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Tokens of real identity providers stay under 4 KiB; Node refuses headers over 16 KiB in all. */
export const maximumTokenLength = 8192;

/** RFC 7515 sets no bound; longer ones only serve to fill a memory of kids. */
const maximumKidLength = 256;

// RFC 7515 §7.1. Exactly three segments: a JWE has five.
const compact = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;

/**
 * Splits and decodes a compact JWS whose payload is a claims set (RFC 7519 §7.2), without trusting any of it.
 * One token has one spelling here: characters that base64url decoders pass over, and trailing bits they drop,
 * are faults, as is a member that occurs twice.
 */
export function parseJwt(token: string): ParsedJwt | TokenFault {
  const jws = decodeJws(token);
  if ('reason' in jws) return jws;
  const header = readHeader(jws.header);
  return 'reason' in header ? header : { header, claims: jws.claims };
}

export interface DecodedJws {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** The two JSON objects of a compact JWS in its one spelling; what they say isn't looked at. */
export function decodeJws(token: string): DecodedJws | TokenFault {
  if (token.length > maximumTokenLength)
    return { reason: 'token_too_long', detail: `${token.length} characters` };
  const segments = compact.exec(token);
  if (segments === null) return { reason: 'token_malformed', detail: 'not a JWT of three segments' };
  const header = decodeObject(segments[1] ?? '');
  if (!('object' in header)) return header;
  const claims = decodeObject(segments[2] ?? '');
  if (!('object' in claims)) return claims;
  if (!isCanonical(segments[3] ?? '')) return { reason: 'token_malformed', detail: 'signature encoding' };
  return { header: header.object, claims: claims.object };
}

function decodeObject(segment: string): { readonly object: Record<string, unknown> } | TokenFault {
  if (!isCanonical(segment)) return { reason: 'token_malformed', detail: 'not canonical base64url' };
  const read = readStrictJson(Buffer.from(segment, 'base64url'));
  if (!read.ok) {
    return read.fault === 'duplicate_member'
      ? { reason: 'token_duplicate_member' }
      : { reason: 'token_malformed', detail: read.fault };
  }
  const { value } = read;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { reason: 'token_malformed', detail: 'not a JSON object' };
  }
  return { object: value as Record<string, unknown> };
}

/** RFC 4648 §3.5: bits that the last character has to spare must be zero. The alphabet was looked at before. */
function isCanonical(segment: string): boolean {
  switch (segment.length % 4) {
    case 0:
      return true;
    case 2:
      return 'AQgw'.includes(segment.slice(-1));
    case 3:
      return 'AEIMQUYcgkosw048'.includes(segment.slice(-1));
    default:
      return false;
  }
}

function readHeader(header: Record<string, unknown>): JoseHeader | TokenFault {
  const { alg, kid, typ } = header;
  if (typeof alg !== 'string') return { reason: 'alg_not_allowed', detail: `alg ${quoted(alg)}` };
  // RFC 7515 §4.1.11 and RFC 7797 §6: no extension is understood here, so none may be critical.
  if (Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64')) return { reason: 'critical_header' };
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > maximumKidLength)) {
    return {
      reason: 'key_unknown',
      detail: typeof kid === 'string' ? `kid of ${kid.length} characters` : 'kid is not a string',
    };
  }
  if (typ !== undefined && typeof typ !== 'string')
    return { reason: 'token_type', detail: 'typ is not a string' };
  return { alg, kid, type: typ === undefined ? 'none' : mediaSubtype(typ) };
}

/** RFC 7515 §4.1.9: `application/` may be left out; media types have no case. */
function mediaSubtype(typ: string): string {
  const lower = typ.toLowerCase();
  return lower.startsWith('application/') ? lower.slice('application/'.length) : lower;
}
