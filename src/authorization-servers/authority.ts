import type { AuthorizationServer, Configuration } from '../config/configuration.ts';
import type { Observer } from '../vocabulary/observer.ts';
import type { Fetch } from '../vocabulary/ports.ts';
import { fetchKeys } from './fetch-keys.ts';
import { KeySet } from './key-set.ts';
import { ServerMetadata } from './metadata.ts';
import { fetchFor } from './trust.ts';

/** An authorization server as the gateway knows it: its configuration, its metadata and its keys. */
export interface Authority {
  readonly server: AuthorizationServer;
  readonly metadata: ServerMetadata;
  readonly keys: KeySet;
  /** For requests to this server alone: it trusts what the configuration says this server may be. */
  readonly fetch: Fetch;
}

export interface AuthorityPorts {
  readonly clock: () => number;
  readonly fetch: Fetch;
  readonly observer: Observer;
}

/** The authorities of all configured authorization servers. */
export class Authorities {
  readonly #configured: ReadonlyMap<AuthorizationServer, Authority>;

  /** Nothing is fetched yet. */
  constructor({ authorizationServers }: Configuration, ports: AuthorityPorts) {
    this.#configured = new Map(
      authorizationServers.map((server) => [server, createAuthority(server, ports)]),
    );
  }

  of(server: AuthorizationServer): Authority {
    const authority = this.#configured.get(server);
    if (authority === undefined) throw new Error(`${server.name} isn't in the configuration`);
    return authority;
  }

  get configured(): readonly Authority[] {
    return [...this.#configured.values()];
  }

  /** Asks each authorization server once; ends when the last answered or its time-out passed. Never rejects. */
  async askAll(): Promise<void> {
    await Promise.all(this.configured.map(({ keys }) => keys.ask()));
  }
}

function createAuthority(server: AuthorizationServer, ports: AuthorityPorts): Authority {
  const fetch = fetchFor(server, ports.fetch);
  const metadata = new ServerMetadata(server, { clock: ports.clock, fetch });
  const keys = new KeySet(server, {
    clock: ports.clock,
    load: () => fetchKeys({ server, metadata, fetch }),
    onFetch: (report) => ports.observer.keysFetched(report),
  });
  return { server, metadata, keys, fetch };
}
