import { Agent, fetch as undiciFetch } from 'undici';

import type { Fetch } from '../../vocabulary/ports.ts';
import { boundedBody } from './bounded-body.ts';
import type { Lookup } from './guarded-connector.ts';
import { AddressRefused, guardedConnector } from './guarded-connector.ts';
import type { AskedServer, WrittenAddresses } from './written-addresses.ts';
import { faultOfUrl, writtenAddresses } from './written-addresses.ts';

export interface NetworkPorts {
  /** Instead of the network; the address guard is part of the network. */
  readonly fetch?: Fetch | undefined;
  readonly lookup?: Lookup | undefined;
}

export interface AuthorityFetch {
  readonly fetch: Fetch;
  /** Ends the connections, and is the end: whoever goes on asking, such as at the next of several addresses, is refused. */
  close(): void;
}

/** Far above any real metadata, key set or introspection answer. */
export const maximumAnswerBytes = 256 * 1024;

/**
 * The one way to speak to an authorization server: it trusts the certificates that the configuration names,
 * goes to hosts of the configuration or to public addresses, uses plain http only to origins of the
 * configuration, follows no redirect, and bounds time (the caller's signal, else the server's time-out) and
 * size. Takes the `[url, options]` that oauth4webapi gives to a `customFetch`. Rejects as `fetch` does, with
 * `AddressRefused` as the error or its cause where an address isn't allowed.
 */
export function openAuthorityFetch(server: AskedServer, network: NetworkPorts): AuthorityFetch {
  const connections = new Connections(server, network.lookup);
  const fetch = network.fetch ?? ((url, init) => connections.fetch(url, init));
  let isClosed = false;
  return {
    async fetch(url, init) {
      if (isClosed) throw new Error('the gateway no longer asks');
      const fault = faultOfUrl(url, connections.written);
      if (fault !== undefined) throw new AddressRefused(`${quoted(url)} isn't asked: ${fault}`);
      const signal = init.signal ?? AbortSignal.timeout(server.keys.timeout);
      return boundedBody(await fetch(url, { ...init, redirect: 'manual', signal }), maximumAnswerBytes);
    },
    close() {
      isClosed = true;
      connections.close();
    },
  };
}

/** Opened with the first request: most tenants that anyone names are never asked. */
class Connections {
  readonly #server: AskedServer;
  readonly #lookup: Lookup | undefined;
  #written: WrittenAddresses | undefined;
  #agent: Agent | undefined;

  constructor(server: AskedServer, lookup: Lookup | undefined) {
    this.#server = server;
    this.#lookup = lookup;
  }

  get written(): WrittenAddresses {
    this.#written ??= writtenAddresses(this.#server);
    return this.#written;
  }

  fetch(url: string, init: RequestInit): Promise<Response> {
    this.#agent ??= new Agent({
      connect: guardedConnector({
        writtenHosts: this.written.hosts,
        ca: this.#server.ca,
        connectTimeoutMs: this.#server.keys.timeout,
        lookup: this.#lookup,
      }),
    });
    const given = { ...init, dispatcher: this.#agent } as Parameters<typeof undiciFetch>[1];
    return undiciFetch(url, given) as unknown as Promise<Response>;
  }

  close(): void {
    void this.#agent?.destroy();
    this.#agent = undefined;
  }
}

/** Without a query: it may hold what isn't for the log. */
function quoted(url: string): string {
  return JSON.stringify(url.replace(/[?#].*$/s, '').slice(0, 200));
}
