import { isDeepStrictEqual } from 'node:util';

import type { FastifyInstance, FastifyRequest } from 'fastify';

import type { Assembly, Gate } from './running/assembly.ts';
import type { LiveScopes } from './authorization-servers/metadata/advertised-scopes.ts';
import { liveScopesBy } from './authorization-servers/metadata/advertised-scopes.ts';
import { Authorities } from './authorization-servers/authority.ts';
import { challengeStage } from './challenge/challenge.plugin.ts';
import type { Configuration, Route } from './config/configuration.ts';
import { closeEach } from './running/close-each.ts';
import { credentialsStage } from './credentials/credentials.plugin.ts';
import { openCredentials } from './credentials/open-credentials.ts';
import type { OpenCredentials } from './credentials/open-credentials.ts';
import { userLoginRoutes } from './credentials/user-login/user-login-routes.ts';
import { discovery } from './discovery/discovery.plugin.ts';
import { layFoundation } from './running/foundation.ts';
import type { Foundation, Injected } from './running/foundation.ts';
import { Assertions } from './identity/assertions.ts';
import { anonymousStage, identityStage } from './identity/identity.plugin.ts';
import { SigningKeys } from './identity/signing-keys.ts';
import { capsStage, ratesStage, ruleRatesStage } from './limits/limits.plugin.ts';
import { strangersWithin } from './limits/strangers.ts';
import { visitorsWithin } from './limits/visitors.ts';
import { mcpStage } from './mcp/mcp.plugin.ts';
import { policyStage } from './policy/policy.plugin.ts';
import { createPublicApp } from './listener/public-app.ts';
import type { RouteCounts } from './running/route-counts.ts';
import { routerPath, tenantRoutesOf } from './routes/tenant-routes.ts';
import type { AllTenantRoutes } from './routes/tenant-routes.ts';
import { requestForm, requireDeclaredAccess, routesStage, servedMethods } from './routes/routes.plugin.ts';
import { RunningGateway } from './running/running-gateway.ts';
import { sessionKeys } from './sessions/session-keys.ts';
import type { SessionKeys } from './sessions/session-keys.ts';
import { sessionsStage } from './sessions/sessions.plugin.ts';
import type { State } from './state/state.ts';
import type { Telemetry } from './telemetry/telemetry.ts';
import { telemetryStage } from './telemetry/telemetry.plugin.ts';
import type { PossessionParts } from './token/prove-possession.ts';
import { possessionParts } from './token/prove-possession.ts';
import { isStillAdmitted } from './token/still-admitted.ts';
import { tokenStage } from './token/token.plugin.ts';
import type { VerifierParts } from './token/verify-access-token.ts';
import { UnderWay } from './running/under-way.ts';
import { upstreamStage } from './upstream/upstream.plugin.ts';
import './vocabulary/fastify.ts';
import type { Ports } from './vocabulary/ports.ts';
import type { Strangers } from './vocabulary/strangers.ts';

export type { Gateway, ReloadOutcome } from './running/running-gateway.ts';

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
  credentials: credentialsStage,
  sessions: sessionsStage,
  anonymous: anonymousStage,
  upstream: upstreamStage,
};

/** Builds a gateway from a checked configuration. Nothing is opened or fetched before `start`. */
export function createGateway(
  configuration: Configuration,
  { credentials, state, ...givenPorts }: Partial<Ports> & Injected = {},
  stages: typeof routeStages = routeStages,
): RunningGateway {
  const foundation = layFoundation(
    configuration,
    { ...defaultPorts, ...givenPorts },
    { ...(credentials === undefined ? {} : { credentials }), ...(state === undefined ? {} : { state }) },
  );
  return new RunningGateway(configuration, foundation, (each, gate, before) =>
    assemble({ configuration: each, gate, before }, foundation, stages),
  );
}

