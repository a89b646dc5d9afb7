import type { AuthorityFetch, NetworkPorts } from '../../authorization-servers/outbound/authority-fetch.ts';
import type { OauthSettings, Route } from '../../config/configuration.ts';
import type { Fetch } from '../../vocabulary/ports.ts';
import { openConfiguredFetch } from '../oauth/configured-fetch.ts';

/** The ways to the servers of upstreams, opened when somebody logs in; tenants of a route share one. */
export class ConfiguredReaches {
  readonly #network: NetworkPorts;
  readonly #open = new Map<string, AuthorityFetch>();

  constructor(network: NetworkPorts) {
    this.#network = network;
  }

  of({ name, upstream }: Route, settings: OauthSettings): Fetch {
    const open = this.#open.get(name) ?? openConfiguredFetch(upstream, settings, this.#network);
    this.#open.set(name, open);
    return open.fetch;
  }

  close(): void {
    for (const reach of this.#open.values()) reach.close();
  }
}
