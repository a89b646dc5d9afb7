import type { RequestListener } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

import fastify from 'fastify';
import type { FastifyInstance } from 'fastify';

import { Assemblies } from './assemblies.ts';
import type { Assemble, Assembly, Gate } from './assembly.ts';
import type { Authorities } from '../authorization-servers/authority.ts';
import { within } from '../authorization-servers/patience.ts';
import type { Closer } from './close-each.ts';
import { closeEach } from './close-each.ts';
import type { Configuration } from '../config/configuration.ts';
import type { Foundation, Injected } from './foundation.ts';
import { health } from '../health/health.plugin.ts';
import { keepUntilRestart } from './kept-until-restart.ts';
import { lastWins } from './last-wins.ts';
import { stopAfterLastAnswer } from '../listener/last-answer.ts';
import { noSchemas } from '../listener/no-schemas.ts';
import { PublicListener } from '../listener/public-listener.ts';
import { readingsOf } from './readings.ts';
import { refuseUnspoken } from '../listener/spoken-http.ts';
import { farewellMs } from '../listener/stop-connections.ts';
import { probeUpstream } from '../upstream/probe.ts';
import { version } from '../version.ts';

export interface Gateway {
  /** Opens both listeners; requests get 503 until `ready`. */
  start(): Promise<{ readonly publicAddress: string; readonly opsAddress: string }>;
  /** In place of `start`, for a server of someone else's that hands its requests to `handle`: opens no listener. */
  open(): Promise<void>;
  /** Answers a request as the public listener would; after `open` or `start`. */
  readonly handle: RequestListener;
  /** Every authorization server has been asked once, or its time-out passed. */
  readonly ready: Promise<void>;
  /**
   * Puts another checked configuration in force, whole or not at all. Requests that are under way end by the one that
   * let them in; open streams go on where the new one would let them begin. One at a time: of those that are asked for
   * meanwhile the last wins. Never rejects.
   */
  reload(configuration: Configuration): Promise<ReloadOutcome>;
  /** Metrics in Prometheus' exposition format, and its media type. */
  metrics(): Promise<{ readonly text: string; readonly type: string }>;
  /** Tells in log and metrics why a configuration can't take the place of the one in force. */
  reportUnusable(faults: string): void;
  /** Stops taking requests, lets calls in flight end within the configured time, closes everything. Harmless twice. */
  close(): Promise<void>;
}

/** `failed`: it couldn't be put together, and the one before stays in force. */
export type ReloadOutcome = 'applied' | 'unchanged' | 'failed' | 'stopping';

/** New authorization servers get this long to answer before requests meet the new configuration; the first ones then wait for them. */
const newcomersMs = 400;

/** What was asked of an authorization server that is in the configuration no more may end by itself. */
const farewellToServersMs = 10_000;

/** A gateway from its start to its end, whatever configurations it has meanwhile. */
export class RunningGateway implements Gateway {
  readonly handle: RequestListener;
  readonly ready: Promise<void>;
  readonly #foundation: Foundation;
  readonly #assemble: Assemble;
  readonly #gate: Gate;
  readonly #assemblies: Assemblies<Assembly>;
  readonly #listener: PublicListener;
  readonly #opsServer: FastifyInstance;
  readonly #becomeReady: () => void;
  /** `leaving`: not ready to the probe, and still serving. */
  #phase: 'starting' | 'ready' | 'leaving' | 'stopping' = 'starting';
  #closed: Promise<void> | undefined;
  /** Ends what no configuration in force goes on with. */
  readonly #farewells = new Set<() => void>();

