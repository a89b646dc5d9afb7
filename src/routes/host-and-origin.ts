import type { Refusal } from '../vocabulary/refusal.ts';

/** The only value of a header in the raw lines; undefined where there is none, null where there are several. */
function onlyValue(rawHeaders: readonly string[], name: string): string | undefined | null {
  let found: string | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const candidate = rawHeaders[index];
    if (candidate?.length !== name.length || candidate.toLowerCase() !== name) continue;
    // Node keeps the first of several lines and says nothing of the others.
    if (found !== undefined) return null;
    found = rawHeaders[index + 1] ?? '';
  }
  return found;
}

// A name or an IPv6 literal, and a port that doesn't matter: DNS rebinding needs a foreign name.
const hostHeader = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?$/i;

/** Whether `Host` names this gateway. A browser that was lured by DNS rebinding says the attacker's name. */
export function checkHost(rawHeaders: readonly string[], allowed: ReadonlySet<string>): Refusal | undefined {
  const host = onlyValue(rawHeaders, 'host');
  if (host === undefined || host === null) return { kind: 'request-malformed', reason: 'host_header' };
  if (allowed.has(host)) return undefined;
  const name = hostHeader.exec(host)?.[1];
  if (name === undefined) return { kind: 'request-malformed', reason: 'host_header' };
  if (allowed.has(name.toLowerCase())) return undefined;
  return {
    kind: 'host-refused',
    reason: 'host_not_listed',
    detail: `Host ${JSON.stringify(host.slice(0, 120))} is not in hosts`,
  };
}

/** MCP transports (2025-11-25 §Security): an `Origin` that is there must be an allowed one, letter for letter. */
export function checkOrigin(
  rawHeaders: readonly string[],
  allowed: ReadonlySet<string>,
): Refusal | undefined {
  const origin = onlyValue(rawHeaders, 'origin');
  if (origin === undefined || (origin !== null && allowed.has(origin))) return undefined;
  const detail =
    origin === null
      ? 'several Origin headers'
      : `Origin ${JSON.stringify(origin.slice(0, 120))} is not in the route's origins`;
  return { kind: 'origin-refused', reason: 'origin_not_listed', detail };
}
