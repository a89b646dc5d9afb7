/**
 * The value of a claim by the name that the configuration gives it; undefined where the token doesn't have it.
 * A name that begins with `/` is a path through objects (RFC 6901): `/realm_access/roles`. Every other name is a
 * claim's own, with whatever dots and slashes it holds: `https://example.com/roles`. Lists aren't entered.
 */
export function claimAt(claims: Readonly<Record<string, unknown>>, name: string): unknown {
  if (!name.startsWith('/')) return ownMember(claims, name);
  let value: unknown = claims;
  for (const step of name.slice(1).split('/'))
    // RFC 6901 §4: in this order, or `~01` would become a slash.
    value = ownMember(value, step.replaceAll('~1', '/').replaceAll('~0', '~'));
  return value;
}

function ownMember(holder: unknown, name: string): unknown {
  if (typeof holder !== 'object' || holder === null || Array.isArray(holder)) return undefined;
  return Object.hasOwn(holder, name) ? (holder as Readonly<Record<string, unknown>>)[name] : undefined;
}
