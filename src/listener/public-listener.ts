import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import type { RequestListener, Server } from 'node:http';
import { Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

import type { Listen } from '../config/configuration.ts';
import { createPublicServer } from './public-server.ts';
import type { StopServer } from './stop-connections.ts';
import { followConnections } from './stop-connections.ts';

/** Where clients connect. It outlives every configuration. */
export class PublicListener {
  readonly #listen: Listen;
  readonly #answer: RequestListener;
  readonly #servers: { readonly server: Server; readonly stop: StopServer }[] = [];

  /** Opens nothing yet. */
  constructor(listen: Listen, answer: RequestListener) {
    this.#listen = listen;
    this.#answer = answer;
  }

  /** Answers the address that it listens on; `localhost` stands for all of its addresses. */
  async open(): Promise<string> {
    const { host, port, tls } = this.#listen;
    const [first = host, ...others] =
      host === 'localhost' ? (await lookup(host, { all: true })).map(({ address }) => address) : [host];
    const bound = await this.#openAt(first, port);
    for (const other of others)
      // A machine whose localhost names an address that it doesn't have is common.
      await this.#openAt(other, bound.port).catch(() => undefined);
    return `${tls === undefined ? 'http' : 'https'}://${hostOf(bound)}:${bound.port}`;
  }

  /** New connections get this certificate. */
  renewCertificate({ tls }: Listen): void {
    if (tls === undefined) return;
    for (const { server } of this.#servers) if (server instanceof TlsServer) server.setSecureContext(tls);
  }

  /** Takes no more connections, and ends those there are once nothing is under way on them or the drain is over. */
  async close(drainMs: number): Promise<void> {
    await Promise.all(this.#servers.map(({ stop }) => stop(drainMs)));
  }

  async #openAt(host: string, port: number): Promise<AddressInfo> {
    const server = createPublicServer(this.#listen, this.#answer);
    const stop = followConnections(server);
    server.listen({ host, port });
    await once(server, 'listening');
    this.#servers.push({ server, stop });
    const address = server.address();
    if (typeof address !== 'object' || address === null)
      throw new Error('a server that listens has an address');
    return address;
  }
}

/** A name that can be asked; what listens everywhere answers on loopback too. */
function hostOf({ address, family }: AddressInfo): string {
  if (address === '0.0.0.0') return '127.0.0.1';
  return family === 'IPv6' ? `[${address}]` : address;
}
