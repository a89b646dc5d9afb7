import fastify from 'fastify';
import type { FastifyInstance } from 'fastify';

import type { LiveScopes } from './authorization-servers/metadata/advertised-scopes.ts';
import { liveScopesBy } from './authorization-servers/metadata/advertised-scopes.ts';
import { Authorities } from './authorization-servers/authority.ts';
import { challengeStage } from './challenge/challenge.plugin.ts';
import type { Configuration, Route } from './config/configuration.ts';
import { discovery } from './discovery/discovery.plugin.ts';
import { health } from './health/health.plugin.ts';
import { identityStage } from './identity/identity.plugin.ts';
import { capsStage, ratesStage, ruleRatesStage } from './limits/limits.plugin.ts';
import { strangersWithin } from './limits/strangers.ts';
import { mcpStage } from './mcp/mcp.plugin.ts';
import { policyStage } from './policy/policy.plugin.ts';
import { createPublicServer } from './public-server.ts';
import { routerPath, tenantRoutesOf } from './routes/tenant-routes.ts';
import type { AllTenantRoutes } from './routes/tenant-routes.ts';
import { requestForm, requireDeclaredAccess, routesStage, servedMethods } from './routes/routes.plugin.ts';
import { sessionKeys } from './sessions/session-keys.ts';
import type { SessionKeys } from './sessions/session-keys.ts';
import { sessionsStage } from './sessions/sessions.plugin.ts';
import { createState } from './state/state.ts';
import type { State } from './state/state.ts';
import { stopConnections } from './stop-connections.ts';
import type { Readings } from './telemetry/metrics.ts';
import { createTelemetry } from './telemetry/telemetry.ts';
import type { Telemetry } from './telemetry/telemetry.ts';
import { telemetryStage } from './telemetry/telemetry.plugin.ts';
import type { PossessionParts } from './token/prove-possession.ts';
import { possessionParts } from './token/prove-possession.ts';
import { RememberedSignatures } from './token/remembered-signatures.ts';
import { isStillAdmitted } from './token/still-admitted.ts';
import { tokenStage } from './token/token.plugin.ts';
import type { VerifierParts } from './token/verify-access-token.ts';
import { probeUpstream } from './upstream/probe.ts';
import { upstreamStage } from './upstream/upstream.plugin.ts';
import './vocabulary/fastify.ts';
import type { Ports } from './vocabulary/ports.ts';
import type { Strangers } from './vocabulary/strangers.ts';
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
  caps: capsStage,
  mcp: mcpStage,
  rates: ratesStage,
  policy: policyStage,
  ruleRates: ruleRatesStage,
  identity: identityStage,
  sessions: sessionsStage,
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
  const shared = createState(configuration, { clock, observer, report: telemetry.reportRedis });
  let state: 'starting' | 'ready' | 'stopping' = 'starting';
  const notReady = (): 'starting' | 'stopping' | undefined => (state === 'ready' ? undefined : state);
  const tenantRoutes = tenantRoutesOf(configuration.routes);
  telemetry.read({
    ready: () => state === 'ready',
    rememberedSignatures: () => remembered.size,
    tenantsHeld: () => ({ routes: tenantRoutes.held, authorizationServers: authorities.tenantsHeld }),
    redisConnected: shared.isConnected,
    windowsHeld: shared.windowsHeld,
    keyAges: () => keyAgesOf(authorities),
  });
  const verifier: VerifierParts = { authorities, remembered, observer, clock };
  const liveScopes = liveScopesBy(authorities);
  const sessions = sessionKeys(configuration.sessions);
  const possession = possessionParts(configuration, { replays: shared.replays, clock });
  const assembly: Assembly = {
    configuration,
    telemetry,
    verifier,
    liveScopes,
    tenantRoutes,
    sessions,
    possession,
    strangers: strangersWithin(configuration.limits.perAddress, shared.localRateOf),
    rateOf: shared.rateOf,
    notReady,
    clock,
    stages,
  };
  const publicServer = assemblePublicServer(assembly);
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
      void Promise.all([
        authorities.askAll(),
        askForScopes(configuration.routes, liveScopes),
        shared.open(),
      ]).then(() => {
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
        .then(() => authorities.close())
        .then(() => shared.close())
        .then(() => ready.resolve());
      return closed;
    },
  };
}