/** Everything that one configuration says, put together, and what goes on from the one before it. */
function assemble(
  { configuration, gate, before }: Wanted,
  foundation: Foundation,
  stages: typeof routeStages,
): Assembly {
  const { remembered, state, telemetry, counts } = foundation;
  const { clock, fetch } = foundation.ports;
  const { observer } = telemetry;
  const authorities = new Authorities(
    configuration,
    { clock, fetch, observer, answers: state.answers },
    before?.authorities,
  );
  const tenantRoutes = tenantRoutesOf(configuration.routes);
  const verifier: VerifierParts = { authorities, remembered, observer, clock };
  const liveScopes = liveScopesBy(authorities);
  const sessions = { ...configuration.sessions, key: configuration.sessions.key ?? foundation.processKey };
  const signingKeys = new SigningKeys(configuration.signing, foundation.processSigningKey);
  const credentials = openCredentials(configuration, {
    authorities,
    clock,
    injected: foundation.injected.credentials ?? {},
    logins: foundation.loginsIn(configuration.tokenStore),
    state,
    sessions,
    network: { fetch },
    observer,
  });
  const parts: Parts = {
    configuration,
    credentials,
    visitors: visitorsWithin(state.localRateOf),
    urls: new Set(),
    telemetry,
    verifier,
    liveScopes,
    tenantRoutes,
    sessions: sessionKeys(sessions),
    signingKeys,
    assertions: new Assertions({ issuer: configuration.publicUrl, keys: signingKeys, clock }),
    possession: possessionParts({ ...configuration, sessions }, { replays: state.replays, clock }),
    strangers: strangersWithin(configuration.limits.perAddress, state.localRateOf),
    rateOf: state.rateOf,
    gate,
    counts,
    underWay: new UnderWay(),
    standing: { supersededAt: undefined },
    clock,
    stages,
  };
  const app = assembleApp(parts, foundation.nextRequestId);
  return {
    configuration,
    authorities,
    tenantRoutes,
    routing: (request, response) => app.routing(request, response),
    urls: parts.urls,
    underWay: parts.underWay,
    standing: parts.standing,
    boot: async () => {
      await app.ready();
    },
    ask: async () => {
      await Promise.all([authorities.askNew(), askForScopes(configuration.routes, liveScopes)]);
    },
    admits: (request) => admitsStill(request, parts),
    close: () =>
      closeEach([() => app.close(), () => credentials.close()], (error) =>
        telemetry.reportDefect(error, 'close'),
      ),
  };
}

interface Wanted {
  readonly configuration: Configuration;
  readonly gate: Gate;
  readonly before: Assembly | undefined;
}

/** What the stages of one configuration are made of. */
interface Parts {
  readonly configuration: Configuration;
  readonly telemetry: Telemetry;
  readonly verifier: VerifierParts;
  readonly credentials: OpenCredentials;
  readonly visitors: ReturnType<typeof visitorsWithin>;
  readonly urls: Set<string>;
  readonly liveScopes: (route: Route) => LiveScopes;
  readonly tenantRoutes: AllTenantRoutes;
  readonly sessions: SessionKeys;
  readonly signingKeys: SigningKeys;
  readonly assertions: Assertions;
  readonly possession: PossessionParts;
  readonly strangers: Strangers | undefined;
  readonly rateOf: State['rateOf'];
  readonly gate: Gate;
  readonly counts: RouteCounts;
  readonly underWay: UnderWay;
  readonly standing: { supersededAt: number | undefined };
  readonly clock: () => number;
  readonly stages: typeof routeStages;
}

