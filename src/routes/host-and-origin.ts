import type { Refusal } from '../vocabulary/refusal.ts';

/** What the header lines say of where a request was sent and from which page. */
export interface Addressing {
  readonly hosts: readonly string[];
  readonly origins: readonly string[];
}

/** Reads the raw lines: Node keeps the first of several `Host` lines and says nothing of the others. */
export function readAddressing(rawHeaders: readonly string[]): Addressing {
  const hosts: string[] = [];
  const origins: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') hosts.push(rawHeaders[index + 1] ?? '');
    else if (name.length === 6 && name.toLowerCase() === 'origin') origins.push(rawHeaders[index + 1] ?? '');
  }
  return { hosts, origins };
}

// A name or an IPv6 literal, and a port that doesn't matter: DNS rebinding needs a foreign name.
const hostHeader = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?$/i;

/** Whether `Host` names this gateway. A browser that was lured by DNS rebinding says the attacker's name. */
export function checkHost({ hosts }: Addressing, allowed: ReadonlySet<string>): Refusal | undefined {
  const [host, ...others] = hosts;
  if (host === undefined || others.length > 0) return { kind: 'request-malformed', reason: 'host_header' };
  const name = hostHeader.exec(host)?.[1];
  if (name === undefined) return { kind: 'request-malformed', reason: 'host_header' };
  if (allowed.has(name.toLowerCase())) return undefined;
  return { kind: 'host-refused', reason: 'host_not_listed', detail: `Host ${JSON.stringify(host.slice(0, 120))} is not in hosts` };
}

/** MCP transports (2025-11-25 §Security): an `Origin` that is there must be an allowed one, letter for letter. */
export function checkOrigin({ origins }: Addressing, allowed: ReadonlySet<string>): Refusal | undefined {
  const [origin, ...others] = origins;
  if (origin === undefined) return undefined;
  if (others.length === 0 && allowed.has(origin)) return undefined;
  return {
    kind: 'origin-refused',
    reason: 'origin_not_listed',
    detail: `Origin ${JSON.stringify(origin.slice(0, 120))} is not in the route's origins`,
  };
}