interface Assembly {
  readonly configuration: Configuration;
  readonly telemetry: Telemetry;
  readonly verifier: VerifierParts;
  readonly liveScopes: (route: Route) => LiveScopes;
  readonly tenantRoutes: AllTenantRoutes;
  readonly sessions: SessionKeys;
  readonly possession: PossessionParts;
  readonly strangers: Strangers | undefined;
  readonly rateOf: State['rateOf'];
  readonly notReady: () => 'starting' | 'stopping' | undefined;
  readonly clock: () => number;
  readonly stages: typeof routeStages;
}

/** The public listener: what every request passes, what anyone may read, and one guarded scope for each route. */
function assemblePublicServer(assembly: Assembly): FastifyInstance {
  const { configuration, telemetry, verifier, liveScopes, tenantRoutes } = assembly;
  const app = createPublicServer(configuration);
  stopConnections(app, configuration.stop.drain);
  requireDeclaredAccess(app);
  app.register(telemetryStage, telemetry.stage);
  app.register(challengeStage, { liveScopes, onDefect: telemetry.reportDefect });
  app.register(requestForm, { hosts: configuration.hosts });
  app.register(discovery, {
    configuration,
    liveScopes,
    authorities: verifier.authorities,
    tenantRouteDescribedAt: (path) => tenantRoutes.describedAt(path),
  });
  for (const route of configuration.routes) {
    app.register((scope) => guardRoute(scope, route, assembly), { prefix: routerPath(route) });
  }
  return app;
}

/** The stages of one route, in the order that a request meets them. */
async function guardRoute(scope: FastifyInstance, route: Route, assembly: Assembly): Promise<void> {
  const { stages, verifier, tenantRoutes, possession, strangers, sessions } = assembly;
  const { rateOf, notReady, clock, telemetry, configuration } = assembly;
  await scope.register(stages.routes, { route, tenantRoutes: tenantRoutes.of(route), notReady });
  await scope.register(stages.token, { route, parts: verifier, possession, strangers });
  await scope.register(stages.caps, { route });
  await scope.register(stages.mcp, { route });
  await scope.register(stages.rates, { route, parts: { rateOf, clock } });
  await scope.register(stages.policy, { route });
  await scope.register(stages.ruleRates, { route, parts: { rateOf } });
  await scope.register(stages.identity, { route });
  await scope.register(stages.sessions, { keys: sessions });
  await scope.register(stages.upstream, {
    route,
    publicOrigin: new URL(configuration.publicUrl).origin,
    observer: telemetry.observer,
    clock,
    stillAdmitted: (request) => isStillAdmitted(request, verifier),
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

function keyAgesOf({ configured }: Authorities): ReturnType<Readings['keyAges']> {
  return configured.map(({ server, keys }) => ({
    authorizationServer: server.name,
    ageMs: keys.ageMs,
    keys: keys.size,
  }));
}

/** A challenge doesn't wait for a list: the first one shall find it known. */
async function askForScopes(routes: readonly Route[], liveScopes: Assembly['liveScopes']): Promise<void> {
  const live = routes.filter(({ challengeScopes }) => challengeScopes === 'from-authorization-server');
  await Promise.all(live.map((route) => liveScopes(route).get()));
}

async function warnOfDeadUpstreams(routes: readonly Route[], telemetry: Telemetry): Promise<void> {
  for (const route of routes) {
    const reason = await probeUpstream(route);
    if (reason !== undefined) telemetry.reportDeadUpstream(route, reason);
  }
}

const defaultPorts: Ports = {
  clock: Date.now,
  logSink: process.stdout,
  auditSink: process.stdout,
};
