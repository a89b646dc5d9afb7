import type { AuthorizationServer, Configuration } from '../config/configuration.ts';
import type { Observer } from '../vocabulary/observer.ts';
import type { Fetch } from '../vocabulary/ports.ts';
import { discoverKeys, fetchKeys } from './discover.ts';
import { KeySet } from './key-set.ts';
import type { SigningKey } from './signing-key.ts';
import { readSigningKeys } from './signing-key.ts';
import { fetchFor } from './trust.ts';

/** An authorization server as the token stage knows it: its configuration and its keys. */
export interface Authority {
  readonly server: AuthorizationServer;
  readonly keys: KeySet;
}

export interface AuthorityPorts {
  readonly clock: () => number;
  readonly fetch: Fetch;
  readonly observer: Observer;
}

export type Authorities = ReadonlyMap<AuthorizationServer, Authority>;

/** One authority for each configured authorization server; nothing is fetched yet. */
export function createAuthorities(configuration: Configuration, ports: AuthorityPorts): Authorities {
  return new Map(
    configuration.authorizationServers.map((server) => {
      const fetch = fetchFor(server, ports.fetch);
      const keys = new KeySet(server, {
        clock: ports.clock,
        load: () => loadKeys(server, fetch),
        onFetch: (report) => ports.observer.keysFetched(report),
      });
      return [server, { server, keys }];
    }),
  );
}

/** Asks each authorization server once; ends when the last answered or its time-out passed. Never rejects. */
export async function askAll(authorities: Authorities): Promise<void> {
  await Promise.all([...authorities.values()].map(({ keys }) => keys.ask()));
}

async function loadKeys(
  server: AuthorizationServer,
  fetch: Fetch,
): Promise<
  { readonly ok: true; readonly keys: SigningKey[] } | { readonly ok: false; readonly detail: string }
> {
  const discovered = await discoverKeys(server, fetch);
  if (!discovered.ok) return discovered;
  const fetched = await fetchKeys(server, discovered.jwksUri, fetch);
  if (!fetched.ok) return fetched;
  const keys = readSigningKeys(fetched.document);
  if (keys === undefined)
    return { ok: false, detail: `${discovered.jwksUri} isn't a key set of at most 100 keys` };
  // An empty set would log everyone out; it is a fault of the server's, not a rotation.
  if (keys.length === 0) return { ok: false, detail: `${discovered.jwksUri} has no usable signing key` };
  return { ok: true, keys };
}
