import { fillTenant, isTenantName, tenantPlace } from '../../vocabulary/tenant.ts';
import type { TextReading } from './text.ts';
import { parsedText } from './text.ts';
import { readIssuer } from './web-address.ts';

/** The pattern of a route that has none of its own. */
export const usualTenants = '[a-z0-9-]{1,40}';

/** One piece of a pattern: a character or a class of characters, and how often. */
const piece =
  /(?:[A-Za-z0-9_-]|\\[.-]|\[(?:[A-Za-z0-9_.-]|\\[.-])+\])([*+?]|\{[0-9]{1,2}(?:,[0-9]{0,2})?\})?/g;
const pieces = new RegExp(`^(?:${piece.source})+(?:\\|(?:${piece.source})+)*$`);

/** Two parts of open length can share a tenant in as many ways as it has characters; a third would multiply that. */
const maximumOpenPieces = 2;
const maximumPatternLength = 1000;

function readPattern(pattern: string): TextReading<string> {
  if (pattern.length > maximumPatternLength || !pieces.test(pattern) || !compiles(pattern))
    return { ok: false, hint: hintFor(pattern) };
  if (pattern.split('|').every((alternative) => openPieces(alternative) <= maximumOpenPieces))
    return { ok: true, value: pattern };
  return {
    ok: false,
    expected: `at most ${maximumOpenPieces} parts of open length (*, +, ?, {1,9}) between two |`,
    hint: 'with more of them a client could choose tenants that take long to match',
  };
}

function compiles(pattern: string): boolean {
  try {
    return compilePattern(pattern).source !== '';
  } catch {
    return false;
  }
}

function openPieces(alternative: string): number {
  const quantifiers = [...alternative.matchAll(piece)].map(([, quantifier]) => quantifier);
  return quantifiers.filter((quantifier) => {
    const [, least, most] = /^\{([0-9]+)(?:,([0-9]*))?\}$/.exec(quantifier ?? '{1}') ?? [];
    return least === undefined || (most !== undefined && most !== least);
  }).length;
}

function hintFor(pattern: string): string | undefined {
  if (/^\^|\$$/.test(pattern)) return 'it always stands for the whole tenant: leave out ^ and $';
  if (/[()]/.test(pattern)) return 'no groups; whole alternatives can be separated by |';
  if (/\\[dwsDWS]/.test(pattern)) return 'write the class out, such as [0-9]';
  if (/[/%]/.test(pattern)) return 'a tenant is one segment of a path, and written without %';
  return pattern.includes('.') ? 'a dot is written as [.]' : undefined;
}

/** Proves that matching takes a bounded time; not that what it matches may be a tenant. */
export const tenantPattern = parsedText({
  type: 'pattern',
  expected:
    'a pattern of letters, digits, - _ [.], classes such as [a-z0-9-] and counts such as {1,40}, with | between alternatives',
  pattern: /^[A-Za-z0-9_.,*+?|{}[\]\\-]{1,1000}$/,
  read: readPattern,
});

/** Stands for the whole tenant. */
export function compilePattern(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`);
}

/** One tenant. */
export const tenantName = parsedText({
  type: 'name',
  expected: 'a tenant such as console: letters, digits, - _ and single dots inside, at most 64 characters',
  pattern: /^[A-Za-z0-9_-](?:\.?[A-Za-z0-9_-]){0,63}$/,
  read: (name) => (isTenantName(name) ? { ok: true, value: name } : { ok: false }),
});

/** The issuer of every tenant, with one segment of its path left open. */
export const issuerTemplate = parsedText({
  type: 'URL',
  expected: 'the issuer of every tenant, such as https://login.example.com/t/{tenant}',
  pattern: /^[Hh][Tt][Tt][Pp][Ss]?:\/\/[^\s"'<>\\^`{|}]+\/\{tenant\}(?:\/[^\s"'<>\\^`{|}]*)?$/,
  read: (template) => {
    if (template.split(tenantPlace).length !== 2)
      return { ok: false, expected: 'a URL with {tenant} once in its path' };
    if (/^[^/]*\/\/[^/]*\{tenant\}/.test(template)) {
      const hint = 'in a host, whoever names a tenant would choose who is asked for keys';
      return { ok: false, expected: 'a URL with {tenant} in its path', hint };
    }
    if (!/\/\{tenant\}(?:\/|$)/.test(template))
      return { ok: false, expected: 'a URL with {tenant} as a whole segment of its path' };
    const reading = readIssuer(fillTenant(template, 'tenant'));
    return reading.ok ? { ok: true, value: template } : reading;
  },
});
