import fastify from 'fastify';
import type { FastifyInstance } from 'fastify';

import { Authorities } from './authorization-servers/authority.ts';
import { challengeStage } from './challenge/challenge.plugin.ts';
import type { Configuration, Route } from './config/configuration.ts';
import { discovery } from './discovery/discovery.plugin.ts';
import { health } from './health/health.plugin.ts';
import { identityStage } from './identity/identity.plugin.ts';
import { mcpStage } from './mcp/mcp.plugin.ts';
import { createPublicServer } from './public-server.ts';
import { requestForm, requireDeclaredAccess, routesStage, servedMethods } from './routes/routes.plugin.ts';
import { stopConnections } from './stop-connections.ts';
import { createTelemetry } from './telemetry/telemetry.ts';
import type { Telemetry } from './telemetry/telemetry.ts';
import { telemetryStage } from './telemetry/telemetry.plugin.ts';
import { RememberedSignatures } from './token/remembered-signatures.ts';
import { tokenStage } from './token/token.plugin.ts';
import type { VerifierParts } from './token/verify-access-token.ts';
import { probeUpstream } from './upstream/probe.ts';
import { upstreamStage } from './upstream/upstream.plugin.ts';
import './vocabulary/fastify.ts';
import type { Ports } from './vocabulary/ports.ts';
import { version } from './version.ts';

export interface Gateway {
  /** Opens both listeners; requests get 503 until `ready`. */
  start(): Promise<{ readonly publicAddress: string; readonly opsAddress: string }>;
  /** Every authorization server has been asked once, or its time-out passed. */
  readonly ready: Promise<void>;
  /** Stops taking requests, lets calls in flight end within the configured time, closes everything. Harmless twice. */
  close(): Promise<void>;
}

/** The stages of a guarded route in the order that a request meets them; a test may leave one out. */
export const routeStages = {
  routes: routesStage,
  token: tokenStage,
  mcp: mcpStage,
  identity: identityStage,
  upstream: upstreamStage,
};

/** Builds a gateway from a checked configuration. Nothing is opened or fetched before `start`. */
export function createGateway(
  configuration: Configuration,
  givenPorts: Partial<Ports> = {},
  stages: typeof routeStages = routeStages,
): Gateway {
  const ports: Ports = { ...defaultPorts, ...givenPorts };
  const telemetry = createTelemetry(configuration, ports);
  const { observer } = telemetry;
  const { clock, fetch } = ports;
  const authorities = new Authorities(configuration, { clock, fetch, observer });
  const remembered = new RememberedSignatures();
  let state: 'starting' | 'ready' | 'stopping' = 'starting';
  const notReady = (): 'starting' | 'stopping' | undefined => (state === 'ready' ? undefined : state);
  telemetry.read({
    ready: () => state === 'ready',
    rememberedSignatures: () => remembered.size,
    keyAges: () =>
      authorities.configured.map(({ server, keys }) => ({
        authorizationServer: server.name,
        ageMs: keys.ageMs,
        keys: keys.size,
      })),
  });
  const verifier: VerifierParts = { authorities, remembered, observer, clock };
  const publicServer = assemblePublicServer({ configuration, telemetry, verifier, notReady, clock, stages });
  const opsServer = fastify({ logger: false, forceCloseConnections: true });
  opsServer.register(health, { version, notReady, metrics: telemetry.exposition });
  const ready = Promise.withResolvers<void>();
  let closed: Promise<void> | undefined;

  return {
    ready: ready.promise,
    async start() {
      const { host, port } = configuration.listen;
      const opsAddress = await opsServer.listen({ ...configuration.ops });
      const publicAddress = await publicServer.listen({ host, port });
      telemetry.reportStart({ publicAddress, opsAddress });
      void warnOfDeadUpstreams(configuration.routes, telemetry);
      void authorities.askAll().then(() => {
        if (state === 'starting') state = 'ready';
        ready.resolve();
      });
      return { publicAddress, opsAddress };
    },
    close() {
      state = 'stopping';
      closed ??= publicServer
        .close()
        .then(() => opsServer.close())
        .then(() => ready.resolve());
      return closed;
    },
  };
}

interface Assembly {
  readonly configuration: Configuration;
  readonly telemetry: Telemetry;
  readonly verifier: VerifierParts;
  readonly notReady: () => 'starting' | 'stopping' | undefined;
  readonly clock: () => number;
  readonly stages: typeof routeStages;
}

/** The public listener: what every request passes, what anyone may read, and one guarded scope for each route. */
function assemblePublicServer(assembly: Assembly): FastifyInstance {
  const { configuration, telemetry } = assembly;
  const app = createPublicServer(configuration);
  stopConnections(app, configuration.stop.drain);
  requireDeclaredAccess(app);
  app.register(telemetryStage, telemetry.stage);
  app.register(challengeStage, { configuration, onDefect: telemetry.reportDefect });
  app.register(requestForm, { hosts: configuration.hosts });
  app.register(discovery, { routes: configuration.routes });
  for (const route of configuration.routes) {
    app.register((scope) => guardRoute(scope, route, assembly), {
      prefix: route.path === '/' ? '' : route.path,
    });
  }
  return app;
}

/** The stages of one route, in the order that a request meets them. */
async function guardRoute(scope: FastifyInstance, route: Route, assembly: Assembly): Promise<void> {
  const { stages, verifier, notReady, clock, telemetry, configuration } = assembly;
  await scope.register(stages.routes, { route, notReady });
  await scope.register(stages.token, { route, parts: verifier });
  await scope.register(stages.mcp, { route });
  await scope.register(stages.identity, { route });
  await scope.register(stages.upstream, {
    route,
    observer: telemetry.observer,
    clock,
    methods: servedMethods,
    drainMs: configuration.stop.drain,
  });
  const allow = servedMethods.join(', ');
  scope.route({
    method: scope.supportedMethods.filter((method) => !servedMethods.some((served) => served === method)),
    url: '/',
    config: { access: route.access, routeName: route.name },
    handler: (_request, reply) =>
      reply.refuse({ kind: 'method-not-served', reason: 'method_not_served', allow }),
  });
}

async function warnOfDeadUpstreams(routes: readonly Route[], telemetry: Telemetry): Promise<void> {
  for (const route of routes) {
    const reason = await probeUpstream(route);
    if (reason !== undefined) telemetry.reportDeadUpstream(route, reason);
  }
}

const defaultPorts: Ports = {
  clock: Date.now,
  fetch: (url, init) => fetch(url, init),
  logSink: process.stdout,
  auditSink: process.stdout,
};
