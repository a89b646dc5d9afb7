import { Client } from 'undici';
import type { Dispatcher } from 'undici';

export interface SentOnce extends Dispatcher.DispatchHandler {
  /** Whether its bytes began to go out: then a lost connection is the end of it. */
  readonly sent: boolean;
}

interface Connection {
  readonly client: Client;
  /** Undefined: it is free. */
  request: SentOnce | undefined;
  /** Where it stands among the others. */
  place: number;
  connected: boolean;
}

/**
 * The connections to one upstream: one request at a time on each, and a new one whenever none is free, so that the
 * number of requests is for the caller to bound. One that closes is forgotten.
 *
 * In place of undici's Pool, which looks at every connection for each request and never forgets one: beside 8,000
 * open streams that was more CPU than all the rest of a small call.
 */
export class Connections {
  readonly #origin: URL;
  readonly #options: Client.Options;
  /** The free ones first, of them the last used one last. An array for the reason that OpenExchanges gives. */
  readonly #connections: Connection[] = [];
  #free = 0;
  #ended = false;

  /** Opens nothing yet. `connect` should be a function: from options each connection would make its own. */
  constructor(origin: URL, options: Client.Options) {
    this.#origin = origin;
    this.#options = options;
  }

  get size(): number {
    return this.#connections.length;
  }

  get free(): number {
    return this.#free;
  }

  /** Sends the request once, on a connection that nobody else uses meanwhile. */
  dispatch(options: Dispatcher.DispatchOptions, request: SentOnce): void {
    const connection = this.#connections[this.#free - 1] ?? this.#add();
    this.#free -= 1;
    connection.request = request;
    // True: it is over already.
    if (connection.client.dispatch(options, request)) this.#release(connection);
  }

  /** Ends all of them, what is under way on them, and whatever is asked afterwards. */
  async destroy(): Promise<void> {
    this.#ended = true;
    await Promise.all(this.#connections.map(({ client }) => client.destroy()));
  }

  #add(): Connection {
    const client = new Client(this.#origin, this.#options);
    if (this.#ended) void client.destroy();
    const connection: Connection = {
      client,
      request: undefined,
      place: this.#connections.length,
      connected: false,
    };
    client
      .on('connect', () => {
        connection.connected = true;
      })
      .on('disconnect', () => {
        connection.connected = false;
        // It connects again for what wasn't sent yet; after an abort undici would do so for nothing.
        if (connection.request?.sent !== false) this.#remove(connection);
      })
      .on('drain', () => this.#release(connection));
    this.#connections.push(connection);
    this.#swap(connection, this.#free);
    this.#free += 1;
    return connection;
  }

  #release(connection: Connection): void {
    if (!this.#holds(connection) || connection.request === undefined) return;
    connection.request = undefined;
    this.#swap(connection, this.#free);
    this.#free += 1;
    if (!connection.connected) this.#remove(connection);
  }

  #remove(connection: Connection): void {
    if (!this.#holds(connection)) return;
    if (connection.place < this.#free) {
      this.#swap(connection, this.#free - 1);
      this.#free -= 1;
    }
    this.#swap(connection, this.#connections.length - 1);
    this.#connections.pop();
    void connection.client.destroy();
  }

  /** Events of a connection that was removed may still come. */
  #holds(connection: Connection): boolean {
    return !this.#ended && this.#connections[connection.place] === connection;
  }

  #swap(connection: Connection, place: number): void {
    const other = this.#connections[place];
    if (other === undefined || other === connection) return;
    this.#connections[connection.place] = other;
    other.place = connection.place;
    this.#connections[place] = connection;
    connection.place = place;
  }
}
