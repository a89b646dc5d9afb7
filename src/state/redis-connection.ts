import { createRequire } from 'node:module';

import type * as Redis from '@redis/client';

import type { RedisPlace } from '../config/configuration.ts';

/** What is told when the connection comes and goes; never the URL or what Redis said besides its first word. */
export interface RedisReport {
  readonly outcome: 'connected' | 'lost';
  /** A word such as ECONNREFUSED, WRONGPASS or TIMEOUT. */
  readonly reason?: string;
}

export interface RedisConnectionOptions extends RedisPlace {
  readonly report: (report: RedisReport) => void;
}

/** In the place of an import: its megabytes are for gateways with a Redis. */
const load = createRequire(import.meta.url);

function clientFor({ createClient }: typeof Redis, { url, tls }: RedisPlace) {
  return createClient({
    url,
    // Servers before 6 know no other, and nothing here needs what came later.
    RESP: 2,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    disableOfflineQueue: true,
    commandsQueueMaxLength: maximumQueued,
    commandOptions: { timeout: answerWithinMs },
    socket: {
      reconnectStrategy: false,
      connectTimeout: connectWithinMs,
      ...(tls === undefined ? {} : { tls: true as const, ...tls }),
    },
  });
}

export type RedisClient = ReturnType<typeof clientFor>;

/** A request waits for it. */
const answerWithinMs = 250;

/** Name, connection, TLS, password and a first answer together. */
const connectWithinMs = 1500;

/** Commands that wait for an answer. At 250 ms each that is 4000 per second and more than one process sends. */
const maximumQueued = 1000;

const firstDelayMs = 100;
const longestDelayMs = 1500;

/**
 * One connection to Redis, opened again for as long as it takes. Nothing waits for it: a command without a
 * connection fails at once, one without an answer in time fails then. Every failure ends the connection, also
 * an error that Redis answers: behind the same name there may be another server by now (READONLY after a failover).
 */
export class RedisConnection {
  readonly #redis = load('@redis/client') as typeof Redis;
  readonly #options: RedisConnectionOptions;
  #client: RedisClient | undefined;
  #reopening: NodeJS.Timeout | undefined;
  #failures = 0;
  #told: RedisReport['outcome'] | undefined;
  #closed = false;

  constructor(options: RedisConnectionOptions) {
    this.#options = options;
  }

  get isConnected(): boolean {
    return this.#client?.isReady === true;
  }

  /** As it stands in the server: apart from what others keep there. */
  key(name: string): string {
    return `${this.#options.prefix}${name}`;
  }

  /** Begins to connect; answers before anything came of it. */
  open(): void {
    const client = clientFor(this.#redis, this.#options);
    this.#client = client;
    const deadline = setTimeout(() => this.#end(client, new Error('TIMEOUT')), connectWithinMs);
    const onEnd = (error: unknown): void => {
      clearTimeout(deadline);
      this.#end(client, error);
    };
    client.on('error', onEnd);
    client
      .connect()
      // That someone took the connection doesn't mean that Redis is there, and is done with loading.
      .then(() => client.ping())
      .then(() => {
        clearTimeout(deadline);
        this.#tell({ outcome: 'connected' });
      }, onEnd);
  }

  /** Undefined: there is no answer, and the command may have been carried out or not. */
  async ask<T>(command: (client: RedisClient) => Promise<T>): Promise<{ readonly answer: T } | undefined> {
    const client = this.#client;
    if (client?.isReady !== true) return undefined;
    try {
      const answer = await inTime(command(client));
      this.#failures = 0;
      return { answer };
    } catch (error) {
      this.#end(client, error);
      return undefined;
    }
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#reopening);
    this.#client?.destroy();
    this.#client = undefined;
  }

  #end(client: RedisClient, error: unknown): void {
    // A connection ends once; what was under way on it fails later.
    if (this.#client !== client) return;
    this.#client = undefined;
    client.destroy();
    if (this.#closed) return;
    this.#tell({ outcome: 'lost', reason: wordOf(error) });
    const delay = Math.min(firstDelayMs * 2 ** this.#failures, longestDelayMs);
    this.#failures = Math.min(this.#failures + 1, 10);
    // Replicas that lost the same server come back one after the other.
    this.#reopening = setTimeout(() => this.open(), delay * (0.5 + Math.random() / 2));
  }

  #tell(report: RedisReport): void {
    if (this.#told === report.outcome) return;
    this.#told = report.outcome;
    this.#options.report(report);
  }
}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  // After a stall of this process the answer may be here already, unread: it gets its turn first.
  const timer = setTimeout(() => setImmediate(() => late.reject(new Error('TIMEOUT'))), answerWithinMs);
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Servers quote a command that they don't know, password and all: no more than the first word is safe to tell. */
function wordOf(error: unknown): string {
  if (!(error instanceof Error)) return 'UNKNOWN';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return /^[A-Z]{2,20}\b/.exec(error.message)?.[0] ?? error.constructor.name;
}