  constructor(configuration: Configuration, foundation: Foundation, assemble: Assemble) {
    const { telemetry } = foundation;
    this.#foundation = foundation;
    this.#assemble = assemble;
    this.#gate = {
      notReady: () => (this.#phase === 'ready' || this.#phase === 'leaving' ? undefined : this.#phase),
      stillAdmitted: (request) => this.#assemblies.newest.admits(request),
    };
    this.#assemblies = new Assemblies(assemble(configuration, this.#gate), {
      endOldest: ({ standing }) => {
        for (const exchanges of foundation.counts.exchanges) exchanges.endOf(standing);
      },
      onDefect: (error) => telemetry.reportDefect(error, 'reload'),
    });
    this.handle = stopAfterLastAnswer(refuseUnspoken(this.#assemblies.answer));
    this.#listener = new PublicListener(configuration.listen, this.handle);
    this.#opsServer = fastify({
      logger: false,
      forceCloseConnections: true,
      schemaController: noSchemas,
    });
    this.#opsServer.register(health, {
      version,
      notReady: () => (this.#phase === 'leaving' ? 'stopping' : this.#gate.notReady()),
      metrics: telemetry.exposition,
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ready = promise;
    this.#becomeReady = resolve;
    telemetry.read({ ...readingsOf(foundation, this.#assemblies), ready: () => this.#phase === 'ready' });
  }

  async start(): ReturnType<Gateway['start']> {
    const { configuration } = this.#assemblies.newest;
    await this.#assemblies.newest.boot();
    const opsAddress = await this.#opsServer.listen({ ...configuration.ops });
    const publicAddress = await this.#listener.open();
    this.#foundation.telemetry.reportStart({ publicAddress, opsAddress });
    void this.#warnOfDeadUpstreams(configuration);
    this.#ask();
    return { publicAddress, opsAddress };
  }

  async open(): Promise<void> {
    await this.#assemblies.newest.boot();
    this.#ask();
  }

  readonly reload = lastWins((wanted: Configuration) => this.#reload(wanted));

  /** Of everything that is answered, as a router takes them; after `open` or `start`. */
  get urls(): ReadonlySet<string> {
    return this.#assemblies.newest.urls;
  }

  metrics(): ReturnType<Gateway['metrics']> {
    return this.#foundation.telemetry.exposition();
  }

  reportUnusable(faults: string): void {
    this.#foundation.telemetry.reportUnusable(faults);
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  #ask(): void {
    void Promise.all([this.#assemblies.newest.ask(), this.#foundation.state.open()]).then(() => {
      if (this.#phase === 'starting') this.#phase = 'ready';
      this.#becomeReady();
    });
  }

  async #reload(wanted: Configuration): Promise<ReloadOutcome> {
    await this.ready;
    if (this.#closed !== undefined) return 'stopping';
    const { telemetry } = this.#foundation;
    const before = this.#assemblies.newest;
    const { configuration, needRestart } = keepUntilRestart(before.configuration, wanted);
    if (isDeepStrictEqual(configuration, before.configuration)) {
      telemetry.reportReload(configuration, { outcome: 'unchanged', needRestart });
      return 'unchanged';
    }
    let next: Assembly | undefined;
    try {
      next = this.#assemble(configuration, this.#gate, before);
      await next.boot();
    } catch (error) {
      telemetry.reportUnusable(error instanceof Error ? error.message : String(error));
      if (next !== undefined) await this.#discard(next, before);
      return 'failed';
    }
    await within(newcomersMs, next.ask());
    // A close may have begun meanwhile.
    if (this.#isClosing) {
      await this.#discard(next, before);
      return 'stopping';
    }
    this.#takeOver(next, before);
    telemetry.reportReload(configuration, { outcome: 'applied', needRestart });
    return 'applied';
  }

  get #isClosing(): boolean {
    return this.#closed !== undefined;
  }

  #takeOver(next: Assembly, before: Assembly): void {
    const { counts, state } = this.#foundation;
    this.#assemblies.takeOver(next);
    state.answers?.sealWith(next.configuration.sessions);
    this.#listener.renewCertificate(next.configuration.listen);
    this.#endLeftServers(before.authorities, next.authorities);
    for (const exchanges of counts.exchanges) void exchanges.reconsiderAll();
    counts.keepOnly(new Set(this.#assemblies.all.flatMap(({ configuration }) => namesOf(configuration))));
    void this.#warnOfDeadUpstreams(next.configuration, before.configuration);
  }

  /** A function of its own, so that what waits holds nothing else of either configuration. */
  #endLeftServers(before: Authorities, next: Authorities): void {
    this.#later(farewellToServersMs, () => before.closeExceptThoseOf(next));
  }

  async #discard(next: Assembly, inForce: Assembly): Promise<void> {
    next.authorities.closeExceptThoseOf(inForce.authorities);
    await next.close().catch((error: unknown) => this.#foundation.telemetry.reportDefect(error, 'reload'));
  }

  /** After the time, or at the end of the gateway. */
  #later(afterMs: number, run: () => void): void {
    const farewell = (): void => {
      clearTimeout(timer);
      this.#farewells.delete(farewell);
      run();
    };
    const timer = setTimeout(farewell, afterMs).unref();
    this.#farewells.add(farewell);
  }

  async #end(): Promise<void> {
    const { counts, state, injected, telemetry } = this.#foundation;
    const { drain, delay } = this.#assemblies.newest.configuration.stop;
    this.#assemblies.leave();
    if (this.#phase === 'ready' && delay > 0) {
      this.#phase = 'leaving';
      await sleep(delay);
    }
    this.#phase = 'stopping';
    for (const exchanges of counts.exchanges) exchanges.beginStop();
    const limit = setTimeout(() => {
      for (const exchanges of counts.exchanges) exchanges.endAll();
    }, drain);
    await Promise.all([this.#listener.close(drain), within(drain + farewellMs, this.#assemblies.idle())]);
    clearTimeout(limit);
    await closeEach(
      [
        () => this.#assemblies.close(),
        () => this.#opsServer.close(),
        ...this.#farewells,
        () => this.#assemblies.newest.authorities.close(),
        () => state.close(),
        ...closersOf(injected),
      ],
      (error) => telemetry.reportDefect(error, 'close'),
    );
    this.#becomeReady();
  }

  /** Of those that the configuration before didn't have. */
  async #warnOfDeadUpstreams(configuration: Configuration, before?: Configuration): Promise<void> {
    const known = new Set(before?.routes.map(({ upstream }) => upstream.url));
    for (const route of configuration.routes) {
      const reason = known.has(route.upstream.url) ? undefined : await probeUpstream(route);
      if (reason !== undefined) this.#foundation.telemetry.reportDeadUpstream(route, reason);
    }
  }
}

/** One provider may stand under several names. */
function closersOf({ credentials = {}, state }: Injected): readonly Closer[] {
  const providers = new Set(Object.values(credentials));
  return [...[...providers].map((provider) => () => provider.close?.()), () => state?.close?.()];
}

function namesOf({ routes }: Configuration): readonly string[] {
  return routes.map(({ name }) => name);
}