/** What every request passes, what anyone may read, and one guarded scope for each route. */
function assembleApp(parts: Parts, nextRequestId: () => string): FastifyInstance {
  const { configuration, telemetry, verifier, liveScopes, tenantRoutes, underWay } = parts;
  const app = createPublicApp(configuration.listen, nextRequestId);
  requireDeclaredAccess(app);
  app.addHook('onRoute', ({ url }) => void parts.urls.add(url));
  app.register(telemetryStage, {
    ...telemetry.stage,
    beginTrace: telemetry.beginTraceFor(configuration.listen),
    logLevel: configuration.log.level,
    underWay,
  });
  app.register(challengeStage, { liveScopes, onDefect: telemetry.reportDefect });
  app.register(requestForm, { hosts: configuration.hosts });
  app.register(discovery, {
    configuration,
    liveScopes,
    signingKeys: parts.signingKeys,
    authorities: verifier.authorities,
    tenantRouteDescribedAt: (path) => tenantRoutes.describedAt(path),
  });
  const { userLogins: logins } = parts.credentials;
  if (logins !== undefined)
    app.register(userLoginRoutes, { logins, publicUrl: configuration.publicUrl, barred: parts.visitors });
  for (const route of configuration.routes) {
    app.register((scope) => guardRoute(scope, route, parts), { prefix: routerPath(route) });
  }
  return app;
}

/** The stages of one route, in the order that a request meets them. */
async function guardRoute(scope: FastifyInstance, route: Route, parts: Parts): Promise<void> {
  const { stages, verifier, tenantRoutes, possession, strangers, sessions, assertions } = parts;
  const { rateOf, gate, clock, telemetry, configuration, standing } = parts;
  const { exchanges, places } = parts.counts.of(route.name);
  await scope.register(stages.routes, {
    route,
    tenantRoutes: tenantRoutes.of(route),
    notReady: gate.notReady,
  });
  await scope.register(stages.token, { route, parts: verifier, possession, strangers });
  await scope.register(stages.caps, { route, places });
  await scope.register(stages.mcp, { route });
  await scope.register(stages.rates, { route, parts: { rateOf, clock } });
  await scope.register(stages.policy, { route });
  await scope.register(stages.ruleRates, { route, parts: { rateOf } });
  const guardsMeta = configuration.routes.some(({ identity }) => identity.assertion?.meta === true);
  await scope.register(stages.identity, { route, assertions, guardsMeta });
  await scope.register(stages.credentials, { provider: parts.credentials.of(route) });
  await scope.register(stages.sessions, { keys: sessions });
  await scope.register(stages.anonymous, { route });
  await scope.register(stages.upstream, {
    route,
    publicOrigin: new URL(configuration.publicUrl).origin,
    observer: telemetry.observer,
    clock,
    stillAdmitted: gate.stillAdmitted,
    methods: servedMethods,
    exchanges,
    standing,
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

/**
 * Whether a request that an earlier configuration has let in would be let in by this one: there is the same upstream
 * behind the same path, whoever asks may use it, and what was shown still holds. A call that is under way was judged by
 * the rules of its time; a stream that may carry more than one answer needs those of now.
 */
async function admitsStill(
  request: FastifyRequest,
  { configuration, tenantRoutes, verifier }: Parts,
): Promise<boolean> {
  const { passage } = request;
  if (passage === null || passage.stage === 'matched') return false;
  const { path, upstream } = passage.route;
  const route = configuration.routes.find((each) => each.path === path) ?? tenantRoutes.at(path);
  if (route === undefined || route.upstream.url !== upstream.url) return false;
  if (request.method === 'GET' && !isDeepStrictEqual(route.policy, passage.route.policy)) return false;
  if (route.access === 'open') return true;
  if (passage.principal === null) return route.access === 'optional';
  return isStillAdmitted(request, route, verifier);
}

/** A challenge doesn't wait for a list: the first one shall find it known. */
async function askForScopes(routes: readonly Route[], liveScopes: Parts['liveScopes']): Promise<void> {
  const live = routes.filter(({ challengeScopes }) => challengeScopes === 'from-authorization-server');
  await Promise.all(live.map((route) => liveScopes(route).get()));
}

const defaultPorts: Ports = {
  clock: Date.now,
  logSink: process.stdout,
  auditSink: process.stdout,
};
